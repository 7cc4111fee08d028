"""Hand-made walking skeletons as BVH text, with forward kinematics of their own to compare with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

# name: (parent, offset in metres, Y up, left at +X, facing +Z).
BODY: dict[str, tuple[str | None, tuple[float, float, float]]] = {
    "Hips": (None, (0.0, 0.95, 0.0)),
    "LeftUpLeg": ("Hips", (0.09, -0.05, 0.0)),
    "LeftLeg": ("LeftUpLeg", (0.0, -0.42, 0.0)),
    "LeftFoot": ("LeftLeg", (0.0, -0.41, 0.0)),
    "LeftToeBase": ("LeftFoot", (0.0, -0.05, 0.12)),
    "RightUpLeg": ("Hips", (-0.09, -0.05, 0.0)),
    "RightLeg": ("RightUpLeg", (0.0, -0.42, 0.0)),
    "RightFoot": ("RightLeg", (0.0, -0.41, 0.0)),
    "RightToeBase": ("RightFoot", (0.0, -0.05, 0.12)),
    "Spine": ("Hips", (0.0, 0.12, 0.0)),
    "Spine1": ("Spine", (0.0, 0.2, 0.0)),
    "Neck": ("Spine1", (0.0, 0.17, 0.0)),
    "Head": ("Neck", (0.0, 0.1, 0.0)),
    "LeftShoulder": ("Spine1", (0.05, 0.12, 0.0)),
    "LeftArm": ("LeftShoulder", (0.13, 0.0, 0.0)),
    "LeftForeArm": ("LeftArm", (0.28, 0.0, 0.0)),
    "LeftHand": ("LeftForeArm", (0.25, 0.0, 0.0)),
    "RightShoulder": ("Spine1", (-0.05, 0.12, 0.0)),
    "RightArm": ("RightShoulder", (-0.13, 0.0, 0.0)),
    "RightForeArm": ("RightArm", (-0.28, 0.0, 0.0)),
    "RightHand": ("RightForeArm", (-0.25, 0.0, 0.0)),
}
ENDS = {"LeftToeBase": (0.0, 0.0, 0.07), "RightToeBase": (0.0, 0.0, 0.07), "Head": (0.0, 0.18, 0.0)}
# Right-handed turns of a Y-up body into other axes.
TO_AXES = {
    "Y": np.eye(3),
    "Z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "X": np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "-Y": np.diag([1.0, -1.0, -1.0]),
}


@dataclass(frozen=True)
class Recording:
    """What to write: names, order of rotation channels, units per metre, axes, rate, position channels everywhere."""

    names: dict[str, str] | None = None
    order: str = "ZXY"
    per_metre: float = 100.0
    axes: str = "Y"
    mirrored: bool = False
    frame_time: str = "0.0166667"
    frames: int = 60
    positions_everywhere: bool = False
    without: tuple[str, ...] = ()

    def with_(self, **changes: object) -> Recording:
        return replace(self, **changes)  # type: ignore[arg-type]


def _turn(axis: str, angle: np.ndarray) -> Rotation:
    return Rotation.from_euler(axis, angle[:, None])


def walk_angles(frames: int) -> tuple[np.ndarray, dict[str, Rotation]]:
    """Root path (T, 3) in metres and each joint's rotation over time: a plain walk along (1, 0, 2)."""
    time = np.arange(frames) / 60.0
    heading = np.arctan2(1.0, 2.0)
    path = np.stack([np.sin(heading) * time, 0.95 + 0.0 * time, np.cos(heading) * time], axis=-1)
    phase = 2.0 * np.pi * time
    swing = 0.35 * np.sin(phase)
    angles: dict[str, Rotation] = {"Hips": _turn("y", np.full(frames, heading))}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        # Positive about X (to the left) turns a hanging leg backwards.
        angles[f"{side}UpLeg"] = _turn("x", -sign * swing - 0.1)
        angles[f"{side}Leg"] = _turn("x", 0.3 - 0.25 * sign * np.cos(phase))
        angles[f"{side}Arm"] = Rotation.from_euler("ZY", np.stack([np.full(frames, -sign * 1.4), swing], axis=-1))
        angles[f"{side}ForeArm"] = _turn("y", np.full(frames, -sign * 0.3))
    angles["Spine"] = Rotation.from_euler(
        "xyz", np.stack([0.05 + 0.0 * time, -0.1 * np.sin(phase), 0.0 * time], axis=-1)
    )
    return path, angles


def _parts(recording: Recording) -> dict[str, tuple[str | None, tuple[float, float, float]]]:
    return {name: part for name, part in BODY.items() if name not in recording.without}


def positions(recording: Recording) -> dict[str, np.ndarray]:
    """(T, 3) of each joint in metres, Y up, by scipy rotations: the known answer."""
    path, angles = walk_angles(recording.frames)
    places: dict[str, np.ndarray] = {}
    turns: dict[str, Rotation] = {}
    still = Rotation.from_quat(np.tile([0.0, 0.0, 0.0, 1.0], (recording.frames, 1)))
    for name, (parent, offset) in _parts(recording).items():
        own = angles.get(name, still)
        places[name] = path if parent is None else places[parent] + turns[parent].apply(offset)
        turns[name] = own if parent is None else turns[parent] * own
    return places


def write(recording: Recording) -> str:
    """BVH text of the walk."""
    path, angles = walk_angles(recording.frames)
    names = recording.names or {}
    matrix = TO_AXES[recording.axes]
    if recording.mirrored:
        matrix = matrix @ np.diag([-1.0, 1.0, 1.0])
    order = recording.order
    lines, columns = ["HIERARCHY"], []
    parts = _parts(recording)
    children: dict[str | None, list[str]] = {}
    for name, (parent, _) in parts.items():
        children.setdefault(parent, []).append(name)

    def text(vector: np.ndarray) -> str:
        return " ".join(f"{value:.9g}" for value in vector)

    def joint(name: str, depth: int) -> None:
        indent = "\t" * depth
        offset = recording.per_metre * matrix @ np.array(parts[name][1])
        lines.append(f"{indent}{'JOINT' if depth else 'ROOT'} {names.get(name, name)}")
        lines.extend([f"{indent}{{", f"{indent}\tOFFSET {text(offset)}"])
        rotation_channels = [f"{axis}rotation" for axis in order]
        channels = [] if depth and not recording.positions_everywhere else [f"{axis}position" for axis in "XYZ"]
        lines.append(f"{indent}\tCHANNELS {len(channels) + 3} {' '.join(channels + rotation_channels)}")
        if channels:
            columns.append(path @ (recording.per_metre * matrix).T if not depth else np.tile(offset, (len(path), 1)))
        still = Rotation.from_quat(np.tile([0.0, 0.0, 0.0, 1.0], (len(path), 1)))
        turned = matrix @ angles.get(name, still).as_matrix() @ matrix.T
        columns.append(Rotation.from_matrix(turned).as_euler(order.upper(), degrees=True))
        for child in children.get(name, []):
            joint(child, depth + 1)
        if name in ENDS:
            end = recording.per_metre * matrix @ np.array(ENDS[name])
            lines.extend([f"{indent}\tEnd Site", f"{indent}\t{{", f"{indent}\t\tOFFSET {text(end)}", f"{indent}\t}}"])
        lines.append(f"{indent}}}")

    joint("Hips", 0)
    lines.extend(["MOTION", f"Frames: {recording.frames}", f"Frame Time: {recording.frame_time}"])
    lines.extend(" ".join(f"{value:.9g}" for value in row) for row in np.concatenate(columns, axis=1))
    return "\n".join(lines) + "\n"
