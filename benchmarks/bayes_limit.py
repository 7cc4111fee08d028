"""How well the scores of the deep simulated cohort can be told: by oracles, a random forest, a model. All simulated.

    python benchmarks/bayes_limit.py
    python benchmarks/bayes_limit.py --model agir-tiny

One table on the same test walks, one of each person: the severity oracle, the style oracle
(``agir_hf.evaluation.bayes_limit`` says what they know), a random forest on what ``measure_gait`` measures, a model if
one is named, and always the most frequent score. Before it, whether the style oracle has converged: its figures on
other validation people, who are cheap as no motion is made, for more and more people to learn from. 95 % intervals are
by bootstrap over people.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agir_hf.evaluation import (
    bootstrap_interval,
    macro_f1,
    macro_f1_of_table,
    quadratic_weighted_kappa,
    quadratic_weighted_kappa_of_table,
)
from agir_hf.evaluation.baselines import forest_scores
from agir_hf.evaluation.bayes_limit import (
    SCORES,
    Place,
    best_decisions,
    fit_style_oracle,
    scored_places,
    scores_at,
    severity_oracle,
)
from agir_hf.gait import measure_gait
from agir_hf.simulation import deep_cohort_walk

Scores = NDArray[np.int64]
MEASURES: tuple[tuple[Callable[[Scores, Scores], float], Callable[[NDArray], float]], ...] = (
    (lambda given, told: macro_f1(given, told, range(SCORES)), macro_f1_of_table),
    (lambda given, told: quadratic_weighted_kappa(given, told, SCORES), quadratic_weighted_kappa_of_table),
)


def measured(seed: int, place: Place) -> dict[str, Any]:
    """Measured parameters and simulated score of one walk."""
    walk, labels = deep_cohort_walk(seed, *place)
    return {"parameters": dict(measure_gait(walk.clip).values), "score": labels.score}


def cell(given: Scores, told: Scores, measure: Callable[[Scores, Scores], float]) -> str:
    """The figure with its interval."""
    low, high = bootstrap_interval(lambda i: measure(given[i], told[i]), np.arange(len(given)), resamples=1000)
    value, low, high = (round(number, 3) + 0.0 for number in (measure(given, told), low, high))  # no minus zero
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def row(name: str, given: Scores, told: Sequence[Scores]) -> None:
    """One line: what was told to make macro-F1 good, and what to make kappa good."""
    cells = [cell(given, scores, exact) for (exact, _), scores in zip(MEASURES, told, strict=True)]
    print(f"{name:52}{len(given):6d}   {'   '.join(cells)}", flush=True)


def oracle_rows(name: str, given: Scores, probabilities: NDArray) -> None:
    """Two lines: the most likely score, and the decision that is best for each measure in expectation."""
    row(f"{name}, most likely score", given, [probabilities.argmax(axis=1)] * 2)
    row(f"{name}, best decision", given, [best_decisions(probabilities, table) for _, table in MEASURES])


def head(title: str) -> None:
    print(f"\n{title}\n{'':52}{'walks':>6}   {'macro-F1':23}   quadratic weighted kappa")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=400, help="test people")
    parser.add_argument("--forest-people", type=int, default=1200, help="people the random forest learns from")
    parser.add_argument("--validation-people", type=int, default=6000)
    parser.add_argument("--style-people", type=int, nargs="+", default=[2000, 8000, 32000])
    parser.add_argument(
        "--seed", type=int, default=5, help="of the test people; the next two are the forest's, validation"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--model", help="also assess the test walks with this model")
    arguments = parser.parse_args()
    seed, forest_seed, validation_seed = (arguments.seed + step for step in range(3))

    validation = scored_places(validation_seed, arguments.validation_people)
    known = scores_at(validation_seed, validation)
    head("Simulated validation people")
    oracle_rows("severity oracle", known, severity_oracle(validation_seed, validation))
    for people in arguments.style_people:
        style = fit_style_oracle(people)
        oracle_rows(f"style oracle of {people} people", known, style.probabilities(validation_seed, validation))

    places = scored_places(seed, arguments.people)
    with ProcessPoolExecutor(arguments.workers) as pool:
        test = list(pool.map(partial(measured, seed), places, chunksize=10))
        learnt_from = scored_places(forest_seed, arguments.forest_people)
        train = list(pool.map(partial(measured, forest_seed), learnt_from, chunksize=10))
    given = np.array([walk["score"] for walk in test])
    head("Simulated test people, one walk each")
    oracle_rows("severity oracle", given, severity_oracle(seed, places))
    oracle_rows(f"style oracle of {style.people} people", given, style.probabilities(seed, places))
    row(f"random forest, measurements of {len(train)} people", given, [forest_scores(train, test, seed=0)] * 2)
    if arguments.model:
        from agir_hf.loading import load_pipeline

        clips = (deep_cohort_walk(seed, *place)[0].clip for place in places)
        results = list(load_pipeline(arguments.model)(clips, batch_size=16))
        answered = [i for i, result in enumerate(results) if not result["abstained"]]
        told = np.array([results[i]["score"] for i in answered])
        row(f"{arguments.model} (walks it did not abstain from)", given[answered], [told] * 2)
    frequent = np.bincount([walk["score"] for walk in train], minlength=SCORES).argmax()
    row(f"always {frequent}, the most frequent score", given, [np.full(len(given), frequent)] * 2)


if __name__ == "__main__":
    main()
