"""Losses, gradients, and gradient checkpointing."""

from __future__ import annotations

import copy

import pytest
import torch
from common_models import differing, some_ids, some_motion
from torch.nn.functional import cross_entropy

from agir_hf.modeling_agir import AgirForGaitAssessment

# Their names in transformers 5.20; later versions warn of newer ones.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")


@pytest.fixture
def trained(assessor: AgirForGaitAssessment) -> AgirForGaitAssessment:
    return copy.deepcopy(assessor).train()


def _gradients(model: AgirForGaitAssessment) -> dict[str, torch.Tensor]:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def test_the_loss_is_the_mean_over_the_labels_that_count(assessor: AgirForGaitAssessment) -> None:
    ids = some_ids()
    labels = ids.clone()
    labels[0, :4] = -100
    output = assessor(input_ids=ids, labels=labels)
    flat, due = output.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    torch.testing.assert_close(output.loss, cross_entropy(flat, due, ignore_index=-100), atol=1e-6, rtol=0)
    summed = cross_entropy(flat, due, ignore_index=-100, reduction="sum") / 5
    # As the Trainer asks for it when gradients of several batches are added up.
    accumulated = assessor(input_ids=ids, labels=labels, num_items_in_batch=torch.tensor(5)).loss
    torch.testing.assert_close(accumulated, summed, atol=1e-5, rtol=0)


def test_every_language_model_parameter_learns_and_no_other(trained: AgirForGaitAssessment) -> None:
    ids = some_ids()
    ids[:, 1:5] = trained.config.motion_token_id
    trained(input_ids=ids, motion_features=some_motion(), labels=ids).loss.backward()
    expected = {f"language_model.{name}" for name, _ in trained.language_model.named_parameters()}
    gradients = _gradients(trained)
    assert set(gradients) == expected
    assert all(gradient.isfinite().all() and gradient.abs().sum() > 0 for gradient in gradients.values())


@pytest.mark.parametrize("reentrant", [False, True], ids=["not reentrant", "reentrant"])
def test_gradients_are_the_same_with_checkpointing(reentrant: bool, trained: AgirForGaitAssessment) -> None:
    checkpointed = copy.deepcopy(trained)
    checkpointed.gradient_checkpointing_enable({"use_reentrant": reentrant})
    assert checkpointed.is_gradient_checkpointing
    if reentrant:  # such a checkpoint needs an input that asks for a gradient
        checkpointed.enable_input_require_grads()
    for model in (trained, checkpointed):
        model(input_ids=some_ids(), labels=some_ids()).loss.backward()
    one, other = _gradients(trained), _gradients(checkpointed)
    assert one.keys() == other.keys()
    for name, gradient in one.items():
        torch.testing.assert_close(other[name], gradient, atol=1e-6, rtol=0)


def test_checkpointing_recomputes_layers_and_is_switched_off_again(trained: AgirForGaitAssessment) -> None:
    counts = []
    layer = next(m for m in trained.modules() if type(m).__name__ in trained.language_model._no_split_modules)
    attention = next(m for m in layer.modules() if "Attention" in type(m).__name__)
    attention.register_forward_hook(lambda *_: counts.append(1))
    for switch, expected in (
        (trained.gradient_checkpointing_enable, 2),
        (trained.gradient_checkpointing_disable, 1),
    ):
        switch()
        counts.clear()
        trained(input_ids=some_ids(), labels=some_ids()).loss.backward()
        assert len(counts) == expected
    assert not trained.is_gradient_checkpointing


def test_inputs_can_be_made_to_require_gradients(assessor: AgirForGaitAssessment) -> None:
    frozen = copy.deepcopy(assessor).requires_grad_(False)
    assert not frozen(input_ids=some_ids()).logits.requires_grad
    frozen.enable_input_require_grads()
    assert frozen(input_ids=some_ids()).logits.requires_grad
    frozen.disable_input_require_grads()
    assert not frozen(input_ids=some_ids()).logits.requires_grad


def test_a_text_is_learned_by_heart(trained: AgirForGaitAssessment) -> None:
    optimizer = torch.optim.AdamW([p for p in trained.parameters() if p.requires_grad], lr=5e-3)
    ids = some_ids(1, 12)
    ids[:, 1:5] = trained.config.motion_token_id
    labels = ids.masked_fill(ids == trained.config.motion_token_id, -100)
    inputs = {"input_ids": ids, "motion_features": some_motion(1), "labels": labels}
    first = trained(**inputs).loss.item()
    for _ in range(60):
        optimizer.zero_grad()
        trained(**inputs).loss.backward()
        optimizer.step()
    assert trained(**inputs).loss.item() < 0.05 * first
    told = trained.eval().generate(ids[:, :5], motion_features=some_motion(1), max_new_tokens=7, do_sample=False)
    assert told[0, 5:].equal(ids[0, 5:])


def test_training_leaves_the_motion_tokenizer_as_it_was(
    assessor: AgirForGaitAssessment, trained: AgirForGaitAssessment
) -> None:
    ids = some_ids()
    ids[:, 1:5] = trained.config.motion_token_id
    trained(input_ids=ids, motion_features=some_motion(), labels=ids).loss.backward()
    torch.optim.SGD([p for p in trained.parameters() if p.requires_grad], lr=0.1).step()
    assert not differing(assessor.motion_tokenizer, trained.motion_tokenizer)
    assert differing(assessor.language_model, trained.language_model)
