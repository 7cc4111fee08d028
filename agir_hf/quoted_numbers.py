"""Decoding that quotes: a rationale may only hold numbers that stand in its evidence, or that are published norms."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def numbers_in(text: str) -> frozenset[str]:
    """The numbers of a text as they are written: ``"0.74 m/s, 12 of 30"`` -> ``{"0.74", "12", "30"}``."""
    return frozenset(_NUMBER.findall(text))


class NumberTokens:
    """How a text tokenizer spells numbers: in one token, in digits or in between; all three work.

    Args:
        tokenizer: any text tokenizer; tokens that hold digits and anything but a leading space are never written.
    """

    def __init__(self, tokenizer: Any) -> None:
        pieces = tokenizer.batch_decode([[index] for index in range(len(tokenizer))])
        self.numeric = torch.tensor([any(c.isdigit() for c in piece) for piece in pieces])
        self.piece_of = pieces
        self.ids_of: dict[str, list[int]] = defaultdict(list)
        for index, piece in enumerate(pieces):
            if re.fullmatch(r" ?[\d.]+", piece):
                self.ids_of[piece].append(index)

    def number_at_end(self, ids: Sequence[int]) -> str:
        """What stands at the end as digits and points without a space in between, "" if nothing does."""
        found = ""
        for index in reversed(ids):
            piece = self.piece_of[index]
            if not re.fullmatch(r" ?[\d.]+", piece):
                break
            found = piece.lstrip() + found
            if piece.startswith(" "):
                break
        return found.lstrip(".")


class QuotedNumbers(LogitsProcessor):
    """Lets each row write its own set of numbers and no other; words are free.

    It keeps a model from misspelling what it quotes. Whether a number stands for the right measure is for the grounding
    check to say.

    Args:
        tokens: how the tokenizer spells numbers.
        allowed: for each row, its numbers as written.
        prompt_length: tokens of the (left-padded) prompts.
    """

    def __init__(self, tokens: NumberTokens, allowed: Sequence[Iterable[str]], prompt_length: int) -> None:
        self.tokens = tokens
        self.allowed = [frozenset(numbers) for numbers in allowed]
        self.beginnings = [
            frozenset(number[:end] for number in numbers for end in range(1, len(number) + 1))
            for numbers in self.allowed
        ]
        self.prompt_length = prompt_length
        self._masks: dict[tuple[int, str], Tensor] = {}

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        rows_each = len(input_ids) // len(self.allowed)  # beams and samples of one row follow each other
        written = input_ids[:, self.prompt_length :].tolist()
        masks = [self._mask(row // rows_each, self.tokens.number_at_end(ids)) for row, ids in enumerate(written)]
        forbidden = torch.stack(masks).to(scores.device)
        forbidden = torch.nn.functional.pad(forbidden, (0, scores.shape[1] - forbidden.shape[1]))
        return scores.masked_fill(forbidden, -float("inf"))

    def _mask(self, row: int, begun: str) -> Tensor:
        """Tokens that must not follow a number that has ``begun`` so ("" where none has)."""
        key = (row, begun)
        if key not in self._masks:
            allowed, beginnings = self.allowed[row], self.beginnings[row]
            ended = not begun or begun.rstrip(".") in allowed  # with or without a full stop
            mask = self.tokens.numeric.clone() if ended else torch.ones_like(self.tokens.numeric)
            following = {q[len(begun) :] for q in beginnings if q.startswith(begun) and q != begun}
            if ended:
                following |= {" " + q for q in beginnings}
            for text in following:
                mask[self.tokens.ids_of.get(text, [])] = False
            self._masks[key] = mask
        return self._masks[key]


__all__ = ["NumberTokens", "QuotedNumbers", "numbers_in"]
