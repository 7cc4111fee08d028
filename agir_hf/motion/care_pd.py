"""CARE-PD cohorts: pickles of SMPL walks, many in one file.

Layout, as the dataset's documentation gives it: ``{subject: {walk: {"pose", "trans", "beta", "fps", "UPDRS_GAIT",
"medication", "other"}}}``, with SMPL poses (T, 72) as axis-angle in radians, translations (T, 3) in metres, betas of
zero and the gait score or None. Adeli et al., CARE-PD, NeurIPS Datasets and Benchmarks 2025. The files are read without
running any code in them (see ``unpickle``). Their licence is CC BY-NC-ND in one place and CC BY-NC in another: do not
pass on clips, measures or scores made from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clip import MotionClip
from ..errors import MotionFormatError
from .smpl import SmplMotion, clip_from_smpl, flat_pose, strongest_betas
from .unpickle import MAX_BYTES, load_pickle, looks_like_pickle

FORMAT = "CARE-PD"

_SHOWN_WALKS = 3
# From 16-bit numbers in a file to 64-bit ones, with as much again where it has no translations.
_MAX_EXPANSION = 8
_MAX_NAME = 200


@dataclass(frozen=True)
class CarePdWalk:
    """One walk of a cohort.

    Attributes:
        name: "subject/walk".
        subject: the subject's id.
        motion: SMPL parameters; ``frame_rate_hz`` is nan where the file has no rate.
        score: the gait score that a clinician gave (0 to 3), None where there is none.
        medication: "on", "off" or as the file says; None where it says nothing.
        other: further labels as text, None where there are none.
    """

    name: str
    subject: str
    motion: SmplMotion
    score: int | None
    medication: str | None
    other: str | None


def looks_like_care_pd(start: bytes) -> bool:
    """Whether the first bytes of a file are those of a pickle; only reading it tells whether it is CARE-PD."""
    return looks_like_pickle(start)


def load_care_pd(path: Path) -> dict[str, CarePdWalk]:
    """All walks of a file by "subject/walk", in file order: to read many, call this once and ``care_pd_clip`` for each.

    Raises:
        MotionFormatError: not a pickle of plain data, another layout, a walk that is no SMPL motion.
    """
    content = load_pickle(path)
    walks: dict[str, CarePdWalk] = {}
    room = _MAX_EXPANSION * path.stat().st_size
    try:
        for subject, name, record in _records(content):
            walk = walks[name] = _walk(subject, name, record)
            room -= walk.motion.pose.nbytes + walk.motion.trans_m.nbytes
            # A file may refer to one array a million times over.
            if room < 0:
                raise MotionFormatError("expected arrays of its own for each walk, found shared ones: save it anew")
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error
    return walks


def list_walks(path: Path) -> tuple[str, ...]:
    """The names "subject/walk" of a file's walks, in file order.

    Raises:
        MotionFormatError: not a pickle of plain data, or another layout.
    """
    content = load_pickle(path)
    try:
        return tuple(name for _, name, _ in _records(content))
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def read_care_pd(path: Path, *, walk: str | None = None, frame_rate_hz: float | None = None) -> MotionClip:
    """Read one walk of a CARE-PD file.

    Args:
        path: the pickle.
        walk: "subject/walk"; not needed where the file holds one.
        frame_rate_hz: wins over the rate in the file; needed where that has none.

    Raises:
        MotionFormatError: not such a file, several walks and none named, no such walk, no rate, no plausible body.
    """
    content = load_pickle(path)
    try:
        records = {name: (subject, record) for subject, name, record in _records(content)}
        chosen = _chosen(list(records), walk)
        subject, record = records[chosen]
        clip = care_pd_clip(_walk(subject, chosen, record), source=str(path), frame_rate_hz=frame_rate_hz)
        return clip.replace(format=f"CARE-PD (walk {_shown(chosen)})")
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def care_pd_clip(walk: CarePdWalk, *, source: str, frame_rate_hz: float | None = None) -> MotionClip:
    """The clip of a loaded walk.

    Raises:
        MotionFormatError: no rate, values not finite, no plausible body.
    """
    motion = walk.motion
    rate = motion.frame_rate_hz if frame_rate_hz is None else frame_rate_hz
    if np.isnan(rate):
        raise MotionFormatError(
            f"expected a frame rate (fps) with walk {_shown(walk.name)}, found none: pass frame_rate_hz, or "
            "--frame-rate-hz"
        )
    if not 1.0 <= rate <= 2000.0:
        raise MotionFormatError(f"expected a frame rate between 1 and 2000 Hz, found {rate:g}")
    changed = SmplMotion(motion.pose, motion.trans_m, rate, motion.model, motion.betas, motion.gender)
    return clip_from_smpl(changed, source=source)


def _records(content: object) -> list[tuple[str, str, Mapping[str, object]]]:
    """(subject, "subject/walk", record) of each walk of a file's content."""
    found: list[tuple[str, str, Mapping[str, object]]] = []
    if isinstance(content, dict) and "pose" not in content:
        for subject, walks in content.items():
            if not isinstance(walks, dict):
                raise MotionFormatError(f"{_EXPECTED}, found {type(walks).__name__} under {_shown(subject)}")
            # Some copies hold a subject's one walk without its name.
            for name, record in {"": walks}.items() if "pose" in walks else walks.items():
                if not isinstance(record, dict) or "pose" not in record:
                    raise MotionFormatError(f"{_EXPECTED}, found no pose under {_shown(subject)}/{_shown(name)}")
                found.append((_text(subject), "/".join(filter(None, (_text(subject), _text(name)))), record))
    elif isinstance(content, dict):
        found.append(("", "walk", content))
    if not found:
        what = "an empty one" if isinstance(content, dict) else type(content).__name__
        raise MotionFormatError(f"{_EXPECTED}, found {what}")
    return found


_EXPECTED = 'expected a CARE-PD pickle {subject: {walk: {"pose", "trans", "fps"}}}'


def _text(key: object) -> str:
    if isinstance(key, bytes):
        return key.decode("latin-1")
    # A container may hold the same content a million times over: writing it out would not end.
    return str(key) if isinstance(key, (str, int, float, type(None))) else type(key).__name__


def _shown(key: object) -> str:
    """A key fit for one line."""
    return ascii(_text(key)[:60])[1:-1]


def _chosen(names: list[str], walk: str | None) -> str:
    first = ", ".join(_shown(name) for name in names[:_SHOWN_WALKS]) + (", ..." if len(names) > _SHOWN_WALKS else "")
    if walk is None:
        if len(names) == 1:
            return names[0]
        raise MotionFormatError(
            f"expected the name of one walk, found {len(names)} walks ({first}): read_motion(..., walk=...)"
        )
    if walk not in names:
        raise MotionFormatError(
            f"expected one of the file's {len(names)} walks ({first}), found no walk {_shown(walk)}: list them with "
            "list_walks"
        )
    return walk


def _walk(subject: str, name: str, record: Mapping[str, object]) -> CarePdWalk:
    try:
        pose = flat_pose(_array(record, "pose"))
        trans = _array(record, "trans") if record.get("trans") is not None else np.zeros((len(pose), 3))
        betas = next((_array(record, key) for key in ("beta", "betas") if record.get(key) is not None), None)
        motion = SmplMotion(
            pose=pose,
            trans_m=trans,
            frame_rate_hz=_rate(record),
            model="SMPL" if pose.shape[1] <= 72 else "SMPL-H" if pose.shape[1] == 156 else "SMPL-X",
            betas=strongest_betas(betas),
        )
        return CarePdWalk(
            name=name,
            subject=subject,
            motion=motion,
            score=_score(record.get("UPDRS_GAIT")),
            medication=_label(record.get("medication")),
            other=_label(record.get("other")),
        )
    except MotionFormatError as error:
        raise MotionFormatError(f"walk {_shown(name)}: {error}") from error


def _array(record: Mapping[str, object], key: str) -> np.ndarray:
    values = record[key]
    if not isinstance(values, np.ndarray):
        raise MotionFormatError(f"expected a NumPy array as {key}, found {type(values).__name__}")
    if values.dtype.kind not in "fiu" or values.ndim == 0:
        raise MotionFormatError(f"expected an array of numbers as {key}, found {values.dtype} of shape {values.shape}")
    if values.size * 8 > MAX_BYTES:
        raise MotionFormatError(f"expected at most 1 GiB of motion, found {key} of shape {values.shape}")
    return values.astype(np.float64)


def _rate(record: Mapping[str, object]) -> float:
    value = record.get("fps", record.get("frame_rate_hz"))
    if value is None:
        return float("nan")
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fiu":
        value = value.reshape(-1)[0].item()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1.0 <= value <= 2000.0:
        raise MotionFormatError(f"expected fps between 1 and 2000 Hz, found {_shown(value)}")
    return float(value)


def _score(value: object) -> int | None:
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fiu":
        value = value.reshape(-1)[0].item()
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 4 or value != int(value):
        raise MotionFormatError(f"expected UPDRS_GAIT 0 to 4 or None, found {_shown(value)}")
    return int(value)


def _label(value: object) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return _text(value)[:_MAX_NAME]
