"""Explainable gait assessment from 3D motion, on the Hugging Face stack."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._auto import register_when_loaded
from .errors import AgirError

if TYPE_CHECKING:
    from .clip import MotionClip
    from .configuration_agir import AgirConfig, AgirMotionTokenizerConfig
    from .feature_extraction_agir import AgirFeatureExtractor
    from .gait import measure_gait
    from .modeling_agir import AgirForGaitAssessment
    from .modeling_agir_motion_tokenizer import AgirMotionTokenizer
    from .motion import read_motion
    from .pipeline_agir import GaitAssessment, GaitAssessmentPipeline
    from .processing_agir import AgirProcessor

__version__ = "0.1.0"

# Where each public name lives; read when first asked for, so that `import agir_hf` stays light.
_HOMES = {
    "MotionClip": "clip",
    "read_motion": "motion",
    "measure_gait": "gait",
    "AgirConfig": "configuration_agir",
    "AgirMotionTokenizerConfig": "configuration_agir",
    "AgirMotionTokenizer": "modeling_agir_motion_tokenizer",
    "AgirFeatureExtractor": "feature_extraction_agir",
    "AgirProcessor": "processing_agir",
    "AgirForGaitAssessment": "modeling_agir",
    "GaitAssessment": "pipeline_agir",
    "GaitAssessmentPipeline": "pipeline_agir",
}
__all__ = [
    "AgirConfig",
    "AgirFeatureExtractor",
    "AgirForGaitAssessment",
    "AgirMotionTokenizer",
    "AgirMotionTokenizerConfig",
    "AgirProcessor",
    "GaitAssessment",
    "GaitAssessmentPipeline",
    "MotionClip",
    "__version__",
    "measure_gait",
    "packaged_checkpoint",
    "read_motion",
]


def packaged_checkpoint(name: str) -> Path:
    """Folder of a checkpoint that comes with the package, such as ``"agir-tiny"``.

    Raises:
        AgirError: no such checkpoint in this installation.
    """
    folder = Path(__file__).parent / "checkpoints"
    if not (folder / name / "config.json").is_file():
        known = sorted(path.parent.name for path in folder.glob("*/config.json"))
        raise AgirError(f"no packaged checkpoint {name!r}; this installation has: {', '.join(known) or 'none'}")
    return folder / name


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_when_loaded()
