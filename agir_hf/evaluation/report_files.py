"""An evaluation's report as files: JSON, a Markdown table, figures, and the ``model-index`` of a model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import require

COLUMNS = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "macro_f1_0_to_2": "macro-F1 (0 to 2)",
    "qwk": "QWK",
    "mae": "MAE",
    "within_one_accuracy": "within one",
    "auroc_impaired": "AUROC (score > 0)",
    "ece": "ECE",
    "brier": "Brier",
}
# A card's index takes one number a metric; these are the ones that readers compare.
INDEXED = ("macro_f1", "qwk", "accuracy", "mae_expected", "ece")


def write_report(report: dict[str, Any], output: Path) -> list[Path]:
    """Write ``report.json``, ``report.md`` and figures into a folder; returns the paths."""
    output.mkdir(parents=True, exist_ok=True)
    data, text = output / "report.json", output / "report.md"
    data.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    text.write_text(markdown(report), encoding="utf-8")
    return [data, text, *draw_figures(report, output)]


def markdown(report: dict[str, Any]) -> str:
    """The tables, for people."""
    who = "simulated people" if report["simulated"] else report["data"]
    lines = [f"# {report['model']} on {who}", ""]
    lines += [
        f"{report['protocol']}, {report['test_walks']} walks of {report['test_subjects']} people; 95 % intervals by "
        f"bootstrap over people; seed {report['seed']}."
        + (" A quick run, to see that everything works." if report.get("quick") else ""),
        "",
    ]
    if report["systems"]:
        systems = report["systems"]
        means = {name: figures.get("by_subject") for name, figures in systems.items()}
        lines += ["## Per walk", "", *_table(systems), ""]
        lines += ["## Averaged over the walks of each person", "", *_table(means), ""]
    for name, figures in report.get("diagnoses", {}).items():
        lines += [f"## Healthy or not, by person: {name}", "", *_diagnoses(figures), ""]
    for title, key, table in (
        ("Rationales", "rationales", _flat),
        ("Temperature and several rationales", "self_consistency", _flat),
        ("Motion codes", "reconstruction", _flat),
        ("What is no walk", "spoiled", _spoiled),
        ("Recordings of real walks", "recordings", _quiet),
    ):
        if report.get(key):
            lines += [f"## {title}", "", *table(report[key]), ""]
    return "\n".join(lines)


def _table(rows: dict[str, dict[str, Any] | None]) -> list[str]:
    lines = [f"| system | n | {' | '.join(COLUMNS.values())} |", f"|---|--:|{'--:|' * len(COLUMNS)}"]
    for name, figures in rows.items():
        if not figures or "accuracy" not in figures:
            lines.append(f"| {name} | 0 |{' |' * len(COLUMNS)}")
            continue
        cells = [_cell(figures[column]) for column in COLUMNS]
        lines.append(f"| {name} | {figures['answered']} | {' | '.join(cells)} |")
    return lines


def _cell(figure: dict[str, Any]) -> str:
    value, (low, high) = figure["value"], figure["interval_95"]
    if value is None:
        return "not defined"
    interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"{value:.3f}{interval}"


def _diagnoses(figures: dict[str, Any]) -> list[str]:
    lines = ["| ranked by | healthy against | people | healthy ones | AUROC |", "|---|---|--:|--:|--:|"]
    for row in figures["auroc"]:
        lines.append(f"| {row['ranking']} | {row['against']} | {row['subjects']} | {row['healthy']} | {_cell(row)} |")
    return [*lines, "", f"{figures['walks']} walks, {figures['abstained']} of them abstained from."]


def _spoiled(by_source: dict[str, Any]) -> list[str]:
    """Share of clips abstained from or flagged; kinds with a star were looked at by nobody before."""
    lines = [f"| made of | {' | '.join(by_source)} |", f"|---|{'--:|' * len(by_source)}"]
    first = next(iter(by_source.values()))
    for kind, figures in first["by_kind"].items():
        star = "*" if figures["kept_for_the_end"] else ""
        shares = [_share(one["by_kind"][kind]) for one in by_source.values()]
        lines.append(f"| {kind}{star} | {' | '.join(shares)} |")
    lines.append(f"| all | {' | '.join(map(_share, by_source.values()))} |")
    return [
        *lines,
        "",
        "Share abstained from or flagged. Kinds with a star were not looked at while limits were chosen.",
    ]


def _share(figures: dict[str, Any]) -> str:
    if figures["quiet_share"] is None:
        return "none made"
    return f"{100 * figures['quiet_share']:.0f} % of {figures['clips']}"


def _quiet(figures: dict[str, Any]) -> list[str]:
    lines = ["| folder | walks | abstained from or flagged |", "|---|--:|--:|"]
    for name, one in figures["by_folder"].items():
        lines.append(f"| {name} | {one['walks']} | {one['quiet']} |")
    lines.append(f"| all | {figures['walks']} | {100 * figures['quiet_share']:.1f} % |")
    return [*lines, "", f"{figures['files_not_read']} motion files could not be read by themselves."]


def _flat(figures: dict[str, Any], prefix: str = "") -> list[str]:
    lines = [] if prefix else ["| figure | value |", "|---|---|"]
    for name, value in figures.items():
        if isinstance(value, dict):
            lines += _flat(value, f"{prefix}{name}, ")
        else:
            lines.append(f"| {prefix}{name} | {value} |")
    return lines


def draw_figures(report: dict[str, Any], output: Path) -> list[Path]:
    """Confusion, reliability, risk and coverage, measures by score: one SVG each of what the report holds."""
    require("matplotlib", "evaluate").use("Agg")
    from matplotlib import pyplot

    name = report["main_system"]
    figures = report["systems"].get(name, {})
    if "confusion" not in figures:
        return []
    who = ("simulated people" if report["simulated"] else report["data"]).replace("$", r"\$")
    made = []

    def keep(figure: Any, file_name: str, title: str, whose: str = f"{name}; ") -> None:
        figure.suptitle(f"{title}\n{whose}{who}", fontsize=10)
        figure.tight_layout()
        figure.savefig(output / file_name, metadata={"Date": None})
        pyplot.close(figure)
        made.append(output / file_name)

    figure, axes = pyplot.subplots(figsize=(4, 4))
    table = figures["confusion"]
    axes.imshow(table, cmap="Blues")
    for given, row in enumerate(table):
        for told, count in enumerate(row):
            dark = count > 0.6 * max(max(one) for one in table)
            axes.text(told, given, count, ha="center", va="center", color="white" if dark else "black")
    axes.set(xlabel="told", ylabel="given", xticks=range(len(table)), yticks=range(len(table)))
    keep(figure, "confusion.svg", "Scores given and told")

    figure, axes = pyplot.subplots(figsize=(4, 4))
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    bins = figures["reliability"]
    axes.plot([b["confidence"] for b in bins], [b["accuracy"] for b in bins], marker="o")
    for b in bins:
        place = (b["confidence"], b["accuracy"])
        axes.annotate(b["samples"], place, textcoords="offset points", xytext=(4, -10), fontsize=7)
    axes.set(xlabel="top probability", ylabel="how often it was right", xlim=(0, 1), ylim=(0, 1))
    keep(figure, "reliability.svg", "Reliability (number of walks at each point)")

    figure, axes = pyplot.subplots(figsize=(5, 4))
    for system, curve in report["risk_coverage"].items():
        # The risk at a coverage holds from the coverage before it on, as in the area under the curve.
        axes.step([0.0, *curve["coverage"]], [*curve["risk"][:1], *curve["risk"]], where="pre", label=system)
    axes.set(xlabel="share of walks answered", ylabel="share of them told wrongly", xlim=(0, 1), ylim=(0, None))
    axes.legend(fontsize=7)
    keep(figure, "risk_coverage.svg", "Risk and coverage", "")

    measures = report["measures_by_score"]
    figure, grid = pyplot.subplots(2, 3, figsize=(9, 5.5))
    for axes, (measure, by_score) in zip(grid.flat, measures.items(), strict=False):
        if by_score:
            axes.boxplot(list(by_score.values()), tick_labels=list(by_score), showfliers=False)
        axes.set_title(measure, fontsize=9)
    figure.supxlabel("given score", fontsize=9)
    keep(figure, "measures_by_score.svg", "Measures of walks of each score", "")
    return made


def _value(figure: Any) -> float | None:
    """A figure without its interval."""
    return figure.get("value") if isinstance(figure, dict) else figure


def model_index(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The ``model-index`` of a model card, as the Hub reads it."""
    figures = report["systems"].get(report["main_system"], {})
    if not figures:
        return []
    who = "simulated people" if report["simulated"] else report["data"]
    metrics = [
        {"type": name, "value": _value(figures[name]), "name": f"{COLUMNS.get(name, name)} ({who})"}
        for name in INDEXED
        if _value(figures.get(name)) is not None
    ]
    task = {"type": "gait-assessment", "name": "Gait assessment"}
    dataset = {"type": report["data"], "name": who, "split": "test"}
    return [{"name": report["model"], "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]
