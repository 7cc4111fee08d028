"""Makes ``simulated_walk.npz``, the clip of the README's first command: a simulated person, nobody's recording."""

from pathlib import Path

import numpy as np

from agir_hf.simulation import simulate_person, simulate_walk

SEED, SCORE, FRAME_RATE_HZ, DURATION_S = 41, 2, 60.0, 6.0


def main() -> None:
    person = simulate_person(SEED, score=SCORE)
    clip = simulate_walk(person, seed=SEED, frame_rate_hz=FRAME_RATE_HZ, duration_s=DURATION_S, turn="none").clip
    path = Path(__file__).with_name("simulated_walk.npz")
    # Tenths of a millimetre: far below the sensor noise, and the file stays small.
    np.savez_compressed(path, joints_m=np.round(clip.joints_m, 4), frame_rate_hz=np.float32(clip.frame_rate_hz))


if __name__ == "__main__":
    main()
