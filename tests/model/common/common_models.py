"""Tiny composites over several language models, and what the tests of common behaviours share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny_models import motion_config
from transformers import PreTrainedTokenizerFast

from agir_hf.configuration_agir import AgirConfig
from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.motion_vocabulary import MotionVocabulary

_LLAMA = {"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
_LLAMA |= {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 256}
_QWEN3 = {"model_type": "qwen3", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16}
_QWEN3 |= {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 256}
_GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 256}
LANGUAGE_MODELS: dict[str, dict[str, Any]] = {
    "llama": {**_LLAMA, "tie_word_embeddings": False},
    "llama-tied": {**_LLAMA, "tie_word_embeddings": True},
    "qwen3-tied": {**_QWEN3, "tie_word_embeddings": True},
    "gpt2": {**_GPT2, "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0},
}


def make_config(kind: str, tokenizer: PreTrainedTokenizerFast) -> AgirConfig:
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    return AgirConfig(
        motion_config=motion_config().to_dict(),
        text_config={
            **LANGUAGE_MODELS[kind],
            **ids,
            "vocab_size": len(tokenizer),
            # Wide enough for the most likely token to differ from place to place.
            "initializer_range": 0.3,
        },
        score_token_ids=[tokenizer.convert_tokens_to_ids(label) for label in "0123"],
        **MotionVocabulary.from_tokenizer(tokenizer).config_fields(),
    )


def make_assessor(kind: str, tokenizer: PreTrainedTokenizerFast) -> AgirForGaitAssessment:
    torch.manual_seed(0)
    return AgirForGaitAssessment(make_config(kind, tokenizer)).eval()


def some_ids(rows: int = 2, length: int = 7, seed: int = 0) -> torch.Tensor:
    """Ids of plain text tokens: none of them is padding, an end or a motion."""
    return torch.randint(2, 250, (rows, length), generator=torch.Generator().manual_seed(seed))


def some_motion(rows: int = 2, frames: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, frames, 263, generator=torch.Generator().manual_seed(seed))


def differing(one: torch.nn.Module, other: torch.nn.Module) -> list[str]:
    """Names of the tensors that are not equal in dtype and every bit."""
    left, right = one.state_dict(), other.state_dict()
    return sorted(
        name
        for name in left.keys() | right.keys()
        if name not in left
        or name not in right
        or left[name].dtype != right[name].dtype
        or not left[name].equal(right[name])
    )


def load(folder: Path, **options: Any) -> AgirForGaitAssessment:
    return AgirForGaitAssessment.from_pretrained(folder, **options)


def is_tied(model: AgirForGaitAssessment) -> bool:
    return model.get_output_embeddings().weight is model.get_input_embeddings().weight


def dtypes(module: torch.nn.Module) -> set[torch.dtype]:
    return {tensor.dtype for tensor in module.state_dict().values()}
