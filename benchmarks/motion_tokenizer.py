"""What is lost when real recordings go through the motion tokenizer: codes and back.

    python benchmarks/motion_tokenizer.py ../shared/data/clinical_bvh ../shared/data/style_walk_bvh \\
        ../shared/data/lab_walk_c3d --model agir-tiny --t2m-gpt runs/t2m_gpt

For each model and folder, against the recording on the canonical skeleton at 20 frames a second, over whole clips:

- joint error, root on root in each motion's own heading, and global (both start at the origin, facing +Z), in mm:
  mean over clips;
- codes used of all codes, beside how many codes there were to use them;
- how far walking speed, cadence and stride length measured on the reconstruction are from those measured on the
  recording: median over files of the absolute relative difference, and in how many files both could be measured.

Nothing may be trained on, or chosen by, the folders named here.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from t2m_gpt_tokenizer import T2MGPTTokenizer

from agir_hf import AgirFeatureExtractor, AgirMotionTokenizer, MotionClip, packaged_checkpoint, read_motion
from agir_hf.errors import AgirError
from agir_hf.gait import measure_gait
from agir_hf.motion.features import features_to_joints

SUFFIXES = {".bvh", ".c3d", ".trc", ".amc"}
MEASURES = {"walking_speed_mps": "speed", "cadence_spm": "cadence", "stride_length_m": "stride"}


@dataclass(frozen=True)
class Tokenizer:
    """A motion tokenizer and how it is fed."""

    name: str
    model: AgirMotionTokenizer
    extractor: AgirFeatureExtractor


@dataclass(frozen=True)
class Rebuilt:
    """One file after codes and back; ``relative`` holds what could be measured on both sides."""

    root_aligned_mm: float
    global_mm: float
    codes: NDArray[np.int64]
    relative: dict[str, float]


def load(name: str, kind: type[AgirMotionTokenizer] = AgirMotionTokenizer) -> Tokenizer:
    folder = Path(name)
    if not (folder / "config.json").is_file():
        folder = packaged_checkpoint(name)
    extractor = AgirFeatureExtractor.from_pretrained(folder)
    extractor.max_frames = None
    return Tokenizer(folder.name, kind.from_pretrained(folder).eval(), extractor)


def rebuilt(tokenizer: Tokenizer, clip: MotionClip) -> Rebuilt:
    """A recording through codes and back."""
    extractor = tokenizer.extractor
    features = extractor.normalize(extractor.raw_features(clip))
    codes = tokenizer.model.encode(torch.from_numpy(features).unsqueeze(0))
    after = tokenizer.model.decode(codes)[0].numpy()
    before = features[: len(after)]
    original, reconstruction = (features_to_joints(extractor.denormalize(one)) for one in (before, after))
    distance_m = np.linalg.norm(original - reconstruction, axis=-1)
    rate = extractor.frame_rate_hz
    measured = [
        measure_gait(MotionClip(joints.astype(np.float32), rate)).values for joints in (original, reconstruction)
    ]
    relative = {
        name: abs(values[1] / values[0] - 1.0) for name in MEASURES if all(values := [one[name] for one in measured])
    }
    return Rebuilt(
        root_aligned_mm=extractor.root_aligned_error_mm(before, after),
        global_mm=float(1000.0 * distance_m[:-1].mean()),
        codes=codes[0].numpy(),
        relative=relative,
    )


def clips_in(folder: Path) -> list[MotionClip]:
    """All motion files that can be read and are long enough; what cannot is named."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            try:
                found.append(read_motion(path))
            except AgirError as error:
                print(f"left out: {path.name}: {error}")
    return found


def row(name: str, files: list[Rebuilt], codebook_size: int) -> str:
    codes = np.concatenate([one.codes for one in files])
    cells: list[Any] = [
        name,
        len(files),
        f"{np.mean([one.root_aligned_mm for one in files]):.1f}",
        f"{np.mean([one.global_mm for one in files]):.1f}",
        f"{100 * len(np.unique(codes)) / codebook_size:.0f} % of {codebook_size}",
        len(codes),
    ]
    for measure in MEASURES:
        known = [one.relative[measure] for one in files if measure in one.relative]
        cells.append(f"{100 * np.median(known):.1f} % ({len(known)})" if known else "none measured")
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--model", action="append", help="a packaged checkpoint or a folder; may be given again")
    parser.add_argument("--t2m-gpt", help="a folder of t2m_gpt_tokenizer.py")
    options = parser.parse_args()
    tokenizers = [load(name) for name in options.model or ["agir-tiny"]]
    if options.t2m_gpt:
        tokenizers.append(load(options.t2m_gpt, T2MGPTTokenizer))
    recordings = {folder.name: clips_in(folder) for folder in options.folders}
    print("| model, folder | files | root-aligned mm | global mm | codes used | codes | speed | cadence | stride |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for tokenizer in tokenizers:
        every = []
        for folder, clips in recordings.items():
            files = [rebuilt(tokenizer, clip) for clip in clips]
            print(row(f"{tokenizer.name}, {folder}", files, tokenizer.model.config.codebook_size), flush=True)
            every += files
        print(row(f"{tokenizer.name}, all", every, tokenizer.model.config.codebook_size), flush=True)


if __name__ == "__main__":
    main()
