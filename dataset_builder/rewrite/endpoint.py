"""A chat model behind an OpenAI-compatible address: vLLM, llama.cpp, Ollama, TGI, or a provider's.

Only the standard library: the address is the user's choice, so what matters is what is refused (redirects, huge
answers, endless waiting), and that needs few lines.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from .chat import TEMPERATURE, ChatError, ChatSetupError, Message

MAX_RESPONSE_BYTES = 1_000_000
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_HOPELESS = frozenset({401, 403, 404, 405})


class _Temporary(Exception):
    """Worth another try, after ``wait_s`` where the server named a time."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def _opener(proxies: urllib.request.ProxyHandler) -> urllib.request.OpenerDirector:
    """HTTP and HTTPS only, and no redirects: texts go to the host that was named, and to no other."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        proxies,
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


class OpenAIEndpoint:
    """``POST {base_url}/chat/completions``. Names the address on stderr before the first text is sent.

    Args:
        base_url: up to and with the version, such as ``"http://127.0.0.1:8000/v1"``.
        model: the model's name there.
        key_variable: the environment variable that holds the key; none is sent without it.
        is_local: the user's word that the server at a loopback address answers by itself and passes nothing on.
        timeout_s: of one request, from connecting to the last byte.
        max_tries: requests for one answer, the first included.
        first_wait_s: before the second try; it doubles from try to try.
        max_wait_s: longest wait; a server that asks for longer gives up the text.

    Raises:
        ChatSetupError: the address cannot be used, a local one is not of this machine, or the variable is not set.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key_variable: str | None = None,
        is_local: bool = False,
        timeout_s: float = 120.0,
        max_tries: int = 4,
        first_wait_s: float = 1.0,
        max_wait_s: float = 60.0,
    ) -> None:
        host = _checked_host(base_url)
        loopback = _is_loopback(host)
        if is_local and not loopback:
            raise ChatSetupError(
                f"expected an address of this machine (127.0.0.1 or localhost) for a local endpoint, found {host}: "
                "leave out --endpoint-is-local, or use an address of this machine"
            )
        if not model.strip():
            raise ChatSetupError("expected the model's name at the endpoint, found none: give --rewrite-model")
        self.url = base_url.rstrip("/") + "/chat/completions"
        self.name, self.is_local = model, is_local
        self._host = host
        self._key = _key(key_variable)
        self._timeout_s, self._max_tries = timeout_s, max_tries
        self._first_wait_s, self._max_wait_s = first_wait_s, max_wait_s
        proxies = urllib.request.ProxyHandler({}) if loopback else urllib.request.ProxyHandler()
        self._opener = _opener(proxies)
        self._proxy = None if loopback else urllib.request.getproxies().get(urlsplit(base_url).scheme)
        self._announced = False
        self._lock = threading.Lock()

    def complete(self, messages: Sequence[Message], *, seed: int, max_tokens: int) -> str:
        """See ``ChatModel``.

        Raises:
            ChatError: tries are used up, the answer is too large or has no text, or the server refuses the request.
            ChatSetupError: the key, the address or the model is refused, or the server sends elsewhere.
        """
        self._announce()
        asked = {
            "model": self.name,
            "messages": list(messages),
            "seed": seed,
            "max_tokens": max_tokens,
            "temperature": TEMPERATURE,
            "stream": False,
        }
        data = json.dumps(asked).encode()
        for tried in range(1, self._max_tries + 1):
            try:
                return _text_of(self._post(data))
            except _Temporary as problem:
                wait_s = min(self._first_wait_s * 2 ** (tried - 1), self._max_wait_s)
                wait_s = wait_s if problem.wait_s is None else problem.wait_s
                if tried == self._max_tries:
                    raise ChatError(f"no answer from {self._host} in {tried} tries, the last: {problem}") from problem
                if wait_s > self._max_wait_s:
                    raise ChatError(
                        f"{self._host} asks to wait {wait_s:.0f} s: {problem}; try again later"
                    ) from problem
                time.sleep(wait_s)
        raise ChatSetupError(f"expected at least 1 try, found {self._max_tries}")

    def _announce(self) -> None:
        with self._lock:
            if not self._announced:
                place = "this machine, as you say" if self.is_local else "which may keep them or pass them on"
                way = f", through the proxy {urlsplit(self._proxy).hostname}" if self._proxy else ""
                print(
                    f"rewriting sends texts and measured values, no ids and no motion, to {self.url} "
                    f"(model {self.name}; {place}{way})",
                    file=sys.stderr,
                    flush=True,
                )
                self._announced = True

    def _post(self, data: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "agir-hf"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self.url, data, headers, method="POST")
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return _read(response, deadline)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except ssl.SSLError as error:
            raise ChatSetupError(f"no safe connection to {self._host}: {error}") from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLError):
                raise ChatSetupError(f"no safe connection to {self._host}: {error.reason}") from error
            raise _Temporary(f"{self._host} cannot be reached ({error.reason})") from error
        except (http.client.InvalidURL, UnicodeError) as error:
            raise ChatSetupError(f"expected an address that can be asked, found {self.url!r} ({error})") from error
        except TimeoutError as error:
            raise _Temporary(f"no whole answer within {self._timeout_s:g} s") from error
        except (http.client.HTTPException, OSError) as error:
            raise _Temporary(f"the connection broke ({type(error).__name__}: {error})") from error

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        """What a status other than 2xx means."""
        if 300 <= error.code < 400:
            to = _host_of(error.headers.get("Location") or "") or "an unnamed place"
            return ChatSetupError(
                f"expected an answer from {self._host}, found a redirect ({error.code}) to {to}, not followed: "
                "give the final address as the endpoint if it is to have the texts"
            )
        try:
            body = error.read(2000).decode("utf-8", "replace")
        except (http.client.HTTPException, OSError):
            body = ""
        if self._key:
            body = body.replace(self._key, "***")
        told = f"{self._host} answered {error.code}: {_plain(body) or _plain(str(error.reason))}"
        if error.code in _RETRIED:
            return _Temporary(told, _retry_after(error.headers.get("Retry-After")))
        if error.code in _HOPELESS:
            return ChatSetupError(f"{told}; check the address, the model's name and the variable that holds the key")
        return ChatError(told)


def _checked_host(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ChatSetupError(f"expected an address such as http://127.0.0.1:8000/v1, found {base_url!r}") from error
    if parts.scheme not in ("http", "https") or not host or port == 0 or parts.query or parts.fragment:
        raise ChatSetupError(f"expected an address such as http://127.0.0.1:8000/v1, found {base_url!r}")
    if parts.username is not None or parts.password is not None:
        raise ChatSetupError("expected an address without a name or password in it: put the key in a variable")
    return host


def _host_of(url: str) -> str | None:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host and _plain(host)


def _plain(text: str) -> str:
    """The start of a text from elsewhere, fit for a terminal and a log."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(text.split())[:200])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ChatSetupError(f"expected the key in the environment variable {variable}, found it empty or not set")
    if not key.isascii() or not key.isprintable():
        raise ChatSetupError(f"expected a key of printable ASCII in {variable}: copy it again")
    return key


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, as far as it is whole, small and in time."""
    told = bytearray()
    while block := response.read1(65536):
        told += block
        if len(told) > MAX_RESPONSE_BYTES:
            raise ChatError(f"expected an answer of at most {MAX_RESPONSE_BYTES} bytes, found more: not read further")
        if time.monotonic() > deadline:
            raise TimeoutError
    if response.length:
        raise _Temporary(f"the answer was cut off {response.length} bytes before its end")
    return bytes(told)


def _text_of(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        start = body[:60].decode("utf-8", "replace")
        raise _Temporary(f"expected JSON, found {start!r} (whole answer: {len(body)} bytes)") from error
    try:
        text = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        found = _plain(", ".join(answer)) if isinstance(answer, dict) else type(answer).__name__
        raise ChatError(f"expected choices[0].message.content in the answer, found {found}") from error
    if text is None:
        return ""
    if not isinstance(text, str):
        raise ChatError(f"expected a text as choices[0].message.content, found {type(text).__name__}")
    return text


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: the header is a number or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
