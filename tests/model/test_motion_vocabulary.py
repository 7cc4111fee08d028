from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import CODES, make_text_tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from agir_hf.errors import AgirError
from agir_hf.motion_vocabulary import MotionVocabulary, label_token_ids


def test_codes_text_and_ids_are_one_to_one(text_tokenizer: PreTrainedTokenizerFast) -> None:
    vocabulary = MotionVocabulary.from_tokenizer(text_tokenizer)
    codes = [5, 0, CODES - 1, 5]
    text = vocabulary.codes_to_text(codes)
    assert text == f"<motion_start><motion_5><motion_0><motion_{CODES - 1}><motion_5><motion_end>"
    ids = text_tokenizer.encode(text, add_special_tokens=False)
    assert ids == [vocabulary.motion_start_token_id, *vocabulary.codes_to_ids(codes), vocabulary.motion_end_token_id]
    assert vocabulary.ids_to_codes(ids) == codes
    assert vocabulary.text_to_codes(f"left arm {text} then") == codes


def test_code_tokens_survive_skip_special_tokens(text_tokenizer: PreTrainedTokenizerFast) -> None:
    text = MotionVocabulary.from_tokenizer(text_tokenizer).codes_to_text([1, 2])
    shown = text_tokenizer.decode(text_tokenizer.encode(text), skip_special_tokens=True)
    assert shown.replace(" ", "") == "<motion_1><motion_2>"


def test_survives_saving_and_adding_twice(text_tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    vocabulary = MotionVocabulary.from_tokenizer(text_tokenizer)
    text_tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert MotionVocabulary.from_tokenizer(loaded) == vocabulary
    size = len(loaded)
    assert MotionVocabulary.add_to_tokenizer(loaded, CODES) == vocabulary
    assert len(loaded) == size
    ids = loaded.encode("<motion_start><motion_3><motion_end>")
    assert loaded.decode(ids, skip_special_tokens=True) == "<motion_3>"


def test_errors_name_what_is_wrong(text_tokenizer: PreTrainedTokenizerFast) -> None:
    with pytest.raises(AgirError, match="add_to_tokenizer"):
        MotionVocabulary.from_tokenizer(make_text_tokenizer())
    with pytest.raises(AgirError, match=rf"\[0, {CODES}\), found {CODES}"):
        MotionVocabulary.from_tokenizer(text_tokenizer).codes_to_text([CODES])
    with pytest.raises(AgirError, match="single token"):
        label_token_ids(text_tokenizer, ["0", "1", "not one token"])


def test_digits_are_score_labels(text_tokenizer: PreTrainedTokenizerFast) -> None:
    ids = label_token_ids(text_tokenizer, ["0", "1", "2", "3"])
    assert text_tokenizer.convert_ids_to_tokens(ids) == ["0", "1", "2", "3"]
