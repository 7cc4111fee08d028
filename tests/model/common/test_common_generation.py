"""Ways of choosing the next token, with and without a cache; each must agree with what it is a variant of."""

from __future__ import annotations

import copy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from common_models import load, some_ids, some_motion
from transformers import GenerationMixin

from agir_hf.modeling_agir import AgirForGaitAssessment

GREEDY: dict[str, Any] = {"max_new_tokens": 8, "min_new_tokens": 8, "do_sample": False}
MODES: dict[str, dict[str, Any]] = {
    "greedy": {"do_sample": False},
    "sampling": {"do_sample": True},
    "beams": {"do_sample": False, "num_beams": 3},
    "sampled beams": {"do_sample": True, "num_beams": 2},
    "two of three beams": {"do_sample": False, "num_beams": 3, "num_return_sequences": 2},
}


def _generate(model: AgirForGaitAssessment, ids: torch.Tensor, **options: Any) -> torch.Tensor:
    torch.manual_seed(0)
    options = {"attention_mask": torch.ones_like(ids), **options}
    return model.generate(ids, **options)


def _greedy_by_hand(model: AgirForGaitAssessment, ids: torch.Tensor, steps: int) -> torch.Tensor:
    for _ in range(steps):
        logits = model(input_ids=ids, use_cache=False).logits[:, -1].clone()
        logits[:, model.config.text_config.eos_token_id] = -torch.inf
        ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], 1)
    return ids


def test_generation_comes_from_transformers_directly() -> None:
    assert GenerationMixin in AgirForGaitAssessment.__bases__ and AgirForGaitAssessment.can_generate()


def test_greedy_takes_the_most_likely_token(assessor: AgirForGaitAssessment) -> None:
    told = _generate(assessor, some_ids(), **GREEDY)
    assert told.equal(_greedy_by_hand(assessor, some_ids(), 8))
    assert len(told[:, 7:].unique()) > 3  # nothing here would be tested by one token over and over


@pytest.mark.parametrize("options", MODES.values(), ids=MODES)
@pytest.mark.parametrize(
    "cache", [{"use_cache": False}, {"cache_implementation": "static"}, {"cache_implementation": "dynamic"}], ids=str
)
def test_no_kind_of_cache_changes_a_token(
    cache: dict[str, Any], options: dict[str, Any], assessor: AgirForGaitAssessment
) -> None:
    options = {**options, "max_new_tokens": 8}
    expected = _generate(assessor, some_ids(), **options)
    assert _generate(assessor, some_ids(), **options, **cache).equal(expected)


@pytest.mark.parametrize("options", MODES.values(), ids=MODES)
def test_filled_in_motions_equal_written_ones_in_every_mode(
    options: dict[str, Any], assessor: AgirForGaitAssessment
) -> None:
    ids, motion = some_ids(), some_motion()
    ids[:, 1:5] = assessor.config.motion_token_id
    written = assessor.fill_motion(ids, motion)
    raw = _generate(assessor, ids, motion_features=motion, max_new_tokens=8, **options)
    assert raw.equal(_generate(assessor, written, max_new_tokens=8, **options))
    assert raw[:, :7].equal(written.repeat_interleave(options.get("num_return_sequences", 1), 0))


def test_a_seed_decides_what_is_sampled(assessor: AgirForGaitAssessment) -> None:
    one, same = (_generate(assessor, some_ids(), do_sample=True, max_new_tokens=8) for _ in range(2))
    assert one.equal(same)
    assert not assessor.generate(some_ids(), do_sample=True, max_new_tokens=8).equal(one)


@pytest.mark.parametrize(
    "narrowed",
    [{"top_k": 1}, {"top_p": 1e-6}, {"min_p": 0.9999}, {"typical_p": 1e-6, "top_k": 1}, {"temperature": 1e-4}],
    ids=str,
)
def test_sampling_from_one_token_is_greedy(narrowed: dict[str, Any], assessor: AgirForGaitAssessment) -> None:
    expected = _generate(assessor, some_ids(), **GREEDY)
    options = {**GREEDY, "do_sample": True, "top_k": 0, **narrowed}
    assert _generate(assessor, some_ids(), **options).equal(expected)


@pytest.mark.parametrize("limit", [{"top_k": 5}, {"top_p": 0.5}, {"min_p": 0.5}, {"epsilon_cutoff": 0.02}], ids=str)
def test_sampling_keeps_to_the_tokens_left(limit: dict[str, Any], assessor: AgirForGaitAssessment) -> None:
    torch.manual_seed(0)
    options = {**GREEDY, "do_sample": True, "top_k": 0, **limit}
    told = assessor.generate(some_ids(), return_dict_in_generate=True, output_scores=True, **options)
    full = assessor.config.text_config.vocab_size
    for step, scores in enumerate(told.scores):
        allowed = scores.isfinite()
        assert allowed.gather(1, told.sequences[:, 7 + step : 8 + step]).all()
        assert allowed.sum(1).max() < full - 1
        if "top_k" in limit:
            assert (allowed.sum(1) == 5).all()


def test_a_penalty_and_bans_forbid_what_they_say(assessor: AgirForGaitAssessment) -> None:
    plain = _generate(assessor, some_ids(1), **GREEDY)[0, 7:].tolist()
    banned = _generate(assessor, some_ids(1), **GREEDY, bad_words_ids=[[plain[0]]])[0, 7:].tolist()
    assert plain[0] not in banned
    suppressed = _generate(assessor, some_ids(1), **GREEDY, suppress_tokens=[plain[0]])[0, 7:].tolist()
    assert suppressed == banned
    biased = _generate(assessor, some_ids(1), **GREEDY, sequence_bias=[[[9], 1e4]])[0, 7:].tolist()
    assert biased == [9] * 8
    once = _generate(assessor, some_ids(1), **GREEDY, repetition_penalty=1e6)[0].tolist()
    assert len(set(once)) == len(once)
    pairs = _generate(assessor, some_ids(1), **GREEDY | {"max_new_tokens": 30}, no_repeat_ngram_size=2)[0].tolist()
    assert len(set(pairwise(pairs))) == len(pairs) - 1


def test_tokens_are_forced_and_ends_are_kept_off(assessor: AgirForGaitAssessment) -> None:
    end = assessor.config.text_config.eos_token_id
    told = _generate(assessor, some_ids(), max_new_tokens=5, do_sample=False, forced_eos_token_id=end)
    assert (told[:, -1] == end).all() or told.shape[1] < 12
    told = _generate(assessor, some_ids(), **GREEDY)
    assert told.shape == (2, 15) and not (told[:, 7:] == end).any()


def test_more_beams_find_no_less_likely_text(assessor: AgirForGaitAssessment) -> None:
    def likelihood(sequences: torch.Tensor) -> torch.Tensor:
        logits = assessor(input_ids=sequences).logits[:, 6:-1].log_softmax(-1)
        return logits.gather(2, sequences[:, 7:, None]).sum((1, 2))

    options = {**GREEDY, "max_new_tokens": 2, "min_new_tokens": 2}
    beams = _generate(assessor, some_ids(), **options, num_beams=50)
    greedy = _generate(assessor, some_ids(), **options)
    assert (likelihood(beams) >= likelihood(greedy) - 1e-4).all()


def test_several_texts_come_back_for_each_prompt(assessor: AgirForGaitAssessment) -> None:
    sampled = _generate(assessor, some_ids(), **GREEDY | {"do_sample": True}, num_return_sequences=3)
    assert sampled.shape == (6, 15)
    assert sampled[:, :7].equal(some_ids().repeat_interleave(3, 0))
    beams = _generate(assessor, some_ids(1), **GREEDY, num_beams=4, num_return_sequences=4)
    assert len({tuple(row) for row in beams.tolist()}) == 4


@pytest.mark.parametrize("sampled", [False, True], ids=["greedy", "sampled"])
@pytest.mark.parametrize("assistant", ["composite", "language model", "prompt"])
def test_assisted_generation_tells_the_same(assistant: str, sampled: bool, assessor: AgirForGaitAssessment) -> None:
    ids, motion = some_ids(1), some_motion(1)
    ids[:, 1:5] = assessor.config.motion_token_id
    helper = copy.deepcopy(assessor)
    with torch.no_grad():  # an assistant that is often wrong
        helper.get_output_embeddings().weight.add_(0.1 * torch.randn_like(helper.get_output_embeddings().weight))
    options = {
        "composite": {"assistant_model": helper},
        "language model": {"assistant_model": helper.language_model},
        "prompt": {"prompt_lookup_num_tokens": 2},
    }[assistant]
    # One token to sample from: the texts must be equal, whatever number of random numbers each way draws.
    kind = {"do_sample": True, "top_k": 1} if sampled else {"do_sample": False}
    given = {"motion_features": motion, "max_new_tokens": 12, **kind}
    assert _generate(assessor, ids, **given, **options).equal(_generate(assessor, ids, **given))


def test_a_composite_assists_a_plain_language_model(assessor: AgirForGaitAssessment) -> None:
    plain, options = assessor.language_model, {"max_new_tokens": 8, "do_sample": False}
    assert plain.generate(some_ids(1), assistant_model=assessor, **options).equal(
        plain.generate(some_ids(1), **options)
    )


def test_assisted_generation_is_for_one_text_at_a_time(assessor: AgirForGaitAssessment) -> None:
    for options in ({"prompt_lookup_num_tokens": 2}, {"assistant_model": assessor}):
        with pytest.raises(ValueError, match="batch_size = 1"):
            _generate(assessor, some_ids(), **GREEDY, **options)


def test_an_early_exit_is_asked_of_the_language_model(assessor: AgirForGaitAssessment) -> None:
    with pytest.raises(AttributeError):
        _generate(assessor, some_ids(1), **GREEDY, assistant_early_exit=1)
    if assessor.config.text_config.model_type == "gpt2":
        pytest.skip("GPT-2 itself has none: it runs all of its layers")
    plain = copy.deepcopy(assessor.language_model)
    options = {"max_new_tokens": 8, "do_sample": False}
    expected = plain.generate(some_ids(1), **options)
    assert plain.generate(some_ids(1), **options, assistant_early_exit=1).equal(expected)


def test_left_padded_prompts_are_continued_as_each_alone(assessor: AgirForGaitAssessment) -> None:
    short, long = some_ids(1, 4), some_ids(1, 9, seed=1)
    pad = torch.full((1, 5), assessor.config.text_config.pad_token_id)
    batch = torch.cat([torch.cat([pad, short], 1), long])
    mask = (torch.arange(9)[None] >= torch.tensor([[5], [0]])).long()
    for options in (GREEDY, {**GREEDY, "num_beams": 3}):
        told = _generate(assessor, batch, attention_mask=mask, **options)
        assert told[0, 5:].equal(_generate(assessor, short, **options)[0])
        assert told[1].equal(_generate(assessor, long, **options)[0])


def test_embeddings_of_a_prompt_are_continued_as_the_prompt(assessor: AgirForGaitAssessment) -> None:
    embedded, expected = assessor.get_input_embeddings()(some_ids()), _generate(assessor, some_ids(), **GREEDY)
    for cache in ({}, {"cache_implementation": "static"}, {"use_cache": False}):
        told = assessor.generate(inputs_embeds=embedded, attention_mask=torch.ones(2, 7), **GREEDY, **cache)
        assert told.equal(expected[:, 7:])
    assert _generate(assessor, some_ids(), inputs_embeds=embedded, **GREEDY).equal(expected)


def test_generation_goes_on_from_a_kept_cache(assessor: AgirForGaitAssessment) -> None:
    half = {"max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False}
    first = assessor.generate(some_ids(), return_dict_in_generate=True, **half)
    told = _generate(assessor, first.sequences, past_key_values=first.past_key_values, **half)
    assert told.equal(_generate(assessor, some_ids(), **GREEDY))


def test_a_prompt_read_in_pieces_is_continued_as_a_whole(assessor: AgirForGaitAssessment) -> None:
    told = _generate(assessor, some_ids(), **GREEDY, prefill_chunk_size=3)
    assert told.equal(_generate(assessor, some_ids(), **GREEDY))


def test_what_has_moved_out_of_transformers_says_where(assessor: AgirForGaitAssessment) -> None:
    moved = {
        "group-beam-search": {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
        "contrastive-search": {"penalty_alpha": 0.6, "top_k": 4},
        "dola": {"dola_layers": "high"},
        "constrained-beam-search": {"num_beams": 3, "force_words_ids": [[5]]},
    }
    for name, options in moved.items():
        with pytest.raises(ValueError, match=name):
            _generate(assessor, some_ids(), max_new_tokens=3, **options)


def test_a_compiled_step_tells_the_same(assessor: AgirForGaitAssessment) -> None:
    from transformers import CompileConfig

    torch._dynamo.reset()
    config = CompileConfig(fullgraph=True, backend="eager", dynamic=False, mode=None)
    config._compile_all_devices = True  # else transformers compiles on accelerators only
    model = copy.deepcopy(assessor)
    told = _generate(model, some_ids(), **GREEDY, cache_implementation="static", compile_config=config)
    assert hasattr(model, "_compiled_call")
    assert told.equal(_generate(assessor, some_ids(), **GREEDY))


def test_a_bfloat16_model_generates(saved: Path) -> None:
    model, ids = load(saved, dtype=torch.bfloat16), some_ids()
    ids[:, 1:5] = model.config.motion_token_id
    told = _generate(model, ids, motion_features=some_motion(), **GREEDY)
    assert told.shape == (2, 15)


@pytest.mark.slow
def test_continuous_batching_tells_what_greedy_tells(assessor: AgirForGaitAssessment) -> None:
    model, ids = copy.deepcopy(assessor), some_ids()
    config = copy.deepcopy(model.generation_config)
    config.max_new_tokens, config.do_sample = 6, False
    prompts = [ids[0], ids[1, :4]]
    results = model.generate_batch(inputs=[one.tolist() for one in prompts], generation_config=config)
    expected = [_generate(assessor, one[None], max_new_tokens=6, do_sample=False)[0, len(one) :] for one in prompts]
    assert [one.generated_tokens for one in results.values()] == [one.tolist() for one in expected]
