"""A stand-in for the Hugging Face Hub on this machine, for tests that push and load again without a network.

    with HubStandIn() as hub:
        hub.run("from huggingface_hub import HfApi; HfApi().create_repo('tester/walks', repo_type='dataset')")
        hub.run("...load_dataset('tester/walks')...")      # another process, with a cache of its own

Hugging Face libraries read where the Hub is when they are imported, so what talks to the stand-in runs in processes of
its own, with ``environment`` set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from .calls import ROUTES
from .server import Fault, Server
from .store import Store

__all__ = ["HubStandIn"]


class HubStandIn:
    """The Hub at ``endpoint``, from entering the context to leaving it.

    Attributes:
        endpoint: its address.
        token: the one token it knows; it may write to ``user`` and ``organizations``.
        calls, unknown_calls: (method, path) of what was asked; of what has no answer here.
    """

    def __init__(self, *, user: str = "tester", organizations: tuple[str, ...] = ("lab",)) -> None:
        self.user, self.token = user, "hf_stand_in_token"
        self._organizations = organizations

    def __enter__(self) -> HubStandIn:
        self._folder = tempfile.TemporaryDirectory(prefix="hub-stand-in-", ignore_cleanup_errors=True)
        self._store = Store(Path(self._folder.name) / "content")
        self._server = Server(ROUTES, self._store, token=self.token, user=self.user, organizations=self._organizations)
        self.endpoint = self._server.endpoint
        self.calls, self.unknown_calls = self._server.calls, self._server.unknown_calls
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """The variables to set before a process imports a Hugging Face library; its caches are new and empty."""
        home = tempfile.mkdtemp(prefix="home-", dir=self._folder.name)
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": self.token,
            "HF_HOME": home,
            # Whoever runs the tests without a network may have said so; this Hub is on the machine.
            "HF_HUB_OFFLINE": "0",
            "HF_DATASETS_OFFLINE": "0",
            "TRANSFORMERS_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def run(
        self,
        code: str,
        *arguments: str,
        signed_in: bool = True,
        variables: Mapping[str, str] | None = None,
        timeout_s: float = 300.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run Python code in a process that has the stand-in for its Hub.

        Args:
            code: what ``python -c`` takes; ``arguments`` follow it as ``sys.argv[1:]``.
            signed_in: without it the process has no token.
            variables: more of the environment, such as an ``HF_HOME`` that several processes share.
            timeout_s: after this it is killed, and ``subprocess.TimeoutExpired`` raised.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
        environment = {**inherited, **self.environment, "PYTHONIOENCODING": "utf-8", **(variables or {})}
        if not signed_in:
            del environment["HF_TOKEN"]
        command = [sys.executable, "-c", code, *arguments]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, env=environment, stdout=pipe, stderr=pipe, text=True, encoding="utf-8"
        ) as process:
            self._server.kill_client = process.kill
            try:
                output, errors = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def fail(self, fault: Fault, *, after: int = 0, times: int = 1) -> None:
        """Let calls go wrong: the one that comes after so many others, and as many following ones as said.

        ``"killed"`` and ``"killed after"`` kill the process that `run` started, before or after its call is done.
        """
        first = len(self.calls) + after
        self._server.faults = {place: fault for place in range(first, first + times)}

    def watch(self, on_call: Callable[[str, str], None]) -> None:
        """Have a function called with the method and path of each call, before it is answered."""
        self._server.on_call = on_call

    def gate(self, repo_id: str, *, repo_type: str = "model") -> None:
        """Let a repository be seen by everyone and read by nobody, as one whose terms were not accepted."""
        self._server.gated.add((repo_type, repo_id))

    def is_public(self, repo_id: str, *, repo_type: str = "model") -> bool:
        """Whether there is such a repository and everyone may see it."""
        found = self._store.repositories.get((repo_type, repo_id))
        return found is not None and not found.private

    def commit(self, repo_id: str, *, repo_type: str = "model", revision: str = "main") -> str:
        """The hash of a revision's commit."""
        return self._store.repositories[repo_type, repo_id].at(revision).id

    def large_files(self) -> list[str]:
        """SHA-256 of the large files that were uploaded, whether or not a commit holds them."""
        return [path.name for path in self._store.folder.iterdir() if len(path.name) == 64]

    def files(self, repo_id: str, *, repo_type: str = "model", revision: str = "main") -> dict[str, bytes]:
        """The content of a repository by path, to look at what was pushed.

        Raises:
            KeyError: there is no such repository.
        """
        commit = self._store.repositories[repo_type, repo_id].at(revision)
        return {path: self._store.content(file).read_bytes() for path, file in commit.files.items()}
