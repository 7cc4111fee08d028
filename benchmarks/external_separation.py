"""Does the estimated score separate healthy walkers from people with a disorder, in recordings the model never saw?

    python benchmarks/external_separation.py ../shared/data/clinical_bvh

The folder holds motion files and a ``metadata.csv`` (``file_name,subject_id,diagnosis``). One figure a subject (the
mean over its walks); area under the ROC curve for ``expected_score`` and, in one run, for walking speed alone, each
with a bootstrap interval over subjects drawn within their group. Every run adds a line to ``external_log.csv``: the
folder is for validation, no choice may be made on it. With few healthy people this is separation, not diagnosis.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from agir_hf.evaluation import auroc, bootstrap_interval
from agir_hf.pipeline_agir import load_pipeline
from agir_hf.training.run_record import git_commit

LOG = Path(__file__).with_name("external_log.csv")
HEALTHY = "healthy"


def by_subject(rows: list[dict[str, str]], results: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(S,) disorder or not, mean expected score and mean walking speed of each subject that was not abstained from."""
    table: dict[str, list[tuple[float, float, float]]] = {}
    for row, result in zip(rows, results, strict=True):
        if not result["abstained"]:
            disorder = float(HEALTHY not in row["diagnosis"].lower())
            speed = result["gait_parameters"]["walking_speed_mps"]
            table.setdefault(row["subject_id"], []).append((disorder, result["expected_score"], speed))
    means = np.array([np.mean(values, axis=0) for values in table.values()])
    return means[:, 0].astype(bool), means[:, 1], means[:, 2]


def separation(disorder: np.ndarray, ranking: np.ndarray) -> tuple[float, float, float]:
    """AUROC with its 95 % bootstrap interval."""
    low, high = bootstrap_interval(
        lambda i: auroc(disorder[i], ranking[i]), np.arange(len(disorder)), strata=disorder, resamples=2000
    )
    return auroc(disorder, ranking), low, high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="agir-tiny")
    parser.add_argument("--note", default="", help="why this run was made; goes into the log")
    options = parser.parse_args()
    with (options.folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assessor = load_pipeline(options.model)
    results = list(assessor([str(options.folder / row["file_name"]) for row in rows], batch_size=8))
    disorder, expected, speed = by_subject(rows, results)
    score, alone = separation(disorder, expected), separation(disorder, -speed)
    claims = sum(result["grounding"]["claims"] for result in results)
    supported = sum(result["grounding"]["supported"] for result in results)
    line = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": git_commit(Path(__file__).parent),
        "model": options.model if options.model == "agir-tiny" else Path(options.model).name,
        "walks": len(rows),
        "abstained": sum(result["abstained"] for result in results),
        "subjects": len(disorder),
        "healthy": int((~disorder).sum()),
        "auroc_expected_score": round(score[0], 3),
        "auroc_interval_95": f"{score[1]:.3f} to {score[2]:.3f}",
        "auroc_speed_alone": round(alone[0], 3),
        "speed_interval_95": f"{alone[1]:.3f} to {alone[2]:.3f}",
        "claims": claims,
        "claims_supported": supported,
        "note": options.note,
    }
    new = not LOG.exists()
    with LOG.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(line))
        if new:
            writer.writeheader()
        writer.writerow(line)
    print(json.dumps(line, indent=1))


if __name__ == "__main__":
    main()
