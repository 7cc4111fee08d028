"""From a cohort to a dataset of gait motion with measures, descriptions, rationales and scores.

``python -m dataset_builder build`` runs the steps (source, measure, describe, generate, validate, write) on datatrove;
``GaitRationaleBuilder`` is the same for use in code. Nothing in ``agir_hf`` imports this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .builder import GaitRationaleBuilder

__all__ = ["GaitRationaleBuilder"]


def __getattr__(name: str) -> Any:
    # datasets takes a second to import, which `--help` need not wait for.
    if name == "GaitRationaleBuilder":
        from agir_hf.errors import require

        for module in ("datasets", "pyarrow", "datatrove"):
            require(module, "dataset")
        from .builder import GaitRationaleBuilder

        return GaitRationaleBuilder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
