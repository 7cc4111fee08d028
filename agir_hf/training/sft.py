"""Supervised fine-tuning of the language model, with TRL, on text that carries explicit motion tokens.

Stage 1 (``describe``) mixes motion -> description with description -> motion; stage 2 (``assess``) goes on from it and
learns evidence and motion -> rationale -> score. Only completions count in the loss.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from ..rationale import SCORE_PREFIX, render_prompt
from .recipe import SftRecipe

# What the prompt of an assessment shows. Most have both; the rest keep the model able to work from either alone.
ASSESS_MODES = {"both": 0.6, "evidence": 0.25, "motion": 0.15}


def describe_rows(rows: Sequence[dict[str, Any]], motions: Sequence[str], *, seed: int) -> list[dict[str, str]]:
    """Stage 1: two prompt-completion rows a clip, one in each direction."""
    made = []
    for row, motion in zip(rows, motions, strict=True):
        first, second = row["descriptions"]
        made.append({"prompt": render_prompt("motion_to_description", motion=motion), "completion": first})
        made.append({"prompt": render_prompt("description_to_motion", description=second), "completion": motion})
    random.Random(seed).shuffle(made)
    return made


def assess_prompt(row: dict[str, Any], motion: str, mode: str) -> str:
    """The assessment prompt of a clip in one of ``ASSESS_MODES``."""
    return render_prompt(
        "assess",
        motion=None if mode == "evidence" else motion,
        evidence=None if mode == "motion" else row["evidence"],
    )


def assess_rows(rows: Sequence[dict[str, Any]], motions: Sequence[str], *, seed: int) -> list[dict[str, str]]:
    """Stage 2: two rows a clip, each with a rationale of its own and what the prompt shows drawn at random."""
    rng = random.Random(seed)
    made = []
    for row, motion in zip(rows, motions, strict=True):
        for rationale in row["rationales"]:
            mode = rng.choices(list(ASSESS_MODES), list(ASSESS_MODES.values()))[0]
            text = row["rationale_words"] if mode == "motion" else rationale
            made.append(
                {"prompt": assess_prompt(row, motion, mode), "completion": f"{text}{SCORE_PREFIX}{row['score']}"}
            )
    rng.shuffle(made)
    return made


def train_stage(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: list[dict[str, str]],
    recipe: SftRecipe,
    *,
    output: Path,
    seed: int,
    eval_rows: list[dict[str, str]] | None = None,
) -> dict[str, float]:
    """Fine-tune ``model`` in place on prompt-completion rows.

    Args:
        model: a plain causal language model (TRL cannot train the composite; see ``AgirForGaitAssessment``).
        rows: ``{"prompt", "completion"}``; the end-of-sequence token is appended to each completion.
        output: where checkpoints and logs go.

    Returns:
        the trainer's closing figures (loss, run time, and ``eval_loss`` if ``eval_rows`` are given).
    """
    cpu = not torch.cuda.is_available()
    config = SFTConfig(
        output_dir=str(output),
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup_steps,
        weight_decay=0.01,
        max_length=recipe.max_length,
        completion_only_loss=True,
        gradient_checkpointing=False,
        use_cpu=cpu,
        bf16=(not cpu and torch.cuda.is_bf16_supported()) or (cpu and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
        train_sampling_strategy="group_by_length",
        logging_steps=50,
        save_strategy="no",
        report_to="none",
        seed=seed,
        data_seed=seed,
        eos_token=tokenizer.eos_token,
    )
    trainer = SFTTrainer(
        model=model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None,
        processing_class=tokenizer,
    )
    result = trainer.train()
    figures = {key: float(value) for key, value in result.metrics.items()}
    if eval_rows:
        figures["eval_loss"] = float(trainer.evaluate()["eval_loss"])
    # TRL leaves its own forward on the instance; a copy of the model would go on using the old weights through it.
    model.__dict__.pop("forward", None)
    trainer.state.save_to_json(str(output / "trainer_state.json"))
    return figures
