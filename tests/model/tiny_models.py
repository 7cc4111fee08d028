"""Parts of the tiny random models that the tests of the model use."""

from __future__ import annotations

from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from agir_hf.clip import MotionClip
from agir_hf.configuration_agir import AgirConfig, AgirMotionTokenizerConfig
from agir_hf.motion_vocabulary import MotionVocabulary

CODES = 32
TEXTS = ["Task: assess gait", "Motion:", "Measured:", "Rationale:", "walking speed 0.8 m/s, arm swing left 12 degrees"]


def make_text_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\n|\d"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<pad>", "<eos>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")


def motion_config(**changes: Any) -> AgirMotionTokenizerConfig:
    options = {"hidden_size": 16, "codebook_size": CODES, "codebook_dim": 8, "encoder_blocks": 1, "decoder_blocks": 1}
    return AgirMotionTokenizerConfig(**{**options, **changes})


def make_config(text_tokenizer: PreTrainedTokenizerFast) -> AgirConfig:
    """Of an assessor around a tiny Llama; the text tokenizer has the motion tokens already."""
    return AgirConfig(
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


def make_walk(seconds: float = 4.0, frame_rate_hz: float = 60.0, seed: int = 0, score: int = 1) -> MotionClip:
    from agir_hf.simulation import simulate_person, simulate_walk

    walk = simulate_walk(
        simulate_person(seed, score=score), seed=seed, frame_rate_hz=frame_rate_hz, duration_s=seconds, turn="none"
    )
    return walk.clip
