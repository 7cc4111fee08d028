"""Stage 1 backwards: motion written for a description, decoded and measured. Does it do what was asked for?

    python benchmarks/description_to_motion.py runs/gait_dataset --model agir-tiny

Descriptions are those of simulated test people. For each measure, over the descriptions that name its number: rank
correlation of the number asked for and the number measured on the motion written, with a bootstrap interval, and for
how many it could be measured. For comparison, the same for the walks themselves after codes and back: what the codes
let through.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.stats import spearmanr

from agir_hf import MotionClip
from agir_hf.evaluation import bootstrap_interval
from agir_hf.gait import measure_gait
from agir_hf.loading import load_pipeline
from agir_hf.motion_writing import write_motions
from agir_hf.rationale import StoredParameters
from agir_hf.rationale.measures import BY_NAME, printed
from agir_hf.training.data import clips_of, load_rationale_dataset
from agir_hf.training.recipe import DataRecipe

MEASURES = ("walking_speed_mps", "cadence_spm", "stride_length_m", "arm_swing_left_deg", "arm_swing_right_deg")
BATCH = 16


def correlation(asked: np.ndarray, got: np.ndarray) -> str:
    def rank(i: np.ndarray) -> float:
        return float(spearmanr(asked[i], got[i]).statistic)

    low, high = bootstrap_interval(rank, np.arange(len(asked)), resamples=1000)
    return f"{rank(np.arange(len(asked))):.2f} ({low:.2f} to {high:.2f}), {len(asked)} walks"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--model", default="agir-tiny")
    parser.add_argument("--walks", type=int, default=200)
    parser.add_argument("--temperature", type=float, default=1.0)
    options = parser.parse_args()
    assessor = load_pipeline(options.model)
    model, processor = assessor.model, assessor.processor
    data = load_rationale_dataset(DataRecipe(dataset=options.dataset, test_clips=options.walks))["test"]
    asked = [StoredParameters.from_row(row) for row in data.remove_columns(["joints_m"])]
    texts = list(data["description"])
    written: list[MotionClip] = []
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        codes = write_motions(model, processor, batch, temperature=options.temperature)
        written += [processor.decode_motion(one) for one in codes]
    decoded = [processor.decode_motion(processor.encode_motion(clip)) for clip in clips_of(data, range(len(data)))]
    print(f"{len(texts)} descriptions; motions written last {np.median([clip.duration_s for clip in written]):.1f} s")
    measured = {
        name: [measure_gait(clip).values for clip in clips]
        for name, clips in (("written", written), ("codes and back", decoded))
    }
    for measure in MEASURES:
        for name, values in measured.items():
            pairs = [
                (own.values[measure], got[measure])
                for own, text, got in zip(asked, texts, values, strict=True)
                if own.values[measure] is not None
                and got[measure] is not None
                and str(printed(own, BY_NAME[measure])) in text
            ]
            print(f"{measure:22} {name:15} {correlation(*np.array(pairs, dtype=float).T)}", flush=True)


if __name__ == "__main__":
    main()
