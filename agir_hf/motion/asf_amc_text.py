"""The text of Acclaim skeleton (ASF) and motion (AMC) files; what it means stands in ``asf_amc``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFormatError
from .axis_rotation import axis_rotation

FORMAT = "ASF/AMC"

Floats = NDArray[np.float64]

_AXES = {"x": 0, "y": 1, "z": 2}
ROOT = "root"
_BLANKS = str.maketrans("(),", "   ")
_MAX_BONES = 2000
_MAX_BYTES = 1024**3
_MAX_SKELETON_BYTES = 16 * 1024**2
# Numbers beyond this are damage; their squares would overflow.
_MAX_NUMBER = 1e15
# Frames turned into numbers at a time, which bounds the memory that their text takes as words.
_BLOCK_FRAMES = 2000
_AMC_KEYWORDS = (":fully-specified", ":degrees", ":radians", ":samples-per-second")
_ASF_KEYWORDS = (":version", ":name", ":units", ":documentation", ":root", ":bonedata")


@dataclass(frozen=True)
class AcclaimSkeleton:
    """A parsed ASF file; node 0 is the root, then come the bones, parents first, then the ends of the last bones.

    Attributes:
        names: one per node, as written; ends are named after their bone with ``_end``.
        parents: index of the parent of each node, -1 for the root.
        vectors: (N, 3) from a bone's start to its end with no rotation, local length units; zero for root and ends.
        axes: (N, 3, 3) from each node's own axes to those of the skeleton (C above).
        channels: motion values of each node in the order recorded, such as ``("rx", "ry", "rz")``.
        root_position: (3,) where the root is preset to, local length units.
        root_rotation: (3, 3) how the root is preset to be turned.
        length_scale: file lengths are local lengths times this.
        in_degrees: unit of angles, unless the motion says otherwise.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    vectors: Floats
    axes: Floats
    channels: tuple[tuple[str, ...], ...]
    root_position: Floats
    root_rotation: Floats
    length_scale: float
    in_degrees: bool


@dataclass(frozen=True)
class AcclaimMotion:
    """A parsed AMC file.

    Attributes:
        values: (T, C) by bone name as written, C as many as were recorded for it.
        in_degrees: unit of angles, None where the file does not say.
        frame_rate_hz: from ``:SAMPLES-PER-SECOND``, which few files have.
        warnings: what was odd but could be read.
    """

    values: Mapping[str, Floats]
    in_degrees: bool | None
    frame_rate_hz: float | None
    warnings: tuple[str, ...]


def looks_like_asf_amc(start: bytes) -> bool:
    """Whether a file that begins with ``start`` is an AMC or ASF file."""
    words = [line.split()[0] for line in start.removeprefix(b"\xef\xbb\xbf").lower().splitlines() if line.strip()]
    first = next((word for word in words if not word.startswith(b"#")), b"")
    return first.decode("ascii", errors="replace") in _AMC_KEYWORDS + _ASF_KEYWORDS or words[:1] == [b"#!oml:asf"]


def _check_file(path: Path, limit: int) -> None:
    if not path.is_file():
        raise MotionFormatError(f"{path}: expected an {FORMAT} file, found no such file")
    if path.stat().st_size > limit:
        raise MotionFormatError(f"{path}: expected at most {limit // 1024**2} MiB of {FORMAT}, found a larger file")


def _read_text(path: Path, limit: int) -> str:
    _check_file(path, limit)
    data = path.read_bytes()
    if not data.strip():
        raise MotionFormatError(f"{path}: expected {FORMAT} text, found an empty file")
    if b"\0" in data:
        raise MotionFormatError(f"{path}: expected {FORMAT} text, found binary data")
    return data.decode("utf-8-sig", errors="replace")


def parse_amc(path: Path) -> AcclaimMotion:
    """Parse one AMC file.

    Raises:
        MotionFormatError: not an AMC file, frames that differ in their bones or values, truncated, no numbers.
    """
    _check_file(path, _MAX_BYTES)
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        in_degrees, rate, first = _parse_head(path, stream)
        body = (line for line in stream if line.strip() and not line.lstrip().startswith("#"))
        values, warnings = _parse_frames(path, itertools.chain([first], body))
    return AcclaimMotion(values, in_degrees, rate, warnings)


def _parse_head(path: Path, stream: TextIO) -> tuple[bool | None, float | None, str]:
    """(angles in degrees, frame rate, both None where not stated; the line with the first frame's number)."""
    in_degrees: bool | None = None
    rate: float | None = None
    is_empty = True
    for number, line in enumerate(stream):
        if "\0" in line:
            raise MotionFormatError(f"{path}: expected {FORMAT} text, found binary data")
        is_empty = is_empty and not line.strip()
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        keyword = words[0].lower()
        if keyword in (":degrees", ":radians"):
            in_degrees = keyword == ":degrees"
        elif keyword == ":samples-per-second":
            rate = _numbers(words[1:], 1, f"{path}: line {number + 1}: expected :SAMPLES-PER-SECOND with a number")[0]
        elif _is_frame_number(line):
            return in_degrees, rate, line
        elif keyword in _ASF_KEYWORDS:
            raise MotionFormatError(
                f"{path}: expected the motion (.amc), found a skeleton (.asf), which holds no movement: give the .amc"
            )
        elif not keyword.startswith(":"):
            raise MotionFormatError(
                f"{path}: line {number + 1}: expected AMC keywords such as :DEGREES and then frame numbers, found "
                f"{line.strip()[:40]!r}"
            )
    if is_empty:
        raise MotionFormatError(f"{path}: expected {FORMAT} text, found an empty file")
    raise MotionFormatError(f"{path}: expected numbered frames after the AMC keywords, found none: truncated?")


def _is_frame_number(line: str) -> bool:
    text = line.strip()
    return text.isascii() and text.isdigit() and len(text) <= 12


def _parse_frames(path: Path, lines: Iterator[str]) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Values (T, C) by bone from the lines of all frames, which must list the same bones in the same order."""
    opening = [next(lines)]
    for line in lines:
        opening.append(line)
        if _is_frame_number(line) or len(opening) > _MAX_BONES + 1:
            break
    size = len(opening) - 1 if len(opening) > 1 and _is_frame_number(opening[-1]) else len(opening)
    first = [line.split() for line in opening[1:size]]
    names = [words[0] for words in first]
    if not names or len({name.lower() for name in names}) < len(names):
        raise MotionFormatError(f"{path}: expected bones listed once in each frame, found the first frame without")
    if size > _MAX_BONES:
        raise MotionFormatError(f"{path}: expected at most {_MAX_BONES} bones in a frame, found more")
    if size == len(opening):
        raise MotionFormatError(f"{path}: expected at least 2 frames, found 1: a pose is no movement")
    width = 1 + sum(len(words) for words in first)
    name_places = np.cumsum([1, *(len(words) for words in first[:-1])]).tolist()
    taken = {0, *name_places}
    value_places = [place for place in range(width) if place not in taken]
    blocks = []
    numbers: list[str] = []
    frames = itertools.chain(opening, lines)
    while block := list(itertools.islice(frames, _BLOCK_FRAMES * size)):
        if len(block) % size:
            raise _frame_error(path, block, first, size)
        words = " ".join(block).split()
        alike = len(words) * size == width * len(block) and all(
            set(words[place::width]) == {name} for place, name in zip(name_places, names, strict=True)
        )
        try:
            table = np.array([words[place::width] for place in value_places if alike], dtype=np.float64).T
        except ValueError:
            alike = False
        if not alike or not (np.abs(table) <= _MAX_NUMBER).all():
            raise _frame_error(path, block, first, size)
        blocks.append(table)
        numbers += words[0::width]
    values = np.concatenate(blocks)
    ends = np.cumsum([len(words) - 1 for words in first])[:-1]
    warnings: tuple[str, ...] = ()
    if any(not number.isdigit() for number in numbers):
        raise MotionFormatError(f"{path}: expected a frame number at the start of every frame, found other text")
    if (np.diff(np.array([number[:15] for number in numbers], dtype=np.float64)) != 1.0).any():
        warnings = ("The frame numbers do not run on by ones; the frames were taken to be evenly spaced in time.",)
    return dict(zip(names, np.split(values, ends, axis=1), strict=True)), warnings


def _frame_error(path: Path, lines: list[str], first: list[list[str]], size: int) -> MotionFormatError:
    """What is wrong with the first frame among ``lines`` that is not like the first of the file."""
    number = ""
    for place, line in enumerate(lines):
        if place % size == 0:
            number = line.strip()[:40]
            if _is_frame_number(line):
                continue
            return MotionFormatError(
                f"{path}: expected a frame number after the {size - 1} bones of a frame, found {number!r}: the frames "
                "differ in their bones"
            )
        name, *values = first[place % size - 1]
        expected = f"{path}: expected {name[:40]} with {len(values)} finite numbers in frame {number}"
        words = line.split()
        if words[0] != name:
            return MotionFormatError(f"{expected}, found {line.strip()[:40]!r}: truncated or damaged?")
        try:
            _numbers(words[1:], len(values), expected)
        except MotionFormatError as error:
            return error
    return MotionFormatError(
        f"{path}: expected {size - 1} bones in every frame, found {len(lines) % size - 1} in the last: truncated?"
    )


def _numbers(words: list[str], count: int, expected: str) -> list[float]:
    """``count`` finite numbers, or an error that begins with ``expected``."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != count or not all(abs(value) <= _MAX_NUMBER for value in values):
        raise MotionFormatError(f"{expected}, found {' '.join(words)[:40]!r}")
    return values


def parse_asf(path: Path) -> AcclaimSkeleton:
    """Parse one ASF file.

    Raises:
        MotionFormatError: not an ASF file, truncated, bones incomplete, a hierarchy that is no tree.
    """
    sections = _sections(path, _read_text(path, _MAX_SKELETON_BYTES))
    missing = [section for section in (":root", ":bonedata", ":hierarchy") if section not in sections]
    if missing:
        raise MotionFormatError(
            f"{path}: expected an ASF skeleton with :root, :bonedata and :hierarchy, found no {missing[0]}: truncated, "
            "or another format?"
        )
    units = {key.lower(): words for key, *words in sections.get(":units", [])}
    (scale,) = _numbers(units.get("length", ["1"])[:1], 1, f"{path}: expected a length unit")
    if not 1e-6 <= scale <= 1e6:
        raise MotionFormatError(f"{path}: expected a length unit above zero, found {scale:g}")
    angle = " ".join(units.get("angle", ["deg"])).lower()
    if angle[:3] not in ("deg", "rad"):
        raise MotionFormatError(f"{path}: expected angle deg or rad, found {angle[:40]!r}")
    in_degrees = angle.startswith("deg")
    root = {key.lower(): words for key, *words in sections[":root"]}
    position = _numbers(root.get("position", ["0"] * 3)[:3], 3, f"{path}: expected a root position of 3 finite numbers")
    preset = [*root.get("orientation", ["0"] * 3)[:3], *root.get("axis", [])]
    bones, parents = _tree(path, _bones(path, sections[":bonedata"]), sections[":hierarchy"])
    vectors = np.zeros((len(parents), 3))
    for node, (name, bone) in enumerate(bones.items(), start=1):
        expected = f"{path}: expected {{}} finite numbers as {{}} of bone {name[:40]}"
        direction = np.array(_numbers(bone.get("direction", [])[:3], 3, expected.format(3, "direction")))
        (length,) = _numbers(bone.get("length", [])[:1], 1, expected.format(1, "length"))
        vectors[node] = direction * (length / scale / max(float(np.linalg.norm(direction)), 1e-12))
    # The ends of the last bones, so that every bone ends at a node.
    tips = [node for node in range(len(parents)) if node not in parents]
    names = [ROOT, *bones]
    axes = [_preset_rotation(path, bone.get("axis", []), in_degrees) for bone in bones.values()]
    return AcclaimSkeleton(
        names=(*names, *(f"{names[node]}_end" for node in tips)),
        parents=(*parents, *tips),
        vectors=np.concatenate([vectors, np.zeros((len(tips), 3))]),
        axes=np.stack([np.eye(3), *axes, *[np.eye(3)] * len(tips)]),
        channels=(
            _channels(path, root.get("order", ["tx", "ty", "tz", "rx", "ry", "rz"]), ("t", "r")),
            *(_channels(path, bone.get("dof", []), ("r",)) for bone in bones.values()),
            *[()] * len(tips),
        ),
        root_position=np.array(position) / scale,
        root_rotation=_preset_rotation(path, preset, in_degrees),
        length_scale=scale,
        in_degrees=in_degrees,
    )


def _sections(path: Path, text: str) -> dict[str, list[list[str]]]:
    """Lines as words by section keyword (such as ``:root``); commas and parentheses count as blanks in the format."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] | None = None
    for line in text.translate(_BLANKS).splitlines():
        words = line.partition("#")[0].split()
        if words and words[0].startswith(":"):
            lines = sections.setdefault(words[0].lower(), [])
            words = words[1:]
        if words and lines is None:
            raise MotionFormatError(
                f"{path}: expected ASF text with sections such as :root, found {line.strip()[:40]!r}"
            )
        if words and lines is not None:
            lines.append(words)
    return sections


def _bones(path: Path, lines: list[list[str]]) -> dict[str, dict[str, list[str]]]:
    """What stands between begin and end for each bone, by the bone's name and by key."""
    bones: dict[str, dict[str, list[str]]] = {}
    bone: dict[str, list[str]] | None = None
    seen = {ROOT}
    for key, *words in lines:
        key = key.lower()
        if (bone is None) != (key == "begin"):
            raise MotionFormatError(f"{path}: expected bones between begin and end, found {key[:40]!r} out of place")
        if bone is None:
            bone = {}
        elif key == "end":
            name = " ".join(bone.get("name", []))
            if not name or name.lower() in seen or len(seen) > _MAX_BONES:
                raise MotionFormatError(
                    f"{path}: expected at most {_MAX_BONES} bones with a name of their own, found "
                    + (f"{name[:40]!r} as bone {len(seen)}" if name else "one without a name")
                )
            seen.add(name.lower())
            bones[name] = bone
            bone = None
        else:
            bone.setdefault(key, words)
    if bone is not None or not bones:
        raise MotionFormatError(f"{path}: expected complete bones in :bonedata, found none or one cut off: truncated?")
    return bones


def _tree(
    path: Path, bones: dict[str, dict[str, list[str]]], lines: list[list[str]]
) -> tuple[dict[str, dict[str, list[str]]], list[int]]:
    """The bones, parents first, and the parent node of each of root and bones."""
    written = {name.lower(): name for name in bones}
    children: dict[str, list[str]] = {}
    for parent, *names in lines:
        children.setdefault(parent.lower(), []).extend(name.lower() for name in names)
    order, parents = [ROOT], [-1]
    # The list grows while it is walked, which visits every bone after its parent.
    for node, parent in enumerate(order):
        for child in children.get(parent, []):
            if child not in written or child in order:
                found = "in it twice" if child in order else "which is none"
                raise MotionFormatError(
                    f"{path}: expected a hierarchy with one parent for each bone in :bonedata, found {child[:40]!r}, "
                    + found
                )
            order.append(child)
            parents.append(node)
    loose = [name for lower, name in written.items() if lower not in order]
    if loose:
        raise MotionFormatError(
            f"{path}: expected a hierarchy that hangs all bones on the root, found {len(loose)} that do not "
            f"({loose[0][:40]}): a cycle, or truncated?"
        )
    return {written[name]: bones[written[name]] for name in order[1:]}, parents


def _preset_rotation(path: Path, words: list[str], in_degrees: bool) -> Floats:
    """(3, 3) of ``axis`` or ``orientation``: angles about X, Y and Z, turned in the order of the letters behind."""
    order = "".join(words[3:]).lower() or "xyz"
    if sorted(order) != ["x", "y", "z"]:
        raise MotionFormatError(f"{path}: expected an order of axes such as XYZ, found {' '.join(words[3:])[:40]!r}")
    angles = _numbers(words[:3] or ["0"] * 3, 3, f"{path}: expected 3 finite angles as axis or orientation")
    in_order = np.array([[angles[_AXES[letter]] for letter in order]])
    rotation = motion_rotation(tuple(f"r{letter}" for letter in order), in_order, in_degrees)
    return np.eye(3) if rotation is None else rotation[0]


def _channels(path: Path, words: list[str], kinds: tuple[str, ...]) -> tuple[str, ...]:
    known = [kind + axis for kind in kinds for axis in _AXES]
    channels = tuple(word.lower() for word in words)
    if not set(channels).issubset(known) or len(set(channels)) < len(channels):
        raise MotionFormatError(
            f"{path}: expected dof or order among {' '.join(known)}, each at most once, found {' '.join(words)[:40]!r}"
        )
    return channels


def motion_rotation(channels: tuple[str, ...], values: Floats, in_degrees: bool) -> Floats | None:
    """(T, 3, 3) of the rotation channels among ``channels``, the first applied first; None where there are none."""
    rotation: Floats | None = None
    for index, channel in enumerate(channels):
        if channel[0] == "r":
            turn = axis_rotation(_AXES[channel[1]], np.deg2rad(values[:, index]) if in_degrees else values[:, index])
            rotation = turn if rotation is None else turn @ rotation
    return rotation
