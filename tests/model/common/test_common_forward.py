"""One pass: what it takes, what it gives, and what it must not depend on."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
import torch
from common_models import differing, some_ids, some_motion

from agir_hf.modeling_agir import AgirForGaitAssessment


def test_the_first_arguments_are_those_of_a_language_model(assessor: AgirForGaitAssessment) -> None:
    names = list(inspect.signature(assessor.forward).parameters)
    assert names[:2] == ["input_ids", "attention_mask"] and assessor.main_input_name == "input_ids"
    expected = {"position_ids", "past_key_values", "inputs_embeds", "labels", "use_cache", "logits_to_keep", "kwargs"}
    assert expected <= set(names)


def test_two_passes_are_identical(assessor: AgirForGaitAssessment) -> None:
    inputs = {"input_ids": some_ids(), "motion_features": None}
    assert assessor(**inputs).logits.equal(assessor(**inputs).logits)


def test_equal_rows_give_equal_logits_and_a_batch_those_of_each_row(assessor: AgirForGaitAssessment) -> None:
    ids = some_ids(3)
    repeated = assessor(input_ids=ids[:1].expand(4, -1)).logits
    assert all(row.equal(repeated[0]) for row in repeated)
    together = assessor(input_ids=ids).logits
    for row in range(3):
        torch.testing.assert_close(assessor(input_ids=ids[row : row + 1]).logits[0], together[row], atol=1e-5, rtol=0)


def test_a_batch_of_motions_gives_what_each_gives_alone(assessor: AgirForGaitAssessment) -> None:
    ids, motion = some_ids(), some_motion()
    ids[:, 1:5] = assessor.config.motion_token_id
    together = assessor(input_ids=ids, motion_features=motion).logits
    for row in range(2):
        alone = assessor(input_ids=ids[row : row + 1], motion_features=motion[row : row + 1]).logits
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)


def test_filled_in_motions_equal_written_ones(assessor: AgirForGaitAssessment) -> None:
    ids, motion = some_ids(), some_motion()
    ids[:, 1:5] = assessor.config.motion_token_id
    written = ids.clone()
    written[:, 1:5] = assessor.motion_tokenizer.encode(motion) + assessor.config.first_motion_token_id
    raw = assessor(input_ids=ids, motion_features=motion, labels=ids)
    token = assessor(input_ids=written, labels=ids)
    assert raw.logits.equal(token.logits) and raw.loss.equal(token.loss)


def test_left_padding_changes_no_logits(assessor: AgirForGaitAssessment) -> None:
    ids = some_ids()
    padded = torch.cat([torch.full((2, 5), assessor.config.text_config.pad_token_id), ids], 1)
    mask = (torch.arange(12) >= 5).long().expand(2, -1)
    positions = (mask.cumsum(1) - 1).clamp_min(0)
    logits = assessor(input_ids=padded, attention_mask=mask, position_ids=positions).logits
    torch.testing.assert_close(logits[:, 5:], assessor(input_ids=ids).logits, atol=1e-5, rtol=0)


def test_a_mask_of_zeros_hides_what_it_covers(assessor: AgirForGaitAssessment) -> None:
    ids, mask = some_ids(), torch.ones(2, 7, dtype=torch.long)
    mask[:, -2:] = 0
    changed = ids.clone()
    changed[:, -2:] = some_ids(seed=1)[:, -2:]
    one, other = (assessor(input_ids=x, attention_mask=mask).logits[:, :5] for x in (ids, changed))
    assert one.equal(other)


def test_a_four_dimensional_mask_is_taken_as_it_is(assessor: AgirForGaitAssessment) -> None:
    ids = some_ids()
    seen = torch.ones(7, 7).tril().bool()
    mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min).expand(2, 1, 7, 7)
    torch.testing.assert_close(
        assessor(input_ids=ids, attention_mask=mask).logits, assessor(input_ids=ids).logits, atol=1e-5, rtol=0
    )


def test_embeddings_given_equal_ids_given(assessor: AgirForGaitAssessment) -> None:
    embedded = assessor.get_input_embeddings()(some_ids())
    assert assessor(inputs_embeds=embedded).logits.equal(assessor(input_ids=some_ids()).logits)


def test_a_kept_cache_continues_as_a_full_pass(assessor: AgirForGaitAssessment) -> None:
    ids = some_ids()
    full = assessor(input_ids=ids).logits
    first = assessor(input_ids=ids[:, :4], use_cache=True)
    assert first.past_key_values.get_seq_length() == 4
    rest = assessor(input_ids=ids[:, 4:], past_key_values=first.past_key_values)
    torch.testing.assert_close(torch.cat([first.logits, rest.logits], 1), full, atol=1e-5, rtol=0)


def test_no_cache_is_kept_where_none_is_wanted(assessor: AgirForGaitAssessment) -> None:
    ids = some_ids()
    without = assessor(input_ids=ids, use_cache=False)
    assert without.past_key_values is None
    assert without.logits.equal(assessor(input_ids=ids).logits)
    model = copy.deepcopy(assessor)
    model.config.text_config.use_cache = False
    assert model(input_ids=ids).past_key_values is None


def test_only_the_logits_to_keep_are_computed(assessor: AgirForGaitAssessment) -> None:
    full = assessor(input_ids=some_ids()).logits
    for keep in (1, 3, torch.tensor([0, 4])):
        kept = assessor(input_ids=some_ids(), logits_to_keep=keep).logits
        expected = full[:, keep] if isinstance(keep, torch.Tensor) else full[:, -keep:]
        torch.testing.assert_close(kept, expected, atol=1e-5, rtol=0)


def test_packed_texts_with_positions_of_their_own_equal_the_texts_alone(assessor: AgirForGaitAssessment) -> None:
    ids = some_ids()
    packed = assessor(input_ids=ids.view(1, -1), position_ids=torch.arange(7).repeat(2)[None], use_cache=False).logits
    torch.testing.assert_close(packed.view(2, 7, -1), assessor(input_ids=ids).logits, atol=1e-5, rtol=0)


def test_a_model_is_copied_and_pickled(assessor: AgirForGaitAssessment) -> None:
    # From a config: transformers leaves a hook that cannot be pickled on a model once hidden states were asked of it.
    fresh = AgirForGaitAssessment(copy.deepcopy(assessor.config)).eval()
    for other in (copy.deepcopy(fresh), pickle.loads(pickle.dumps(fresh))):
        assert not differing(fresh, other)
        assert other(input_ids=some_ids()).logits.equal(fresh(input_ids=some_ids()).logits)


def test_a_whole_pass_is_one_graph(assessor: AgirForGaitAssessment) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(copy.deepcopy(assessor), fullgraph=True, backend="eager")
    with torch.no_grad():
        assert compiled(input_ids=some_ids()).logits.equal(assessor(input_ids=some_ids()).logits)


@pytest.mark.slow
def test_a_compiled_pass_gives_the_same_logits(assessor: AgirForGaitAssessment) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(copy.deepcopy(assessor))
    with torch.no_grad():
        logits = compiled(input_ids=some_ids()).logits
        torch.testing.assert_close(logits, assessor(input_ids=some_ids()).logits, atol=1e-4, rtol=0)


def test_an_exported_pass_gives_the_same_logits(assessor: AgirForGaitAssessment) -> None:
    inputs = {"input_ids": some_ids(), "attention_mask": torch.ones(2, 7, dtype=torch.long), "use_cache": False}
    program = torch.export.export(copy.deepcopy(assessor), (), inputs, strict=False)
    other = {**inputs, "input_ids": some_ids(seed=1)}
    torch.testing.assert_close(program.module()(**other).logits, assessor(**other).logits, atol=1e-5, rtol=0)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_dynamically_quantised_language_model_runs(assessor: AgirForGaitAssessment) -> None:
    model = copy.deepcopy(assessor)
    quantised = torch.ao.quantization.quantize_dynamic(model.language_model, {torch.nn.Linear}, dtype=torch.qint8)
    model.language_model = quantised
    assert "quantized" in type(quantised.lm_head).__module__
    exact, rounded = assessor(input_ids=some_ids()).logits, model(input_ids=some_ids()).logits
    assert torch.nn.functional.cosine_similarity(exact, rounded, dim=-1).min() > 0.98
    assert model.generate(some_ids(), max_new_tokens=3, min_new_tokens=3).shape == (2, 10)
