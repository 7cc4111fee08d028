"""CARE-PD files as the dataset documents them, made here: SMPL walks of nine cohorts, and a body to check them by."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from agir_hf.skeleton import JOINT_INDEX as J

# Every cohort at another rate, so that none is taken for granted.
RATES_HZ = {
    "3DGait": 30,
    "BMCLab": 150,
    "DNE": 25,
    "E-LC": 50,
    "KUL-DT-T": 100,
    "PD-GaM": 25,
    "T-LTC": 30,
    "T-SDU": 30,
    "T-SDU-PD": 60,
}


def walk_record(rate_hz: float, *, seed: int = 0, seconds: float = 4.0, **changes: Any) -> dict[str, Any]:
    """One walk along +Z: legs swing once a second, knees bend, soles stay level; ``...`` leaves a key out."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * rate_hz)
    time_s = np.arange(frames) / rate_hz
    phase = 2.0 * np.pi * (time_s + rng.uniform())
    pose = np.zeros((frames, 72))
    size = rng.uniform(0.3, 0.36)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        pose[:, 3 * J[f"{side}_hip"]] = -size * sign * np.sin(phase)
        pose[:, 3 * J[f"{side}_knee"]] = 0.6 * np.maximum(sign * np.cos(phase), 0.0)
        pose[:, 3 * J[f"{side}_ankle"]] = -pose[:, 3 * J[f"{side}_hip"]] - pose[:, 3 * J[f"{side}_knee"]]
        pose[:, 3 * J[f"{side}_shoulder"] + 2] = -sign * 1.3
        pose[:, 3 * J[f"{side}_elbow"] + 1] = -sign * rng.uniform(0.0, 0.4)
    trans = np.stack([np.zeros(frames), np.full(frames, 1.1), 3.2 * size * time_s], axis=-1)
    walk = {
        "pose": pose,
        "trans": trans,
        "beta": np.zeros((1, 10)),
        "fps": rate_hz,
        "UPDRS_GAIT": int(rng.integers(4)),
        "medication": None,
        "other": None,
        **changes,
    }
    return {key: value for key, value in walk.items() if value is not ...}


def save(path: Path, content: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def nine_cohorts(folder: Path, subjects: int = 2) -> Path:
    """The folder as it is downloaded: nine pickles, and folds for two cohorts."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, (cohort, rate_hz) in enumerate(RATES_HZ.items()):
        unlabelled = {"UPDRS_GAIT": None} if cohort in ("DNE", "E-LC", "KUL-DT-T", "T-LTC", "T-SDU") else {}
        content = {
            f"SUB{subject:02d}": {
                "walk_1": walk_record(rate_hz, seed=100 * place + subject, medication="off", **unlabelled)
            }
            for subject in range(1, subjects + 1)
        }
        save(folder / f"{cohort}.pkl", content, protocol=2 + place % 4)
    folds = folder / "folds" / "UPDRS_Datasets"
    folds.mkdir(parents=True)
    save(folds / "BMCLab_fixed.pkl", {1: {"train": ["SUB02"], "eval": ["SUB01"]}})
    save(folds / "PD-GaM_authors_fixed.pkl", {1: {"train": np.array(["SUB01"]), "eval": np.array(["SUB02"])}})
    save(
        folds / "BMCLab_6fold_participants.pkl",
        {
            k: {"train": ["SUB01"], "eval": ["SUB02"]} if k % 2 else {"train": ["SUB02"], "eval": ["SUB01"]}
            for k in range(1, 7)
        },
    )
    return folder


def quaternion_joints(pose: np.ndarray, trans: np.ndarray, offsets: np.ndarray, parents: tuple[int, ...]) -> np.ndarray:
    """(T, 24, 3) by quaternions, one frame and one joint at a time: another way than the package's matrices.

    Args:
        pose: (T, 72) axis-angle in radians.
        trans: (T, 3) in metres.
        offsets: (24, 3) of the rest skeleton, parent to child.
        parents: of each joint, -1 for the root.
    """

    def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        w = a[0] * b[0] - a[1:] @ b[1:]
        return np.concatenate([[w], a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])])

    def turned(q: np.ndarray, v: np.ndarray) -> np.ndarray:
        return product(product(q, np.concatenate([[0.0], v])), q * [1, -1, -1, -1])[1:]

    joints = np.zeros((len(pose), 24, 3))
    for frame in range(len(pose)):
        world: list[np.ndarray] = []
        for joint, parent in enumerate(parents):
            vector = pose[frame, 3 * joint : 3 * joint + 3]
            angle = np.sqrt(vector @ vector)
            axis = vector / angle if angle > 1e-12 else vector
            own = np.concatenate([[np.cos(angle / 2)], np.sin(angle / 2) * axis])
            if parent < 0:
                joints[frame, joint] = trans[frame] + offsets[joint]
                world.append(own)
            else:
                joints[frame, joint] = joints[frame, parent] + turned(world[parent], offsets[joint])
                world.append(product(world[parent], own))
    return joints
