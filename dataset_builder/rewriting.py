"""Rewriting as a part of a build: which model is asked, what of that belongs to the recipe, and its step.

Off unless a model is named. Another model or other prompts are another recipe; that two runs give the same bytes holds
only as far as the model answers the same.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from agir_hf.rationale import StoredParameters

from .checks import CHECKED_TEXTS, Failure
from .rewrite import Rewriter, RewriteTask, prompt_version, rewriter_from
from .sources.base import Source

Option = str | int | float | bool | None
_PREFIXES = ("rewrite_", "endpoint_is_local")


@dataclass(frozen=True)
class RewriteSettings:
    """The rewriting options of a command, so that every worker can make its own rewriter.

    Attributes:
        options: (name, value) of each, as ``add_rewrite_options`` parses them.
    """

    options: tuple[tuple[str, Option], ...]

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace, source: Source) -> RewriteSettings | None:
        """The settings that options ask for; None where they ask for none.

        Raises:
            AgirError: options that do not go together, a model that cannot be used, or one elsewhere for a source that
                may not be passed on.
        """
        found = {name: value for name, value in vars(arguments).items() if name.startswith(_PREFIXES)}
        settings = cls(tuple(sorted(found.items())))
        return None if settings.rewriter(source) is None else settings

    def rewriter(self, source: Source) -> Rewriter | None:
        """A rewriter for the texts of a source."""
        arguments = argparse.Namespace(**dict(self.options))
        return rewriter_from(arguments, source=source.name, may_be_shared=source.licence.may_be_shared)

    def to_dict(self) -> dict[str, Option]:
        """What of it belongs to the recipe: neither where the model runs nor how it is reached."""
        kept = ("rewrite_model", "rewrite_attempts", "rewrite_max_lost_share")
        return {name: dict(self.options)[name] for name in kept} | {"prompt_version": prompt_version()}


class RewriteTexts(PipelineStep):
    """Rewrite: descriptions and rationales in other words where the model keeps to the measurements.

    What fails stays as it was and is listed as ``not_rewritten``.
    """

    name = "rewrite"
    type = "gait"

    def __init__(self, settings: RewriteSettings, source: Source, seed: int) -> None:
        super().__init__()
        self.settings = settings
        self.source = source
        self.seed = seed

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        documents = list(data or ())
        rows = [(d, d.metadata["row"]) for d in documents if not d.metadata["failures"]]
        rows = [(document, row) for document, row in rows if row["quality"]["walking"]]
        rewriter = self.settings.rewriter(self.source) if rows else None
        if rewriter is not None:
            tasks = [self._task(row, column) for _, row in rows for column in CHECKED_TEXTS]
            at_a_time = int(dict(self.settings.options)["rewrite_at_a_time"] or 1)
            records = rewriter.rewrite_all(tasks, at_a_time=at_a_time)
            for document, row in rows:
                for column in CHECKED_TEXTS:
                    record = next(records)
                    if record.rewritten is None:
                        failure = Failure(row["clip_id"], "not_rewritten", column, record.failure or "", "noted")
                        document.metadata["notes"].append(failure)
                    else:
                        row[column] = record.rewritten
                        row["metadata"][f"{column}_by"] = record.model
                    self.stat_update("rewritten" if record.rewritten is not None else "not rewritten")
        yield from documents

    def _task(self, row: dict, column: str) -> RewriteTask:
        digest = hashlib.sha256(f"{self.seed}/{row['clip_id']}/{column}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big") >> 1
        return RewriteTask(column, row[column], StoredParameters.from_row(row), seed)  # type: ignore[arg-type]
