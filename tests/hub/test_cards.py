"""The filled cards under ``model_cards`` are those of the packaged checkpoint, and whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agir_hf import packaged_checkpoint
from agir_hf.hub.card import write_assessor_card, write_motion_tokenizer_card
from agir_hf.hub.card_check import SECTIONS, check_card, check_model_card

ROOT = Path(__file__).resolve().parents[2]
CARDS = ROOT / "model_cards"


@pytest.mark.parametrize("card", sorted(CARDS.glob("*.md")), ids=lambda path: path.name)
def test_no_field_is_blank(card: Path) -> None:
    check_model_card(card, sections=SECTIONS)
    metadata = check_card(card)
    assert metadata["license"] and ("model-index" in metadata or "configs" in metadata)
    assert "simulated" in card.read_text(encoding="utf-8")


def test_the_assessors_card_is_that_of_the_checkpoint_and_has_the_figures_of_the_report(tmp_path: Path) -> None:
    home = packaged_checkpoint("agir-tiny")
    shown = (CARDS / "agir-tiny.md").read_text(encoding="utf-8")
    assert shown == (home / "README.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "benchmarks/results/agir-tiny/report.json").read_text(encoding="utf-8"))
    for path in home.iterdir():  # the size of all files stands in the card
        (tmp_path / path.name).write_bytes(path.read_bytes())
    record = json.loads((home / "run_record.json").read_text(encoding="utf-8"))
    assert write_assessor_card(tmp_path, record, report).read_text(encoding="utf-8") == shown


def test_the_tokenizers_card_has_the_figures_of_the_record(tmp_path: Path) -> None:
    home = packaged_checkpoint("agir-tiny")
    config = json.loads((home / "config.json").read_text(encoding="utf-8"))["motion_config"]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    record = json.loads((home / "run_record.json").read_text(encoding="utf-8"))
    made = write_motion_tokenizer_card(tmp_path, record).read_text(encoding="utf-8")
    assert made == (CARDS / "agir-tiny-motion-tokenizer.md").read_text(encoding="utf-8")
