"""Reads every motion file under a folder and prints what was understood, as a Markdown table.

    python benchmarks/read_everything.py ../shared/data

Files are tried whatever they are called; those of an extension that motion never has (text, licences, lists of
subjects) are left out, .asf skeletons are read with their .amc, and HumanML3D's mean and spread are not motion. Arrays
of joints without a rate are read at --frame-rate-hz.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agir_hf.errors import AgirError
from agir_hf.motion import read_motion

NOT_MOTION = {".md", ".txt", ".csv", ".asf", ".json", ".zip", ""}
STATISTICS = {"Mean.npy", "Std.npy"}


def row(path: Path, shown: str, rate_hz: float) -> tuple[str, bool]:
    """The table's line for one file, and whether it could be read."""
    note = ""
    try:
        try:
            clip = read_motion(path)
        except AgirError as error:
            if "expected the frame rate" not in str(error):
                raise
            clip, note = read_motion(path, frame_rate_hz=rate_hz), " (given)"
    except AgirError as error:
        return f"| {shown} | not read | | | | {str(error).removeprefix(f'{path}: ')} |", False
    flags = [*clip.warnings, *([f"{len(clip.lab_events)} laboratory events."] if clip.lab_events else [])]
    cells = (
        shown,
        clip.format,
        str(clip.num_frames),
        f"{clip.frame_rate_hz:g}{note}",
        ", ".join(clip.joints_filled) or "none",
        " ".join(flags) or "none",
    )
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |", True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frame-rate-hz", type=float, default=20.0)
    options = parser.parse_args()
    files = sorted(
        path
        for path in options.folder.rglob("*")
        if path.is_file() and path.suffix.lower() not in NOT_MOTION and path.name not in STATISTICS
    )
    print("| file | format | frames | rate (Hz) | joints filled | warnings |")
    print("|---|---|---|---|---|---|")
    read = 0
    for path in files:
        line, is_read = row(path, str(path.relative_to(options.folder)), options.frame_rate_hz)
        read += is_read
        print(line)
    print(f"\n{read} of {len(files)} files read.")
    return 0 if read == len(files) else 1


if __name__ == "__main__":
    sys.exit(main())
