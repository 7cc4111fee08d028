"""A loss that is no number stops a training in one line and costs nothing; patience stops one that gets no better."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("trl", reason="needs the train extra")

from agir_hf.errors import AgirError  # noqa: E402
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer  # noqa: E402
from agir_hf.training.motion_tokenizer import Windows, train_motion_tokenizer  # noqa: E402
from agir_hf.training.recipe import SftRecipe, TokenizerRecipe  # noqa: E402
from agir_hf.training.sft import last_whole_checkpoint, train_stage  # noqa: E402
from agir_hf.training.text_tokenizer import train_text_tokenizer  # noqa: E402

TINY = TokenizerRecipe(
    **{"hidden_size": 16, "codebook_dim": 8, "codebook_size": 16, "decoder_blocks": 1, "frames_per_code": 4},
    **{"steps": 6, "batch_size": 4, "window_frames": 16, "warmup_steps": 1, "eval_steps": 2, "save_steps": 2},
)
TEXTS = [{"prompt": f"speed 0.{n} m/s\n", "completion": f"slow{n}"} for n in range(10, 26)]


def clips(seed: int, count: int = 12) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).standard_normal((count, 40, 263)).astype(np.float32))


def test_a_tokenizer_loss_that_is_no_number_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, drawn = Windows.draw, []

    def broken(self: Windows, batch_size: int, part: slice = slice(None)) -> tuple[torch.Tensor, torch.Tensor]:
        features, mask = draw(self, batch_size, part)
        drawn.append(1)
        return features * (float("nan") if len(drawn) == 4 else 1.0), mask

    with monkeypatch.context() as patch:
        patch.setattr(Windows, "draw", broken)
        with pytest.raises(AgirError, match=r"a loss that is a number, found nan at step 3.*learning_rate") as caught:
            train_motion_tokenizer(TINY, clips(1), clips(2), tmp_path, seed=0)
    assert "\n" not in str(caught.value) and "step 2" in str(caught.value).replace("step-2", "step 2")
    assert all(torch.isfinite(v).all() for v in AgirMotionTokenizer.from_pretrained(tmp_path).state_dict().values())
    figures = train_motion_tokenizer(TINY, clips(1), clips(2), tmp_path, seed=0)  # the same command goes on
    whole = train_motion_tokenizer(TINY, clips(1), clips(2), tmp_path / "whole", seed=0)
    assert figures == whole


def test_a_tokenizer_that_gets_no_better_stops_early(tmp_path: Path) -> None:
    recipe = replace(TINY, learning_rate=1e-12, steps=40, patience=2)
    train_motion_tokenizer(recipe, clips(1), clips(2), tmp_path, seed=0, log_every=1)
    steps = [json.loads(line)["step"] for line in (tmp_path / "training_log.jsonl").read_text("utf-8").splitlines()]
    assert 5 <= max(steps) < 30


def language_model() -> tuple[object, object]:
    tokenizer = train_text_tokenizer([row["prompt"] + row["completion"] for row in TEXTS] * 4, vocabulary=300)
    config = transformers.LlamaConfig(
        **{"vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1},
        **{"num_attention_heads": 2, "pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id},
    )
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(config), tokenizer


def test_a_stage_loss_that_is_no_number_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    model, tokenizer = language_model()
    recipe = SftRecipe(epochs=2, batch_size=4, learning_rate=1e-3, warmup_steps=1, save_steps=2)
    forward, calls = model.forward, []

    def broken(*args: object, **kwargs: object) -> object:
        outputs = forward(*args, **kwargs)
        calls.append(1)
        if len(calls) == 4:
            outputs.logits = outputs.logits * float("nan")
        return outputs

    model.forward = broken
    with pytest.raises(AgirError, match=r"another after 3 updates: lower the learning rate") as caught:
        train_stage(model, tokenizer, TEXTS, recipe, output=tmp_path, seed=0, eval_rows=TEXTS[:4])
    assert "\n" not in str(caught.value)
    kept = last_whole_checkpoint(tmp_path)
    assert kept is not None and kept.name == "checkpoint-2"
    again, tokenizer = language_model()
    figures = train_stage(again, tokenizer, TEXTS, recipe, output=tmp_path, seed=0, eval_rows=TEXTS[:4])
    assert np.isfinite(figures["eval_loss"])


def test_a_stage_that_gets_no_better_stops_early(tmp_path: Path) -> None:
    model, tokenizer = language_model()
    recipe = SftRecipe(
        **{"epochs": 20, "batch_size": 4, "learning_rate": 1e-12, "warmup_steps": 1},
        **{"save_steps": 2, "eval_steps": 2, "patience": 2},
    )
    train_stage(model, tokenizer, TEXTS, recipe, output=tmp_path, seed=0, eval_rows=TEXTS[:4])
    state = json.loads((tmp_path / "trainer_state.json").read_text("utf-8"))
    assert state["global_step"] < state["max_steps"] == 80
