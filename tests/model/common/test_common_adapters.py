"""PEFT adapters on the whole model, through transformers' own methods and through PEFT's."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from common_models import differing, load, some_ids, some_motion
from transformers import AutoModelForCausalLM

from agir_hf.modeling_agir import AgirForGaitAssessment

peft = pytest.importorskip("peft")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning"),
    pytest.mark.filterwarnings("ignore:fan_in_fan_out"),
]


def _config(model: AgirForGaitAssessment) -> peft.LoraConfig:
    names = ["c_attn"] if model.config.text_config.model_type == "gpt2" else ["q_proj", "v_proj"]
    # Weights that change something before they are trained.
    return peft.LoraConfig(target_modules=names, init_lora_weights=False, task_type="CAUSAL_LM")


@pytest.fixture
def adapted(saved: Path) -> AgirForGaitAssessment:
    torch.manual_seed(0)
    model = load(saved)
    try:
        model.add_adapter(_config(model))
    except (ImportError, ValueError) as error:  # transformers 5.24 asks for a PEFT that is not released yet
        if "PEFT" not in str(error):
            raise
        pytest.skip(f"transformers refuses this PEFT: {error}")
    return model.eval()


def _logits(model: torch.nn.Module) -> torch.Tensor:
    return model(input_ids=some_ids()).logits


def test_an_added_adapter_alone_learns(adapted: AgirForGaitAssessment) -> None:
    learning = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert learning and all("lora_" in name and name.startswith("language_model.") for name in learning)
    adapted(input_ids=some_ids(), labels=some_ids()).loss.backward()
    assert {name for name, p in adapted.named_parameters() if p.grad is not None} == learning


def test_an_adapter_is_switched_off_and_on(assessor: AgirForGaitAssessment, adapted: AgirForGaitAssessment) -> None:
    changed = _logits(adapted)
    assert (changed - _logits(assessor)).abs().max() > 1e-2
    adapted.disable_adapters()
    torch.testing.assert_close(_logits(adapted), _logits(assessor), atol=1e-5, rtol=0)
    adapted.enable_adapters()
    assert _logits(adapted).equal(changed)


def test_a_saved_adapter_loads_onto_its_base(adapted: AgirForGaitAssessment, saved: Path, tmp_path: Path) -> None:
    adapted.save_pretrained(tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.name.startswith("adapter")) == [
        ".json",
        ".safetensors",
    ]
    model = load(saved)
    model.load_adapter(str(tmp_path))
    torch.testing.assert_close(_logits(model), _logits(adapted), atol=1e-5, rtol=0)


def test_an_adapter_folder_loads_as_a_model(
    assessor: AgirForGaitAssessment, adapted: AgirForGaitAssessment, saved: Path, tmp_path: Path
) -> None:
    adapted.save_pretrained(tmp_path)
    told = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
    assert told["base_model_name_or_path"] == str(saved)
    for kind in (AgirForGaitAssessment, AutoModelForCausalLM):
        model = kind.from_pretrained(tmp_path)
        assert isinstance(model, AgirForGaitAssessment)
        torch.testing.assert_close(_logits(model), _logits(adapted), atol=1e-5, rtol=0)
        assert not differing(model.motion_tokenizer, assessor.motion_tokenizer)


def test_peft_wraps_saves_and_merges_the_whole_model(saved: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = peft.LoraConfig(target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    wrapped = peft.get_peft_model(load(saved), config).eval()
    assert not [name for name, _ in wrapped.named_parameters() if "motion_tokenizer" in name and "lora_" in name]
    expected = _logits(wrapped)
    wrapped.save_pretrained(tmp_path)
    again = peft.PeftModel.from_pretrained(load(saved), tmp_path)
    torch.testing.assert_close(_logits(again), expected, atol=1e-5, rtol=0)
    ids = some_ids()
    ids[:, 1:5] = wrapped.config.motion_token_id
    inputs = {"input_ids": ids, "motion_features": some_motion(), "max_new_tokens": 4, "do_sample": False}
    told = wrapped.generate(**inputs)
    merged = wrapped.merge_and_unload()
    assert isinstance(merged, AgirForGaitAssessment)
    torch.testing.assert_close(_logits(merged), expected, atol=1e-4, rtol=0)
    assert merged.generate(**inputs).equal(told)


def test_gradient_checkpointing_works_under_an_adapter(adapted: AgirForGaitAssessment) -> None:
    adapted.train()
    plain, checkpointed = adapted, copy.deepcopy(adapted)
    checkpointed.gradient_checkpointing_enable()
    for model in (plain, checkpointed):
        model(input_ids=some_ids(), labels=some_ids()).loss.backward()
    others = dict(checkpointed.named_parameters())
    for name, parameter in plain.named_parameters():
        if parameter.requires_grad:
            torch.testing.assert_close(others[name].grad, parameter.grad, atol=1e-6, rtol=0)
