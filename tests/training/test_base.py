"""A language model that somebody else trained, here a random Qwen3, becomes an assessor by way of LoRA."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, Qwen3Config, Qwen3ForCausalLM

pytest.importorskip("trl", reason="needs the train extra")

from agir_hf.training.text_tokenizer import train_text_tokenizer

ROOT = Path(__file__).resolve().parent.parent.parent
SHORT = "{stage}.epochs=1 {stage}.batch_size=8 {stage}.warmup_steps=1 {stage}.save_steps=0 {stage}.eval_steps=0"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agir_hf.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=540, cwd=ROOT, encoding="utf-8")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    tokenizer = train_text_tokenizer(
        ["walking speed 0.82 m/s, stride 1.02 m", "The left arm swings less."] * 4, vocabulary=300
    )
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            **{"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2},
            **{"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "tie_word_embeddings": True},
            **{"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None},
        )
    )
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


@pytest.mark.slow
def test_a_base_with_adapters_becomes_a_checkpoint_that_assesses(
    gait_dataset: Path, base: Path, tmp_path: Path
) -> None:
    output = tmp_path / "run"
    changes = [change for stage in ("describe", "assess") for change in SHORT.format(stage=stage).split()]
    done = run(
        *("train", "sft", "--recipe", "base", "--output", str(output), f"data.dataset={gait_dataset}"),
        *(f"motion_tokenizer={ROOT / 'agir_hf' / 'checkpoints' / 'agir-tiny'}", f"language_model.base={base}"),
        *(
            "data.config=simulated",
            "data.varied_copies=0",
            "workers=1",
            "evaluate_walks=4",
            "language_model.lora.rank=4",
        ),
        *changes,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    adapters = [load_file(output / stage / "adapter_model.safetensors") for stage in ("describe", "assess")]
    assert set(adapters[0]) == set(adapters[1])
    assert all(not torch.equal(adapters[0][name], adapters[1][name]) for name in adapters[0])  # stage 2 went on
    record = json.loads((output / "checkpoint" / "run_record.json").read_text(encoding="utf-8"))
    assert {"describe", "assess", "evaluation"} <= set(record["stages"])

    assessed = run("assess", "examples/simulated_walk.npz", "--model", str(output / "checkpoint"), "--format", "json")
    assert assessed.returncode == 0, assessed.stderr[-2000:]
    assert sum(json.loads(assessed.stdout)["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    exported = run("export", str(output / "checkpoint"), "--output", str(tmp_path / "plain"))
    assert exported.returncode == 0, exported.stderr[-2000:]
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "plain").config.model_type == "qwen3"
