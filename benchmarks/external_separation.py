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

from agir_hf.evaluation.cohort import load_cohort
from agir_hf.evaluation.recordings import healthy_or_not
from agir_hf.loading import load_pipeline
from agir_hf.training.run_record import git_commit

LOG = Path(__file__).with_name("external_log.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="agir-tiny")
    parser.add_argument("--note", default="", help="why this run was made; goes into the log")
    options = parser.parse_args()
    cohort = load_cohort(str(options.folder))
    assessor = load_pipeline(options.model)
    results = list(assessor((cohort.read(place) for place in range(len(cohort))), batch_size=8))
    rows = healthy_or_not(cohort, results)
    score, speed = (next(r for r in rows if r["ranking"] == name) for name in ("expected score", "walking speed alone"))
    line = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": git_commit(Path(__file__).parent),
        "model": options.model if options.model == "agir-tiny" else Path(options.model).name,
        "walks": len(results),
        "abstained": sum(result["abstained"] for result in results),
        "subjects": score["subjects"],
        "healthy": score["healthy"],
        "auroc_expected_score": round(score["value"], 3),
        "auroc_interval_95": "{:.3f} to {:.3f}".format(*score["interval_95"]),
        "auroc_speed_alone": round(speed["value"], 3),
        "speed_interval_95": "{:.3f} to {:.3f}".format(*speed["interval_95"]),
        "claims": sum(result["grounding"]["claims"] for result in results),
        "claims_supported": sum(result["grounding"]["supported"] for result in results),
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
