"""Tiny random models: what is tested here does not depend on what was learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import CODES, make_config, make_text_tokenizer, make_walk
from transformers import PreTrainedTokenizerFast

from agir_hf.clip import MotionClip
from agir_hf.feature_extraction_agir import AgirFeatureExtractor
from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.motion_vocabulary import MotionVocabulary
from agir_hf.processing_agir import AgirProcessor


@pytest.fixture(scope="session")
def text_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = make_text_tokenizer()
    MotionVocabulary.add_to_tokenizer(tokenizer, CODES)
    return tokenizer


@pytest.fixture(scope="session")
def model(text_tokenizer: PreTrainedTokenizerFast) -> AgirForGaitAssessment:
    torch.manual_seed(0)
    return AgirForGaitAssessment(make_config(text_tokenizer)).eval()


@pytest.fixture(scope="session")
def walk() -> MotionClip:
    return make_walk()


@pytest.fixture(scope="session")
def processor(text_tokenizer: PreTrainedTokenizerFast, walk: MotionClip, model: AgirForGaitAssessment) -> AgirProcessor:
    extractor = AgirFeatureExtractor()
    extractor.fit([extractor.raw_features(walk)])
    made = AgirProcessor(feature_extractor=extractor, tokenizer=text_tokenizer)
    made.attach(model)
    return made


@pytest.fixture(scope="session")
def checkpoint(
    tmp_path_factory: pytest.TempPathFactory, model: AgirForGaitAssessment, processor: AgirProcessor
) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "agir-test"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture
def features() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(3, 40, 263)).astype(np.float32))
