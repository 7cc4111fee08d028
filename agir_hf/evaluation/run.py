"""One evaluation: a model and its baselines on the folds of a protocol, and everything else that a report holds.

    agir evaluate --model agir-tiny --data runs/gait_dataset --protocol split --output runs/evaluation
    agir evaluate --model agir-tiny --data clinical_recordings     # a folder with metadata.csv: healthy or not

Nothing is fitted on test walks. The model is used as it is, whatever the fold; baselines learn from each fold's
training side.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import AgirError
from ..loading import load_pipeline
from .abstaining import spoiled_figures
from .agreement import RESAMPLES, Told, agreement
from .cohort import METADATA, NO_SCORE, Cohort, load_cohort
from .metrics import expected_calibration_error, quadratic_weighted_kappa, risk_coverage_curve
from .protocols import Fold, folds
from .rationales import rationale_figures
from .reconstruction import rebuilt, reconstruction_figures
from .recordings import folder_name, healthy_or_not, quiet_figures, read_recordings
from .systems import BASELINES, MODES, SLOW, Bench, probabilities_of

VERSION = 1
SHOWN_MEASURES = (
    *("walking_speed_mps", "stride_length_m", "cadence_spm"),
    *("arm_swing_left_deg", "foot_strike_angle_left_deg", "turn_duration_180_s"),
)
QUICK_WALKS, QUICK_SPOILED, QUICK_RESAMPLES = 24, 18, 200


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated.

    Attributes:
        model: a packaged checkpoint, a folder or a Hub repository.
        data: a rationale dataset, or a folder of motion files with ``metadata.csv``.
        config: configuration of the dataset.
        protocol: one of ``protocols.PROTOCOLS``.
        walks: test walks at most, everybody's first ones first; 0 for all.
        train_walks: walks that baselines on the motion learn from at most; 0 for all.
        recordings: folders of real walks beside it: how many are answered, clips of no walk made of them, and, where a
            ``metadata.csv`` has diagnoses, whether the score tells them.
        spoiled: clips made into no walk; half of recordings where there are some.
        rationales: sampled for self-consistency, on ``consistency_walks`` walks; below 2 it is left out.
        also: other models beside it, name -> where, such as one without stage 1.
        quick: few walks and none of the slow baselines, to see that everything runs.
    """

    model: str
    data: str
    revision: str | None = None
    config: str = "simulated"
    protocol: str = "split"
    walks: int = 400
    train_walks: int = 4000
    recordings: tuple[str, ...] = ()
    spoiled: int = 200
    rationales: int = 5
    consistency_walks: int = 100
    also: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    quick: bool = False


def evaluate(plan: Evaluation) -> dict[str, Any]:
    """The report as JSON takes it; ``report_files`` writes it.

    Raises:
        AgirError: the model, data or protocol is not there or does not fit.
    """
    started = time.perf_counter()
    cohort = load_cohort(plan.data, plan.config)
    assessor = load_pipeline(plan.model, revision=plan.revision)
    report: dict[str, Any] = {
        "agir_evaluation": VERSION,
        "model": assessor.model_name,
        "trained_on": assessor.model.config.trained_on,
        "data": cohort.name,
        "simulated": cohort.simulated,
        "protocol": plan.protocol,
        "seed": plan.seed,
        "quick": plan.quick,
    }
    if (cohort.scores == NO_SCORE).all():
        report |= _unscored(plan, cohort, assessor)
    else:
        report |= _scored(plan, cohort, assessor)
    report["seconds"] = round(time.perf_counter() - started, 1)
    return report


def _scored(plan: Evaluation, cohort: Cohort, assessor: Any) -> dict[str, Any]:
    num_scores = assessor.model.config.num_scores
    resamples = QUICK_RESAMPLES if plan.quick else RESAMPLES
    limit = QUICK_WALKS if plan.quick else plan.walks
    parts = [_shortened(fold, cohort, limit, plan.train_walks) for fold in _scored_folds(plan.protocol, cohort)]
    tested = np.concatenate([part.test for part in parts])
    given, people = cohort.scores[tested], cohort.walks.people()[tested]
    in_fold = np.repeat(np.arange(len(parts)), [len(part.test) for part in parts])
    models = {"": assessor, **{name: load_pipeline(where) for name, where in plan.also.items()}}
    for name, model in models.items():
        if (own := model.model.config.num_scores) != num_scores:
            raise AgirError(f"expected {num_scores} scores of every model, found {own} of '{name}'")
    if (highest := int(given.max())) >= num_scores:
        raise AgirError(f"expected scores 0 to {num_scores - 1}, which the model tells, found {highest} in the data")
    bench = Bench(cohort, assessor, num_scores, plan.seed)
    told: dict[str, Told] = {}
    for name, system in BASELINES.items():
        if plan.quick and name in SLOW:
            continue
        _say(name)
        told[name] = Told(given, np.concatenate([system(bench, part) for part in parts]), people, in_fold)
    # A walk may be tested in several folds; the model, which is the same in all, sees it once.
    once, back = np.unique(tested, return_inverse=True)
    main: list[dict[str, Any]] = []
    for model_name, model in models.items():
        for mode, options in MODES.items():
            name = mode.replace("AGIR", model_name) if model_name else mode
            _say(name)
            results = list(model((cohort.read(i) for i in once.tolist()), batch_size=16, **options))
            told[name] = Told(given, probabilities_of(results, num_scores)[back], people, in_fold)
            if not model_name and not options:
                main = results
    _say("motion codes")
    clips = [cohort.read(i) for i in once[: 20 if plan.quick else 100].tolist()]
    tokenizer = assessor.model.motion_tokenizer
    codes = [rebuilt(tokenizer, assessor.feature_extractor, clip) for clip in clips]
    figures: dict[str, Any] = {
        "test_walks": len(tested),
        "test_subjects": len(set(people.tolist())),
        "folds": [{"name": part.name, "train_walks": len(part.train), "test_walks": len(part.test)} for part in parts],
        "main_system": next(iter(MODES)),
        "systems": {name: agreement(one, resamples=resamples) for name, one in told.items()},
        "risk_coverage": {name: _curve(told[name]) for name in MODES if told[name].answered.any()},
        "rationales": rationale_figures(main, [cohort.rationales[i] for i in once.tolist()]),
        "reconstruction": reconstruction_figures(codes, tokenizer.config.codebook_size),
        "measures_by_score": _measures(cohort, tested),
        **_beside(plan, assessor, clips),
    }
    if plan.rationales > 1 and not plan.quick:
        _say("several rationales")
        figures["self_consistency"] = _self_consistency(plan, cohort, assessor, once, main, num_scores)
    return figures


def _unscored(plan: Evaluation, cohort: Cohort, assessor: Any) -> dict[str, Any]:
    """People with a diagnosis and no score: does the expected score tell the healthy from the others?"""
    if not any(cohort.diagnoses):
        raise AgirError(f"expected scores or diagnoses in {cohort.name}, found neither")
    if plan.also or plan.recordings or plan.protocol != Evaluation.protocol:
        raise AgirError(
            f"expected scores in {cohort.name} for --protocol, --also and --recordings, found diagnoses only"
        )
    _say(f"people of {cohort.name}")
    results = _assessed(cohort, assessor)
    return {
        "test_walks": len(cohort),
        "test_subjects": len(set(cohort.walks.people().tolist())),
        "main_system": next(iter(MODES)),
        "systems": {},
        "diagnoses": {cohort.name: _diagnosed(cohort, results)},
        "rationales": rationale_figures(results, [""] * len(results)),
    }


def _assessed(cohort: Cohort, assessor: Any) -> list[dict[str, Any]]:
    return list(assessor((cohort.read(i) for i in range(len(cohort))), batch_size=16))


def _diagnosed(cohort: Cohort, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "walks": len(results),
        "abstained": sum(result["abstained"] for result in results),
        "auroc": healthy_or_not(cohort, results),
    }


def _beside(plan: Evaluation, assessor: Any, own_clips: Sequence[MotionClip]) -> dict[str, Any]:
    """What is no walk, half of it made from recordings where there are some, and how recordings fare themselves."""
    count = QUICK_SPOILED if plan.quick else plan.spoiled
    sources = {"test people": own_clips}
    figures: dict[str, Any] = {}
    if plan.recordings:
        _say("recordings")
        recordings, unread = read_recordings(plan.recordings)
        figures["recordings"] = {**quiet_figures(assessor, recordings), "files_not_read": unread}
        # One of each folder in turn, so that a few spoiled clips have seen them all.
        turns = zip_longest(*recordings.values())
        sources["recordings"] = [clip for turn in turns for clip in turn if clip is not None]
        cohorts = {
            folder_name(folder, plan.recordings): load_cohort(folder)
            for folder in plan.recordings
            if (Path(folder) / METADATA).is_file()
        }
        figures["diagnoses"] = {
            name: _diagnosed(cohort, _assessed(cohort, assessor))
            for name, cohort in cohorts.items()
            if any(cohort.diagnoses)
        }
    _say("clips that are no walk")
    figures["spoiled"] = {
        source: spoiled_figures(assessor, clips, count=count // len(sources), seed=plan.seed)
        for source, clips in sources.items()
    }
    return figures


def _scored_folds(protocol: str, cohort: Cohort) -> list[Fold]:
    """The folds of the walks that have a score."""
    known = np.flatnonzero(cohort.scores != NO_SCORE)
    return [
        Fold(one.name, known[one.train], known[one.test], cohort.walks)
        for one in folds(protocol, cohort.walks.only(known))
    ]


def _shortened(fold: Fold, cohort: Cohort, test: int, train: int) -> Fold:
    return Fold(fold.name, cohort.first_walks(fold.train, train), cohort.first_walks(fold.test, test), fold.walks)


def _curve(told: Told) -> dict[str, list[float]]:
    answered = told.only(told.answered)
    wrong = answered.probabilities.argmax(axis=1) != answered.given
    coverage, risk = risk_coverage_curve(wrong, answered.probabilities.max(axis=1))
    return {"coverage": np.round(coverage, 4).tolist(), "risk": np.round(risk, 4).tolist()}


def _measures(cohort: Cohort, places: NDArray[np.int64]) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for name in SHOWN_MEASURES:
        by_score: dict[str, list[float]] = {}
        for place in np.unique(places).tolist():
            value = cohort.parameters[place][name]
            if value is not None:
                by_score.setdefault(str(cohort.scores[place]), []).append(round(float(value), 4))
        found[name] = dict(sorted(by_score.items()))
    return found


def _self_consistency(
    plan: Evaluation,
    cohort: Cohort,
    assessor: Any,
    places: NDArray[np.int64],
    single: Sequence[dict[str, Any]],
    num_scores: int,
) -> dict[str, Any]:
    """What averaging over rationales, and the temperature, buy in QWK and ECE on the same walks."""
    some = places[: plan.consistency_walks]
    several = list(assessor((cohort.read(i) for i in some.tolist()), batch_size=8, num_rationales=plan.rationales))
    one, many = (probabilities_of(results, num_scores) for results in (list(single[: len(some)]), several))
    both = np.isfinite(one).all(1) & np.isfinite(many).all(1)
    if not both.any():
        return {"walks": 0}
    given, one, many = cohort.scores[some][both], one[both], many[both]
    raw = one**assessor.model.config.score_temperature
    raw /= raw.sum(axis=1, keepdims=True)
    rows = {"one rationale, no temperature": raw, "one rationale": one, f"{plan.rationales} rationales": many}
    return {
        "walks": int(both.sum()),
        **{
            name: {
                "qwk": round(quadratic_weighted_kappa(given, told.argmax(1), num_scores), 4),
                "ece": round(expected_calibration_error(given, told), 4),
            }
            for name, told in rows.items()
        },
    }


def _say(what: str) -> None:
    print(f"agir: {what} ...", file=sys.stderr, flush=True)


def read_report(path: str | Path) -> dict[str, Any]:
    """A ``report.json``, or that of a folder.

    Raises:
        AgirError: it is none.
    """
    import json

    found = Path(path)
    found = found / "report.json" if found.is_dir() else found
    try:
        report = json.loads(found.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AgirError(f"expected a report of 'agir evaluate' at {found}, found: {error}") from error
    if not isinstance(report, dict) or report.get("agir_evaluation") != VERSION:
        raise AgirError(f"expected a report of 'agir evaluate', version {VERSION}, at {found}, found something else")
    return report
