"""What lies in a dataset folder: one manifest for each configuration, written when it is whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from agir_hf.errors import AgirError

from .shards import write_text
from .sources.base import SPLITS, file_sha256


@dataclass(frozen=True)
class Manifest:
    """One configuration of a dataset folder.

    Attributes:
        name: of the configuration.
        recipe: what rebuilds it.
        recipe_sha256: names the build.
        licence_name, licence_note, may_be_shared: see ``Licence``.
        files: path below the dataset folder -> split, examples, bytes, sha256.
        codes_of: the configuration whose motion the codes stand for; empty for a source.
    """

    name: str
    recipe: dict[str, Any]
    recipe_sha256: str
    licence_name: str
    licence_note: str
    may_be_shared: bool
    files: dict[str, dict[str, Any]]
    codes_of: str = ""

    def is_whole(self, output: Path) -> bool:
        """Whether every file is there with its size; ``validate`` also compares the hashes."""
        return all(
            (output / path).is_file() and (output / path).stat().st_size == entry["bytes"]
            for path, entry in self.files.items()
        )

    def examples(self) -> dict[str, int]:
        """Examples of each split that has any."""
        counts = dict.fromkeys(SPLITS, 0)
        for entry in self.files.values():
            counts[entry["split"]] += entry["examples"]
        return {split: count for split, count in counts.items() if count}

    def bytes(self, split: str) -> int:
        """Size of the files of a split."""
        return sum(entry["bytes"] for entry in self.files.values() if entry["split"] == split)

    def write(self, output: Path) -> None:
        """Write it to its place under ``output``."""
        path = manifest_path(output, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", path)


def file_entry(path: Path, split: str) -> dict[str, Any]:
    """What a manifest says about a Parquet file."""
    return {
        "split": split,
        "examples": pq.read_metadata(path).num_rows,
        "bytes": path.stat().st_size,
        "sha256": file_sha256(path),
    }


def manifest_path(output: Path, name: str) -> Path:
    """Where the manifest of a configuration lies."""
    return output / "manifests" / f"{name}.json"


def read_manifest(output: Path, name: str) -> Manifest | None:
    """The manifest of a configuration; None where there is none."""
    path = manifest_path(output, name)
    if not path.is_file():
        return None
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise AgirError(f"{path}: expected a manifest of this package, found: {error}") from error


def read_manifests(output: Path) -> list[Manifest]:
    """All manifests of a dataset folder, by name.

    Raises:
        AgirError: there is none: nothing was built here.
    """
    names = sorted(path.stem for path in (output / "manifests").glob("*.json"))
    found = [manifest for name in names if (manifest := read_manifest(output, name)) is not None]
    if not found:
        raise AgirError(f"expected a dataset folder with manifests/*.json in {output}, found none: build one first")
    return found
