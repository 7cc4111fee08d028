"""What decides the bytes of a build, and its hash: two builds of one hash are the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from agir_hf.errors import AgirError
from agir_hf.rationale.bins import BINS_VERSION

from .sources.base import Source

if TYPE_CHECKING:
    from .rewriting import RewriteSettings

BUILDER_VERSION = "1"
CLIPS_PER_SHARD = 200
MAX_DRAWS = 20  # of a rationale that reads like another one of its score

# What decides what an example looks like.
_CODE = {
    "agir_hf": ("clip.py", "skeleton.py", "gait", "motion", "rationale", "simulation"),
    "dataset_builder": ("checks.py", "corpus.py", "examples.py", "recipe.py", "shards.py", "sources", "steps.py"),
}


@dataclass(frozen=True)
class BuildRecipe:
    """A build of one source.

    Attributes:
        source: where the clips come from.
        seed: decides the wording.
        clips_per_shard: clips of one Parquet file, whatever the number of workers.
        rewrite: which chat model words the texts anew; None for none.
    """

    source: Source
    seed: int
    clips_per_shard: int = CLIPS_PER_SHARD
    rewrite: RewriteSettings | None = None

    def __post_init__(self) -> None:
        if self.clips_per_shard < 1:
            raise AgirError(f"expected at least 1 clip per shard, found {self.clips_per_shard}")

    def to_dict(self) -> dict[str, object]:
        """Ready for JSON; the same on every machine."""
        rewrite = {} if self.rewrite is None else {"rewrite": self.rewrite.to_dict()}
        return {
            **rewrite,
            "builder_version": BUILDER_VERSION,
            "bins_version": BINS_VERSION,
            "code_sha256": code_sha256(),
            "source": self.source.name,
            "options": self.source.recipe(),
            "seed": self.seed,
            "clips_per_shard": self.clips_per_shard,
        }

    def sha256(self) -> str:
        """Hash of the recipe, which names the build."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


@cache
def code_sha256() -> str:
    """Hash of the code and tables that decide what an example looks like, so that no build mixes two versions."""
    digest = hashlib.sha256()
    for package, names in _CODE.items():
        root = resources.files(package)
        for name in names:
            for path, content in _texts(root.joinpath(name), name):
                digest.update(f"{package}/{path}\0".encode() + content + b"\0")
    return digest.hexdigest()


def _texts(place: Traversable, path: str) -> list[tuple[str, bytes]]:
    if place.is_file():
        return [(path, place.read_bytes())]
    found = []
    for child in sorted(place.iterdir(), key=lambda entry: entry.name):
        if child.is_dir() and child.name != "__pycache__":
            found += _texts(child, f"{path}/{child.name}")
        elif child.name.endswith((".py", ".csv", ".json", ".txt", ".jinja")):
            found.append((f"{path}/{child.name}", child.read_bytes()))
    return found
