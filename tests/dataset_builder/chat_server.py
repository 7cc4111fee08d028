"""A chat endpoint on this machine that answers as a test tells it to, badly for the most part."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["_Handler"], None]


class ChatServer:
    """Gives ``answers`` one after another, and the last one again and again.

    Attributes:
        url: the base address, up to ``/v1``.
        requests: what was sent: (path, headers, body).
        stopped: set when the test is over, for answers that wait.
    """

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> ChatServer:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.chat = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def next_answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        with self._lock:
            self.requests.append((path, headers, body))
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def asked(self, place: int) -> dict[str, Any]:
        """The JSON of a request."""
        asked: dict[str, Any] = json.loads(self.requests[place][2])
        return asked


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    chat: ChatServer

    def handle_error(self, *_: Any) -> None:
        """Clients of these tests hang up; that is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.chat.next_answer(self.path, dict(self.headers), body)(self)

    do_GET = do_POST

    def send(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


def says(text: object) -> Answer:
    """A good answer with this text."""
    return raw(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())


def raw(body: bytes, *, length: int | None = None) -> Answer:
    """This body; a ``length`` above its own cuts the answer off."""
    return lambda handler: handler.send(body, length=length)


def status(code: int, body: bytes = b'{"error": "no"}', **headers: str) -> Answer:
    return lambda handler: handler.send(body, code, **headers)


def hangs(handler: _Handler) -> None:
    handler.server.chat.stopped.wait(20)


def drips(handler: _Handler) -> None:
    """Headers at once, then a byte now and then, for as long as anyone listens."""
    handler.send(b"{", length=10_000)
    while not handler.server.chat.stopped.wait(0.03):
        handler.wfile.write(b" ")


def hangs_up(handler: _Handler) -> None:
    handler.connection.close()
