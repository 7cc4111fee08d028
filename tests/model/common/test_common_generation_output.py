"""What generation gives back beside the text, what ends it, and its saved settings."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from common_models import load, some_ids, some_motion
from transformers import GenerationConfig, PreTrainedTokenizerFast, StoppingCriteria, StoppingCriteriaList
from transformers.cache_utils import DynamicCache
from transformers.generation.streamers import BaseStreamer, TextStreamer

from agir_hf.modeling_agir import AgirForGaitAssessment

STEPS = 4
GREEDY: dict[str, Any] = {"max_new_tokens": STEPS, "min_new_tokens": STEPS, "do_sample": False}
EVERYTHING = {
    "return_dict_in_generate": True,
    "output_scores": True,
    "output_logits": True,
    "output_attentions": True,
    "output_hidden_states": True,
}


@pytest.fixture
def eager(assessor: AgirForGaitAssessment) -> AgirForGaitAssessment:
    model = copy.deepcopy(assessor)
    model.set_attn_implementation("eager")
    return model


@pytest.mark.parametrize("raw", [False, True], ids=["tokens", "motions"])
def test_greedy_gives_every_step_in_its_shape(raw: bool, eager: AgirForGaitAssessment) -> None:
    ids, options = some_ids(), dict(EVERYTHING)
    if raw:
        ids[:, 1:5] = eager.config.motion_token_id
        options["motion_features"] = some_motion()
    told = eager.generate(ids, **GREEDY, **options)
    assert told.sequences.shape == (2, 7 + STEPS)
    size = eager.config.text_config.vocab_size
    for steps in (told.scores, told.logits):
        assert [tuple(one.shape) for one in steps] == [(2, size)] * STEPS
    full = eager(input_ids=told.sequences).logits
    torch.testing.assert_close(torch.stack(told.logits, 1), full[:, 6:-1], atol=1e-5, rtol=0)
    lengths = [7, 1, 1, 1]
    assert [[tuple(one.shape) for one in step] for step in told.hidden_states] == [[(2, n, 32)] * 3 for n in lengths]
    assert [[tuple(one.shape) for one in step] for step in told.attentions] == [
        [(2, 2, n, 7 + step)] * 2 for step, n in enumerate(lengths)
    ]
    assert isinstance(told.past_key_values, DynamicCache)
    assert told.past_key_values.get_seq_length() == 6 + STEPS


def test_beams_give_every_step_in_its_shape(eager: AgirForGaitAssessment) -> None:
    told = eager.generate(some_ids(), **GREEDY, **EVERYTHING, num_beams=3, num_return_sequences=2)
    assert told.sequences.shape == (4, 7 + STEPS) and told.sequences_scores.shape == (4,)
    assert told.beam_indices.shape[0] == 4
    assert told.scores[0].shape == (6, eager.config.text_config.vocab_size)
    assert told.hidden_states[1][0].shape == (6, 1, 32) and told.attentions[0][0].shape == (6, 2, 7, 7)
    assert (told.sequences_scores.view(2, 2).diff(dim=1) <= 0).all()
    again = eager.compute_transition_scores(told.sequences, told.scores, told.beam_indices)
    torch.testing.assert_close(again.sum(1) / STEPS, told.sequences_scores, atol=1e-5, rtol=0)


def test_transition_scores_are_those_of_a_full_pass(assessor: AgirForGaitAssessment) -> None:
    told = assessor.generate(some_ids(), **GREEDY, return_dict_in_generate=True, output_logits=True)
    given = assessor.compute_transition_scores(told.sequences, told.logits, normalize_logits=True)
    full = assessor(input_ids=told.sequences).logits[:, 6:-1].log_softmax(-1)
    torch.testing.assert_close(given, full.gather(2, told.sequences[:, 7:, None])[..., 0], atol=1e-5, rtol=0)


def test_the_end_token_ends_a_row_and_padding_fills_it(assessor: AgirForGaitAssessment) -> None:
    plain = assessor.generate(some_ids(), **GREEDY)
    end, pad = int(plain[0, 8]), assessor.config.text_config.pad_token_id
    told = assessor.generate(some_ids(), max_new_tokens=STEPS, do_sample=False, eos_token_id=end)
    assert told[0, : 7 + 2].equal(plain[0, : 7 + 2]) and (told[0, 9:] == pad).all()


def test_a_criterion_of_ones_own_stops(assessor: AgirForGaitAssessment) -> None:
    class AfterNine(StoppingCriteria):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
            return torch.full((len(input_ids),), input_ids.shape[1] >= 9)

    told = assessor.generate(
        some_ids(), **GREEDY | {"max_new_tokens": 30}, stopping_criteria=StoppingCriteriaList([AfterNine()])
    )
    assert told.shape[1] == 9


def test_a_string_stops(assessor: AgirForGaitAssessment, text_tokenizer: PreTrainedTokenizerFast) -> None:
    letter = text_tokenizer.convert_tokens_to_ids("g")
    options = {"max_new_tokens": STEPS, "do_sample": False, "sequence_bias": [[[letter], 1e4]]}
    assert assessor.generate(some_ids(1), **options)[0, 7:].tolist() == [letter] * STEPS
    told = assessor.generate(some_ids(1), **options, stop_strings=["gg"], tokenizer=text_tokenizer)
    assert told[0, 7:].tolist() == [letter] * 2


def test_time_stops(assessor: AgirForGaitAssessment) -> None:
    start = time.monotonic()
    told = assessor.generate(some_ids(), max_new_tokens=200, min_new_tokens=200, max_time=1e-6, do_sample=False)
    assert told.shape[1] == 8 and time.monotonic() - start < 5


def test_a_length_given_in_all_counts_the_prompt(assessor: AgirForGaitAssessment) -> None:
    assert assessor.generate(some_ids(), max_length=9, min_length=9, do_sample=False).shape[1] == 9


def test_tokens_stream_as_they_come(
    assessor: AgirForGaitAssessment, text_tokenizer: PreTrainedTokenizerFast, capsys: pytest.CaptureFixture[str]
) -> None:
    class Kept(BaseStreamer):
        def __init__(self) -> None:
            self.pieces: list[list[int]] = []
            self.ended = False

        def put(self, value: torch.Tensor) -> None:
            self.pieces.append(value.flatten().tolist())

        def end(self) -> None:
            self.ended = True

    ids, kept = some_ids(1), Kept()
    ids[:, 1:5] = assessor.config.motion_token_id
    told = assessor.generate(ids, motion_features=some_motion(1), **GREEDY, streamer=kept)
    assert kept.ended and len(kept.pieces) == 1 + STEPS
    assert [token for piece in kept.pieces for token in piece] == told[0].tolist()
    assessor.generate(some_ids(1), **GREEDY, streamer=TextStreamer(text_tokenizer, skip_prompt=True))
    shown = capsys.readouterr().out.rstrip("\n")
    assert shown == text_tokenizer.decode(assessor.generate(some_ids(1), **GREEDY)[0, 7:])


def test_two_prompts_at_guidance_are_weighed_against_none(assessor: AgirForGaitAssessment) -> None:
    plain = assessor.generate(some_ids(1), **GREEDY)
    assert assessor.generate(some_ids(1), **GREEDY, guidance_scale=1.0).equal(plain)
    same = assessor.generate(some_ids(1), **GREEDY, guidance_scale=1.5, negative_prompt_ids=some_ids(1))
    assert same.equal(plain)


def test_special_ids_come_from_the_language_models_config(assessor: AgirForGaitAssessment) -> None:
    text = assessor.config.text_config
    made = assessor.generation_config
    assert (made.eos_token_id, made.pad_token_id) == (text.eos_token_id, text.pad_token_id) == (1, 0)


def test_settings_are_saved_and_loaded(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    model = copy.deepcopy(assessor)
    model.generation_config.update(max_new_tokens=3, num_beams=2, repetition_penalty=1.3)
    model.save_pretrained(tmp_path)
    loaded = load(tmp_path)
    assert loaded.generation_config.to_diff_dict() == model.generation_config.to_diff_dict()
    assert GenerationConfig.from_pretrained(tmp_path).num_beams == 2
    assert loaded.generate(some_ids()).equal(model.generate(some_ids()))
    assert loaded.generate(some_ids()).equal(
        assessor.generate(some_ids(), max_new_tokens=3, num_beams=2, repetition_penalty=1.3)
    )
    assert loaded.generate(some_ids(), generation_config=GenerationConfig(max_new_tokens=1)).shape[1] == 8


def test_an_unknown_argument_is_refused(assessor: AgirForGaitAssessment) -> None:
    with pytest.raises(ValueError, match="motion_feature"):
        assessor.generate(some_ids(), motion_feature=some_motion())
