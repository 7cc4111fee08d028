"""The steps of a build as datatrove steps: source, measure, describe, generate, validate, write.

A task makes one shard. Each step holds the recipe only, which every executor can pickle; nothing is shared between
tasks, so the order in which they run changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.utils.stats import PipelineStats

from agir_hf.errors import AgirError
from agir_hf.gait import measure_gait
from agir_hf.rationale import StoredParameters

from .checks import Failure, check_row
from .examples import description_of, evidence_of, make_row, rationale_of
from .recipe import BuildRecipe
from .shards import is_whole, plan_shards, rows_to_table, write_json_lines, write_table

# Keys of a document's metadata on its way through the steps.
# Failures leave an example out; notes do not.
_CLIP, _REFERENCE, _ROW, _FAILURES, _NOTES = "source_clip", "reference", "row", "failures", "notes"


def build_steps(recipe: BuildRecipe, folder: Path) -> list[PipelineStep]:
    """The steps that write the shards of a build to ``folder``, which must exist."""
    rewrite = []
    if recipe.rewrite is not None:
        from .rewriting import RewriteTexts

        rewrite.append(RewriteTexts(recipe.rewrite, recipe.source, recipe.seed))
    return [
        ReadClips(recipe, str(folder)),
        MeasureGait(recipe),
        DescribeGait(recipe),
        WriteRationales(recipe),
        *rewrite,
        ValidateExamples(),
        WriteShard(recipe, str(folder)),
    ]


class _ShardStep(PipelineStep):
    """An end of the pipeline: it knows the shard of its task and the folder of all shards."""

    type = "gait"

    def __init__(self, recipe: BuildRecipe, folder: str) -> None:
        super().__init__()
        self.recipe = recipe
        self.folder = folder


class ReadClips(_ShardStep):
    """Source: the clips of the shard, in order; nothing where the shard is already there."""

    name = "source"

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        shard = plan_shards(self.recipe)[rank]
        if is_whole(shard.path(Path(self.folder))):
            return
        for reference in shard.references:
            document = Document(
                text="", id=reference.clip_id, metadata={_REFERENCE: reference, _FAILURES: [], _NOTES: []}
            )
            try:
                document.metadata[_CLIP] = self.recipe.source.read(reference)
            except AgirError as error:
                _failed(document, Failure(reference.clip_id, "unreadable", "joints_m", str(error)))
            self.stat_update("clips")
            yield document


class _EachExample(PipelineStep):
    """A step that looks at one example at a time and leaves those alone that have failed already."""

    type = "gait"

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        for document in data or ():
            if not document.metadata[_FAILURES]:
                with self.track_time():
                    self.change(document)
            yield document

    def change(self, document: Document) -> None:
        raise NotImplementedError


class MeasureGait(_EachExample):
    """Measure: gait parameters with their validity, from the clip at its own rate."""

    name = "measure"

    def __init__(self, recipe: BuildRecipe) -> None:
        super().__init__()
        self.recipe = recipe

    def change(self, document: Document) -> None:
        # The clip is taken away: a shard holds the joints once.
        clip = document.metadata.pop(_CLIP)
        reference = document.metadata[_REFERENCE]
        try:
            measured = measure_gait(clip.clip)
        except AgirError as error:
            _failed(document, Failure(reference.clip_id, "unreadable", "gait_parameters", str(error)))
            return
        document.metadata[_ROW] = make_row(reference, clip, self.recipe.source.licence, measured)


class DescribeGait(_EachExample):
    """Describe: the evidence block and the analytic description."""

    name = "describe"

    def __init__(self, recipe: BuildRecipe) -> None:
        super().__init__()
        self.seed = recipe.seed

    def change(self, document: Document) -> None:
        row = document.metadata[_ROW]
        parameters = StoredParameters.from_row(row)
        row["evidence"] = evidence_of(parameters)
        row["description"] = description_of(parameters, self.seed, row["clip_id"])


class WriteRationales(_EachExample):
    """Generate: the rationale, a function of the measurements and of the seed, never of the score."""

    name = "generate"

    def __init__(self, recipe: BuildRecipe) -> None:
        super().__init__()
        self.seed = recipe.seed

    def change(self, document: Document) -> None:
        row = document.metadata[_ROW]
        row["rationale"] = rationale_of(StoredParameters.from_row(row), self.seed, row["clip_id"], 0)


class ValidateExamples(_EachExample):
    """Validate: what one example can be checked for by itself; the rest is checked when all shards are there."""

    name = "validate"

    def change(self, document: Document) -> None:
        document.metadata[_FAILURES] += check_row(document.metadata[_ROW])


class WriteShard(_ShardStep):
    """Write: what passed to Parquet, what failed to a list beside it, each under its name only when whole."""

    name = "write"

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        shard, folder = plan_shards(self.recipe)[rank], Path(self.folder)
        rows: list[dict[str, Any]] = []
        failures: list[Failure] = []
        for document in data or ():
            failures += document.metadata[_FAILURES] + document.metadata[_NOTES]
            if not document.metadata[_FAILURES]:
                rows.append(document.metadata[_ROW])
            self.stat_update("failed" if document.metadata[_FAILURES] else "written")
            yield document
        # Asked again, not remembered: another process may have made the shard in the meantime.
        if not is_whole(shard.path(folder)):
            if not rows and not failures:
                raise AgirError(
                    f"expected {shard.path(folder)} to stay, found it gone while the build ran: start again"
                )
            write_json_lines([failure.to_dict() for failure in failures], shard.failures_path(folder))
            # Last: its presence says that the shard is done.
            write_table(rows_to_table(rows), shard.path(folder))


def _failed(document: Document, failure: Failure) -> None:
    document.metadata[_FAILURES].append(failure)


class QuietLocalExecutor(LocalPipelineExecutor):
    """datatrove's local executor with the log of its tasks in files only; it would print that of one task at a time."""

    def _run_for_rank(self, rank: int, local_rank: int = 0, node_rank: int = -1) -> PipelineStats:
        return super()._run_for_rank(rank, local_rank + 1, node_rank)
