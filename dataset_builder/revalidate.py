"""``validate DIR``: the checks of a build once more, from its files alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from agir_hf.rationale import StoredParameters

from .checks import Failure, check_row
from .corpus import split_failures
from .examples import clip_sha256_of, evidence_of, example_features
from .manifest import Manifest, read_manifests
from .sources.base import file_sha256


@dataclass(frozen=True)
class Revalidation:
    """What was looked at, and what is wrong."""

    files: int
    examples: int
    failures: tuple[Failure, ...]


def revalidate(output: Path) -> Revalidation:
    """Check files against manifests, every example by itself, and all of them against each other.

    Raises:
        AgirError: nothing was built there.
    """
    failures: list[Failure] = []
    files = examples = 0
    for manifest in read_manifests(output):
        found = _files(output, manifest)
        failures += found
        files += len(manifest.files)
        examples += sum(manifest.examples().values())
        if not found and not manifest.codes_of:
            failures += _examples(output, manifest)
    return Revalidation(files, examples, tuple(failures))


def _files(output: Path, manifest: Manifest) -> list[Failure]:
    failures = []
    for name, entry in manifest.files.items():
        path = output / name
        if not path.is_file():
            failures.append(Failure("", "file", name, "expected this file, found none", "build refused"))
        elif file_sha256(path) != entry["sha256"]:
            failures.append(
                Failure("", "file", name, "expected the content that was built, found another", "build refused")
            )
    listed = {Path(name).name for name in manifest.files}
    for path in sorted((output / "data" / manifest.name).glob("*.parquet")):
        if path.name not in listed:
            failures.append(Failure("", "file", path.name, "expected files of the manifest only", "build refused"))
    return failures


def _examples(output: Path, manifest: Manifest) -> list[Failure]:
    failures: list[Failure] = []
    entries: list[dict[str, Any]] = []
    ids: set[str] = set()
    texts: set[tuple[int | None, str]] = set()
    expected = example_features().arrow_schema
    for name, entry in manifest.files.items():
        file = pq.ParquetFile(output / name)
        if not file.schema_arrow.equals(expected):
            failures.append(Failure("", "file", name, "expected the columns of this version", "build refused"))
            continue
        for batch in file.iter_batches(batch_size=50):
            motions = batch.column("joints_m").to_numpy(zero_copy_only=False)
            rows = batch.drop_columns(["joints_m"]).to_pylist()
            for row, joints in zip(rows, motions, strict=True):
                failures += check_row({**row, "joints_m": joints})
                failures += _stored(row, joints, entry["split"])
                own = (row["score"], row["rationale"])
                if row["clip_id"] in ids:
                    failures.append(Failure(row["clip_id"], "duplicate_id", "clip_id", "found twice"))
                if own in texts:
                    failures.append(Failure(row["clip_id"], "duplicate_rationale", "rationale", "found twice"))
                ids.add(row["clip_id"])
                texts.add(own)
                entries.append({key: row[key] for key in ("subject_id", "cohort", "split", "score")})
    return failures + split_failures(entries)


def _stored(row: dict[str, Any], joints: Any, split: str) -> list[Failure]:
    failures = []
    if clip_sha256_of(joints, row["frame_rate_hz"]) != row["clip_sha256"]:
        failures.append(
            Failure(row["clip_id"], "file", "clip_sha256", "expected the hash of joints_m and frame_rate_hz")
        )
    if row["split"] != split:
        failures.append(Failure(row["clip_id"], "file", "split", f"expected {split}, found {row['split']}"))
    if evidence_of(StoredParameters.from_row(row)) != row["evidence"]:
        failures.append(Failure(row["clip_id"], "grounding", "evidence", "expected the block of the stored parameters"))
    return failures
