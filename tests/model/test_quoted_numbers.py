"""Decoding that quotes: with numbers as tokens, with digits as tokens, and in the pipeline."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")

from agir_hf.quoted_numbers import NumberTokens, QuotedNumbers, numbers_in  # noqa: E402


class Pieces:
    """A tokenizer of nothing but its pieces."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces

    def __len__(self) -> int:
        return len(self.pieces)

    def batch_decode(self, rows: list[list[int]]) -> list[str]:
        return ["".join(self.pieces[i] for i in row) for row in rows]


DIGITS = Pieces([*"0123456789", ".", " ", " m", "\n", "a", "x2", "<end>"])
WHOLE = Pieces([*"0123456789", ".", " 0.74", "0.74", " 0.75", " 12", "12", " m", "a", "x2", "<end>"])


@pytest.mark.parametrize("tokenizer", [DIGITS, WHOLE], ids=["digits", "whole numbers"])
def test_random_writing_holds_allowed_numbers_only_and_all_of_them(tokenizer: Pieces) -> None:
    tokens = NumberTokens(tokenizer)
    allowed = [{"0.74", "12", "3"}, {"12.5", "120"}]
    rng, seen = random.Random(3), [set(), set()]
    for _ in range(60):
        processor = QuotedNumbers(tokens, allowed, prompt_length=1)
        ids = torch.tensor([[5], [5]])  # the prompt's own numbers do not count
        for _ in range(40):
            scores = processor(ids, torch.zeros(2, len(tokenizer) + 2))
            assert torch.isfinite(scores[:, len(tokenizer) :]).all()  # rows of padding in the table of embeddings
            choices = [torch.isfinite(row[: len(tokenizer)]).nonzero().flatten().tolist() for row in scores]
            ids = torch.cat([ids, torch.tensor([[rng.choice(c)] for c in choices])], dim=1)
        for row in range(2):
            text = tokenizer.batch_decode([ids[row, 1:].tolist()])[0]
            unfinished = tokens.number_at_end(ids[row, 1:].tolist())
            complete = text[: len(text) - len(unfinished)] if unfinished else text
            found = numbers_in(complete)
            assert found <= allowed[row], text
            assert "x2" not in text
            seen[row] |= found
    assert seen[0] == allowed[0]
    assert seen[1] == allowed[1]


def test_a_full_stop_may_follow_a_number() -> None:
    tokens = NumberTokens(WHOLE)
    processor = QuotedNumbers(tokens, [{"12", "0.74"}], prompt_length=0)
    twelve, stop, end = WHOLE.pieces.index(" 12"), WHOLE.pieces.index("."), WHOLE.pieces.index("<end>")
    after = processor(torch.tensor([[twelve]]), torch.zeros(1, len(WHOLE)))[0]
    assert torch.isfinite(after[stop]) and torch.isfinite(after[end])
    assert not torch.isfinite(after[WHOLE.pieces.index("5")])
    after = processor(torch.tensor([[twelve, stop]]), torch.zeros(1, len(WHOLE)))[0]
    assert torch.isfinite(after[end]) and torch.isfinite(after[WHOLE.pieces.index(" 0.74")])
    assert not torch.isfinite(after[WHOLE.pieces.index("5")])


def test_rows_that_follow_each_other_share_their_numbers() -> None:
    tokens = NumberTokens(WHOLE)
    processor = QuotedNumbers(tokens, [{"12"}, {"0.74"}], prompt_length=1)
    scores = processor(torch.zeros(4, 1, dtype=torch.long), torch.zeros(4, len(WHOLE)))
    free = torch.isfinite(scores)
    assert free[:2, WHOLE.pieces.index(" 12")].all() and not free[2:, WHOLE.pieces.index(" 12")].any()
    assert free[2:, WHOLE.pieces.index(" 0.74")].all() and not free[:2, WHOLE.pieces.index(" 0.74")].any()
