"""Registration with transformers' Auto classes and the ``gait-assessment`` task, in either import order.

transformers has no plug-in entry point, and importing our model classes takes seconds. So each part is registered when
the transformers module that needs it has been loaded: at once if it is there already, else right after its import.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

TASK = "gait-assessment"
DEFAULT_CHECKPOINT = "agir-tiny"


def _register_configs() -> None:
    from transformers.models.auto.configuration_auto import AutoConfig

    from .configuration_agir import AgirConfig, AgirMotionTokenizerConfig

    for config in (AgirMotionTokenizerConfig, AgirConfig):
        AutoConfig.register(config.model_type, config, exist_ok=True)


def _register_models() -> None:
    from transformers.models.auto.modeling_auto import AutoModel, AutoModelForCausalLM

    from .configuration_agir import AgirConfig, AgirMotionTokenizerConfig
    from .modeling_agir import AgirForGaitAssessment
    from .modeling_agir_motion_tokenizer import AgirMotionTokenizer

    AutoModel.register(AgirMotionTokenizerConfig, AgirMotionTokenizer, exist_ok=True)
    AutoModel.register(AgirConfig, AgirForGaitAssessment, exist_ok=True)
    AutoModelForCausalLM.register(AgirConfig, AgirForGaitAssessment, exist_ok=True)


def _register_feature_extractors() -> None:
    from transformers.models.auto.feature_extraction_auto import AutoFeatureExtractor

    from .configuration_agir import AgirConfig, AgirMotionTokenizerConfig
    from .feature_extraction_agir import AgirFeatureExtractor

    for config in (AgirMotionTokenizerConfig, AgirConfig):
        AutoFeatureExtractor.register(config, AgirFeatureExtractor, exist_ok=True)


def _register_processors() -> None:
    from transformers.models.auto.processing_auto import AutoProcessor

    from .configuration_agir import AgirConfig, AgirMotionTokenizerConfig
    from .feature_extraction_agir import AgirFeatureExtractor
    from .processing_agir import AgirProcessor

    AutoProcessor.register(AgirConfig, AgirProcessor, exist_ok=True)
    # A tokenizer's repository has no text tokenizer: what prepares its input is the feature extractor alone.
    AutoProcessor.register(AgirMotionTokenizerConfig, AgirFeatureExtractor, exist_ok=True)


def _register_pipeline() -> None:
    from transformers import AutoModelForCausalLM
    from transformers.pipelines import PIPELINE_REGISTRY

    from .pipeline_agir import GaitAssessmentPipeline

    PIPELINE_REGISTRY.register_pipeline(
        TASK,
        pipeline_class=GaitAssessmentPipeline,
        pt_model=(AutoModelForCausalLM,),
        default={"model": (str(Path(__file__).parent / "checkpoints" / DEFAULT_CHECKPOINT), None)},
        type="multimodal",
    )


# In the order in which they may build on each other.
_REGISTRATIONS: dict[str, Callable[[], None]] = {
    "transformers.models.auto.configuration_auto": _register_configs,
    "transformers.models.auto.modeling_auto": _register_models,
    "transformers.models.auto.feature_extraction_auto": _register_feature_extractors,
    "transformers.models.auto.processing_auto": _register_processors,
    "transformers.pipelines": _register_pipeline,
}
# Modules that import one of the above while they are half loaded: nothing is registered before they are whole.
_WAIT_FOR = (
    "transformers.modeling_utils",
    "transformers.generation.utils",
    "transformers.processing_utils",
    f"{__package__}.configuration_agir",
    f"{__package__}.feature_extraction_agir",
    f"{__package__}.modeling_agir",
    f"{__package__}.modeling_agir_motion_tokenizer",
    f"{__package__}.processing_agir",
    f"{__package__}.pipeline_agir",
)

_done: set[str] = set()
_loading: list[str] = []


def _register_loaded() -> None:
    if _loading:
        return
    for name, register in _REGISTRATIONS.items():
        if name in sys.modules and name not in _done:
            _done.add(name)  # before the call: what it imports comes back here
            register()


class _AfterImport(MetaPathFinder):
    """Finds the modules above as usual, and has them registered with once they are loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _REGISTRATIONS and fullname not in _WAIT_FOR:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_then_register(module: ModuleType) -> None:
            _loading.append(fullname)
            try:
                load(module)
            finally:
                _loading.remove(fullname)
            _register_loaded()

        spec.loader.exec_module = load_then_register  # type: ignore[method-assign]
        return spec


def register_when_loaded() -> None:
    """Register with what is loaded of transformers now, and with the rest once it is imported."""
    if not any(isinstance(finder, _AfterImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterImport())
    _register_loaded()
