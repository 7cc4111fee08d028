"""Data files that come with the package."""

from __future__ import annotations

from importlib import resources


def read_data(name: str) -> str:
    """The text of a data file, such as ``"gait/plausibility.csv"``, named from the package's folder."""
    return (resources.files("agir_hf") / name).read_text(encoding="utf-8")
