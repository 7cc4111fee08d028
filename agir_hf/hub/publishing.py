"""Folders to repositories on the Hub: private first, whole or not at all, and again where a connection broke.

All files of a folder come in one commit, made on the state of the repository that was looked at, so a repository never
holds half of them or a mixture of two uploads. What was uploaded before an upload broke is not sent again: the Hub
knows large files by their hash. Only when every file was seen to be there, and nothing else, does a repository become
public.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

from ..errors import AgirError
from ..repositories import SIGN_IN
from .card_check import check_card

Result = TypeVar("Result")

TRIES = 4
FIRST_WAIT_S = 1.0
# Begins the title of each commit made here: the history of a repository that is opened must hold no others.
MARK = "agir push: "
_FIRST_COMMIT = "initial commit"
_HUBS_OWN = (".gitattributes",)
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
        replaces: patterns of files that an earlier upload left there and that go if they are not in the folder; a
            pattern without "/" is of files at the top.
        wait: called with the seconds between two tries.

    Raises:
        AgirError: no card or one with blanks, weights in a format that can run code, a public repository where a
            private one was meant, one to open that holds something else, or the Hub refuses.
    """
    check_folder(folder)
    check_name(repo)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    api = HfApi()
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    there = _Repository(api, repo, repo_type, files, replaces, public)
    try:
        _retried(lambda: api.create_repo(repo, repo_type=repo_type, private=True, exist_ok=True), wait)
        commit = _retried(lambda: there.commit(folder, MARK + message), wait)
        _retried(lambda: there.check(commit.oid), wait)
        if public:
            _retried(lambda: api.update_repo_settings(repo, repo_type=repo_type, private=False), wait)
    except OfflineModeIsEnabled as error:
        raise AgirError("expected to reach the Hub, found HF_HUB_OFFLINE set: run this without it") from error
    except HfHubHTTPError as error:
        raise AgirError(f"expected the Hub to take {repo}, found: {_refusal(error)}") from error
    except ValueError as error:  # the Hub's own check of the card's metadata
        if isinstance(error, AgirError):
            raise
        raise AgirError(f"expected a card that the Hub takes, found: {' '.join(str(error).split())}") from error
    return str(commit.commit_url)


class _Repository:
    """A repository that files are to go to."""

    def __init__(
        self,
        api: Any,
        repo: str,
        repo_type: str,
        files: Mapping[str, Path],
        replaces: Sequence[str],
        public: bool,
    ) -> None:
        self.api, self.repo, self.repo_type = api, repo, repo_type
        self.files, self.replaces, self.public = files, replaces, public

    def commit(self, folder: Path, title: str) -> Any:
        """Upload onto what is there now; refused by the Hub where that changes meanwhile."""
        info = self.api.repo_info(self.repo, repo_type=self.repo_type)
        # A repository that was there before keeps its visibility, whatever was asked for.
        if not self.public and not info.private:
            raise AgirError(
                f"expected {self.repo} to be private, found it public: make it private, or push with --public"
            )
        names = [entry.path for entry in self._tree(info.sha)]
        stale = [name for name in names if name not in self.files and self._is_replaced(name)]
        if self.public and info.private:
            self._check_may_be_opened(info.sha, [name for name in names if name not in stale])
        return self.api.upload_folder(
            folder_path=str(folder),
            repo_id=self.repo,
            repo_type=self.repo_type,
            commit_message=title,
            parent_commit=info.sha,
            delete_patterns=[re.sub(r"([*?[])", r"[\1]", name) for name in stale] or None,
        )

    def check(self, commit: str) -> None:
        """Raise where the repository is not what was uploaded."""
        tree = {entry.path: entry for entry in self._tree(commit)}
        if missing := [name for name, path in self.files.items() if not _is_there(path, tree.get(name))]:
            raise AgirError(
                f"expected {missing[0]} whole in {self.repo} after the upload, found another or none: run the same "
                "command again"
            )
        info = self.api.repo_info(self.repo, repo_type=self.repo_type)
        if info.sha != commit:
            raise AgirError(f"expected nobody else to change {self.repo}, found a later commit: run this again")
        if self.public and info.private:
            self._check_may_be_opened(commit, list(tree))

    def _check_may_be_opened(self, commit: str, names: Sequence[str]) -> None:
        if strangers := [name for name in names if name not in self.files and name not in _HUBS_OWN]:
            raise AgirError(
                f"expected nothing in {self.repo} but what is pushed before it is opened to everyone, found "
                f"{strangers[0]}: take it away, or push to a new repository"
            )
        titles = [one.title for one in self.api.list_repo_commits(self.repo, repo_type=self.repo_type, revision=commit)]
        if other := next((title for title in titles if title != _FIRST_COMMIT and not title.startswith(MARK)), None):
            raise AgirError(
                f"expected a history of {self.repo} made by agir push alone before it is opened to everyone, found "
                f"the commit {other!r}: push to a new repository"
            )

    def _tree(self, commit: str) -> list[Any]:
        entries = self.api.list_repo_tree(self.repo, recursive=True, repo_type=self.repo_type, revision=commit)
        return [entry for entry in entries if hasattr(entry, "blob_id")]  # files, not folders

    def _is_replaced(self, name: str) -> bool:
        return any(fnmatch(name, pattern) and ("/" in pattern or "/" not in name) for pattern in self.replaces)


def check_name(repo: str) -> None:
    """Refuse what is no name of a repository.

    Raises:
        AgirError: not "owner/name", or characters that the Hub does not take.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise AgirError(f"expected a repository as OWNER/NAME, found {repo!r}: {error}") from error
    if repo.count("/") != 1:
        raise AgirError(f"expected a repository as OWNER/NAME, found {repo!r}")


def _refusal(error: Any) -> str:
    """What the Hub said, and what to do about it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = getattr(error, "server_message", None) or " ".join(lines) or type(error).__name__
    status = getattr(error.response, "status_code", None)
    advice = {
        401: SIGN_IN,
        403: "is the token allowed to write there?",
        412: "somebody else changed the repository meanwhile: run the same command again",
    }
    return f"{' '.join(str(said).split())}" + (f"; {advice[status]}" if status in advice else "")


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


def _is_there(path: Path, entry: Any) -> bool:
    """Whether an entry of a repository's tree is this file with this content."""
    if entry is None or entry.size != path.stat().st_size:
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
