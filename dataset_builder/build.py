"""A build from its recipe to the finished folder, resumable at every moment.

``OUTPUT/.build-HASH/shards`` holds the shards as the tasks make them. When all are there they are checked against each
other and ``OUTPUT/data/SOURCE`` takes their place in one rename; the manifest, written last, says that it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from agir_hf.errors import AgirError

from .card import write_card
from .checks import Failure
from .codes import drop_stale_codes
from .corpus import Corpus, check_corpus
from .examples import TEMPLATES
from .executors import ExecutorSettings, run_shards
from .figure import measures_figure
from .manifest import Manifest, file_entry, manifest_path, read_manifest
from .recipe import BuildRecipe
from .report import make_report, measures_by_score, report_json, report_markdown
from .shards import Shard, plan_shards, read_json_lines, write_table, write_text

Status = Literal["built", "already built", "incomplete", "refused"]


@dataclass(frozen=True)
class BuildResult:
    """What became of a build.

    Attributes:
        status: ``built``, ``already built``, ``incomplete`` (shards are still being made elsewhere) or ``refused``
            (failures that may not become a dataset; the report says which).
        report: its JSON file; None while incomplete.
        missing_shards: how many are not there yet.
    """

    status: Status
    report: Path | None
    missing_shards: int = 0


def build(recipe: BuildRecipe, output: Path, settings: ExecutorSettings) -> BuildResult:
    """Build (or go on building) one source into ``output``, beside what other sources are there.

    Args:
        recipe: decides every byte.
        output: the dataset's folder, made where it is not there.
        settings: where the work is done; they change nothing in the output.

    Raises:
        AgirError: the source cannot be read at all, or its name is taken by one that is not of the same kind.
    """
    plan_shards.cache_clear()  # the source may have changed since an earlier build of this process
    name, digest = recipe.source.name, recipe.sha256()
    report = output / "reports" / f"{name}.json"
    work = output / f".build-{digest[:16]}"
    manifest = read_manifest(output, name)
    if manifest is not None and manifest.recipe_sha256 == digest and manifest.is_whole(output):
        write_card(output)
        shutil.rmtree(work, ignore_errors=True)
        return BuildResult("already built", report)
    staging = work / "shards"
    staging.mkdir(parents=True, exist_ok=True)
    missing = run_shards(recipe, staging, work / "logs", settings)
    if missing:
        return BuildResult("incomplete", None, len(missing))
    shards = plan_shards(recipe)
    corpus = check_corpus(shards, staging, recipe.seed)
    failures = _failures_of_shards(shards, staging) + corpus.failures
    if corpus.refused:
        refused = report.with_name(f"{name}.refused.json")
        _write_report(refused, recipe, corpus, failures, shards, staging)
        return BuildResult("refused", refused)
    final = work / "final"
    _write_final(shards, staging, final, corpus)
    _write_report(report, recipe, corpus, failures, shards, final)
    for ending in ("json", "md", "svg"):
        report.with_name(f"{name}.refused.{ending}").unlink(missing_ok=True)
    _publish(recipe, output, work, final, shards)
    drop_stale_codes(output, name, digest)
    write_card(output)
    shutil.rmtree(work, ignore_errors=True)
    return BuildResult("built", report)


def _failures_of_shards(shards: Sequence[Shard], staging: Path) -> list[Failure]:
    return [Failure(**line) for shard in shards for line in read_json_lines(shard.failures_path(staging))]


def _write_final(shards: Sequence[Shard], staging: Path, final: Path, corpus: Corpus) -> None:
    """The staged shards with what the corpus check changed; the others are linked, not copied."""
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir()
    for shard in shards:
        staged, path = shard.path(staging), shard.path(final)
        dropped = {place for index, place in corpus.left_out if index == shard.index}
        redrawn = {place: text for (index, place), text in corpus.rewritten.items() if index == shard.index}
        if not dropped and not redrawn:
            try:
                os.link(staged, path)
            except OSError:  # a file system without links
                shutil.copyfile(staged, path)
            continue
        table = _with_wordings(pq.read_table(staged), redrawn)
        write_table(table.take([place for place in range(len(table)) if place not in dropped]), path)


def _with_wordings(table: pa.Table, redrawn: dict[int, tuple[int, str]]) -> pa.Table:
    schema = table.schema
    rationales, metadata = table["rationale"].to_pylist(), table["metadata"].to_pylist()
    for place, (draw, text) in redrawn.items():
        rationales[place] = text
        metadata[place] |= {"rationale_draw": draw, "rationale_by": TEMPLATES}
    for name, column in (("rationale", rationales), ("metadata", metadata)):
        field = schema.field(name)
        table = table.set_column(schema.get_field_index(name), field, pa.array(column, type=field.type))
    return table.replace_schema_metadata(schema.metadata)


def _write_report(
    path: Path, recipe: BuildRecipe, corpus: Corpus, failures: list[Failure], shards: Sequence[Shard], folder: Path
) -> None:
    texts: dict[str, list[str]] = {"description": [], "rationale": []}
    values: list[dict[str, float | None]] = []
    scores: list[int | None] = []
    for shard in shards:
        rows = pq.read_table(shard.path(folder), columns=[*texts, "gait_parameters", "score"]).to_pylist()
        for row in rows:
            for name, column in texts.items():
                column.append(row[name])
            values.append({key: entry["value"] for key, entry in row["gait_parameters"].items()})
            scores.append(row["score"])
    report = make_report(
        recipe.to_dict(),
        corpus.kept(),
        dict(texts),
        measures_by_score(values, scores),
        failures,
        sum(len(shard.references) for shard in shards),
        len(corpus.rewritten),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(report_json(report), path)
    write_text(report_markdown(recipe.source.name, report), path.with_suffix(".md"))
    write_text(measures_figure(recipe.source.name, report), path.with_suffix(".svg"))


def _publish(recipe: BuildRecipe, output: Path, work: Path, final: Path, shards: Sequence[Shard]) -> None:
    """Put the finished shards in the place of what was there. The manifest goes first and comes last."""
    name = recipe.source.name
    place = output / "data" / name
    manifest_path(output, name).unlink(missing_ok=True)
    if place.exists():
        old = work / "old"
        shutil.rmtree(old, ignore_errors=True)
        place.rename(old)
    place.parent.mkdir(parents=True, exist_ok=True)
    final.rename(place)
    files: dict[str, dict[str, Any]] = {}
    for shard in shards:
        path = shard.path(place)
        files[path.relative_to(output).as_posix()] = file_entry(path, shard.split)
    licence = recipe.source.licence
    Manifest(
        name=name,
        recipe=recipe.to_dict(),
        recipe_sha256=recipe.sha256(),
        licence_name=licence.name,
        licence_note=licence.note,
        may_be_shared=licence.may_be_shared,
        files=files,
    ).write(output)


def report_of(output: Path, name: str) -> dict[str, Any]:
    """The report of a built source.

    Raises:
        AgirError: there is none.
    """
    path = output / "reports" / f"{name}.json"
    if not path.is_file():
        raise AgirError(f"expected {path}, found no such file: build the source {name} first")
    return json.loads(path.read_text(encoding="utf-8"))
