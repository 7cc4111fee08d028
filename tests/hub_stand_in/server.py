"""The stand-in's HTTP: finds what answers a request, reads bodies, checks the token, turns refusals into answers."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from socketserver import TCPServer
from typing import Any, BinaryIO, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from .store import Commit, Refused, Repository, Store

# What may go wrong with a call: 503; the connection breaks before or after the work was done; the client dies then.
Fault = Literal["unavailable", "dropped", "dropped after", "killed", "killed after"]
# method, path with named groups, and what answers it
Route = tuple[str, re.Pattern[str], Callable[["Handler", dict[str, str]], None]]


class Server(ThreadingHTTPServer):
    """Listens on a free port of this machine."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, routes: list[Route], store: Store, *, token: str, user: str, organizations: tuple[str, ...]
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes, self.store = routes, store
        self.token, self.user, self.organizations = token, user, organizations
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.calls: list[tuple[str, str]] = []
        self.unknown_calls: list[tuple[str, str]] = []
        self.announced: set[str] = set()  # LFS objects that may be uploaded
        self.faults: dict[int, Fault] = {}  # by place in ``calls``
        self.on_call: Callable[[str, str], None] = lambda method, path: None
        self.kill_client: Callable[[], None] = lambda: None
        self.gated: set[tuple[str, str]] = set()  # (kind, repository) that may be seen and not read
        self.lock = threading.Lock()

    def server_bind(self) -> None:
        """Without the name look-up of ``HTTPServer``, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


class _Counted:
    """A body of known length, read like a file."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        return block


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: ``Server.calls`` keeps what was asked."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        self.body = _Counted(self.rfile, int(self.headers.get("Content-Length") or 0))  # type: ignore[arg-type]
        with self.server.lock:
            fault = self.server.faults.get(len(self.server.calls))
            self.server.calls.append((self.command, url.path))
        self.server.on_call(self.command, url.path)
        if fault in ("dropped after", "killed after"):
            self.wfile = BytesIO()  # done, and nobody will hear of it
        elif fault in ("dropped", "killed"):
            return self._hang_up(fault)
        self._answer(url.path, fault)
        if fault in ("dropped after", "killed after"):
            self._hang_up(fault)

    def _hang_up(self, fault: Fault) -> None:
        if fault.startswith("killed"):
            self.server.kill_client()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, path: str, fault: Fault | None) -> None:
        try:
            if fault == "unavailable":
                raise Refused(503, "Service Unavailable")
            for method, pattern, function in self.server.routes:
                match = pattern.fullmatch(path) if self.command in (method, "HEAD" * (method == "GET")) else None
                if match:
                    function(self, {name: unquote(value or "") for name, value in match.groupdict().items()})
                    break
            else:
                with self.server.lock:
                    self.server.unknown_calls.append((self.command, path))
                raise Refused(404, f"the stand-in for the Hub has no {self.command} {path}")
        except Refused as refusal:
            headers = {"X-Error-Message": refusal.message, **({"X-Error-Code": refusal.code} if refusal.code else {})}
            self.answer({"error": refusal.message}, refusal.status, headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer with JSON."""
        data = json.dumps(value).encode()
        self.send(BytesIO(data), len(data), status, {"Content-Type": "application/json", **(headers or {})})

    def send(self, data: BinaryIO, length: int, status: int, headers: dict[str, str]) -> None:
        self.body.read()  # what was not read would be taken for the next request
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value.encode("ascii", "backslashreplace").decode())
        self.end_headers()
        if self.command != "HEAD":
            shutil.copyfileobj(_Counted(data, length), self.wfile)  # type: ignore[misc]

    def json(self) -> Any:
        """The body, as JSON.

        Raises:
            Refused: it is none.
        """
        data = self.body.read()
        try:
            return json.loads(data or b"{}")
        except ValueError as error:
            raise Refused(400, f"expected JSON: {error}") from error

    def signed_in(self) -> bool:
        """Whether the token was sent.

        Raises:
            Refused: another token was sent.
        """
        sent = self.headers.get("Authorization")
        if sent is not None and sent != f"Bearer {self.server.token}":
            raise Refused(401, "Invalid credentials in Authorization header")
        return sent is not None

    def sign_in(self) -> None:
        """
        Raises:
            Refused: no token was sent.
        """
        if not self.signed_in():
            raise Refused(401, "Invalid username or password.")

    def repository(self, at: dict[str, str], *, write: bool = False) -> Repository:
        """The repository of a request that may read or write it.

        Raises:
            Refused: it is missing, or private and no token was sent, which look the same; or writing needs a token.
        """
        signed_in = self.signed_in()
        found = self.server.store.repositories.get((at.get("kind") or "model", at["repo"]))
        if found is None or (found.private and not signed_in):
            raise Refused(404 if signed_in else 401, "Repository not found", "RepoNotFound")
        if write:
            self.sign_in()
        return found

    def commit_at(self, at: dict[str, str]) -> Commit:
        return self.repository(at).at(at.get("revision") or "main")

    def owned(self, asked: dict[str, Any]) -> tuple[str, str]:
        """Kind and name of the repository that a body names, in a namespace that may be written.

        Raises:
            Refused: another namespace.
        """
        self.sign_in()
        owner = asked.get("organization") or self.server.user
        if owner not in (self.server.user, *self.server.organizations):
            raise Refused(403, f"You don't have the rights to create or change a repo under the namespace {owner}")
        return asked.get("type") or "model", f"{owner}/{asked['name']}"
