"""``agir train tiny``: the packaged checkpoint from nothing, on simulated people, with fixed seeds.

    agir train tiny                    # over an hour on two CPU cores
    agir train tiny --smoke            # minutes, to see that it runs
    agir train tiny tokenizer.steps=200 assess.epochs=0.5

The way through: simulate and measure people -> motion tokenizer -> motion codes -> quoting and telling (a warm-up:
numbers and relations are read off evidence) -> stage 1 (motion <-> description) -> stage 2 (evidence and motion ->
rationale -> score) -> temperature and thresholds on validation people -> figures on test people -> checkpoint and card.
Every stage leaves its result under the output folder; a run that was stopped starts again after the last whole stage.
"""

from __future__ import annotations

import ctypes
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoModelForCausalLM,
    Lfm2Config,
    Lfm2ForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    set_seed,
)

from ..configuration_agir import AgirConfig
from ..errors import AgirError
from ..evaluation.baselines import random_forest
from ..evaluation.calibration import fit_temperature, negative_log_likelihood
from ..evaluation.simulated import assess_walks, score_figures, simulated_walks
from ..feature_extraction_agir import AgirFeatureExtractor
from ..gait import PARAMETER_NAMES
from ..hub.card import write_assessor_card
from ..modeling_agir import AgirForGaitAssessment
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer
from ..motion_vocabulary import MotionVocabulary, label_token_ids
from ..pipeline_agir import load_pipeline
from ..processing_agir import AgirProcessor
from ..rationale import SCORE_PREFIX, render_prompt
from ..simulation import SimulatedWalk
from .cohort import CohortSplit, build_cohort, data_hash, person_range
from .motion_tokenizer import encode_split, train_motion_tokenizer
from .recipe import DecoderRecipe, TinyRecipe
from .run_record import RunRecord
from .sft import assess_prompt, assess_rows, describe_rows, quote_rows, told_rows, train_stage
from .text_tokenizer import start_number_embeddings, train_text_tokenizer

# Stages of the language model: the warm-up of one that starts from nothing, then those of AGIR.
STAGES = ("quote", "tell", "describe", "assess")


@contextmanager
def _timed(record: RunRecord, stage: str) -> Iterator[None]:
    print(f"agir: {stage} ...", file=sys.stderr, flush=True)
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    before = record.content["stages"].get(stage, {}).get("seconds", 0.0)  # of a run that was stopped
    record.stage(stage, seconds=round(before + seconds, 1))
    print(f"agir: {stage} took {seconds:.0f} s", file=sys.stderr, flush=True)


def _keep_freed_memory() -> None:
    """Have glibc keep the buffers of a step for the next one: giving them back and forth took a quarter of the time."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # the parameters of mallopt(3)
        libc.mallopt(mmap_threshold, 2**30)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 2**26)


def train_tiny(recipe: TinyRecipe, output: Path) -> Path:
    """Run the whole recipe.

    Returns:
        the folder of the finished checkpoint, ``output/checkpoint``.
    """
    _keep_freed_memory()
    output.mkdir(parents=True, exist_ok=True)
    record = RunRecord(output / "run_record.json", recipe.to_dict())
    with _timed(record, "cohort"):
        splits = build_cohort(recipe.cohort, output, workers=recipe.workers)
        record.stage("cohort", data_sha256=data_hash(splits), clips={k: len(v.rows) for k, v in splits.items()})

    home = output / "motion_tokenizer"
    if not (home / "model.safetensors").is_file():
        with _timed(record, "motion_tokenizer"):
            set_seed(recipe.seed)
            figures = train_motion_tokenizer(
                recipe.tokenizer, splits["train"], splits["validation"], home, seed=recipe.seed
            )
            record.stage("motion_tokenizer", **figures)
    motion_tokenizer = AgirMotionTokenizer.from_pretrained(home)
    feature_extractor = AgirFeatureExtractor.from_pretrained(home)

    with _timed(record, "motion_codes"):
        codes = {k: encode_split(motion_tokenizer, feature_extractor, v) for k, v in splits.items()}
        used = np.unique(np.concatenate(codes["validation"]))
        record.stage("motion_codes", validation_codes_used=len(used))

    tokenizer, vocabulary = _text_side(recipe, splits["train"], output / "text_tokenizer", motion_tokenizer)
    motions = {k: [vocabulary.codes_to_text(c) for c in codes[k]] for k in codes}
    language_model: PreTrainedModel = _language_model(recipe.decoder, tokenizer, recipe.seed)
    record.stage("language_model", parameters=language_model.num_parameters(), vocabulary=len(tokenizer))
    score_token_ids = label_token_ids(tokenizer, [str(score) for score in range(AgirConfig().num_scores)])

    def stage_rows(stage: str, split: str) -> list[dict[str, str]]:
        rows = splits[split].rows
        if stage == "quote":
            return quote_rows(rows, seed=recipe.seed)
        if stage == "tell":
            return told_rows(rows, len(rows), seed=recipe.seed)
        make = describe_rows if stage == "describe" else assess_rows
        return make(rows, motions[split], seed=recipe.seed)

    for stage in STAGES:
        home = output / stage
        if not (home / "model.safetensors").is_file():
            with _timed(record, stage):
                set_seed(recipe.seed)
                figures = train_stage(
                    language_model,
                    tokenizer,
                    stage_rows(stage, "train"),
                    getattr(recipe, stage),
                    output=home,
                    seed=recipe.seed,
                    eval_rows=stage_rows(stage, "validation"),
                    score_token_ids=score_token_ids if stage == "assess" else (),
                    weigh_claims=stage != "describe",
                )
                record.stage(stage, **figures)
                language_model.save_pretrained(home)
        language_model = AutoModelForCausalLM.from_pretrained(home, dtype=torch.float32)

    checkpoint = output / "checkpoint"
    _assemble(recipe, motion_tokenizer, feature_extractor, language_model, tokenizer, checkpoint)
    with _timed(record, "calibration"):
        record.stage("calibration", **_calibrate(recipe, checkpoint))
    with _timed(record, "evaluation"):
        record.stage("evaluation", **_evaluate(recipe, splits, checkpoint))
    shutil.copy(output / "run_record.json", checkpoint / "run_record.json")
    shutil.copy(output / "motion_tokenizer" / "training_log.jsonl", checkpoint / "motion_tokenizer_log.jsonl")
    for stage in STAGES:
        shutil.copy(output / stage / "trainer_state.json", checkpoint / f"{stage}_log.json")
    write_assessor_card(checkpoint, record.content)
    size = sum(p.stat().st_size for p in checkpoint.iterdir()) / 2**20
    print(f"agir: {checkpoint} is whole ({size:.1f} MiB)", file=sys.stderr)
    return checkpoint


def _text_side(
    recipe: TinyRecipe, train: CohortSplit, home: Path, motion_tokenizer: AgirMotionTokenizer
) -> tuple[PreTrainedTokenizerFast, MotionVocabulary]:
    if (home / "tokenizer.json").is_file():
        tokenizer = PreTrainedTokenizerFast.from_pretrained(home)
        return tokenizer, MotionVocabulary.from_tokenizer(tokenizer)
    # Prompts are fitted without their motion: motion tokens are whole tokens of their own.
    texts = chain.from_iterable(
        [
            render_prompt("quote", evidence=row["evidence"]),
            render_prompt("tell", evidence=row["evidence"]),
            assess_prompt(row, "", "both"),
            *row["descriptions"],
            *row["rationales"],
            row["rationale_words"],
            SCORE_PREFIX,
        ]
        for row in train.rows[:4000]
    )
    tokenizer = train_text_tokenizer(texts, vocabulary=recipe.decoder.text_vocabulary)
    vocabulary = MotionVocabulary.add_to_tokenizer(tokenizer, motion_tokenizer.config.codebook_size)
    tokenizer.save_pretrained(home)
    return tokenizer, vocabulary


def _language_model(recipe: DecoderRecipe, tokenizer: PreTrainedTokenizerFast, seed: int) -> Lfm2ForCausalLM:
    """A small LFM2 with random weights: short convolutions and attention by turns.

    Copying is what a decoder that starts from nothing learns last, so it starts near it. The convolutions tell a number
    what stands before it ("left arm swing 12"), which attention alone takes long to learn. Attention hands on what it
    looks at as it is: few wide heads, each with value and output projections that start at the identity.
    """
    set_seed(seed)
    model = Lfm2ForCausalLM(
        Lfm2Config(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden_size,
            intermediate_size=recipe.intermediate_size,
            block_auto_adjust_ff_dim=False,
            conv_L_cache=recipe.convolution_length,
            num_hidden_layers=recipe.layers,
            layer_types=["full_attention" if layer % 2 else "conv" for layer in range(recipe.layers)],
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            max_position_embeddings=recipe.max_positions,
            initializer_range=recipe.initializer_range,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )
    start_number_embeddings(model, tokenizer)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("self_attn.v_proj.weight", "self_attn.out_proj.weight")):
                parameter.add_(torch.eye(len(parameter)))
    return model


def _assemble(
    recipe: TinyRecipe,
    motion_tokenizer: AgirMotionTokenizer,
    feature_extractor: AgirFeatureExtractor,
    language_model: Any,
    tokenizer: PreTrainedTokenizerFast,
    checkpoint: Path,
) -> None:
    """Put the parts together and save: the decoder in bf16 on disk, declared fp32 so that a CPU runs it in fp32."""
    config = AgirConfig(
        motion_config=motion_tokenizer.config.to_dict(),
        text_config=language_model.config.to_dict(),
        trained_on="simulated",
    )
    model = AgirForGaitAssessment(config)
    processor = AgirProcessor(feature_extractor=feature_extractor, tokenizer=tokenizer)
    processor.attach(model)
    model.motion_tokenizer.load_state_dict(motion_tokenizer.state_dict())
    model.language_model.load_state_dict(language_model.state_dict())
    model.language_model.to(torch.bfloat16)
    # A trainer switches the cache off and leaves it so.
    for config_with_cache in (model.generation_config, model.language_model.generation_config):
        config_with_cache.use_cache = True
    model.save_pretrained(checkpoint)
    saved = AgirConfig.from_pretrained(checkpoint)
    saved.dtype = "float32"
    saved.get_text_config().dtype = "float32"
    saved.save_pretrained(checkpoint)
    processor.save_pretrained(checkpoint)


def _calibrate(recipe: TinyRecipe, checkpoint: Path) -> dict[str, Any]:
    """Fit the temperature and the reconstruction limit on validation people and write them into the config."""
    cohort = recipe.cohort
    walks = simulated_walks(
        cohort.seed, person_range(cohort, "validation"), cohort.walks_per_person, limit=recipe.evaluate_walks
    )
    assessor = load_pipeline(checkpoint)
    results = assess_walks(assessor, walks)
    pairs = [
        (walk.score, np.log(np.maximum(list(result["probabilities"].values()), 1e-12)))
        for walk, result in zip(walks, results, strict=True)
        if not result["abstained"]
    ]
    if not pairs:
        raise AgirError("no simulated validation walk was recognised as walking: nothing to fit the temperature to")
    given, logits = np.array([g for g, _ in pairs]), np.stack([p for _, p in pairs])
    temperature = fit_temperature(given, logits)
    walk_mm = np.array([result["quality"]["reconstruction_mm"] for result in results])
    shuffled_mm = _shuffled_reconstruction_mm(assessor, walks[:100], recipe.seed)
    config = AgirConfig.from_pretrained(checkpoint)
    config.score_temperature = round(temperature, 4)
    # A walk reproduced no better than frames in random order is not what the codes were made for. Recordings of real
    # people are reproduced less well than simulated ones, so the limit does not lean on the latter.
    config.max_reconstruction_mm = round(float(np.percentile(shuffled_mm, 5)), 1)
    config.save_pretrained(checkpoint)
    return {
        "walks": len(pairs),
        "score_temperature": config.score_temperature,
        "nll_before": round(negative_log_likelihood(given, logits), 4),
        "nll_after": round(negative_log_likelihood(given, logits, temperature), 4),
        "max_reconstruction_mm": config.max_reconstruction_mm,
        "walks_reconstruction_mm_p99": round(float(np.percentile(walk_mm, 99)), 1),
        "shuffled_reconstruction_mm_p5": round(float(np.percentile(shuffled_mm, 5)), 1),
    }


def _shuffled_reconstruction_mm(assessor: Any, walks: list[SimulatedWalk], seed: int) -> NDArray[np.floating]:
    """How well walks are reproduced whose frames are in random order: poses of walkers, but no movement of theirs."""
    rng = np.random.default_rng(seed)
    errors = []
    for walk in walks:
        joints = walk.clip.joints_m[rng.permutation(walk.clip.num_frames)]
        case = assessor.preprocess(walk.clip.replace(joints_m=joints))["case"]
        errors.append(case.quality["reconstruction_mm"])
    return np.array(errors)


def _evaluate(recipe: TinyRecipe, splits: dict[str, CohortSplit], checkpoint: Path) -> dict[str, Any]:
    """Figures on simulated test people, beside a random forest on the same measured parameters."""
    cohort = recipe.cohort
    walks = simulated_walks(
        cohort.seed, person_range(cohort, "test"), cohort.walks_per_person, limit=recipe.evaluate_walks
    )
    given = [w.score for w in walks if w.score is not None]  # of this cohort, every walk has one
    subjects = [w.subject_id for w in walks]
    assessor = load_pipeline(checkpoint)
    num_scores = assessor.model.config.num_scores
    figures: dict[str, Any] = {"people": "simulated"}
    for mode, options in {"both": {}, "motion": {"evidence": False}, "evidence": {"motion": False}}.items():
        figures[mode] = score_figures(given, assess_walks(assessor, walks, **options), subjects, num_scores=num_scores)
    shown = {walk.clip_id for walk in walks}
    test_rows = [row for row in splits["test"].rows if row["clip_id"] in shown]
    figures["random_forest"] = random_forest(splits["train"].rows, test_rows, num_scores=num_scores, seed=recipe.seed)
    single = {
        name: random_forest(
            splits["train"].rows, test_rows, num_scores=num_scores, seed=recipe.seed, names=[name], trees=50
        )["macro_f1"]
        for name in PARAMETER_NAMES
    }
    figures["best_single_measure"] = max((value, name) for name, value in single.items())
    return figures
