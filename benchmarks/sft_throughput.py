"""Training speed of stage 2 against a bare ``transformers`` Trainer: the same model, rows, batches and optimiser.

    python benchmarks/sft_throughput.py runs/gait_dataset

Both fine-tune the packaged model's language model on the same rows, batches sorted by length in the same way, in bf16
with AdamW. Rounds of the two alternate in one run; the ratio is that of the medians. The bare Trainer has the plain
loss over completion tokens; ours weighs tokens, as in training.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoTokenizer, DataCollatorForSeq2Seq, Trainer, TrainingArguments

from agir_hf import AgirForGaitAssessment, AgirProcessor, packaged_checkpoint
from agir_hf.motion_vocabulary import label_token_ids
from agir_hf.training.checkpoints import cpu_only, mixed_precision
from agir_hf.training.data import load_splits
from agir_hf.training.motion_tokenizer import encode_clips
from agir_hf.training.recipe import DataRecipe, SftRecipe
from agir_hf.training.run import keep_freed_memory
from agir_hf.training.sft import IGNORED, train_stage
from agir_hf.training.stage_rows import Row, assess_rows

BATCH, SEED, LEARNING_RATE = 16, 0, 1e-3


def rows_of(dataset: str, walks: int, checkpoint: Path) -> list[Row]:
    """Rows of stage 2 with the codes of the packaged motion tokenizer."""
    processor = AgirProcessor.from_pretrained(checkpoint)
    model = AgirForGaitAssessment.from_pretrained(checkpoint)
    split = load_splits(DataRecipe(dataset=dataset, train_clips=walks, varied_copies=0), workers=1)["train"]
    codes = [
        encode_clips(model.motion_tokenizer, processor.feature_extractor, features)
        for features in (split.features, split.mirrored_features)
    ]
    return assess_rows(split.with_codes(*codes).walks, processor.vocabulary.codes_to_text, seed=SEED)


def ours(model: Any, tokenizer: Any, rows: list[Row], folder: str) -> float:
    """Rows a second."""
    recipe = SftRecipe(batch_size=BATCH, learning_rate=LEARNING_RATE, warmup_steps=1, save_steps=0)
    score_ids = label_token_ids(tokenizer, [str(score) for score in range(4)])
    figures = train_stage(
        *(model, tokenizer, rows, recipe),
        output=Path(folder),
        seed=SEED,
        eval_rows=rows[:BATCH],
        score_token_ids=score_ids,
        weigh_claims=True,
    )
    return figures["train_samples_per_second"]


def bare(model: Any, tokenizer: Any, rows: list[Row], folder: str) -> float:
    """Rows a second."""
    ready = []
    for row in rows:
        prompt, completion = (tokenizer(row[part], add_special_tokens=False)["input_ids"] for part in row)
        completion = [*completion, tokenizer.eos_token_id]
        ready.append({"input_ids": prompt + completion, "labels": [IGNORED] * len(prompt) + completion})
    arguments = TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="cosine",
        warmup_steps=1,
        use_cpu=cpu_only(),
        bf16=mixed_precision() == "bf16",
        train_sampling_strategy="group_by_length",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=SEED,
    )
    collator = DataCollatorForSeq2Seq(tokenizer, padding=True)
    trainer = Trainer(model=model, args=arguments, train_dataset=Dataset.from_list(ready), data_collator=collator)
    return float(trainer.train().metrics["train_samples_per_second"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--walks", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    keep_freed_memory()  # for both: what a training run of ours does first
    checkpoint = packaged_checkpoint("agir-tiny")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    start = AgirForGaitAssessment.from_pretrained(checkpoint, dtype=torch.float32).language_model
    rows = rows_of(options.dataset, options.walks, checkpoint)
    found: dict[str, list[float]] = {"ours": [], "bare Trainer": []}
    for _ in range(options.rounds):
        for name, train in (("bare Trainer", bare), ("ours", ours)):
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(train(copy.deepcopy(start), tokenizer, rows, folder))
    for name, speeds in found.items():
        print(f"{name}: {statistics.median(speeds):.2f} rows/s (rounds: {', '.join(f'{one:.2f}' for one in speeds)})")
    ratio = statistics.median(found["ours"]) / statistics.median(found["bare Trainer"])
    print(f"{len(rows)} rows a round; ours over bare: {ratio:.2f}")


if __name__ == "__main__":
    main()
