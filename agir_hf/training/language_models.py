"""The language model and its tokenizer before they are fine-tuned: a base of the user's choice, or one from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Lfm2Config,
    Lfm2ForCausalLM,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    set_seed,
)

from ..errors import AgirError
from ..motion_vocabulary import MotionVocabulary
from ..rationale import SCORE_PREFIX, render_prompt
from .adapters import add_adapter
from .data import Walk
from .recipe import DecoderRecipe, Recipe
from .stage_rows import Row, assess_prompt
from .text_tokenizer import start_number_embeddings, train_text_tokenizer

FITTED_ON = 4000  # walks whose texts a vocabulary of its own is fitted on


def text_side(
    recipe: Recipe, walks: Sequence[Walk], rows: Sequence[Row], home: Path, codebook_size: int
) -> tuple[PreTrainedTokenizerBase, MotionVocabulary]:
    """The text tokenizer with motion tokens, made once and kept in ``home``.

    Args:
        walks, rows: what a vocabulary of its own is fitted on, where there is no base.
    """
    if (home / "tokenizer_config.json").is_file():
        tokenizer = AutoTokenizer.from_pretrained(home)
        return tokenizer, MotionVocabulary.from_tokenizer(tokenizer)
    base = recipe.language_model.base
    if base:
        tokenizer = AutoTokenizer.from_pretrained(base, revision=recipe.language_model.revision or None)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
    else:
        tokenizer = _own_tokenizer(recipe.language_model.decoder, walks, rows)
    vocabulary = MotionVocabulary.add_to_tokenizer(tokenizer, codebook_size)
    tokenizer.save_pretrained(home)
    return tokenizer, vocabulary


def _own_tokenizer(recipe: DecoderRecipe, walks: Sequence[Walk], rows: Sequence[Row]) -> PreTrainedTokenizerFast:
    # Prompts are fitted without their motion: motion tokens are whole tokens of their own.
    shown = chain.from_iterable(
        (
            render_prompt("quote", evidence=walk.evidence),
            render_prompt("tell", evidence=walk.evidence),
            assess_prompt("", walk.evidence, "both"),
            walk.description,
            walk.rationale,
            SCORE_PREFIX,
        )
        for walk in walks[:FITTED_ON]
    )
    told = (row["completion"] for row in rows[: 2 * FITTED_ON])
    return train_text_tokenizer(chain(shown, told), vocabulary=recipe.text_vocabulary)


def language_model(recipe: Recipe, tokenizer: PreTrainedTokenizerBase, vocabulary: MotionVocabulary) -> Any:
    """The model to fine-tune: from nothing, or the base with rows for the motion tokens and, where asked, an adapter.

    Raises:
        AgirError: the base cannot be loaded.
    """
    settings = recipe.language_model
    if not settings.base:
        if settings.lora.rank:
            raise AgirError("expected a base model for an adapter, found language_model.base empty: set lora.rank=0")
        return decoder_from_nothing(settings.decoder, tokenizer, recipe.seed)
    model = base_model(recipe, tokenizer)
    if settings.lora.rank:
        if muon := [stage for stage in recipe.stages if getattr(recipe, stage).matrix_learning_rate]:
            raise AgirError(
                f"expected {muon[0]}.matrix_learning_rate=0 beside an adapter, found another: Muon is for all weights"
            )
        return add_adapter(model, settings.lora, new_token_ids(vocabulary))
    return model


def base_model(recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> Any:
    """The base with rows for the motion tokens, as yet untrained."""
    settings = recipe.language_model
    set_seed(recipe.seed)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            settings.base, revision=settings.revision or None, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise AgirError(f"expected a causal language model, found {settings.base}: {reason}") from error
    weight: Any = model.get_input_embeddings().weight
    if len(weight) < len(tokenizer):
        model.resize_token_embeddings(len(tokenizer))
    return model


def new_token_ids(vocabulary: MotionVocabulary) -> list[int]:
    """Ids of all motion tokens, which no base has ever seen."""
    first = vocabulary.first_motion_token_id
    ends = (vocabulary.motion_token_id, vocabulary.motion_start_token_id, vocabulary.motion_end_token_id)
    return sorted({*range(first, first + vocabulary.codebook_size), *ends})


def decoder_from_nothing(recipe: DecoderRecipe, tokenizer: PreTrainedTokenizerBase, seed: int) -> Lfm2ForCausalLM:
    """A small LFM2 with random weights: short convolutions and attention by turns.

    Copying is what a decoder that starts from nothing learns last, so it starts near it. The convolutions tell a number
    what stands before it ("left arm swing 12"), which attention alone takes long to learn. Attention hands on what it
    looks at as it is: few wide heads, each with value and output projections that start at the identity.
    """
    set_seed(seed)
    model = Lfm2ForCausalLM(
        Lfm2Config(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden_size,
            intermediate_size=recipe.intermediate_size,
            block_auto_adjust_ff_dim=False,
            conv_L_cache=recipe.convolution_length,
            num_hidden_layers=recipe.layers,
            layer_types=["full_attention" if layer % 2 else "conv" for layer in range(recipe.layers)],
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            max_position_embeddings=recipe.max_positions,
            initializer_range=recipe.initializer_range,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )
    start_number_embeddings(model, tokenizer)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("self_attn.v_proj.weight", "self_attn.out_proj.weight")):
                parameter.add_(torch.eye(len(parameter)))
    return model
