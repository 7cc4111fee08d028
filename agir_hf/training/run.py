"""Runs of a recipe: the motion tokenizer, the language model, or all of it, each stage kept under the output folder.

``agir train tokenizer`` makes ``output/motion_tokenizer``; ``agir train sft`` the stages of the language model and,
from all parts, ``output/checkpoint``; ``agir train tiny`` both, with figures on test people. A run that was stopped
goes on where it was.
"""

from __future__ import annotations

import ctypes
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from transformers import AutoModelForCausalLM, set_seed

from ..configuration_agir import AgirConfig, AgirMotionTokenizerConfig
from ..errors import AgirError
from ..feature_extraction_agir import AgirFeatureExtractor
from ..hub.card import write_adapter_card, write_assessor_card, write_motion_tokenizer_card
from ..hub.staging import push_staged, stage_model, stage_tokenizer
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer
from ..motion_vocabulary import MotionVocabulary, label_token_ids
from .adapters import load_adapter_for_training, merge_adapter
from .data import Split, data_sha256, load_rationale_dataset, load_splits, recordings_features
from .finish import assemble, calibrate, evaluate
from .language_models import base_model, language_model, text_side
from .motion_tokenizer import encode_clips, train_motion_tokenizer
from .recipe import Recipe
from .run_record import RunRecord
from .sft import code_weights, remove_checkpoints, train_stage
from .stage_rows import Row, assess_rows, describe_rows, quote_rows, told_rows

VOCABULARY_ROWS = 4000
SCORED_STAGES = ("assess", "settle")
ANOTHER_DRAW = 10  # from the seed of the recipe, for rows that go on where those of an earlier stage ended


def train_tokenizer(recipe: Recipe, output: Path) -> Path:
    """Train the motion tokenizer; returns its folder."""
    run = _Run(recipe, output)
    return run.motion_tokenizer(run.splits())


def fine_tune(recipe: Recipe, output: Path) -> Path:
    """All stages of the language model with a trained motion tokenizer, then the checkpoint; returns its folder.

    Raises:
        AgirError: there is no motion tokenizer, neither ``recipe.motion_tokenizer`` nor in the output folder.
    """
    if not recipe.motion_tokenizer and not (output / "motion_tokenizer" / "model.safetensors").is_file():
        raise AgirError(
            f"expected a motion tokenizer in {output / 'motion_tokenizer'}, found none: run 'agir train tokenizer' "
            "with the same recipe and --output, or pass motion_tokenizer=PATH_OR_NAME"
        )
    return train_all(recipe, output)


def train_all(recipe: Recipe, output: Path) -> Path:
    """The whole recipe, with figures on test people and a card; returns the folder of the checkpoint."""
    run = _Run(recipe, output)
    return run.checkpoint(run.splits())


def _on_hub(*names: str) -> list[str]:
    """Those of some names that are repositories and no folders of this machine."""
    return [name for name in names if name and not Path(name).exists()]


class _Run:
    """What the stages of one run share."""

    def __init__(self, recipe: Recipe, output: Path) -> None:
        keep_freed_memory()
        output.mkdir(parents=True, exist_ok=True)
        self.recipe, self.output = recipe, output
        self.state = PartialState(cpu=not torch.cuda.is_available())
        self.record = RunRecord(output / "run_record.json", recipe.to_dict())
        self.note(
            "lineage",
            base_model=_on_hub(recipe.language_model.base, recipe.motion_tokenizer),
            datasets=_on_hub(recipe.data.dataset),
        )

    def note(self, stage: str, **figures: Any) -> None:
        if self.state.is_main_process:
            self.record.stage(stage, **figures)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        self.say(f"{stage} ...")
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        before = self.record.content["stages"].get(stage, {}).get("seconds", 0.0)  # of a run that was stopped
        self.note(stage, seconds=round(before + seconds, 1))
        self.say(f"{stage} took {seconds:.0f} s")

    def say(self, text: str) -> None:
        if self.state.is_main_process:
            print(f"agir: {text}", file=sys.stderr, flush=True)

    def splits(self) -> dict[str, Split]:
        with self.timed("data"), self.state.main_process_first():
            self.data = load_rationale_dataset(self.recipe.data)
            splits = load_splits(self.recipe.data, workers=self.recipe.workers)
            people = {name: len({walk.subject_id for walk in split.walks}) for name, split in splits.items()}
            clips = {name: len(split.walks) for name, split in splits.items()}
            licences = sorted({one for split in self.data.values() for one in split.unique("licence")})
            self.note("data", sha256=data_sha256(self.data), clips=clips, people=people, licences=licences)
        return splits

    def motion_tokenizer(self, splits: dict[str, Split]) -> Path:
        home = self.output / "motion_tokenizer"
        if "joint_error_mm_mean" not in self.record.content["stages"].get("motion_tokenizer", {}):
            train = splits["train"]
            clips = [*train.features, *train.mirrored_features, *train.varied_features]
            if self.recipe.data.recordings:
                recorded = recordings_features(
                    self.recipe.data.recordings, copies=self.recipe.data.varied_copies, seed=self.recipe.seed
                )
                clips += recorded
            with self.timed("motion_tokenizer"):
                figures = train_motion_tokenizer(
                    self.recipe.tokenizer,
                    clips,
                    splits["validation"].features,
                    home,
                    people=[walk.subject_id for walk in splits["validation"].walks],
                    seed=self.recipe.seed,
                    log_every=self.recipe.log_every,
                )
            self.note("motion_tokenizer", **figures)
            if self.state.is_main_process:
                write_motion_tokenizer_card(home, self.record.content)
                shutil.copy(self.output / "run_record.json", home / "run_record.json")
                self.push(home, "-motion-tokenizer", "the motion tokenizer")
        return home

    def checkpoint(self, splits: dict[str, Split]) -> Path:
        recipe = self.recipe
        home: str | Path = recipe.motion_tokenizer or self.motion_tokenizer(splits)
        motion_tokenizer = AgirMotionTokenizer.from_pretrained(home)
        extractor = AgirFeatureExtractor.from_pretrained(home)
        with self.timed("motion_codes"):
            splits = {name: _encoded(split, motion_tokenizer, extractor) for name, split in splits.items()}
            codes = [walk.motion_codes for walk in splits["validation"].walks if walk.motion_codes is not None]
            self.note("motion_codes", validation_codes_used=len(np.unique(np.concatenate(codes))))
        model, tokenizer = self.language_stages(splits, motion_tokenizer.config)
        checkpoint = self.output / "checkpoint"
        if self.state.is_main_process:
            assemble(recipe, motion_tokenizer, extractor, model, tokenizer, checkpoint)
            with self.timed("calibration"):
                self.note("calibration", **calibrate(recipe, self.data["validation"], checkpoint))
            with self.timed("evaluation"):
                self.note("evaluation", **evaluate(recipe, splits["train"].walks, self.data["test"], checkpoint))
            self._beside(checkpoint)
            write_assessor_card(checkpoint, self.record.content)
            self.push(checkpoint, "", "the assessor")
            size = sum(p.stat().st_size for p in checkpoint.iterdir()) / 2**20
            self.say(f"{checkpoint} is whole ({size:.1f} MiB)")
        self.state.wait_for_everyone()
        return checkpoint

    def language_stages(self, splits: dict[str, Split], codes: AgirMotionTokenizerConfig) -> tuple[Any, Any]:
        """The trained language model, adapters merged, and its tokenizer."""
        recipe = self.recipe
        with self.state.main_process_first():
            rows = told_rows(splits["train"].walks, VOCABULARY_ROWS, seed=recipe.seed)
            tokenizer, vocabulary = text_side(
                recipe, splits["train"].walks, rows, self.output / "text_tokenizer", codes.codebook_size
            )
        model = language_model(recipe, tokenizer, vocabulary)
        self.note("language_model", parameters=model.num_parameters(), vocabulary=len(tokenizer))
        score_token_ids = label_token_ids(tokenizer, [str(score) for score in range(AgirConfig().num_scores)])
        adapted = bool(recipe.language_model.lora.rank)
        for stage in recipe.stages:
            home = self.output / stage
            if "eval_loss" in self.record.content["stages"].get(stage, {}):
                model = (
                    load_adapter_for_training(base_model(recipe, tokenizer), home)
                    if adapted
                    else AutoModelForCausalLM.from_pretrained(home, dtype=torch.float32)
                )
                continue
            with self.timed(stage):
                set_seed(recipe.seed)
                figures = train_stage(
                    model,
                    tokenizer,
                    stage_rows(stage, splits["train"], vocabulary, recipe.seed, described="describe" in recipe.stages),
                    getattr(recipe, stage),
                    output=home,
                    seed=recipe.seed,
                    eval_rows=stage_rows(stage, splits["validation"], vocabulary, recipe.seed, vary=False),
                    score_token_ids=score_token_ids if stage in SCORED_STAGES else (),
                    weigh_claims=stage != "describe",
                    weights=code_weights(vocabulary, len(tokenizer), codes.num_quantizers),
                    log_every=recipe.log_every,
                )
            if self.state.is_main_process:
                model.save_pretrained(home)
                tokenizer.save_pretrained(home)
                self.note(stage, **figures, processes=self.state.num_processes)
                remove_checkpoints(home)
                if adapted:
                    write_adapter_card(home, self.record.content, stage)
                    self.push(home, "-adapter", f"the adapter after {stage}")
            self.state.wait_for_everyone()
        return (merge_adapter(model) if adapted else model), tokenizer

    def push(self, folder: Path, ending: str, what: str) -> None:
        """Upload a folder to a private repository where the recipe names one; a failure does not cost the training."""
        if not self.recipe.push_to:
            return
        try:
            address, _ = push_staged(
                stage_tokenizer if ending == "-motion-tokenizer" else stage_model,
                str(folder),
                self.recipe.push_to + ending,
                message=f"{self.recipe.name}: {what}",
            )
            self.say(f"{what} is at {address}")
        except AgirError as error:
            self.say(f"{what} was not uploaded: {error}")

    def _beside(self, checkpoint: Path) -> None:
        """Record and logs, beside the weights."""
        shutil.copy(self.output / "run_record.json", checkpoint / "run_record.json")
        log = self.output / "motion_tokenizer" / "training_log.jsonl"
        if log.is_file():
            shutil.copy(log, checkpoint / "motion_tokenizer_log.jsonl")
        for stage in self.recipe.stages:
            shutil.copy(self.output / stage / "trainer_state.json", checkpoint / f"{stage}_log.json")


def stage_rows(
    stage: str,
    split: Split,
    vocabulary: MotionVocabulary,
    seed: int,
    *,
    vary: bool = True,
    described: bool = False,
) -> list[Row]:
    """The rows of a stage; without ``vary`` (for validation) each walk is shown as it is."""
    walks = split.walks
    if stage == "quote":
        return quote_rows(walks, seed=seed)
    if stage == "tell":
        return told_rows(walks, len(walks), seed=seed)
    if stage == "describe":
        return describe_rows(walks, vocabulary.codes_to_text, seed=seed, vary=vary)
    if stage == "settle":
        seed += ANOTHER_DRAW
    return assess_rows(walks, vocabulary.codes_to_text, seed=seed, vary=vary, described=described)


def _encoded(split: Split, model: AgirMotionTokenizer, extractor: AgirFeatureExtractor) -> Split:
    return split.with_codes(
        encode_clips(model, extractor, split.features), encode_clips(model, extractor, split.mirrored_features)
    )


def keep_freed_memory() -> None:
    """Have glibc keep the buffers of a step for the next one: giving them back and forth took a quarter of the time."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # the parameters of mallopt(3)
        libc.mallopt(mmap_threshold, 2**30)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 2**26)
