"""Recipes load, change by key=value, and refuse what they do not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from agir_hf.errors import AgirError
from agir_hf.training.recipe import load_recipe


def test_packaged_recipes_load_and_change() -> None:
    recipe = load_recipe("tiny", ["tokenizer.steps=7", "name=other"])
    assert (recipe.tokenizer.steps, recipe.name) == (7, "other")
    assert load_recipe("smoke").tokenizer.steps < 100
    assert recipe.stages == ("quote", "tell", "describe", "assess", "settle")
    assert load_recipe("tiny", ["data.recordings=[a, b]", "language_model.base=x"]).data.recordings == ("a", "b")


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(AgirError, match=r"unknown recipe key 'tokenizer.step'; did you mean 'tokenizer.steps'"):
        load_recipe("tiny", ["tokenizer.step=7"])


def test_bad_recipes(tmp_path: Path) -> None:
    with pytest.raises(AgirError, match="found 'nonsense'"):
        load_recipe("nonsense")
    with pytest.raises(AgirError, match="found none"):
        load_recipe(tmp_path / "absent.yaml")
    with pytest.raises(AgirError, match="expected key=value"):
        load_recipe("tiny", ["seed"])
    with pytest.raises(AgirError, match="expected stages among"):
        load_recipe("tiny", ["stages=[describe, asess]"])
    with pytest.raises(AgirError, match="expected int for 'seed'"):
        load_recipe("tiny", ["seed=abc"])
