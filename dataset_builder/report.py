"""The report of a build: every failure, the figures of the dataset, and its wording, as JSON and as Markdown."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from agir_hf.gait import PARAMETER_NAMES
from agir_hf.rationale import NORMS
from agir_hf.rationale.measures import BY_NAME

from .checks import Failure
from .sources.base import SPLITS
from .variety import variety

NO_SCORE = "none"
_FEWEST_PAIRS = 10
_SHARES = (10, 25, 50, 75, 90)


def counts_by_split(entries: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each split: examples, subjects and examples by score."""
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        grouped[entry["split"]].append(entry)
    return {
        split: {
            "examples": len(rows),
            "subjects": len({(row["cohort"], row["subject_id"]) for row in rows}),
            "scores": dict(sorted(Counter(_score(row["score"]) for row in rows).items())),
        }
        for split, rows in sorted(grouped.items(), key=lambda item: SPLITS.index(item[0]))
    }


def _score(score: int | None) -> str:
    return NO_SCORE if score is None else str(score)


def measures_by_score(values: Sequence[dict[str, float | None]], scores: Sequence[int | None]) -> list[dict[str, Any]]:
    """For each measure and score: how many have it, mean, spread and percentiles, beside the norm where there is one.

    ``rank_correlation`` is Spearman's, of the measure with the score, None where fewer than 10 clips have both.
    """
    table = []
    groups = sorted({_score(score) for score in scores})
    for name in PARAMETER_NAMES:
        measure = BY_NAME[name]
        row: dict[str, Any] = {"measure": measure.phrase, "unit": measure.unit, "scores": {}}
        for group in groups:
            own = [
                value * measure.scale
                for entry, score in zip(values, scores, strict=True)
                if _score(score) == group and (value := entry[name]) is not None
            ]
            if own:
                row["scores"][group] = {
                    "clips": len(own),
                    "mean": round(float(np.mean(own)), 3),
                    "sd": round(float(np.std(own)), 3),
                    **{f"p{share}": round(float(np.percentile(own, share)), 3) for share in _SHARES},
                }
        pairs = [
            (entry[name], score)
            for entry, score in zip(values, scores, strict=True)
            if entry[name] is not None and score is not None
        ]
        row["rank_correlation"] = _rank_correlation(pairs)
        norm = NORMS.get(measure.group)
        if norm is not None:
            row["norm"] = {"mean": norm.mean, "sd": norm.sd, "source": norm.source}
        table.append(row)
    return table


def _rank_correlation(pairs: list[tuple[Any, int]]) -> float | None:
    if len(pairs) < _FEWEST_PAIRS or len({value for value, _ in pairs}) < 2 or len({score for _, score in pairs}) < 2:
        return None
    return round(float(spearmanr(*zip(*pairs, strict=True)).statistic), 3)


def make_report(
    recipe: dict[str, object],
    entries: Sequence[dict[str, Any]],
    texts: dict[str, Sequence[str]],
    measures: list[dict[str, Any]],
    failures: Sequence[Failure],
    clips: int,
    redrawn: int,
) -> dict[str, Any]:
    """All of it, ready for JSON.

    Args:
        recipe: of the build.
        entries: the examples of the dataset.
        texts: the texts of each text column.
        measures: see ``measures_by_score``.
        failures: every one.
        clips: in the source.
        redrawn: rationales worded anew because they read like another one.
    """
    return {
        "recipe": recipe,
        "clips_in_source": clips,
        "examples": len(entries),
        "redrawn_rationales": redrawn,
        "splits": counts_by_split(entries),
        "failure_kinds": dict(sorted(Counter(failure.kind for failure in failures).items())),
        "failures": [failure.to_dict() for failure in failures],
        "variety": {name: variety(column) for name, column in texts.items()},
        "measures_by_score": measures,
    }


def report_json(report: dict[str, Any]) -> str:
    """The report as JSON text."""
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def report_markdown(name: str, report: dict[str, Any]) -> str:
    """The report for a reader; it lists every failure."""
    lines = [
        f"# Build report: {name}",
        "",
        f"{report['examples']} examples from {report['clips_in_source']} clips; "
        f"{report['redrawn_rationales']} rationales were worded anew because they read like another of their score.",
        "",
        *splits_table(report),
        "",
        "## Wording",
        "",
        *variety_table(report),
        "",
        "## Measures by score",
        "",
        *measures_table(report),
        "",
        "## Failures",
        "",
    ]
    if not report["failures"]:
        lines.append("None.")
    else:
        lines += [f"- {kind}: {count}" for kind, count in report["failure_kinds"].items()]
        lines += ["", "| clip | kind | where | what | consequence |", "|---|---|---|---|---|"]
        lines += [
            "| " + " | ".join(_cell(f[key]) for key in ("clip_id", "kind", "where", "detail", "consequence")) + " |"
            for f in report["failures"]
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def splits_table(report: dict[str, Any]) -> list[str]:
    """Lines of a Markdown table: examples, people and scores of each split."""
    scores = sorted({score for split in report["splits"].values() for score in split["scores"]})
    lines = [
        "| split | examples | people | " + " | ".join(f"score {score}" for score in scores) + " |",
        "|---" * (3 + len(scores)) + "|",
    ]
    for split, own in report["splits"].items():
        counts = " | ".join(str(own["scores"].get(score, 0)) for score in scores)
        lines.append(f"| {split} | {own['examples']} | {own['subjects']} | {counts} |")
    return lines


def variety_table(report: dict[str, Any]) -> list[str]:
    """Lines of a Markdown table: how much the wording varies."""
    lines = [
        "| text | different | distinct-1 | distinct-2 | distinct-3 | self-BLEU (texts) | words: min, median, max |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, own in report["variety"].items():
        lines.append(
            f"| {name} | {own['different_texts']} of {own['texts']} | {own['distinct_1']} | {own['distinct_2']} | "
            f"{own['distinct_3']} | {own['self_bleu']} ({own['self_bleu_sample']}) | {own['words_min']}, "
            f"{own['words_median']}, {own['words_max']} |"
        )
    return lines


def measures_table(report: dict[str, Any]) -> list[str]:
    """Lines of a Markdown table: mean and standard deviation of each measure by score, beside the norm."""
    scores = sorted({score for row in report["measures_by_score"] for score in row["scores"]})
    lines = [
        "| measure | unit | "
        + " | ".join(f"score {score}" for score in scores)
        + " | rank correlation | healthy older adults |",
        "|---" * (4 + len(scores)) + "|",
    ]
    for row in report["measures_by_score"]:
        cells = [
            f"{own['mean']:.2f} ± {own['sd']:.2f} ({own['clips']})" if (own := row["scores"].get(score)) else ""
            for score in scores
        ]
        norm = row.get("norm")
        shown = (
            "no norm" if norm is None else f"{norm['mean']}" + (f" ± {norm['sd']}" if norm["sd"] is not None else "")
        )
        rank = "" if row["rank_correlation"] is None else f"{row['rank_correlation']:.2f}"
        lines.append(f"| {row['measure']} | {row['unit']} | {' | '.join(cells)} | {rank} | {shown} |")
    return lines


def summary(status: str, name: str, path: Path) -> str:
    """One line for the terminal."""
    report = json.loads(path.read_text(encoding="utf-8"))
    kinds = ", ".join(f"{count} {kind}" for kind, count in report["failure_kinds"].items()) or "no failures"
    return f"{name}: {status}, {report['examples']} of {report['clips_in_source']} clips, {kinds}; see {path}"
