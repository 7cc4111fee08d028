"""New tokens learn beside low-rank adapters, in TRL's own trainer, and stay learned when saved, loaded and merged."""

from __future__ import annotations

import copy
import gc
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("trl", reason="needs the train extra")

from datasets import Dataset
from safetensors import safe_open
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from agir_hf.errors import AgirError
from agir_hf.motion_vocabulary import MotionVocabulary
from agir_hf.training.adapters import (
    add_adapter,
    base_of_adapter,
    load_adapter,
    load_adapter_for_training,
    merge_adapter,
    new_tokens_of_adapter,
)
from agir_hf.training.recipe import LoraRecipe

WORDS = 12
CODES = 12
LORA = LoraRecipe(rank=4, alpha=8)
STEPS = 15
KINDS = [(kind, tied) for kind in ("qwen3", "llama", "gemma3_text") for tied in (True, False)]


@pytest.fixture(scope="module", autouse=True)
def imported_objects_left_alone() -> Iterator[None]:
    """Every training collects garbage, a third of a second each for what the imported libraries hold."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def text_tokenizer() -> PreTrainedTokenizerFast:
    words = ["<pad>", "<eos>", "<unk>", ":", *(f"w{i}" for i in range(WORDS))]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


TOKENIZER = text_tokenizer()
OLD = len(TOKENIZER)
VOCABULARY = MotionVocabulary.add_to_tokenizer(TOKENIZER, CODES)
NEW = list(range(OLD, len(TOKENIZER)))
# A word tells which codes come, and a code tells which word: the rows matter as input and as output.
ROWS = [
    {"prompt": f"w{i} :", "completion": VOCABULARY.codes_to_text([i, (5 * i + 1) % CODES, (7 * i + 2) % CODES])}
    for i in range(WORDS)
] + [{"prompt": f"{VOCABULARY.codes_to_text([i])} :", "completion": f"w{(i + 3) % WORDS}"} for i in range(CODES)]


def small_base(kind: str, tied: bool, folder: Path) -> Any:
    """A base that has never seen the new tokens, from disk, with rows for them."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        kind,
        vocab_size=OLD,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=64,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
        tie_word_embeddings=tied,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.resize_token_embeddings(len(TOKENIZER), mean_resizing=False)
    return model


def tune(model: Any, output: Path, steps: int = STEPS, resume: str | None = None, **options: Any) -> SFTTrainer:
    settings = SFTConfig(
        output_dir=str(output),
        max_steps=steps,
        per_device_train_batch_size=len(ROWS),
        lr_scheduler_type="constant",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        disable_tqdm=True,
        seed=0,
        **{"learning_rate": 3e-2, "save_strategy": "no", "logging_strategy": "no", **options},
    )
    trainer = SFTTrainer(model=model, args=settings, train_dataset=Dataset.from_list(ROWS), processing_class=TOKENIZER)
    trainer.train(resume_from_checkpoint=resume)
    model.eval()
    return trainer


IDS = [TOKENIZER(row["prompt"] + row["completion"])["input_ids"] for row in ROWS[:WORDS]]


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=torch.tensor(IDS)).logits


def loss_on_new_tokens(model: Any) -> float:
    ids = torch.tensor(IDS)[:, 3:]  # the codes: a word, a colon and the start token stand before them
    return float(torch.nn.functional.cross_entropy(logits(model)[:, 2:-1].flatten(0, 1), ids.flatten()))


def ends(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """(V, H) rows in effect as input and as output."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return base.get_input_embeddings().weight.detach(), base.get_output_embeddings().weight.detach()


def storage_is_shared(model: Any) -> bool:
    return model.get_input_embeddings().weight.data_ptr() == model.get_output_embeddings().weight.data_ptr()


@dataclass
class Trained:
    tied: bool
    untouched: Any  # the base before
    model: Any
    frozen: Any  # plain LoRA, whose rows of new tokens stay as they were
    folder: Path


@pytest.fixture(scope="module", params=KINDS, ids=lambda p: f"{p[0]}-{'tied' if p[1] else 'untied'}")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    kind, tied = request.param
    home = tmp_path_factory.mktemp(kind)
    base = small_base(kind, tied, home / "base")
    untouched = copy.deepcopy(base)
    frozen = add_adapter(copy.deepcopy(base), LORA, [])
    tune(frozen, home / "frozen")
    model = add_adapter(base, LORA, NEW)
    tune(model, home / "stage")
    model.save_pretrained(home / "adapter")
    return Trained(tied, untouched, model, frozen, home / "adapter")


def test_rows_of_new_tokens_move_and_no_others(trained: Trained) -> None:
    used = [i for i in NEW if i != VOCABULARY.motion_token_id]  # the placeholder is never in a text
    for before, after in zip(ends(trained.untouched), ends(trained.model), strict=True):
        moved = (after - before).abs().amax(1)
        assert (moved[used] > 0.01).all()
        assert torch.equal(after[:OLD], before[:OLD])
    for before, after in zip(ends(trained.untouched), ends(trained.frozen), strict=True):
        assert torch.equal(after, before)


def test_new_tokens_are_learned_better_than_by_lora_alone(trained: Trained) -> None:
    before = loss_on_new_tokens(trained.untouched)
    alone, ours = loss_on_new_tokens(trained.frozen), loss_on_new_tokens(trained.model)
    assert ours < alone - 0.3 * before, (before, alone, ours)


def test_low_rank_weights_move(trained: Trained) -> None:
    second = [p for name, p in trained.model.named_parameters() if "lora_B" in name]
    assert len(second) == 2 * 7  # seven linear layers a block; the output layer is none of them
    assert all((p.abs() > 0).any() for p in second)


def test_saved_and_loaded_it_answers_alike(trained: Trained) -> None:
    loaded = load_adapter(copy.deepcopy(trained.untouched), trained.folder)
    assert torch.equal(logits(loaded), logits(trained.model))
    assert not any(p.requires_grad for p in loaded.parameters())
    with safe_open(trained.folder / "adapter_model.safetensors", "pt") as file:
        rows = [name for name in file.keys() if "lora_" not in name]
        assert all(len(file.get_tensor(name)) == len(NEW) for name in rows)  # and never a whole embedding
    assert len(rows) in ((1, 2) if trained.tied else (2,))


def test_merged_it_is_a_plain_model_that_answers_alike(trained: Trained, tmp_path: Path) -> None:
    merged = merge_adapter(load_adapter(copy.deepcopy(trained.untouched), trained.folder))
    assert type(merged) is type(trained.untouched)
    assert not any("lora" in name or "token_adapter" in name for name in merged.state_dict())
    assert torch.allclose(logits(merged), logits(trained.model), atol=1e-4)
    assert storage_is_shared(merged) == trained.tied
    merged.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert storage_is_shared(loaded) == trained.tied
    assert torch.allclose(logits(loaded), logits(trained.model), atol=1e-4)


def test_merging_what_was_just_trained_leaves_no_forward_of_the_trainer(trained: Trained) -> None:
    model = copy.deepcopy(trained.model)
    merged = merge_adapter(model)
    assert "forward" not in merged.__dict__
    duplicate = copy.deepcopy(merged)
    with torch.no_grad():
        duplicate.get_input_embeddings().weight.zero_()
    assert not torch.allclose(logits(duplicate), logits(merged))


def test_a_second_stage_goes_on_from_the_first(trained: Trained, tmp_path: Path) -> None:
    second = load_adapter_for_training(copy.deepcopy(trained.untouched), trained.folder)
    before = {name: p.detach().clone() for name, p in second.named_parameters() if p.requires_grad}
    assert torch.equal(logits(second), logits(trained.model))
    tune(second, tmp_path, steps=8, learning_rate=1e-3)
    for name, parameter in second.named_parameters():
        assert (name in before) == parameter.requires_grad
        if name in before:
            assert not torch.equal(parameter, before[name]), name
    assert loss_on_new_tokens(second) < loss_on_new_tokens(trained.model)
    for start, end in zip(ends(trained.untouched), ends(second), strict=True):
        assert torch.equal(start[:OLD], end[:OLD])


def test_a_stopped_training_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    base = small_base("qwen3", True, tmp_path / "base")
    whole = add_adapter(copy.deepcopy(base), LORA, NEW)
    tune(whole, tmp_path / "run", steps=6, save_strategy="steps", save_steps=3)
    resumed = add_adapter(copy.deepcopy(base), LORA, NEW)
    tune(resumed, tmp_path / "run", steps=6, resume=str(tmp_path / "run" / "checkpoint-3"))
    assert torch.allclose(logits(resumed), logits(whole), atol=1e-6)
    assert not torch.allclose(logits(whole), logits(base), atol=0.1)


def test_what_is_trained_is_float32_whatever_the_base(tmp_path: Path) -> None:
    base = small_base("llama", False, tmp_path / "base").to(torch.bfloat16)
    model = add_adapter(base, LORA, NEW)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    assert torch.isfinite(logits(model)).all()


def test_an_adapter_says_what_it_is_for(trained: Trained) -> None:
    assert Path(base_of_adapter(trained.folder)).name == "base"
    assert new_tokens_of_adapter(trained.folder) == NEW


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    base = small_base("llama", True, tmp_path / "base")
    with pytest.raises(AgirError, match="resize_token_embeddings"):
        add_adapter(base, LORA, [len(TOKENIZER)])
    with pytest.raises(AgirError, match="rank 1 or more"):
        add_adapter(base, LoraRecipe(rank=0), NEW)
    with pytest.raises(AgirError, match=r"adapter_config\.json"):
        load_adapter_for_training(base, tmp_path / "base")
    add_adapter(copy.deepcopy(base), LORA, NEW).save_pretrained(tmp_path / "adapter")
    other = small_base("qwen3", False, tmp_path / "other")
    other.resize_token_embeddings(OLD)
    with pytest.raises(AgirError, match="expected an adapter for Qwen3ForCausalLM"):
        load_adapter(other, tmp_path / "adapter")
    biased = small_base("llama", False, tmp_path / "biased")
    biased.lm_head = torch.nn.Linear(32, len(TOKENIZER), bias=True)
    with pytest.raises(AgirError, match="without bias"):
        add_adapter(biased, LORA, NEW)
    lying = small_base("llama", True, tmp_path / "lying")
    lying.lm_head = torch.nn.Linear(32, len(TOKENIZER), bias=False)
    with pytest.raises(AgirError, match="tie_word_embeddings"):
        add_adapter(lying, LORA, NEW)
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))["r"] == LORA.rank
