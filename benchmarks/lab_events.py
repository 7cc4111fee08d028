"""Gait events found in the joints, against those a laboratory annotated in its C3D files.

    python benchmarks/lab_events.py ../shared/data/lab_walk_c3d

An annotated event is found where an event of its kind and side lies within 50 ms. An event is extra where it lies 50 ms
or more from every annotated one; this is asked only between the first and the last annotated event of a side and kind
that has at least three in that file. Times count from the clip's first frame (how annotations are brought to it: see
``agir_hf/motion/c3d.py``). Files without annotation are listed, not scored.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from agir_hf.gait import measure_gait
from agir_hf.motion import read_motion

TOLERANCE_S = 0.05
FEWEST_FOR_EXTRA = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    errors: dict[tuple[str, str], list[float]] = defaultdict(list)
    annotated: dict[tuple[str, str], int] = defaultdict(int)
    scored = extra = 0
    for path in sorted(parser.parse_args().folder.glob("*.c3d")):
        clip = read_motion(path)
        if not clip.lab_events:
            print(f"{path.name}: no annotated events in the clip, not scored")
            continue
        walk = "turn" if "turn" in path.name else "straight"
        events = measure_gait(clip).events
        for kind in ("foot_strike", "foot_off"):
            for side in ("left", "right"):
                lab = [e.time_s for e in clip.lab_events if (e.kind, e.side) == (kind, side)]
                own = np.array([e.time_s for e in events if (e.kind, e.side) == (kind, side)])
                annotated[walk, kind] += len(lab)
                for time in lab:
                    nearest = float(np.abs(own - time).min()) if len(own) else np.inf
                    if nearest <= TOLERANCE_S:
                        errors[walk, kind].append(nearest)
                    else:
                        print(f"{path.name}: {side} {kind} at {time:.2f} s missed, nearest {1000 * nearest:.0f} ms off")
                if len(lab) >= FEWEST_FOR_EXTRA:
                    inside = own[(own >= min(lab)) & (own <= max(lab))]
                    scored += len(inside)
                    extra += sum(float(np.abs(np.array(lab) - time).min()) > TOLERANCE_S for time in inside)
    for walk in ("straight", "turn"):
        for kind in ("foot_strike", "foot_off"):
            found, count = errors[walk, kind], annotated[walk, kind]
            median = 1000 * float(np.median(found)) if found else float("nan")
            print(f"{walk:8s} {kind:11s} {len(found)} of {count} found, median error {median:.1f} ms")
    together = [error for one in errors.values() for error in one]
    total = sum(annotated.values())
    share, median = 100 * len(together) / total, 1000 * float(np.median(together))
    print(f"all: {len(together)} of {total} ({share:.1f} %) within {1000 * TOLERANCE_S:.0f} ms, median {median:.1f} ms")
    print(f"{extra} extra among {scored} events asked about")


if __name__ == "__main__":
    main()
