"""Parts of the tiny random models that the tests of the model use."""

from __future__ import annotations

from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from agir_hf.clip import MotionClip
from agir_hf.configuration_agir import AgirMotionTokenizerConfig

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


def make_walk(seconds: float = 4.0, frame_rate_hz: float = 60.0, seed: int = 0, score: int = 1) -> MotionClip:
    from agir_hf.simulation import simulate_person, simulate_walk

    walk = simulate_walk(
        simulate_person(seed, score=score), seed=seed, frame_rate_hz=frame_rate_hz, duration_s=seconds, turn="none"
    )
    return walk.clip
