"""Supervised fine-tuning of the language model, with TRL, on text that carries explicit motion tokens.

    agir train sft --recipe base data.dataset=runs/gait_dataset motion_tokenizer=PATH --output runs/mine
    accelerate launch --config_file CONFIG -m agir_hf.training.sft --recipe base ...

Stage 1 (``describe``) mixes motion -> description with description -> motion; stage 2 (``assess``) goes on from it and
learns evidence and motion -> rationale -> score. Only completions count in the loss. A model that starts from nothing
is first taught to read measurements: to copy them (``quote``, short rows full of numbers, which long rationales teach
slowly), then to tell them (``tell``, rationales of mixed measurements, whose values cannot be guessed).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from ..errors import AgirError
from ..motion_vocabulary import MotionVocabulary
from .checkpoints import cpu_only, kept_text, mixed_precision, saving_to, summary_writer_available
from .optimizer import MuonFactory
from .recipe import SftRecipe
from .stage_rows import Row

# One label stands beside some 250 tokens of rationale: without a weight the score would be learned last and least.
SCORE_WEIGHT = 20.0
# What evidence decides counts more than wording, which is drawn at random and cannot be learned.
CLAIM_WEIGHT = 4.0
CLAIM_WORDS = (
    "left right less shorter smaller lower equal equally below above within low not all none reduced "
    "preserved about uneven"
).split()
# Of the codes of one step the first says most of the motion and is followed by refinements that hold little but noise.
CODE_WEIGHT, CODE_WEIGHT_DECAY = 3.0, 0.7
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
        if not torch.isfinite(losses).all():
            raise AgirError(
                f"expected a loss that is a number, found another after {self.state.global_step} updates: lower the "
                "learning rate; the last whole checkpoint is kept"
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


def code_weights(vocabulary: MotionVocabulary, size: int, num_quantizers: int) -> torch.Tensor:
    """(V,) weights: motion codes by their place in a step, ``CODE_WEIGHT`` falling by ``CODE_WEIGHT_DECAY``; else 1.

    With one code a step all weigh 1.
    """
    weights = torch.ones(size)
    if num_quantizers > 1:
        places = torch.arange(vocabulary.codebook_size) // (vocabulary.codebook_size // num_quantizers)
        first = vocabulary.first_motion_token_id
        weights[first : first + vocabulary.codebook_size] = CODE_WEIGHT * CODE_WEIGHT_DECAY ** places.float()
    return weights


def train_stage(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    rows: list[Row],
    recipe: SftRecipe,
    *,
    output: Path,
    seed: int,
    eval_rows: list[Row],
    score_token_ids: Sequence[int] = (),
    weigh_claims: bool = False,
    weights: torch.Tensor | None = None,
    log_every: int = 50,
) -> dict[str, float]:
    """Fine-tune ``model`` in place on prompt-completion rows, or go on where a run stopped.

    Args:
        model: a plain causal language model, or one with an adapter (TRL cannot train the composite; see
            ``AgirForGaitAssessment``).
        rows: the end-of-sequence token is appended to each completion.
        output: where checkpoints and logs go; the checkpoints are removed when the stage is through.
        score_token_ids: tokens of the score labels, which weigh ``SCORE_WEIGHT``; none in a stage without scores.
        weigh_claims: weigh what evidence decides ``CLAIM_WEIGHT``.
        weights: (V,) of other tokens, such as ``code_weights``; 1 for all without them.

    Returns:
        the trainer's closing figures: loss, run time, ``eval_loss``.

    Raises:
        AgirError: the loss is no longer a number, or the disk is full; the last whole checkpoint stays.
    """
    cpu = cpu_only()
    boards = "tensorboard" if summary_writer_available() else "none"
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(output / "tensorboard")
    config = SFTConfig(
        output_dir=str(output),
        disable_tqdm=not sys.stderr.isatty(),
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup_steps,
        weight_decay=WEIGHT_DECAY,
        max_length=recipe.max_length,
        completion_only_loss=True,
        gradient_checkpointing=False,
        use_cpu=cpu,
        bf16=mixed_precision() == "bf16",
        train_sampling_strategy="group_by_length",
        logging_steps=log_every,
        logging_nan_inf_filter=False,
        save_strategy="steps" if recipe.save_steps else "no",
        save_steps=recipe.save_steps or 500,
        save_total_limit=2,
        eval_strategy="steps" if recipe.eval_steps else "no",
        eval_steps=recipe.eval_steps or None,
        # The best is kept where a stage is evaluated on its way; both then happen at the same updates.
        load_best_model_at_end=bool(recipe.eval_steps),
        report_to=boards,
        seed=seed,
        data_seed=seed,
        eos_token=tokenizer.eos_token,
    )
    if recipe.eval_steps and recipe.save_steps != recipe.eval_steps:
        raise AgirError(
            f"expected save_steps as eval_steps ({recipe.eval_steps}), found {recipe.save_steps}: the best is only "
            "kept where it is saved"
        )
    muon = {"matrix_lr": recipe.matrix_learning_rate, "other_lr": recipe.learning_rate, "weight_decay": WEIGHT_DECAY}
    trainer = WeightedSFTTrainer(
        score_token_ids=score_token_ids,
        token_weights=(claim_weights(tokenizer) if weigh_claims else torch.ones(len(tokenizer)))
        * (1.0 if weights is None else weights),
        model=model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(eval_rows),
        processing_class=tokenizer,
        callbacks=[EarlyStoppingCallback(recipe.patience)] if recipe.patience and recipe.eval_steps else None,
        optimizer_cls_and_kwargs=(MuonFactory, muon) if recipe.matrix_learning_rate else None,
    )
    last = last_whole_checkpoint(output)
    with saving_to(output, lambda: kept_text(last_whole_checkpoint(output))):
        result = trainer.train(resume_from_checkpoint=None if last is None else str(last))
    figures = {key: float(value) for key, value in result.metrics.items()}
    figures["eval_loss"] = float(trainer.evaluate()["eval_loss"])
    # TRL leaves its own forward on the instance; a copy of the model would go on using the old weights through it.
    model.__dict__.pop("forward", None)
    if trainer.is_world_process_zero():
        trainer.state.save_to_json(str(output / "trainer_state.json"))
    return figures


def last_whole_checkpoint(output: Path) -> Path | None:
    """The newest checkpoint of a stage whose state, which the trainer writes last, is there; unfinished ones go."""
    found = sorted(output.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in found:
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(path, ignore_errors=True)
            continue
        return path
    return None


def remove_checkpoints(output: Path) -> None:
    """What a stage that is through needs no more."""
    for path in output.glob("checkpoint-*"):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    from agir_hf.training.command import main

    sys.exit(main("sft"))
