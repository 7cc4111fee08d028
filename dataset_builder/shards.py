"""Shards: fixed ranges of clips of one split, each in a Parquet file of its own that is there whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agir_hf.errors import AgirError

from .examples import example_features
from .recipe import BuildRecipe
from .sources.base import SPLITS, ClipReference

# Clips of a row group: what a reader of one clip has to unpack.
_ROW_GROUP = 50


@dataclass(frozen=True)
class Shard:
    """A range of the clips of one split, and the file they go to.

    Attributes:
        index: place among all shards of the build, which is the rank of the task that makes it.
        split: of all its clips.
        number: place among the shards of the split.
        count: how many shards the split has.
        references: the clips, in order.
    """

    index: int
    split: str
    number: int
    count: int
    references: tuple[ClipReference, ...]

    @property
    def file_name(self) -> str:
        return f"{self.split}-{self.number:05d}-of-{self.count:05d}.parquet"

    def path(self, folder: Path) -> Path:
        """Its Parquet file under ``folder``."""
        return folder / self.file_name

    def failures_path(self, folder: Path) -> Path:
        """Its failures, one JSON line each."""
        return folder / self.file_name.replace(".parquet", ".failures.jsonl")


@lru_cache(maxsize=2)
def plan_shards(recipe: BuildRecipe) -> tuple[Shard, ...]:
    """All shards of a build. They depend on source and shard size only, never on workers or executor.

    Raises:
        AgirError: the source has no clips, or a split that is none.
    """
    references = recipe.source.references()
    if not references:
        raise AgirError(f"expected at least one clip in the source {recipe.source.name}, found none")
    if unknown := sorted({r.split for r in references} - set(SPLITS)):
        raise AgirError(f"expected the splits {', '.join(SPLITS)}, found {unknown[0]!r}")
    shards: list[Shard] = []
    size = recipe.clips_per_shard
    for split in SPLITS:
        own = [reference for reference in references if reference.split == split]
        parts = [tuple(own[start : start + size]) for start in range(0, len(own), size)]
        shards += [Shard(len(shards) + i, split, i, len(parts), part) for i, part in enumerate(parts)]
    return tuple(shards)


def rows_to_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows as a table with the schema of ``example_features``; ``joints_m`` goes there without Python lists."""
    features = example_features()
    schema = features.arrow_schema
    columns = []
    for field in schema:
        if field.name == "joints_m":
            motions = [np.asarray(row["joints_m"], dtype=np.float32) for row in rows]
            columns.append(_motion_column(motions, field.type))
        else:
            columns.append(pa.array([row[field.name] for row in rows], type=field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _motion_column(motions: list[np.ndarray], kind: pa.ExtensionType) -> pa.Array:
    frames = np.array([len(motion) for motion in motions], dtype=np.int64)
    flat = np.concatenate([motion.reshape(-1) for motion in motions]) if motions else np.zeros(0, np.float32)
    total = int(frames.sum())
    per_joint = pa.ListArray.from_arrays(pa.array(np.arange(total * 22 + 1, dtype=np.int32) * 3), pa.array(flat))
    per_frame = pa.ListArray.from_arrays(pa.array(np.arange(total + 1, dtype=np.int32) * 22), per_joint)
    offsets = np.concatenate([[0], np.cumsum(frames)]).astype(np.int32)
    return pa.ExtensionArray.from_storage(kind, pa.ListArray.from_arrays(pa.array(offsets), per_frame))


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet file under a temporary name and rename it, so that it is never seen half-written."""
    temporary = temporary_path(path)
    pq.write_table(table, temporary, compression="zstd", row_group_size=_ROW_GROUP, use_dictionary=False)
    temporary.replace(path)


def write_text(text: str, path: Path) -> None:
    """Write a text file the same way."""
    temporary = temporary_path(path)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def write_json_lines(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One JSON object a line."""
    write_text("".join(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in rows), path)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The inverse of ``write_json_lines``."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def temporary_path(path: Path) -> Path:
    """A name beside ``path`` that no other process uses."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def is_whole(path: Path) -> bool:
    """Whether a Parquet file is there with its footer, which is written last."""
    if not path.is_file():
        return False
    try:
        pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError):
        return False
    return True
