"""Folders to repositories on the Hub: private first, whole or not at all, and again where a connection broke.

All files of a folder come in one commit, so a repository never holds half of them. What was uploaded before an upload
broke is not sent again: the Hub knows large files by their hash. Only when every file was seen to be there does a
repository become public.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..errors import AgirError
from .card_check import check_card

Result = TypeVar("Result")

TRIES = 5
FIRST_WAIT_S = 1.0
_FORBIDDEN = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def push_folder(
    folder: Path,
    repo: str,
    *,
    repo_type: str = "model",
    public: bool = False,
    message: str,
    replaces: Sequence[str] = (),
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Upload a folder as one commit; returns the commit's address.

    Args:
        folder: holds a filled ``README.md``; weights as safetensors only.
        repo: "owner/name"; made private where it is not there.
        public: make it visible to everyone once it is whole. Without it the repository must be private.
        replaces: patterns of files that an earlier upload left there and that go if they are not in the folder.
        wait: called with the seconds between two tries.

    Raises:
        AgirError: no card or one with blanks, weights in a format that can run code, a public repository where a
            private one was meant, or the Hub refuses.
    """
    check_folder(folder)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi()
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    try:
        _retried(lambda: api.create_repo(repo, repo_type=repo_type, private=True, exist_ok=True), wait)
        # A repository that was there before keeps its visibility, whatever was asked for.
        if not public and not _retried(lambda: api.repo_info(repo, repo_type=repo_type), wait).private:
            raise AgirError(f"expected {repo} to be private, found it public: make it private, or push with --public")
        commit = _retried(
            lambda: api.upload_folder(
                folder_path=str(folder),
                repo_id=repo,
                repo_type=repo_type,
                commit_message=message,
                delete_patterns=list(replaces) or None,
            ),
            wait,
        )
        there = _retried(lambda: list(api.list_repo_tree(repo, recursive=True, repo_type=repo_type)), wait)
        if missing := [name for name, path in files.items() if not _is_there(path, name, there)]:
            raise AgirError(
                f"expected {missing[0]} whole in {repo} after the upload, found another or none: run the same command "
                "again; the repository was not made public"
            )
        if public:
            _retried(lambda: api.update_repo_settings(repo, repo_type=repo_type, private=False), wait)
    except HfHubHTTPError as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise AgirError(f"expected the Hub to take {repo}, found: {reason}; is the token allowed to write?") from error
    return str(commit.commit_url)


def check_folder(folder: Path) -> None:
    """Refuse what is not to be passed on.

    Raises:
        AgirError: see `push_folder`.
    """
    card = folder / "README.md"
    if not card.is_file():
        raise AgirError(f"expected a card ({card}), found none: every repository says what it holds")
    check_card(card)
    unsafe = sorted(path.name for path in folder.rglob("*") if path.suffix in _FORBIDDEN)
    if unsafe:
        raise AgirError(f"expected weights as safetensors, found {unsafe[0]} in {folder}")


def _is_there(path: Path, name: str, tree: Sequence[Any]) -> bool:
    """Whether a repository's tree has this file with this content."""
    entry = next((entry for entry in tree if entry.path == name), None)
    if entry is None or getattr(entry, "size", None) != path.stat().st_size:
        return False
    if entry.lfs is not None:
        with path.open("rb") as stream:
            return bool(hashlib.file_digest(stream, "sha256").hexdigest() == entry.lfs.sha256)
    data = path.read_bytes()
    return bool(hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == entry.blob_id)


def _retried(call: Callable[[], Result], wait: Callable[[float], None]) -> Result:
    """The result of a call, tried again with growing pauses where the Hub or the connection fails for a while."""
    for attempt in range(TRIES):
        try:
            return call()
        except Exception as error:
            if not _passes(error):
                raise
            if attempt == TRIES - 1:
                raise AgirError(f"expected the Hub to answer, found: {error}; run the same command again") from error
            wait(FIRST_WAIT_S * 2.0**attempt)
    raise AgirError("expected at least one try")


def _passes(error: Exception) -> bool:
    """Whether a failure may be gone in a moment: the Hub is overloaded or down, or the connection broke."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    status: Any = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return bool(status >= 500 or status == 429)
    # huggingface_hub changes its HTTP library from version to version; what they call this stays.
    broken = any(kind.__name__ == "TransportError" for kind in type(error).__mro__)
    return (broken or isinstance(error, (ConnectionError, TimeoutError))) and not isinstance(
        error, OfflineModeIsEnabled
    )
