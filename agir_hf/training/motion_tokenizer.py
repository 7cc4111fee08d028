"""Training the motion tokenizer on windows of features.

    agir train tokenizer --recipe tiny data.dataset=runs/gait_dataset --output runs/agir-tiny
    accelerate launch --config_file CONFIG -m agir_hf.training.motion_tokenizer --recipe tiny ...

Each process sees its share of every batch; the codebook is updated from all of them, so that the result does not
hang on how many there are. A run that was stopped goes on from its last whole checkpoint and ends with the same
weights.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from ..configuration_agir import AgirMotionTokenizerConfig
from ..errors import AgirError
from ..evaluation.metrics import bootstrap_interval
from ..feature_extraction_agir import AgirFeatureExtractor
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer
from .checkpoints import CheckpointFolder, cpu_only, mixed_precision, summary_writer
from .linear_start import start_linearly
from .recipe import TokenizerRecipe

FLOOR_LEARNING_RATE = 0.02  # of the peak, at the end of the cosine
CLIP_NORM = 1.0
VALIDATION_CLIPS = 200


class Windows:
    """Random windows of clips; what comes next is part of a checkpoint.

    Args:
        clips: features (T', F) of each clip, not normalised.
        normalize: makes them so.
        window: frames.
    """

    def __init__(
        self,
        clips: Sequence[NDArray[np.float32]],
        normalize: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        window: int,
        seed: int,
    ) -> None:
        self.clips, self.normalize, self.window = clips, normalize, window
        lengths = np.array([len(clip) for clip in clips], dtype=np.float64)
        self.share = lengths / lengths.sum()
        self.rng = np.random.default_rng(seed)

    def draw(self, batch_size: int, part: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """(B, window, F) features and (B, window) mask; clips are drawn by their length, short ones are padded.

        Args:
            part: which of the batch's windows are cut out; what is drawn does not hang on it.
        """
        chosen = self.rng.choice(len(self.clips), batch_size, p=self.share)
        places = self.rng.random(batch_size)
        windows, masks = [], []
        for index, place in zip(chosen[part], places[part], strict=True):
            clip = self.clips[index]
            first = int(place * (max(len(clip) - self.window, 0) + 1))
            cut = self.normalize(clip[first : first + self.window])
            padded = np.zeros((self.window, cut.shape[1]), dtype=np.float32)
            padded[: len(cut)] = cut
            windows.append(padded)
            masks.append((np.arange(self.window) < len(cut)).astype(np.float32))
        return torch.from_numpy(np.stack(windows)), torch.from_numpy(np.stack(masks))

    def state_dict(self) -> dict[str, Any]:
        return {"rng": json.dumps(self.rng.bit_generator.state)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rng.bit_generator.state = json.loads(state["rng"])


def train_motion_tokenizer(
    recipe: TokenizerRecipe,
    train: Sequence[NDArray[np.float32]],
    validation: Sequence[NDArray[np.float32]],
    output: Path,
    *,
    seed: int,
    people: Sequence[str] | None = None,
    log_every: int = 50,
    model: AgirMotionTokenizer | None = None,
) -> dict[str, Any]:
    """Train from random weights, or go on where a run stopped.

    Args:
        train, validation: features (T', 263) of clips, not normalised.
        people: whose each validation clip is.
        output: gets the best tokenizer and its feature extractor (with the fitted statistics); checkpoints, logs.
        model: untrained, trained from the weights it has; without one, one as the recipe says is made and started at
            the principal components of the training clips.

    Returns:
        closing figures, on validation clips: joint error in mm, codes used and perplexity.

    Raises:
        AgirError: the loss is no longer a number, or the disk is full; the last whole checkpoint stays.
    """
    # As TrainingArguments does: a stage trained earlier in this process must not decide the precision of this one.
    AcceleratorState._reset_state()
    accelerator = Accelerator(cpu=cpu_only(), mixed_precision=mixed_precision())
    set_seed(seed)
    plain = model or AgirMotionTokenizer(tokenizer_config(recipe))
    extractor = AgirFeatureExtractor(
        frames_per_code=plain.config.frames_per_code, codes_per_step=plain.config.num_quantizers
    ).fit(train)
    groups = [{"params": list(plain.parameters())}]
    if model is None:
        start_linearly(plain, train, extractor.normalize, seed=seed)
        groups = _parameter_groups(plain, recipe)
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _learning_rate(step, recipe))
    wrapped, optimizer = accelerator.prepare(plain, optimizer)
    windows = Windows(train, extractor.normalize, recipe.window_frames, seed)
    accelerator.register_for_checkpointing(windows, schedule)
    checkpoints = CheckpointFolder(output / "checkpoints", accelerator)
    share = recipe.batch_size // accelerator.num_processes
    if share * accelerator.num_processes != recipe.batch_size:
        raise AgirError(
            f"expected a batch size that {accelerator.num_processes} processes share evenly, found {recipe.batch_size}"
        )
    part = slice(accelerator.process_index * share, (accelerator.process_index + 1) * share)
    main = accelerator.is_main_process
    if main:
        output.mkdir(parents=True, exist_ok=True)
    state = checkpoints.resume() or {"step": 0, "best_mm": math.inf, "worse": 0}
    log = TrainingLog(output, state["step"]) if main else None
    wrapped.train()
    start = time.perf_counter()
    steps = tqdm(
        range(state["step"], recipe.steps),
        initial=state["step"],
        total=recipe.steps,
        desc="motion tokenizer",
        unit="step",
        file=sys.stderr,
        mininterval=5,
        disable=not main,
    )
    for step in steps:
        features, mask = windows.draw(recipe.batch_size, part)
        result = wrapped(features.to(accelerator.device), mask.to(accelerator.device), update_codebook=True)
        # Each process counts by its frames, so that the mean over processes is that over all frames.
        frames = mask.sum().to(accelerator.device)
        weighted = result.loss * (frames / accelerator.reduce(frames, "mean"))
        loss = accelerator.reduce(weighted.detach(), "mean").item()
        if not math.isfinite(loss):
            raise AgirError(
                f"expected a loss that is a number, found {loss} at step {step}: lower tokenizer.learning_rate; "
                f"{checkpoints.kept()}"
            )
        accelerator.backward(weighted)
        accelerator.clip_grad_norm_(wrapped.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        done = step + 1
        if log and (step % log_every == 0 or done == recipe.steps):
            figures = {
                "loss": loss,
                "reconstruction_loss": result.reconstruction_loss.item(),
                "commitment_loss": result.commitment_loss.item(),
                "perplexity": result.perplexity.item(),
            }
            log.write(step, figures, time.perf_counter() - start)
            steps.set_postfix(loss=round(loss, 4), perplexity=round(figures["perplexity"], 1))
        stopping = False
        if done % recipe.eval_steps == 0 or done == recipe.steps:
            better = 0.0
            if log:
                figures = validation_figures(plain, extractor, validation)
                log.write(step, {f"validation_{name}": value for name, value in figures.items()}, None)
                better = float(figures["joint_error_mm_mean"] < state["best_mm"])
                if better:
                    state["best_mm"] = figures["joint_error_mm_mean"]
                    with checkpoints.guarded():
                        plain.save_pretrained(output)
                        extractor.save_pretrained(output)
                wrapped.train()
            better = accelerator.reduce(torch.tensor(better, device=accelerator.device), "sum").item()
            state["worse"] = 0 if better else state["worse"] + 1
            stopping = bool(recipe.patience) and state["worse"] >= recipe.patience
        if done % recipe.save_steps == 0 or done == recipe.steps or stopping:
            checkpoints.save(state | {"step": done})
        if stopping:
            break
    accelerator.wait_for_everyone()
    if log:
        log.close()
        shutil.rmtree(checkpoints.folder, ignore_errors=True)
    best = type(plain).from_pretrained(output)
    return validation_figures(best, extractor, validation, people=people)


def tokenizer_config(recipe: TokenizerRecipe) -> AgirMotionTokenizerConfig:
    """The model's configuration."""
    return AgirMotionTokenizerConfig(
        hidden_size=recipe.hidden_size,
        encoder_blocks=recipe.encoder_blocks,
        decoder_blocks=recipe.decoder_blocks,
        codebook_size=recipe.codebook_size,
        codebook_dim=recipe.codebook_dim,
        frames_per_code=recipe.frames_per_code,
        num_quantizers=recipe.num_quantizers,
    )


class TrainingLog:
    """One line of JSON for each logged step, and TensorBoard where it is installed."""

    def __init__(self, output: Path, step: int) -> None:
        path = output / "training_log.jsonl"
        before = path.read_text(encoding="utf-8").splitlines() if step and path.is_file() else []
        kept = [line for line in before if json.loads(line)["step"] < step]
        self.stream = path.open("w", encoding="utf-8")
        self.stream.write("".join(line + "\n" for line in kept))
        self.board = summary_writer(output / "tensorboard")

    def write(self, step: int, figures: dict[str, float], seconds: float | None) -> None:
        rounded = {name: round(value, 5) for name, value in figures.items()}
        took = {} if seconds is None else {"seconds": round(seconds, 1)}
        self.stream.write(json.dumps({"step": step, **rounded, **took}) + "\n")
        self.stream.flush()
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(f"motion_tokenizer/{name}", value, step)

    def close(self) -> None:
        self.stream.close()
        if self.board is not None:
            self.board.close()


def validation_figures(
    model: AgirMotionTokenizer,
    extractor: AgirFeatureExtractor,
    clips: Sequence[NDArray[np.float32]],
    *,
    people: Sequence[str] | None = None,
    limit: int = VALIDATION_CLIPS,
) -> dict[str, Any]:
    """Joint error, code use and perplexity over at most ``limit`` whole clips.

    Args:
        people: whose clip each one is; with it comes the 95 % interval of the mean error over people.
    """
    errors, used = [], []
    model.eval()
    for clip in clips[:limit]:
        features = extractor.normalize(clip)
        codes = model.encode(torch.from_numpy(features).unsqueeze(0).to(model.device))
        rebuilt = model.decode(codes)[0].cpu().numpy()
        errors.append(extractor.root_aligned_error_mm(features[: len(rebuilt)], rebuilt))
        used.append(codes[0].cpu().numpy())
    counts = np.bincount(np.concatenate(used), minlength=model.config.codebook_size)
    share = counts[counts > 0] / counts.sum()
    figures: dict[str, Any] = {
        "parameters": model.num_parameters(),
        "clips": len(errors),
        "joint_error_mm_mean": round(float(np.mean(errors)), 2),
        "joint_error_mm_median": round(float(np.median(errors)), 2),
        "codes_used_share": round(float((counts > 0).mean()), 4),
        "perplexity": round(float(np.exp(-(share * np.log(share)).sum())), 1),
        "codes_seen": int(counts.sum()),
    }
    if people is not None:
        low, high = bootstrap_interval(lambda rows: float(np.mean(np.asarray(errors)[rows])), people[:limit])
        figures["joint_error_mm_interval_95"] = [round(low, 2), round(high, 2)]
    return figures


def encode_clips(
    model: AgirMotionTokenizer, extractor: AgirFeatureExtractor, clips: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.int64]]:
    """The codes of every clip."""
    return [
        model.encode(torch.from_numpy(extractor.normalize(clip)).unsqueeze(0))[0].numpy()
        for clip in tqdm(clips, desc="motion codes", unit="clip", file=sys.stderr, mininterval=5)
    ]


def _parameter_groups(model: AgirMotionTokenizer, recipe: TokenizerRecipe) -> list[dict[str, Any]]:
    """Encoder, the decoder's last layer, and the rest, at their learning rates; what has none is not trained.

    Out of the last layer's channels come thousands of numbers. AdamW moves every weight alike, so at the rate of the
    others a step would move what the layer gives by more than it is.
    """
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        rate = 1.0
        if name.startswith("motion_encoder."):
            rate = recipe.encoder_rate
        elif name.startswith("motion_decoder.conv_out."):
            rate = recipe.frame_layer_rate
        parameter.requires_grad_(rate > 0.0)
        if rate > 0.0:
            groups.setdefault(rate, []).append(parameter)
    return [{"params": found, "lr": rate * recipe.learning_rate} for rate, found in groups.items()]


def _learning_rate(step: int, recipe: TokenizerRecipe) -> float:
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(recipe.steps - recipe.warmup_steps, 1)
    return FLOOR_LEARNING_RATE + (1 - FLOOR_LEARNING_RATE) * 0.5 * (1 + math.cos(math.pi * done))


if __name__ == "__main__":
    from agir_hf.training.command import main

    sys.exit(main("tokenizer"))
