"""The figures of a model card: from the end of a training, or from a report of ``agir evaluate``."""

from __future__ import annotations

from typing import Any

import yaml

from ..errors import AgirError
from ..evaluation.report_files import model_index

COLUMNS = ("macro_f1", "qwk", "accuracy", "mae_expected", "ece")
MODES = {"both": "evidence and motion", "evidence": "evidence only", "motion": "motion only"}


def figures_of_record(evaluation: dict[str, Any], name: str) -> dict[str, Any]:
    """What the training of the model ``name`` measured at its end."""
    systems = {f"this model, {label}": evaluation[mode] for mode, label in MODES.items()}
    systems["random forest on the measures"] = evaluation["random_forest"]
    best, measure = evaluation["best_single_measure"]
    systems[f"best single measure ({measure})"] = {"macro_f1": best}
    both, simulated = evaluation["both"], evaluation["people"] == "simulated"
    report = {
        "systems": {name: both},
        "main_system": name,
        "model": name,
        "data": evaluation["people"],
        "simulated": simulated,
    }
    return {
        "title": "Figures on simulated test people" if simulated else "Figures on test people",
        "people": f"{both['walks']} walks of people that were in neither training nor validation",
        "systems": {name: _cells(figures) for name, figures in systems.items()},
        "sentences": _sentences(both["abstained"], both.get("claims"), both.get("claims_supported_share")),
        "claims_supported_share": both.get("claims_supported_share"),
        "diagnoses": {},
        "model_index": index_yaml(model_index(report)),
    }


def figures_of_report(report: dict[str, Any]) -> dict[str, Any]:
    """What ``agir evaluate`` measured."""
    if not report["systems"]:
        raise AgirError(f"expected a report with scores for a card, found none for {report['data']}")
    main, texts = report["systems"][report["main_system"]], report["rationales"]
    sentences = _sentences(main["abstained"], texts.get("claims"), texts.get("claims_supported_share"))
    own = report["protocol"] == "split" and report["simulated"] == (report["trained_on"] == "simulated")
    spoiled = report["spoiled"].values()
    clips = sum(one["clips"] for one in spoiled)
    if clips:
        quiet = sum(one["clips"] * one["quiet_share"] for one in spoiled) / clips
        sentences.append(f"Of {clips} clips that are no walk it abstained from or flagged {100 * quiet:.1f} %.")
    if recordings := report.get("recordings"):
        sentences.append(
            f"Of {recordings['walks']} recorded walks of real people it abstained from or flagged "
            f"{100 * recordings['quiet_share']:.1f} %."
        )
    return {
        "title": "Figures on simulated test people" if report["simulated"] else f"Figures on {report['data']}",
        "people": f"{report['test_walks']} walks of {report['test_subjects']} people"
        + (" that were in neither training nor validation" if own else f", protocol {report['protocol']}"),
        "systems": {name.replace("AGIR", "this model"): _cells(one) for name, one in report["systems"].items()},
        "sentences": sentences,
        "claims_supported_share": texts.get("claims_supported_share"),
        "diagnoses": {
            name: [{**row, "auroc": _cell(row)} for row in figures["auroc"]]
            for name, figures in report.get("diagnoses", {}).items()
        },
        "model_index": index_yaml(model_index(report)),
    }


def _sentences(abstained: int, claims: int | None, share: float | None) -> list[str]:
    told = [f"The model abstained from {abstained} of these walks."]
    if claims and share is not None:
        told.append(f"Of {claims} claims in its rationales {100 * share:.2f} % were supported as generated.")
    return told


def index_yaml(index: list[dict[str, Any]]) -> str:
    """A ``model-index`` for the top of a card."""
    return yaml.safe_dump({"model-index": index}, sort_keys=False)


def _cells(figures: dict[str, Any]) -> dict[str, str]:
    return {name: _cell(figures.get(name)) for name in COLUMNS}


def _cell(figure: Any) -> str:
    if figure is None:
        return "not measured"
    if not isinstance(figure, dict):
        return f"{figure:.3f}"
    low, high = figure["interval_95"]
    if figure["value"] is None:
        return "not defined"
    return f"{figure['value']:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")
