"""Attention implementations, and the inner states that can be asked for."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from common_models import load, some_ids, some_motion
from transformers.modeling_outputs import ModelOutput

from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer


def _implementations(model: AgirForGaitAssessment) -> set[str]:
    configs = [model.config, model.config.text_config, model.language_model.config, model.motion_tokenizer.config]
    return {config._attn_implementation for config in configs}


@pytest.fixture
def eager(assessor: AgirForGaitAssessment) -> AgirForGaitAssessment:
    model = copy.deepcopy(assessor)
    model.set_attn_implementation("eager")
    return model


@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
def test_eager_and_sdpa_attention_agree(
    padded: bool, assessor: AgirForGaitAssessment, eager: AgirForGaitAssessment
) -> None:
    mask = torch.ones(2, 7, dtype=torch.long)
    mask[0, :3] = 0 if padded else 1
    inputs = {"input_ids": some_ids(), "attention_mask": mask}
    assert _implementations(assessor) == {"sdpa"}
    counted = mask.bool()
    torch.testing.assert_close(eager(**inputs).logits[counted], assessor(**inputs).logits[counted], atol=1e-5, rtol=0)
    options = {"max_new_tokens": 8, "do_sample": False}
    assert eager.generate(**inputs, **options).equal(assessor.generate(**inputs, **options))


def test_an_implementation_is_chosen_when_loading(saved: Path) -> None:
    assert _implementations(load(saved, attn_implementation="eager")) == {"eager"}
    chosen = load(saved, attn_implementation={"text_config": "eager"})
    assert chosen.language_model.config._attn_implementation == "eager"


def test_an_implementation_is_changed_later(eager: AgirForGaitAssessment) -> None:
    assert _implementations(eager) == {"eager"}
    eager.set_attn_implementation("sdpa")
    assert _implementations(eager) == {"sdpa"}
    eager.set_attn_implementation({"text_config": "eager"})
    assert eager.language_model.config._attn_implementation == "eager"


def test_the_choice_is_not_saved(eager: AgirForGaitAssessment, tmp_path: Path) -> None:
    eager.save_pretrained(tmp_path)
    assert _implementations(load(tmp_path)) == {"sdpa"}


def test_an_unknown_implementation_is_refused(saved: Path) -> None:
    with pytest.raises(ValueError, match='attn_implementation="nonsense"'):
        load(saved, attn_implementation="nonsense")


def test_flash_attention_is_missed_by_package_not_by_a_part(assessor: AgirForGaitAssessment, saved: Path) -> None:
    from transformers.utils import is_flash_attn_2_available

    if is_flash_attn_2_available():
        pytest.skip("flash_attn is installed")
    with pytest.raises(ImportError, match="FlashAttention2"):
        load(saved, attn_implementation="flash_attention_2")
    with pytest.raises(ImportError, match="FlashAttention2"):
        AgirMotionTokenizer._from_config(
            copy.deepcopy(assessor.config.motion_config), attn_implementation="flash_attention_2"
        )


def test_flex_attention_is_the_language_models_own_matter(assessor: AgirForGaitAssessment, saved: Path) -> None:
    if assessor.language_model._supports_flex_attn:
        loaded = load(saved, attn_implementation="flex_attention")
        assert _implementations(loaded) == {"flex_attention"}
    else:
        with pytest.raises(ValueError, match=f"{type(assessor.language_model).__name__} does not support"):
            load(saved, attn_implementation="flex_attention")


@pytest.mark.slow
def test_flex_attention_gives_the_same_logits(assessor: AgirForGaitAssessment, saved: Path) -> None:
    if not assessor.language_model._supports_flex_attn:
        pytest.skip("not supported by this language model")
    loaded = load(saved, attn_implementation="flex_attention")
    with torch.no_grad():
        torch.testing.assert_close(
            loaded(input_ids=some_ids()).logits, assessor(input_ids=some_ids()).logits, atol=1e-5, rtol=0
        )


def _ask_in_the_call(model: AgirForGaitAssessment) -> Any:
    return model(input_ids=some_ids(), output_attentions=True, output_hidden_states=True)


def _ask_in_the_config(model: AgirForGaitAssessment) -> Any:
    model.config.output_attentions = model.config.output_hidden_states = True
    return model(input_ids=some_ids())


def _ask_in_the_text_config(model: AgirForGaitAssessment) -> Any:
    model.config.text_config.output_attentions = model.config.text_config.output_hidden_states = True
    return model(input_ids=some_ids())


@pytest.mark.parametrize("ask", [_ask_in_the_call, _ask_in_the_config, _ask_in_the_text_config])
def test_attentions_and_hidden_states_are_given(ask: Any, eager: AgirForGaitAssessment) -> None:
    output = ask(eager)
    assert [tuple(one.shape) for one in output.attentions] == [(2, 2, 7, 7)] * 2
    assert [tuple(one.shape) for one in output.hidden_states] == [(2, 7, 32)] * 3
    for attention in output.attentions:
        torch.testing.assert_close(attention.sum(-1), torch.ones(2, 2, 7), atol=1e-5, rtol=0)
        assert attention.triu(1).abs().max() == 0
    rebuilt = eager.get_output_embeddings()(output.hidden_states[-1])
    torch.testing.assert_close(rebuilt, output.logits, atol=1e-5, rtol=0)


def test_a_call_goes_before_the_config(eager: AgirForGaitAssessment) -> None:
    eager.config.output_hidden_states = True
    assert eager(input_ids=some_ids(), output_hidden_states=False).hidden_states is None


def test_inner_states_can_be_asked_for_when_loading(saved: Path) -> None:
    loaded = load(saved, attn_implementation="eager", output_attentions=True, output_hidden_states=True)
    output = loaded(input_ids=some_ids())
    assert len(output.attentions) == 2 and len(output.hidden_states) == 3


def test_gradients_reach_hidden_states_and_attentions(eager: AgirForGaitAssessment) -> None:
    output = _ask_in_the_call(eager)
    for state in (output.hidden_states[0], output.attentions[0]):
        state.retain_grad()
    output.logits.sum().backward()
    assert output.hidden_states[0].grad is not None and output.attentions[0].grad is not None


def test_a_tuple_holds_the_same_as_the_named_output(eager: AgirForGaitAssessment) -> None:
    ids, options = some_ids(), {"output_hidden_states": True, "output_attentions": True, "use_cache": False}
    named = eager(input_ids=ids, labels=ids, **options)
    assert isinstance(named, ModelOutput)
    by_call = eager(input_ids=ids, labels=ids, return_dict=False, **options)
    eager.config.return_dict = False
    by_config = eager(input_ids=ids, labels=ids, **options)
    for given in (by_call, by_config):
        assert isinstance(given, tuple) and len(given) == len(named.to_tuple())
        assert given[0].equal(named.loss) and given[1].equal(named.logits)
        for part, expected in zip(given[2:4], (named.hidden_states, named.attentions), strict=True):
            assert all(one.equal(other) for one, other in zip(part, expected, strict=True))


def test_generation_works_on_a_model_that_gives_tuples(assessor: AgirForGaitAssessment) -> None:
    model = copy.deepcopy(assessor)
    expected = model.generate(some_ids(), max_new_tokens=4, do_sample=False)
    model.config.return_dict = False
    assert model.generate(some_ids(), max_new_tokens=4, do_sample=False).equal(expected)
    assert model.score_probabilities(some_ids()).shape == (2, 4)


def test_inner_states_are_given_on_the_raw_path(eager: AgirForGaitAssessment) -> None:
    ids = some_ids()
    ids[:, 1:5] = eager.config.motion_token_id
    output = eager(input_ids=ids, motion_features=some_motion(), output_hidden_states=True, output_attentions=True)
    filled = eager.fill_motion(ids, some_motion())
    assert output.hidden_states[0].equal(eager(input_ids=filled, output_hidden_states=True).hidden_states[0])
    assert len(output.attentions) == 2
