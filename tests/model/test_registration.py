"""Registration in either import order, each in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
USE = """
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForCausalLM, AutoProcessor, pipeline
names = [type(kind.from_pretrained({folder!r})).__name__ for kind in
         (AutoConfig, AutoModel, AutoModelForCausalLM, AutoProcessor, AutoFeatureExtractor)]
print(*names, type(pipeline("gait-assessment", model={folder!r})).__name__)
"""
EXPECTED = (
    "AgirConfig AgirForGaitAssessment AgirForGaitAssessment AgirProcessor AgirFeatureExtractor GaitAssessmentPipeline"
)


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "imports",
    [
        "import agir_hf; print(all(getattr(agir_hf, name) is not None for name in agir_hf.__all__));",
        "from transformers import AutoModelForCausalLM, AutoProcessor, pipeline; import agir_hf; print(True);",
    ],
    ids=["before", "after"],
)
def test_auto_classes_and_task_in_either_order(imports: str, checkpoint: Path) -> None:
    assert _run(imports + USE.format(folder=str(checkpoint))) == f"True\n{EXPECTED}"


@pytest.mark.parametrize(
    "first",
    [
        "transformers.generation.utils",
        pytest.param("transformers.models.auto.modeling_auto", marks=pytest.mark.slow),
        pytest.param("transformers.modeling_utils", marks=pytest.mark.slow),
        pytest.param("transformers.pipelines", marks=pytest.mark.slow),
        pytest.param("agir_hf.configuration_agir", marks=pytest.mark.slow),
        pytest.param("agir_hf.pipeline_agir", marks=pytest.mark.slow),
    ],
)
def test_whatever_is_imported_first(first: str) -> None:
    code = (
        f"import agir_hf, {first}; from transformers import AutoModelForCausalLM; from agir_hf import AgirConfig; "
        "print(AutoModelForCausalLM._model_mapping[AgirConfig].__name__)"
    )
    assert _run(code) == "AgirForGaitAssessment"


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import agir_hf, agir_hf.clip, agir_hf.cli; "
        "seconds = time.perf_counter() - start; "
        "print(seconds, *(name in sys.modules for name in ('torch', 'transformers', 'scipy')))"
    )
    seconds, *loaded = _run(code).split()
    assert loaded == ["False", "False", "False"]
    assert float(seconds) < 0.3


def test_transformers_alone_loads_nothing_of_ours() -> None:
    code = (
        "import sys, agir_hf, transformers; print('agir_hf.configuration_agir' in sys.modules, 'torch' in sys.modules)"
    )
    assert _run(code) == "False False"


def test_an_unknown_packaged_checkpoint_is_named() -> None:
    import agir_hf
    from agir_hf.errors import AgirError

    with pytest.raises(AgirError, match="no packaged checkpoint 'agir-huge'"):
        agir_hf.packaged_checkpoint("agir-huge")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = agir_hf.nothing
