"""Tiny random models: what is tested here does not depend on what was learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import CODES, make_text_tokenizer, make_walk, motion_config
from transformers import PreTrainedTokenizerFast

from agir_hf.clip import MotionClip
from agir_hf.configuration_agir import AgirConfig
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
    config = AgirConfig(
        motion_config=motion_config().to_dict(),
        text_config={
            "model_type": "llama",
            "vocab_size": len(text_tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "pad_token_id": text_tokenizer.pad_token_id,
            "eos_token_id": text_tokenizer.eos_token_id,
            "bos_token_id": None,
        },
        trained_on="nothing, random weights",
        **MotionVocabulary.from_tokenizer(text_tokenizer).config_fields(),
    )
    return AgirForGaitAssessment(config).eval()


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
