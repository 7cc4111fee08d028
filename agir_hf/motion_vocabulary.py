"""Motion codes as words: the one place that turns code <-> token text <-> token id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken

from .errors import AgirError

MOTION_TOKEN = "<motion>"
MOTION_START_TOKEN = "<motion_start>"
MOTION_END_TOKEN = "<motion_end>"
_CODE_TEXT = re.compile(r"<motion_(\d+)>")


@dataclass(frozen=True)
class MotionVocabulary:
    """Where the motion tokens stand in a text tokenizer.

    Code ``k`` is the text ``<motion_k>`` and the id ``first_motion_token_id + k``. A motion is written
    ``<motion_start>`` codes ``<motion_end>``; ``<motion>`` stands for one not encoded yet.

    Attributes:
        codebook_size: number of codes.
        first_motion_token_id: id of code 0.
        motion_token_id: id of ``<motion>``.
        motion_start_token_id, motion_end_token_id: ids of the tokens around a motion.
    """

    codebook_size: int
    first_motion_token_id: int
    motion_token_id: int
    motion_start_token_id: int
    motion_end_token_id: int

    @classmethod
    def add_to_tokenizer(cls, tokenizer: Any, codebook_size: int) -> MotionVocabulary:
        """Add the motion tokens to any text tokenizer, in place; harmless if they are there already.

        The codes are ordinary tokens (special ones would vanish from decoded text under ``skip_special_tokens``);
        start, end and placeholder are special. Resize a model's embeddings to ``len(tokenizer)`` afterwards.
        """
        codes = [AddedToken(code_text(code), special=False, normalized=False) for code in range(codebook_size)]
        tokenizer.add_tokens(codes)
        present = tokenizer.get_vocab()
        missing = [t for t in (MOTION_TOKEN, MOTION_START_TOKEN, MOTION_END_TOKEN) if t not in present]
        if missing:
            specials = [AddedToken(text, special=True, normalized=False) for text in missing]
            tokenizer.add_special_tokens({"extra_special_tokens": specials}, replace_extra_special_tokens=False)
        return cls.from_tokenizer(tokenizer)

    @classmethod
    def from_tokenizer(cls, tokenizer: Any) -> MotionVocabulary:
        """Read the motion tokens of a tokenizer.

        Raises:
            AgirError: motion tokens are missing, or their ids are not consecutive.
        """
        vocabulary = tokenizer.get_vocab()
        missing = [t for t in (MOTION_TOKEN, MOTION_START_TOKEN, MOTION_END_TOKEN, code_text(0)) if t not in vocabulary]
        if missing:
            raise AgirError(
                f"expected a text tokenizer with motion tokens, found none of {missing}; add them with "
                "MotionVocabulary.add_to_tokenizer(tokenizer, codebook_size)"
            )
        size = 0
        while code_text(size) in vocabulary:
            size += 1
        first = vocabulary[code_text(0)]
        misplaced = next((code for code in range(size) if vocabulary[code_text(code)] != first + code), None)
        if misplaced is not None:
            raise AgirError(
                f"expected consecutive ids for the motion tokens, found {vocabulary[code_text(misplaced)]} for "
                f"{code_text(misplaced)} where {first + misplaced} was due"
            )
        return cls(size, first, vocabulary[MOTION_TOKEN], vocabulary[MOTION_START_TOKEN], vocabulary[MOTION_END_TOKEN])

    def config_fields(self) -> dict[str, int]:
        """The fields of an `AgirConfig` that say where the motion tokens are."""
        return {
            "first_motion_token_id": self.first_motion_token_id,
            "motion_token_id": self.motion_token_id,
            "motion_start_token_id": self.motion_start_token_id,
            "motion_end_token_id": self.motion_end_token_id,
        }

    def codes_to_text(self, codes: Iterable[int]) -> str:
        """``[5, 0]`` -> ``"<motion_start><motion_5><motion_0><motion_end>"``."""
        return f"{MOTION_START_TOKEN}{''.join(code_text(code) for code in self.checked(codes))}{MOTION_END_TOKEN}"

    def placeholder_text(self, num_codes: int) -> str:
        """The text of a motion of ``num_codes`` codes that the model will fill in."""
        return f"{MOTION_START_TOKEN}{MOTION_TOKEN * num_codes}{MOTION_END_TOKEN}"

    def text_to_codes(self, text: str) -> list[int]:
        """Codes of every motion token in a text, in order; anything else is passed over."""
        return self.checked(int(number) for number in _CODE_TEXT.findall(text))

    def codes_to_ids(self, codes: Iterable[int]) -> list[int]:
        """The token id of each code."""
        return [self.first_motion_token_id + code for code in self.checked(codes)]

    def ids_to_codes(self, ids: Sequence[int]) -> list[int]:
        """Codes among token ids, in order; other tokens are passed over."""
        first = self.first_motion_token_id
        return [int(token) - first for token in ids if first <= int(token) < first + self.codebook_size]

    def checked(self, codes: Iterable[int]) -> list[int]:
        """The codes as whole numbers.

        Raises:
            AgirError: a code that the codebook does not have.
        """
        checked = [int(code) for code in codes]
        wrong = [code for code in checked if not 0 <= code < self.codebook_size]
        if wrong:
            raise AgirError(f"expected motion codes in [0, {self.codebook_size}), found {wrong[0]}")
        return checked


def code_text(code: int) -> str:
    """``5`` -> ``"<motion_5>"``."""
    return f"<motion_{code}>"


def label_token_ids(tokenizer: Any, labels: Sequence[str]) -> list[int]:
    """Token id of each score label.

    Raises:
        AgirError: a label that is not one token, so that its probability could not be read at one position.
    """
    ids = []
    for label in labels:
        tokens = tokenizer.encode(label, add_special_tokens=False)
        if len(tokens) != 1:
            raise AgirError(
                f"expected score label {label!r} to be a single token, found {len(tokens)}: use a tokenizer that "
                "splits digits, or labels that are tokens of their own"
            )
        ids.append(tokens[0])
    if len(set(ids)) != len(ids):
        raise AgirError(f"expected a different token for each score label, found {ids} for {list(labels)}")
    return ids


__all__ = ["MotionVocabulary", "code_text", "label_token_ids"]
