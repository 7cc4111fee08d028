"""The composites that the common behaviours are tested on. Tests that change one copy it first."""

from __future__ import annotations

from pathlib import Path

import pytest
from common_models import make_assessor
from transformers import PreTrainedTokenizerFast

from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer


@pytest.fixture(scope="session", params=["llama", "qwen3-tied", "gpt2"])
def assessor(request: pytest.FixtureRequest, text_tokenizer: PreTrainedTokenizerFast) -> AgirForGaitAssessment:
    return make_assessor(request.param, text_tokenizer)


@pytest.fixture(scope="session")
def saved(assessor: AgirForGaitAssessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    assessor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def motion_tokenizer(text_tokenizer: PreTrainedTokenizerFast) -> AgirMotionTokenizer:
    return make_assessor("llama", text_tokenizer).motion_tokenizer
