"""Training the motion tokenizer on windows of the cohort's features."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from ..configuration_agir import AgirMotionTokenizerConfig
from ..errors import AgirError
from ..feature_extraction_agir import AgirFeatureExtractor
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer
from .cohort import CohortSplit
from .recipe import TokenizerRecipe

LOG_EVERY = 100
FLOOR_LEARNING_RATE = 0.02  # of the peak, at the end of the cosine
CLIP_NORM = 1.0


class Windows:
    """Random windows of clips that stand one after the other in one array."""

    def __init__(self, features: Tensor, lengths: NDArray[np.int64], window: int, seed: int) -> None:
        self.features, self.lengths, self.window = features, lengths, window
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self.rng = np.random.default_rng(seed)

    def draw(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """(B, window, F) features and (B, window) mask; clips are drawn by their length, short ones are padded."""
        chosen = self.rng.choice(len(self.lengths), batch_size, p=self.lengths / self.lengths.sum())
        slack = np.maximum(self.lengths[chosen] - self.window, 0)
        first = self.rng.integers(0, slack + 1)
        within = np.arange(self.window)[None, :]
        valid = within < np.minimum(self.lengths[chosen], self.window)[:, None]
        index = self.starts[chosen][:, None] + first[:, None] + np.where(valid, within, 0)
        mask = torch.from_numpy(valid.astype(np.float32))
        return self.features[torch.from_numpy(index)] * mask.unsqueeze(-1), mask


def train_motion_tokenizer(
    recipe: TokenizerRecipe, train: CohortSplit, validation: CohortSplit, output: Path, *, seed: int
) -> dict[str, float]:
    """Train from random weights; saves the tokenizer and its feature extractor (with the fitted statistics).

    Returns:
        closing figures, on validation people: joint error in mm, codes used and perplexity.

    Raises:
        AgirError: the loss is no longer a number; nothing is saved over an earlier result.
    """
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=_precision())
    extractor = AgirFeatureExtractor().fit(train.clip_features())
    config = AgirMotionTokenizerConfig(hidden_size=recipe.hidden_size, codebook_dim=recipe.codebook_dim)
    model = AgirMotionTokenizer(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _learning_rate(step, recipe))
    model, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    lengths = np.array([row["frames"] for row in train.rows])
    windows = Windows(torch.from_numpy(extractor.normalize(train.features)), lengths, recipe.window_frames, seed)

    output.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    model.train()
    with (
        (output / "training_log.jsonl").open("w", encoding="utf-8") as log,
        tqdm(range(recipe.steps), desc="motion tokenizer", unit="step", file=sys.stderr, mininterval=5) as steps,
    ):
        for step in steps:
            features, mask = windows.draw(recipe.batch_size)
            result = model(features.to(accelerator.device), mask.to(accelerator.device), update_codebook=True)
            if not math.isfinite(result.loss.item()):
                raise AgirError(
                    f"the tokenizer's loss became {result.loss.item()} at step {step}: lower the learning rate"
                )
            accelerator.backward(result.loss)
            accelerator.clip_grad_norm_(model.parameters(), CLIP_NORM)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if step % LOG_EVERY == 0 or step == recipe.steps - 1:
                figures = {
                    "step": step,
                    "loss": round(result.loss.item(), 5),
                    "reconstruction_loss": round(result.reconstruction_loss.item(), 5),
                    "commitment_loss": round(result.commitment_loss.item(), 5),
                    "perplexity": round(result.perplexity.item(), 1),
                    "seconds": round(time.perf_counter() - start, 1),
                }
                log.write(json.dumps(figures) + "\n")
                log.flush()
                steps.set_postfix(loss=figures["loss"], perplexity=figures["perplexity"])
    plain = accelerator.unwrap_model(model).to("cpu").eval()
    plain.save_pretrained(output)
    extractor.save_pretrained(output)
    return validation_figures(plain, extractor, validation)


def validation_figures(
    model: AgirMotionTokenizer, extractor: AgirFeatureExtractor, split: CohortSplit, *, limit: int = 200
) -> dict[str, float]:
    """Joint error, code use and perplexity over at most ``limit`` whole clips."""
    errors, used = [], []
    for clip in split.clip_features()[:limit]:
        features = extractor.normalize(clip)
        codes = model.encode(torch.from_numpy(features).unsqueeze(0))
        errors.append(extractor.root_aligned_error_mm(features, model.decode(codes)[0].numpy()))
        used.append(codes[0].numpy())
    counts = np.bincount(np.concatenate(used), minlength=model.config.codebook_size)
    share = counts[counts > 0] / counts.sum()
    return {
        "parameters": model.num_parameters(),
        "joint_error_mm_mean": round(float(np.mean(errors)), 2),
        "joint_error_mm_median": round(float(np.median(errors)), 2),
        "codes_used_share": round(float((counts > 0).mean()), 4),
        "perplexity": round(float(np.exp(-(share * np.log(share)).sum())), 1),
        "codes_seen": int(counts.sum()),
    }


def encode_split(
    model: AgirMotionTokenizer, extractor: AgirFeatureExtractor, split: CohortSplit
) -> list[NDArray[np.int64]]:
    """The codes of every clip of a split."""
    return [
        model.encode(torch.from_numpy(extractor.normalize(clip)).unsqueeze(0))[0].numpy()
        for clip in tqdm(split.clip_features(), desc="motion codes", unit="clip", file=sys.stderr, mininterval=5)
    ]


def _learning_rate(step: int, recipe: TokenizerRecipe) -> float:
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(recipe.steps - recipe.warmup_steps, 1)
    return FLOOR_LEARNING_RATE + (1 - FLOOR_LEARNING_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def _precision() -> str:
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    return "bf16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "no"
