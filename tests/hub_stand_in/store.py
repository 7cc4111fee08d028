"""What the stand-in keeps: repositories as commits of paths, and the content of files in a folder by its hash."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

LFS_SUFFIXES = frozenset(
    ".parquet .safetensors .arrow .bin .pt .pth .ckpt .pkl .npy .npz .h5 .onnx .gguf .zip .gz .tar .tgz .bz2 .zst "
    ".mp4 .gif .png .jpg .wav .model".split()
)
LFS_FROM_BYTES = 10_000_000


class Refused(Exception):
    """A request that the Hub would refuse: status, the ``X-Error-Code`` that clients tell apart, and the message."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass(frozen=True)
class File:
    """One version of a file; ``sha256`` is set where it is kept as LFS and then names the content too."""

    size: int
    blob_id: str
    content: str
    sha256: str | None = None

    def entry(self, path: str) -> dict[str, Any]:
        """As ``tree`` and ``paths-info`` list it."""
        listed: dict[str, Any] = {"type": "file", "path": path, "size": self.size, "oid": self.blob_id}
        if self.sha256 is not None:
            listed["lfs"] = {
                "oid": self.sha256,
                "size": self.size,
                "pointerSize": len(_pointer(self.sha256, self.size)),
            }
        return listed


@dataclass(frozen=True)
class Commit:
    id: str
    title: str
    message: str
    date: str
    files: dict[str, File]
    parent: str | None


@dataclass
class Repository:
    """A model or dataset repository."""

    kind: str
    id: str
    private: bool
    created: str
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> Commit:
        """The commit of a branch, a tag or a hash.

        Raises:
            Refused: there is no such revision.
        """
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        found = self.commits.get(self.branches.get(name) or self.tags.get(name) or revision)
        if found is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    def commit(self, branch: str, files: dict[str, File], title: str, message: str = "") -> Commit:
        """Put a commit on a branch."""
        parent = self.branches.get(branch)
        told = repr((self.kind, self.id, parent, len(self.commits), title, sorted(files.items())))
        made = Commit(hashlib.sha1(told.encode()).hexdigest(), title, message, _now(), files, parent)
        self.commits[made.id] = made
        self.branches[branch] = made.id
        return made

    def log(self, revision: str) -> list[Commit]:
        """The commits of a revision, newest first."""
        told, at = [], self.at(revision).id
        while at is not None:
            told.append(self.commits[at])
            at = self.commits[at].parent  # type: ignore[assignment]
        return told


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _pointer(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def upload_mode(path: str, size: int, sample: bytes) -> str:
    """``lfs`` or ``regular``: by name, size, and whether the first bytes are text."""
    binary = os.path.splitext(path)[1].lower() in LFS_SUFFIXES or b"\0" in sample
    return "lfs" if size and (binary or size >= LFS_FROM_BYTES) else "regular"


class Store:
    """All repositories. ``lock`` guards what changes them; content is written once and never changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.repositories: dict[tuple[str, str], Repository] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, kind: str, repo_id: str, private: bool) -> Repository:
        """A new repository with a first commit, as on the Hub.

        Raises:
            Refused: it exists.
        """
        with self.lock:
            if (kind, repo_id) in self.repositories:
                raise Refused(409, f"You already created this {kind} repo: {repo_id}")
            made = Repository(kind, repo_id, private, _now())
            made.commit("main", {".gitattributes": self.keep(b"")}, "initial commit")
            self.repositories[kind, repo_id] = made
            return made

    def content(self, file: File) -> Path:
        return self.folder / file.content

    def keep(self, data: bytes) -> File:
        """Keep a regular file."""
        oid = _git_blob(data)
        with self.lock:
            if not (self.folder / oid).exists():
                (self.folder / oid).write_bytes(data)
        return File(len(data), oid, oid)

    def receive(self, oid: str, stream: BinaryIO) -> None:
        """Keep an LFS object.

        Raises:
            Refused: its hash is not what was announced.
        """
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(dir=self.folder, prefix="incoming-")
        with os.fdopen(handle, "wb") as out:
            while block := stream.read(1 << 20):
                digest.update(block)
                out.write(block)
        if digest.hexdigest() != oid:
            os.unlink(name)
            raise Refused(400, f"expected content with SHA-256 {oid}, found {digest.hexdigest()}")
        os.replace(name, self.folder / oid)

    def lfs_file(self, oid: str) -> File:
        """The file of an LFS object that was uploaded before.

        Raises:
            Refused: it was not uploaded.
        """
        path = self.folder / oid
        if len(oid) != 64 or not path.is_file():
            raise Refused(400, f"LFS object {oid} was not uploaded before the commit")
        size = path.stat().st_size
        return File(size, _git_blob(_pointer(oid, size)), oid, oid)


def entries(files: dict[str, File], folder: str, recursive: bool) -> list[dict[str, Any]]:
    """The tree under a folder ("" for all), folders included, sorted by path.

    Raises:
        Refused: there is no such folder.
    """
    prefix = f"{folder}/" if folder else ""
    found: dict[str, dict[str, Any]] = {}
    for path, file in files.items():
        if not path.startswith(prefix):
            continue
        parts = path[len(prefix) :].split("/")
        for depth in range(1, len(parts)):
            name = prefix + "/".join(parts[:depth])
            found.setdefault(name, {"type": "directory", "path": name, "size": 0, "oid": _git_blob(name.encode())})
            if not recursive:
                break
        if len(parts) == 1 or recursive:
            found[path] = file.entry(path)
    if folder and not found:
        raise Refused(404, f"{folder} does not exist", "EntryNotFound")
    return [found[path] for path in sorted(found)]


def changed(before: dict[str, File], operations: list[dict[str, Any]], store: Store) -> dict[str, File]:
    """The files after the operations of a commit.

    Raises:
        Refused: an operation that cannot be done.
    """
    after = dict(before)
    for operation in operations:
        key, value = operation["key"], operation["value"]
        path = value.get("path", "")
        if key == "file":
            after[path] = store.keep(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            after[path] = store.lfs_file(value["oid"])
        elif key == "deletedFile":
            if after.pop(path, None) is None:
                raise Refused(404, f"A file with the name {path} does not exist", "EntryNotFound")
        elif key == "deletedFolder":
            after = {name: file for name, file in after.items() if not name.startswith(path.rstrip("/") + "/")}
        else:
            raise Refused(400, f"expected file, lfsFile, deletedFile or deletedFolder, found {key}")
    return after
