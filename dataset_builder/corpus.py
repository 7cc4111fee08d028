"""The checks that need all examples: duplicates, subjects in two splits, class balance; and wordings that repeat.

Examples are looked at in one fixed order, so what is redrawn or left out does not depend on who made which shard.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from agir_hf.rationale import StoredParameters

from .checks import Failure, text_failures
from .examples import rationale_of
from .recipe import MAX_DRAWS
from .shards import Shard

_SMALL_CLASS = 0.05
_COLUMNS = ["clip_id", "subject_id", "cohort", "split", "score", "rationale", "clip_sha256"]


@dataclass
class Corpus:
    """All examples of a build without their motion, and what is to change before they become the dataset.

    Attributes:
        entries: one for each example, in order: the columns that are compared, ``shard`` and ``place`` in it.
        failures: everything found.
        left_out: (shard index, place) of examples that do not become part of the dataset.
        rewritten: (shard index, place) -> (draw, rationale) of those that read like another one.
    """

    entries: list[dict[str, Any]]
    failures: list[Failure] = field(default_factory=list)
    left_out: set[tuple[int, int]] = field(default_factory=set)
    rewritten: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the build may not become a dataset."""
        return any(failure.consequence == "build refused" for failure in self.failures)

    def kept(self) -> list[dict[str, Any]]:
        """The entries that stay."""
        return [entry for entry in self.entries if (entry["shard"], entry["place"]) not in self.left_out]


def check_corpus(shards: Sequence[Shard], staging: Path, seed: int) -> Corpus:
    """Check the staged shards against each other.

    Args:
        shards: in order.
        staging: folder with their Parquet files.
        seed: the recipe's, for the wordings drawn anew.
    """
    entries: list[dict[str, Any]] = []
    for shard in shards:
        rows = pq.read_table(shard.path(staging), columns=_COLUMNS).to_pylist()
        entries += [{**row, "shard": shard.index, "place": place} for place, row in enumerate(rows)]
    corpus = Corpus(entries)
    _leave_out_copies(corpus)
    _redraw(corpus, {shard.index: shard.path(staging) for shard in shards}, seed)
    corpus.failures += split_failures(corpus.kept())
    return corpus


def _leave_out_copies(corpus: Corpus) -> None:
    ids: set[str] = set()
    motions: dict[str, str] = {}
    for entry in corpus.entries:
        clip_id, motion = entry["clip_id"], entry["clip_sha256"]
        if clip_id in ids:
            found = Failure(clip_id, "duplicate_id", "clip_id", "expected an id of its own, found it twice")
        elif motion in motions:
            found = Failure(clip_id, "duplicate_motion", "joints_m", f"the same motion as {motions[motion]}")
        else:
            ids.add(clip_id)
            motions[motion] = clip_id
            continue
        corpus.failures.append(found)
        corpus.left_out.add((entry["shard"], entry["place"]))


def _redraw(corpus: Corpus, paths: dict[int, Path], seed: int) -> None:
    """Give every example whose rationale reads like an earlier one of its score the next wording that does not."""
    seen: dict[int | None, set[str]] = defaultdict(set)
    for entry in corpus.kept():
        texts, place = seen[entry["score"]], (entry["shard"], entry["place"])
        if entry["rationale"] in texts:
            table = pq.read_table(paths[entry["shard"]], columns=["gait_parameters", "quality"])
            parameters = StoredParameters.from_row(table.slice(entry["place"], 1).to_pylist()[0])
            found = _next_wording(parameters, seed, entry["clip_id"], texts)
            if found is None:
                detail = f"expected a wording of its own among its score, found none in {MAX_DRAWS} draws"
                corpus.failures.append(Failure(entry["clip_id"], "duplicate_rationale", "rationale", detail))
                corpus.left_out.add(place)
                continue
            corpus.rewritten[place] = found
            entry["rationale"] = found[1]
        texts.add(entry["rationale"])


def _next_wording(parameters: StoredParameters, seed: int, clip_id: str, texts: set[str]) -> tuple[int, str] | None:
    for draw in range(1, MAX_DRAWS + 1):
        text = rationale_of(parameters, seed, clip_id, draw)
        if text not in texts and not text_failures(clip_id, "rationale", text, parameters):
            return draw, text
    return None


def split_failures(entries: Sequence[dict[str, Any]]) -> list[Failure]:
    """Subjects in two splits, a missing training split, and scores that are rare or absent in a split."""
    splits: dict[tuple[str, str], set[str]] = defaultdict(set)
    scores: dict[str, Counter[int]] = defaultdict(Counter)
    for entry in entries:
        splits[entry["cohort"], entry["subject_id"]].add(entry["split"])
        if entry["score"] is not None:
            scores[entry["split"]][entry["score"]] += 1
    failures = [
        Failure(
            "",
            "subject_overlap",
            f"{cohort}/{subject}",
            f"expected one split for all clips of a subject, found {', '.join(sorted(found))}",
            "build refused",
        )
        for (cohort, subject), found in sorted(splits.items())
        if len(found) > 1
    ]
    if not any(entry["split"] == "train" for entry in entries):
        failures.append(Failure("", "no_training_data", "train", "expected examples to train on, found none", "noted"))
    known = sorted({score for counts in scores.values() for score in counts})
    for split, counts in sorted(scores.items()):
        total = sum(counts.values())
        for score in known:
            share = counts[score] / total
            if share < _SMALL_CLASS:
                detail = (
                    f"score {score} is {100 * share:.1f} percent of {total} examples, below {100 * _SMALL_CLASS:.0f}"
                )
                failures.append(Failure("", "class_balance", split, detail, "noted"))
    return failures
