"""A small byte-level BPE vocabulary for a language model that starts from nothing, with whole numbers as tokens.

A number that is one token is copied from the evidence in one step. Spelled out in digits, a model of this size takes
many times the training to copy it right (a trial of 563 steps: 45 percent of claims supported). Each number has two
tokens, with and without the space before it: a space of its own would stand between a number and what it measures.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from ..errors import AgirError

PAD, EOS = "<pad>", "<eos>"
# Decimals -> the largest number that has a token: degrees, percent and counts; centimetres and percent; metres and m/s.
LARGEST_NUMBER: dict[int, float] = {0: 200.0, 1: 60.0, 2: 2.5}
SPACES = (" ", "")
# Share of a number's start vector that says whether a space stands before it; the rest is the number's own.
SPACE_SHARE = 0.1


def number_texts(decimals: int) -> list[str]:
    """``["0", "1", ... "200"]`` for no decimals, and so on."""
    step = 10.0**-decimals
    return [f"{index * step:.{decimals}f}" for index in range(round(LARGEST_NUMBER[decimals] / step) + 1)]


def train_text_tokenizer(texts: Iterable[str], *, vocabulary: int) -> PreTrainedTokenizerFast:
    """Fit a byte-level BPE and add the numbers; a score label is one token, as digits are.

    Args:
        texts: prompts and answers to fit on.
        vocabulary: number of BPE tokens, the two special ones included; the numbers come on top.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n|\d"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    numbers = [space + text for decimals in LARGEST_NUMBER for text in number_texts(decimals) for space in SPACES]
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=False) for text in numbers])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


@torch.no_grad()
def start_number_embeddings(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Start both tokens of a number, with and without a space before it, at the same vector plus one for the space.

    A number read as one is then written as the other. Numbers start distinct, also near ones: with 40 percent of each
    vector from sines and cosines of the value, a decoder that had learned where to look still wrote 0.78 for 0.76.
    """
    layer = model.get_input_embeddings()
    if not isinstance(layer, torch.nn.Embedding):
        raise AgirError(f"expected a model with a table of embeddings, found {type(layer).__name__}")
    embeddings, width, scale = layer.weight, layer.embedding_dim, float(model.config.initializer_range)
    space_vectors = torch.randn(len(SPACES), width)
    for decimals in LARGEST_NUMBER:
        texts = number_texts(decimals)
        own = torch.randn(len(texts), width)
        for space, vector in zip(SPACES, space_vectors, strict=True):
            ids = torch.tensor([tokenizer.convert_tokens_to_ids(space + text) for text in texts])
            embeddings[ids] = scale * ((1 - SPACE_SHARE) ** 0.5 * own + SPACE_SHARE**0.5 * vector)
