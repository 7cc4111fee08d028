"""Model cards, filled from the record of the run that made a checkpoint."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from .card_figures import figures_of_record, figures_of_report


def write_motion_tokenizer_card(folder: Path, record: dict[str, Any]) -> Path:
    """Write ``README.md`` of a motion tokenizer from the record of its run."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return _write(
        folder,
        "motion_tokenizer_card.md.jinja",
        layout=_layout(config),
        figures=record["stages"]["motion_tokenizer"],
        recordings=record["recipe"]["data"]["recordings"],
        **_origin(record),
    )


def write_adapter_card(folder: Path, record: dict[str, Any], stage: str) -> Path:
    """Write ``README.md`` of the adapter that a stage left."""
    return _write(
        folder,
        "adapter_card.md.jinja",
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
        "licence": data["licences"][0] if len(data["licences"]) == 1 else "other",
    }


def _write(folder: Path, template: str, **fields: Any) -> Path:
    from jinja2 import Environment, StrictUndefined

    text = (resources.files("agir_hf") / "hub" / template).read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    path = folder / "README.md"
    path.write_text(environment.from_string(text).render(**fields), encoding="utf-8")
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
        "assessor_card.md.jinja",
        figures=figures_of_record(stages["evaluation"]) if report is None else figures_of_report(report),
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
