"""Supervised fine-tuning of the language model, with TRL, on text that carries explicit motion tokens.

Stage 1 (``describe``) mixes motion -> description with description -> motion; stage 2 (``assess``) goes on from it and
learns evidence and motion -> rationale -> score. Only completions count in the loss. A model that starts from nothing
is first taught to read measurements: to copy them (``quote``, short rows full of numbers, which long rationales teach
slowly), then to tell them (``tell``, rationales of mixed measurements, whose values cannot be guessed).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from ..rationale import SCORE_PREFIX, evidence_block, render_prompt, write_rationale
from .mixed_measurements import mixed_measurements
from .optimizer import MuonFactory
from .recipe import SftRecipe

# What the prompt of an assessment shows. Most have both; the rest keep the model able to work from either alone.
ASSESS_MODES = {"both": 0.6, "evidence": 0.25, "motion": 0.15}

# One label stands beside some 250 tokens of rationale: without a weight the score would be learned last and least.
SCORE_WEIGHT = 20.0
# What evidence decides counts more than wording, which is drawn at random and cannot be learned.
CLAIM_WEIGHT = 4.0
CLAIM_WORDS = (
    "left right less more shorter longer smaller larger equal equally below above within low not all none reduced "
    "preserved about uneven"
).split()
WEIGHT_DECAY = 0.01
IGNORED = -100


class WeightedSFTTrainer(SFTTrainer):
    """An ``SFTTrainer`` in whose loss tokens have weights of their own.

    It leaves out the entropy and accuracy that ``SFTTrainer`` gathers at every step.

    Args:
        score_token_ids: label tokens, which weigh ``SCORE_WEIGHT`` at the end of a completion.
        token_weights: (V,) weight of every token as a label.
    """

    def __init__(
        self, *args: Any, score_token_ids: Sequence[int] = (), token_weights: torch.Tensor, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.score_token_ids = torch.tensor(list(score_token_ids), dtype=torch.long)
        self.token_weights = token_weights
        self.end_token_id = kwargs["processing_class"].eos_token_id

    def compute_loss(  # type: ignore[override]
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs["labels"]
        # Logits from the first completion on, for its labels only; the trainer's own fused head took 40 % of a step.
        first = max(int((labels != IGNORED).any(0).long().argmax()), 1)
        outputs = model(**{**inputs, "labels": None, "use_cache": False, "logits_to_keep": labels.shape[1] - first + 1})
        weight = label_weights(
            labels, self.token_weights.to(labels.device), self.score_token_ids.to(labels.device), self.end_token_id
        )
        counts = labels[:, first:] != IGNORED
        losses = torch.nn.functional.cross_entropy(
            outputs.logits[:, :-1][counts].float(), labels[:, first:][counts], reduction="none"
        )
        tokens = counts.sum() if num_items_in_batch is None else num_items_in_batch
        loss = (losses * weight[:, first:][counts]).sum() / torch.as_tensor(tokens).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss


def label_weights(
    labels: torch.Tensor, token_weights: torch.Tensor, score_token_ids: torch.Tensor, end_token_id: int
) -> torch.Tensor:
    """(B, T) weights: ``SCORE_WEIGHT`` for a score label right before the end of a completion, else the token's own."""
    following = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED)
    is_score = torch.isin(labels, score_token_ids) & (following == end_token_id)
    return torch.where(is_score, SCORE_WEIGHT, token_weights[labels.clamp(min=0)])


def claim_weights(tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    """(V,) weights: ``CLAIM_WEIGHT`` for tokens that hold a digit and for words that state a side or a relation."""
    pieces = tokenizer.batch_decode([[index] for index in range(len(tokenizer))])
    words = {f" {word}" for word in CLAIM_WORDS}
    claims = [piece in words or (any(c.isdigit() for c in piece) and "_" not in piece) for piece in pieces]
    return torch.where(torch.tensor(claims), CLAIM_WEIGHT, 1.0)


QUOTED_LINES = 6
# Rows of mixed measurements in stage 2, as a share of its own: what the warm-up taught is not to be lost.
TOLD_SHARE = 0.15


def quote_rows(rows: Sequence[dict[str, Any]], *, seed: int) -> list[dict[str, str]]:
    """Warm-up: evidence lines of different clips, to be repeated in another order; one row a clip."""
    rng = random.Random(seed)
    by_measure = list(zip(*(row["evidence"].splitlines() for row in rows), strict=True))
    made = []
    for _ in rows:
        lines = [rng.choice(lines) for lines in rng.sample(by_measure, QUOTED_LINES)]
        shown = "\n".join(lines)
        rng.shuffle(lines)
        made.append({"prompt": render_prompt("quote", evidence=shown), "completion": "\n".join(lines)})
    return made


def told_rows(rows: Sequence[dict[str, Any]], count: int, *, seed: int) -> list[dict[str, str]]:
    """Rationales of mixed measurements; they are nobody's, so there is no score to give."""
    rng = random.Random(seed + 1)
    made = []
    for _ in range(count):
        measured = mixed_measurements(rows, rng)
        made.append(
            {
                "prompt": render_prompt("tell", evidence=evidence_block(measured)),
                "completion": write_rationale(measured, rng),
            }
        )
    return made


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
    """Stage 2: two rows a clip, each with a rationale of its own and what the prompt shows drawn at random.

    Told mixtures come on top.
    """
    rng = random.Random(seed)
    made = []
    for row, motion in zip(rows, motions, strict=True):
        for rationale in row["rationales"]:
            mode = rng.choices(list(ASSESS_MODES), list(ASSESS_MODES.values()))[0]
            text = row["rationale_words"] if mode == "motion" else rationale
            made.append(
                {"prompt": assess_prompt(row, motion, mode), "completion": f"{text}{SCORE_PREFIX}{row['score']}"}
            )
    made += told_rows(rows, round(TOLD_SHARE * len(made)), seed=seed + 1)
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
    score_token_ids: Sequence[int] = (),
    weigh_claims: bool = False,
) -> dict[str, float]:
    """Fine-tune ``model`` in place on prompt-completion rows.

    Args:
        model: a plain causal language model (TRL cannot train the composite; see ``AgirForGaitAssessment``).
        rows: ``{"prompt", "completion"}``; the end-of-sequence token is appended to each completion.
        output: where checkpoints and logs go.
        score_token_ids: tokens of the score labels, which weigh ``SCORE_WEIGHT``; none in a stage without scores.
        weigh_claims: weigh what evidence decides ``CLAIM_WEIGHT``.

    Returns:
        the trainer's closing figures (loss, run time, and ``eval_loss`` if ``eval_rows`` are given).
    """
    cpu = not torch.cuda.is_available()
    config = SFTConfig(
        output_dir=str(output),
        disable_tqdm=not sys.stderr.isatty(),
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup_steps,
        weight_decay=WEIGHT_DECAY,
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
    trainer = WeightedSFTTrainer(
        score_token_ids=score_token_ids,
        token_weights=claim_weights(tokenizer) if weigh_claims else torch.ones(len(tokenizer)),
        model=model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None,
        processing_class=tokenizer,
        optimizer_cls_and_kwargs=(
            MuonFactory,
            {"matrix_lr": recipe.matrix_learning_rate, "other_lr": recipe.learning_rate, "weight_decay": WEIGHT_DECAY},
        ),
    )
    result = trainer.train()
    figures = {key: float(value) for key, value in result.metrics.items()}
    if eval_rows:
        figures["eval_loss"] = float(trainer.evaluate()["eval_loss"])
    # TRL leaves its own forward on the instance; a copy of the model would go on using the old weights through it.
    model.__dict__.pop("forward", None)
    trainer.state.save_to_json(str(output / "trainer_state.json"))
    return figures
