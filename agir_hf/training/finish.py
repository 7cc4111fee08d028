"""From trained parts to a checkpoint: put together, calibrated on validation people, measured on test people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..clip import MotionClip
from ..configuration_agir import AgirConfig
from ..errors import AgirError
from ..evaluation.baselines import random_forest
from ..evaluation.calibration import fit_temperature, negative_log_likelihood
from ..evaluation.simulated import assess_walks, score_figures
from ..feature_extraction_agir import AgirFeatureExtractor
from ..gait import PARAMETER_NAMES
from ..loading import load_pipeline
from ..modeling_agir import AgirForGaitAssessment
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer
from ..processing_agir import AgirProcessor
from .data import Walk, clips_of, evaluated_places
from .recipe import Recipe

if TYPE_CHECKING:
    from datasets import Dataset

SHUFFLED_WALKS = 100
LONGEST_MOTION_FRAMES = 256  # 12.8 s
MODES: dict[str, dict[str, bool]] = {"both": {}, "motion": {"evidence": False}, "evidence": {"motion": False}}


def assemble(
    recipe: Recipe,
    motion_tokenizer: AgirMotionTokenizer,
    feature_extractor: AgirFeatureExtractor,
    language_model: Any,
    tokenizer: Any,
    checkpoint: Path,
) -> None:
    """Put the parts together and save: the language model in bf16 on disk, declared fp32 so that a CPU runs it so."""
    # Where the parts lay while they were trained is nobody's business.
    motion_config, text_config = (
        {name: value for name, value in part.config.to_dict().items() if name != "_name_or_path"}
        for part in (motion_tokenizer, language_model)
    )
    config = AgirConfig(
        motion_config=motion_config,
        text_config=text_config,
        trained_on=recipe.data.config,
        max_motion_codes=LONGEST_MOTION_FRAMES // motion_tokenizer.config.frames_per_code,
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


def calibrate(recipe: Recipe, validation: Dataset, checkpoint: Path) -> dict[str, Any]:
    """Fit the temperature and the reconstruction limit on validation people and write them into the config."""
    places = evaluated_places(validation, recipe.evaluate_walks)
    clips, scores = clips_of(validation, places), [validation["score"][place] for place in places]
    assessor = load_pipeline(checkpoint)
    results = assess_walks(assessor, clips)
    pairs = [
        (score, np.log(np.maximum(list(result["probabilities"].values()), 1e-12)))
        for score, result in zip(scores, results, strict=True)
        if not result["abstained"]
    ]
    if not pairs:
        raise AgirError("no validation walk was recognised as walking: nothing to fit the temperature to")
    given, logits = np.array([g for g, _ in pairs]), np.stack([p for _, p in pairs])
    temperature = fit_temperature(given, logits)
    walk_mm = np.array([result["quality"]["reconstruction_mm"] for result in results])
    shuffled_mm = _shuffled_reconstruction_mm(assessor, clips[:SHUFFLED_WALKS], recipe.seed)
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


def _shuffled_reconstruction_mm(assessor: Any, clips: Sequence[MotionClip], seed: int) -> NDArray[np.floating]:
    """How well walks are reproduced whose frames are in random order: poses of walkers, but no movement of theirs."""
    rng = np.random.default_rng(seed)
    errors = []
    for clip in clips:
        joints = clip.joints_m[rng.permutation(clip.num_frames)]
        case = assessor.preprocess(clip.replace(joints_m=joints))["case"]
        errors.append(case.quality["reconstruction_mm"])
    return np.array(errors)


def evaluate(recipe: Recipe, train: Sequence[Walk], test: Dataset, checkpoint: Path) -> dict[str, Any]:
    """Figures on test people, beside a random forest on the same measured parameters."""
    places = evaluated_places(test, recipe.evaluate_walks)
    clips = clips_of(test, places)
    given, subjects = ([test[column][place] for place in places] for column in ("score", "subject_id"))
    assessor = load_pipeline(checkpoint)
    num_scores = assessor.model.config.num_scores
    figures: dict[str, Any] = {"people": recipe.data.config}
    for mode, options in MODES.items():
        figures[mode] = score_figures(given, assess_walks(assessor, clips, **options), subjects, num_scores=num_scores)
    known = [_row(walk) for walk in train if walk.score is not None]
    shown = [{"parameters": _values(test[place]), "score": test[place]["score"]} for place in places]
    figures["random_forest"] = random_forest(known, shown, num_scores=num_scores, seed=recipe.seed)
    single = {
        name: random_forest(known, shown, num_scores=num_scores, seed=recipe.seed, names=[name], trees=50)["macro_f1"]
        for name in PARAMETER_NAMES
    }
    figures["best_single_measure"] = max((value, name) for name, value in single.items())
    return figures


def _row(walk: Walk) -> dict[str, Any]:
    return {"parameters": walk.measured.values, "score": walk.score}


def _values(row: dict[str, Any]) -> dict[str, float | None]:
    return {name: row["gait_parameters"][name]["value"] for name in PARAMETER_NAMES}
