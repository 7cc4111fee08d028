"""Model cards, filled from the record of the run that made a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model_cards import fill_card

from ..errors import AgirError
from .card_figures import figures_of_record, figures_of_report, index_yaml


def write_motion_tokenizer_card(folder: Path, record: dict[str, Any]) -> Path:
    """Write ``README.md`` of a motion tokenizer from the record of its run."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    figures = record["stages"].get("motion_tokenizer")
    if figures is None:
        raise AgirError("expected a motion tokenizer that was trained with this recipe, found one that was taken over")
    return _write(
        folder,
        "motion_tokenizer",
        layout=_layout(config),
        figures=figures,
        model_index=_tokenizer_index(record["recipe"], figures),
        recordings=record["recipe"]["data"]["recordings"],
        **_origin(record),
    )


def _tokenizer_index(recipe: dict[str, Any], figures: dict[str, Any]) -> str:
    who = "simulated people" if recipe["data"]["config"] == "simulated" else recipe["data"]["config"]
    metric = {
        "type": "joint_error_mm",
        "value": figures["joint_error_mm_mean"],
        "name": f"mean joint error, mm ({who})",
    }
    result = {
        "task": {"type": "motion-reconstruction", "name": "Motion reconstruction"},
        "dataset": {"type": recipe["data"]["config"], "name": who, "split": "validation"},
        "metrics": [metric],
    }
    return index_yaml([{"name": recipe["name"], "results": [result]}])


def write_adapter_card(folder: Path, record: dict[str, Any], stage: str) -> Path:
    """Write ``README.md`` of the adapter that a stage left."""
    return _write(
        folder,
        "adapter",
        base=record["recipe"]["language_model"]["base"],
        stage=stage,
        eval_loss=record["stages"][stage]["eval_loss"],
        **_origin(record),
    )


def _origin(record: dict[str, Any]) -> dict[str, Any]:
    """Name, and what it was learned from."""
    recipe, data = record["recipe"], record["stages"]["data"]
    return {
        "name": recipe["name"],
        "seed": recipe["seed"],
        "source": recipe["data"]["config"],
        "simulated": recipe["data"]["config"] == "simulated",
        "clips": data["clips"],
        "people": data["people"],
        "data_sha256": data["sha256"],
        # A model is passed on under the terms of the data it learned from; several terms are "other" on a card.
        "lineage": {
            name: values
            for name, values in record["stages"].get("lineage", {}).items()
            if name in ("base_model", "datasets")
        },
        "licence": data["licences"][0] if len(data["licences"]) == 1 else "other",
    }


def _write(folder: Path, template: str, **fields: Any) -> Path:
    path = folder / "README.md"
    path.write_text(fill_card(template, **fields), encoding="utf-8")
    return path


def write_assessor_card(checkpoint: Path, record: dict[str, Any], report: dict[str, Any] | None = None) -> Path:
    """Write ``README.md`` beside the weights of an assessor.

    Args:
        checkpoint: folder with ``config.json`` and the weights.
        record: content of ``run_record.json``; a figure that is missing is an error, never a blank.
        report: of ``agir evaluate``, whose figures then stand in place of those from the end of the training.
    """
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    stages = record["stages"]
    return _write(
        checkpoint,
        "assessor",
        figures=figures_of_record(stages["evaluation"], record["recipe"]["name"])
        if report is None
        else figures_of_report(report),
        calibration=stages["calibration"],
        motion_tokenizer=stages.get("motion_tokenizer"),
        num_scores=config["num_scores"],
        layout=_layout(config["motion_config"]),
        architecture=config["text_config"]["model_type"],
        base=record["recipe"]["language_model"]["base"],
        language_parameters=stages["language_model"]["parameters"],
        vocabulary=stages["language_model"]["vocabulary"],
        size_mib=sum(p.stat().st_size for p in checkpoint.iterdir()) / 2**20,
        **_origin(record),
    )


def _layout(config: dict[str, Any]) -> str:
    """How many codes there are, and how many of them stand for how many frames."""
    codes, quantizers = config["codebook_size"], config.get("num_quantizers", 1)
    frames = config["frames_per_code"] * quantizers
    if quantizers == 1:
        return f"{codes} codes, one for {frames} frames at 20 fps"
    return f"{codes} codes, {quantizers} of them for {frames} frames at 20 fps"
