"""Model cards, filled from the record of the run that made a checkpoint."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any


def write_assessor_card(checkpoint: Path, record: dict[str, Any]) -> Path:
    """Write ``README.md`` beside the weights of an assessor.

    Args:
        checkpoint: folder with ``config.json`` and the weights.
        record: content of ``run_record.json``; a figure that is missing is an error, never a blank.
    """
    from jinja2 import Environment, StrictUndefined

    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    stages, recipe = record["stages"], record["recipe"]
    template = (resources.files("agir_hf") / "hub" / "assessor_card.md.jinja").read_text(encoding="utf-8")
    text = (
        Environment(undefined=StrictUndefined, keep_trailing_newline=True)
        .from_string(template)
        .render(
            name=recipe["name"],
            seed=recipe["seed"],
            data=stages["data"],
            evaluation_people=stages["evaluation"]["people"],
            evaluation=stages["evaluation"],
            calibration=stages["calibration"],
            motion_tokenizer=stages["motion_tokenizer"],
            num_scores=config["num_scores"],
            codebook_size=config["motion_config"]["codebook_size"],
            frames_per_code=config["motion_config"]["frames_per_code"],
            tokenizer_parameters=stages["motion_tokenizer"]["parameters"],
            language_parameters=stages["language_model"]["parameters"],
            vocabulary=stages["language_model"]["vocabulary"],
            size_mib=sum(p.stat().st_size for p in checkpoint.iterdir()) / 2**20,
        )
    )
    path = checkpoint / "README.md"
    path.write_text(text, encoding="utf-8")
    return path
