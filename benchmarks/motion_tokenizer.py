"""What is lost when real recordings go through the motion tokenizer: codes and back.

    python benchmarks/motion_tokenizer.py ../shared/data/clinical_bvh ../shared/data/style_walk_bvh \\
        ../shared/data/lab_walk_c3d --model agir-tiny --t2m-gpt runs/t2m_gpt

For each model and folder, against the recording on the canonical skeleton at 20 frames a second, over whole clips:

- joint error, root on root in each motion's own heading, and global (both start at the origin, facing +Z), in mm:
  mean over clips;
- codes used of all codes, beside how many codes there were to use them;
- how far walking speed, cadence and stride length measured on the reconstruction are from those measured on the
  recording: median over files of the absolute relative difference, and in how many files both could be measured.

With ``--record FOLDER`` the figures of the first model go into the ``run_record.json`` there, which fills cards.

Nothing may be trained on, or chosen by, the folders named here.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2m_gpt_tokenizer import T2MGPTTokenizer

from agir_hf import AgirFeatureExtractor, AgirMotionTokenizer, MotionClip, packaged_checkpoint, read_motion
from agir_hf.errors import AgirError
from agir_hf.evaluation.reconstruction import KEPT_MEASURES, Rebuilt, rebuilt, reconstruction_figures

RECORDED = ("clips", "root_aligned_mm", "root_aligned_mm_interval_95", "codes_used_share")
SUFFIXES = {".bvh", ".c3d", ".trc", ".amc"}


@dataclass(frozen=True)
class Tokenizer:
    """A motion tokenizer and how it is fed."""

    name: str
    model: AgirMotionTokenizer
    extractor: AgirFeatureExtractor


def load(name: str, kind: type[AgirMotionTokenizer] = AgirMotionTokenizer) -> Tokenizer:
    folder = Path(name)
    if not (folder / "config.json").is_file():
        folder = packaged_checkpoint(name)
    extractor = AgirFeatureExtractor.from_pretrained(folder)
    extractor.max_frames = None
    return Tokenizer(folder.name, kind.from_pretrained(folder).eval(), extractor)


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
    figures = reconstruction_figures(files, codebook_size)
    cells: list[Any] = [
        name,
        figures["clips"],
        f"{figures['root_aligned_mm']:.1f}",
        f"{figures['global_mm']:.1f}",
        f"{100 * figures['codes_used_share']:.0f} % of {codebook_size}",
        figures["codes"],
    ]
    for measure in KEPT_MEASURES:
        off = figures[f"{measure}_off"]
        cells.append(f"{100 * off['median']:.1f} % ({off['clips']})" if off["clips"] else "none measured")
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--model", action="append", help="a packaged checkpoint or a folder; may be given again")
    parser.add_argument("--record", type=Path, help="folder of a run_record.json")
    parser.add_argument("--t2m-gpt", help="a folder of t2m_gpt_tokenizer.py")
    options = parser.parse_args()
    recorded: list[dict[str, Any]] = []
    tokenizers = [load(name) for name in options.model or ["agir-tiny"]]
    if options.t2m_gpt:
        tokenizers.append(load(options.t2m_gpt, T2MGPTTokenizer))
    recordings = {folder.name: clips_in(folder) for folder in options.folders}
    print("| model, folder | files | root-aligned mm | global mm | codes used | codes | speed | cadence | stride |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for tokenizer in tokenizers:
        every = []
        for folder, clips in recordings.items():
            files = [rebuilt(tokenizer.model, tokenizer.extractor, clip) for clip in clips]
            print(row(f"{tokenizer.name}, {folder}", files, tokenizer.model.config.codebook_size), flush=True)
            every += files
            if tokenizer is tokenizers[0]:
                figures = reconstruction_figures(files, tokenizer.model.config.codebook_size)
                recorded.append({"name": folder, **{name: figures[name] for name in RECORDED}})
        print(row(f"{tokenizer.name}, all", every, tokenizer.model.config.codebook_size), flush=True)
    if options.record:
        path = options.record / "run_record.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        record["stages"]["motion_tokenizer"]["recordings"] = recorded
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
