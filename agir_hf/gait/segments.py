"""Where a clip holds steady straight walking, where turns, and whether it holds walking at all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace

import numpy as np

from ..clip import Side
from .events import FootContacts, Foothold, runs
from .signals import SIDES, Array, BodySignals, horizontal, low_pass

FACING_CUTOFF_HZ = 1.2  # keeps a turn's ends, removes most of the pelvis rotation of each stride
TURN_RATE_DEG_S = 20.0
TURN_EDGE_RATE_DEG_S = 10.0
MIN_TURN_DEG = 30.0  # less is a curve or a glance
MAX_TURN_GAP_S = 0.6  # between the steps of one turn
MAX_STRIDE_TURN_DEG = 20.0
MAX_STEP_TURN_DEG = 15.0
MAX_TURN_SHARE = 0.1  # of a stride or step that may lie in a turn
MAX_ONSET_S = 0.5  # a turn's end is moved by at most this when its rate is carried on to zero
# Slower than this share of the person's brisker straight strides (their upper quartile) is a start, a stop or a halt.
MIN_RELATIVE_SPEED = 0.8
MAX_RELATIVE_TIME = 1.6

PATH_CUTOFF_HZ = 0.4  # below the stride frequency: sway from side to side is no progress
MIN_CLIP_S = 0.5
MIN_PROGRESS_M = 0.25
MIN_PROGRESS_PER_STEP_M = 0.04
SEATED_DROP = 0.15  # share of its height that the pelvis sinks by when a person sits down or squats
LIFT_M, MIN_LIFTS = 0.04, 3
PLANTED_SPEED_MPS = 0.35
MIN_PLANTED_SHARE = 0.4
# Of what the body travels in SLIDE_S, the foot that stands moves that much at most. Simulated validation people stay
# under 0.23, their walks with 0.3 to 2.5 times their travel are over 0.42.
MAX_SLIDE_SHARE = 0.31
SLIDE_S = 0.25


@dataclass(frozen=True)
class Stride:
    """From one foot strike to the next of the same foot.

    Attributes:
        first, last: the footholds it starts and ends with.
        advance_m: (2,) horizontal displacement of the pelvis.
        turn_deg: change of facing.
        steady: straight, and neither start nor stop nor halt.
    """

    side: Side
    start_s: float
    end_s: float
    first: Foothold
    last: Foothold
    advance_m: Array
    turn_deg: float
    steady: bool

    @property
    def time_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def speed_mps(self) -> float:
        return float(np.hypot(*self.advance_m)) / self.time_s


@dataclass(frozen=True)
class Step:
    """From a foothold to the next of the opposite foot, whose side the step has.

    Attributes:
        length_m: along the direction of progression.
        width_m: perpendicular to it; negative where the feet cross.
        time_s: from strike to strike; None where the first strike lies before the clip.
        steady: straight, and neither start nor stop.
    """

    side: Side
    strike_s: float
    length_m: float
    width_m: float
    time_s: float | None
    steady: bool


@dataclass(frozen=True)
class Turn:
    """A turn on the way; ``angle_deg`` positive to the left; ``cut`` where the clip starts or ends inside it."""

    start_s: float
    end_s: float
    angle_deg: float
    cut: bool


def find_turns(signals: BodySignals) -> tuple[Turn, ...]:
    """Stretches in which the facing direction changes by at least ``MIN_TURN_DEG``.

    A turn is where the smoothed facing direction changes faster than 20 deg/s, followed out to 10 deg/s and from there
    on along the line through both crossings to zero, so that slow and fast turns lose nothing at their ends; parts in
    the same direction less than 0.6 s apart are one turn. After El-Gohary et al., Sensors 2014;14:356-369 (15 deg/s at
    the lumbar spine, followed out to 5 deg/s), raised because the body of a straight walker already swings at about
    10 deg/s.
    """
    facing = np.degrees(low_pass(signals.facing_rad[:, None], signals.rate_hz, FACING_CUTOFF_HZ)[:, 0])
    rate = np.gradient(facing) * signals.rate_hz
    turns = []
    for sign in (1.0, -1.0):
        parts: list[tuple[int, int]] = []
        fast = sign * rate > TURN_RATE_DEG_S
        for start, end in runs(sign * rate > TURN_EDGE_RATE_DEG_S):
            if not fast[start:end].any():
                continue
            if parts and start - parts[-1][1] < MAX_TURN_GAP_S * signals.rate_hz:
                parts[-1] = (parts[-1][0], end)
            else:
                parts.append((start, end))
        for start, end in parts:
            quick = np.flatnonzero(fast[start:end])
            limit = MAX_ONSET_S * signals.rate_hz
            first = max(start - min(float(quick[0]), limit), 0.0)
            last = min(end - 1 + min(float(end - 1 - start - quick[-1]), limit), signals.size - 1.0)
            angle = float(facing[round(last)] - facing[round(first)])
            if abs(angle) >= MIN_TURN_DEG:
                cut = start == 0 or end == signals.size
                turns.append(Turn(first / signals.rate_hz, last / signals.rate_hz, angle, cut))
    return tuple(sorted(turns, key=lambda turn: turn.start_s))


def _in_turn(turns: tuple[Turn, ...], start_s: float, end_s: float) -> bool:
    shared = sum(max(0.0, min(turn.end_s, end_s) - max(turn.start_s, start_s)) for turn in turns)
    return shared > MAX_TURN_SHARE * (end_s - start_s)


def _displacement(signals: BodySignals, start_s: float, end_s: float) -> Array:
    return horizontal(signals.at(signals.pelvis_m, end_s) - signals.at(signals.pelvis_m, start_s))


def _turned_deg(signals: BodySignals, start_s: float, end_s: float) -> float:
    return float(np.degrees(signals.at(signals.facing_rad, end_s) - signals.at(signals.facing_rad, start_s)))


def _brisk_speed(strides: list[Stride]) -> float:
    return float(np.quantile([stride.speed_mps for stride in strides], 0.75))


def find_strides(signals: BodySignals, contacts: FootContacts, turns: tuple[Turn, ...]) -> tuple[Stride, ...]:
    """All strides with both strikes in the clip, in time order, told apart into steady and not."""
    pairs = [
        (first, last)
        for side in SIDES
        for first, last in zip(contacts.footholds[side], contacts.footholds[side][1:], strict=False)
        if first.strike_s is not None and last.strike_s is not None
    ]
    strides = []
    for first, last in sorted(pairs, key=lambda pair: pair[0].start_s):
        start, end = first.start_s, last.start_s
        turn = _turned_deg(signals, start, end)
        straight = abs(turn) <= MAX_STRIDE_TURN_DEG and not _in_turn(turns, start, end)
        advance = _displacement(signals, start, end)
        strides.append(Stride(first.side, start, end, first, last, advance, turn, straight))
    straight_ones = [stride for stride in strides if stride.steady]
    if not straight_ones:
        return tuple(strides)
    usual_speed = _brisk_speed(straight_ones)
    usual_time = float(np.median([stride.time_s for stride in straight_ones]))
    return tuple(
        replace(
            stride,
            steady=stride.steady
            and stride.speed_mps >= MIN_RELATIVE_SPEED * usual_speed
            and stride.time_s <= MAX_RELATIVE_TIME * usual_time,
        )
        for stride in strides
    )


def find_steps(
    signals: BodySignals, contacts: FootContacts, strides: tuple[Stride, ...], turns: tuple[Turn, ...]
) -> tuple[Step, ...]:
    """All steps whose two footholds are seen, in time order.

    The direction of progression of a step is that of the pelvis over the strides that contain it (same phase at both
    ends, so sway does not turn it); where none does, that from the same foot's last foothold to this one.
    """
    straight = [stride for stride in strides if stride.steady]
    usual_speed = _brisk_speed(straight) if straight else 0.0
    steps = []
    starts = [stride.start_s for stride in strides]
    for side, other in (SIDES, SIDES[::-1]):
        holds, bases = contacts.footholds[side], contacts.footholds[other]
        base_starts = [base.start_s for base in bases]
        for index, hold in enumerate(holds):
            number = bisect_left(base_starts, hold.start_s) - 1
            if hold.strike_s is None or number < 0:
                continue
            base, before = bases[number], holds[index - 1] if index else None
            if not (np.isfinite(hold.ankle_m).all() and np.isfinite(base.ankle_m).all()):
                continue
            middle = 0.5 * (max(base.start_s, hold.strike_s - 1.0) + hold.strike_s)
            ahead = _progression(signals, strides, starts, before, hold, middle)
            if ahead is None:
                continue
            vector = horizontal(hold.ankle_m - base.ankle_m)
            start = min(base.start_s, hold.strike_s - 0.2)
            speed = float(np.hypot(*_displacement(signals, start, hold.strike_s))) / (hold.strike_s - start)
            # Facing along (x, z) = ahead, left is (z, -x).
            leftward = float(vector[0] * ahead[1] - vector[1] * ahead[0])
            steps.append(
                Step(
                    side=side,
                    strike_s=hold.strike_s,
                    length_m=float(vector @ ahead),
                    width_m=leftward if side == "left" else -leftward,
                    time_s=None if base.strike_s is None else hold.strike_s - base.strike_s,
                    steady=abs(_turned_deg(signals, start, hold.strike_s)) <= MAX_STEP_TURN_DEG
                    and not _in_turn(turns, start, hold.strike_s)
                    and speed >= MIN_RELATIVE_SPEED * usual_speed,
                )
            )
    return tuple(sorted(steps, key=lambda step: step.strike_s))


def _progression(
    signals: BodySignals,
    strides: tuple[Stride, ...],
    starts: list[float],
    before: Foothold | None,
    hold: Foothold,
    time_s: float,
) -> Array | None:
    """(2,) unit vector of the direction of progression at a time in a step that ends with ``hold``."""
    last = bisect_right(starts, time_s)
    # Strides overlap by halves: the ones that contain a time are among the last few that start before it.
    advances = [stride.advance_m for stride in strides[max(0, last - 4) : last] if time_s <= stride.end_s]
    if advances:
        ahead = np.sum(advances, axis=0)
    elif before is not None and np.isfinite(before.ankle_m).all():
        ahead = horizontal(hold.ankle_m - before.ankle_m)
    else:
        ahead = _displacement(signals, time_s - 0.25, time_s + 0.25)
    length = float(np.hypot(*ahead))
    return ahead / length if length > 1e-6 else None


def path_length_m(signals: BodySignals) -> float:
    """Length of the pelvis's way over the floor without sway and jitter."""
    path = low_pass(horizontal(signals.pelvis_m), signals.rate_hz, PATH_CUTOFF_HZ)
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def not_walking_reason(signals: BodySignals, contacts: FootContacts) -> str | None:
    """Why the clip is not walking, as one sentence; None where it is."""
    seconds = signals.duration_s
    if seconds < MIN_CLIP_S:
        return f"The clip is too short for a step: {seconds:.2f} s."
    travelled = path_length_m(signals)
    height = signals.pelvis_m[:, 1]
    sunk = float(np.quantile(height, 0.95) - np.quantile(height, 0.05))
    swings = sum(len(contacts.swings[side]) for side in SIDES)
    in_place = travelled < MIN_PROGRESS_M or travelled < MIN_PROGRESS_PER_STEP_M * swings
    if in_place:
        lifts = sum(_foot_lifts(signals, side) for side in SIDES)
        if sunk > SEATED_DROP * float(np.quantile(height, 0.95)):
            return f"The person stays in place and lowers or raises the body by {sunk:.2f} m."
        if lifts + swings >= MIN_LIFTS:
            return (
                f"The person steps in place: the feet are lifted {max(lifts, swings)} times, but the body travels only "
                f"{travelled:.2f} m in {seconds:.1f} s."
            )
        return f"The person stays in place: the body travels {travelled:.2f} m in {seconds:.1f} s without walking."
    if not swings:
        if sunk > SEATED_DROP * float(np.quantile(height, 0.95)):
            return f"The person lowers or raises the body by {sunk:.2f} m, but no foot takes a step."
        return f"The body travels {travelled:.2f} m in {seconds:.1f} s, but no foot takes a step."
    if not (contacts.swings["left"] and contacts.swings["right"]):
        return f"The clip is too short to show walking: only one foot takes a step in {seconds:.1f} s."
    slower = np.minimum(signals.ankle_speed_mps["left"], signals.ankle_speed_mps["right"])
    if float((slower < PLANTED_SPEED_MPS).mean()) < MIN_PLANTED_SHARE:
        return f"The body travels {travelled:.2f} m in {seconds:.1f} s, but neither foot is planted on the floor."
    slide = _slide_share(signals)
    if slide > MAX_SLIDE_SHARE:
        return f"The feet slide: the one that stands moves by {100 * slide:.0f} % of what the body travels."
    return None


def _slide_share(signals: BodySignals) -> float:
    """How far the foot that stands moves over the floor, as a share of what the body travels in the same time.

    Of ankles and toes the one that moves least counts; the median over the time in which the body moves, 0 without any.
    Way over time and not speed, so that noise averages out.
    """
    frames = max(round(SLIDE_S * signals.rate_hz), 1)
    if signals.size <= frames:
        return 0.0

    def travel(points: Array) -> Array:
        return np.hypot(*horizontal(points[frames:] - points[:-frames]).T)

    standing = np.minimum.reduce(
        [travel(points[side]) for points in (signals.ankle_m, signals.toe_m) for side in SIDES]
    )
    body = travel(signals.pelvis_m)
    moving = body > 0.3 * np.median(body)
    return float(np.median(standing[moving] / body[moving])) if moving.any() else 0.0


def _foot_lifts(signals: BodySignals, side: Side) -> int:
    """How often an ankle is lifted clear of where it stands."""
    height = signals.ankle_m[side][:, 1]
    lifted = runs(height > float(np.quantile(height, 0.2)) + LIFT_M)
    return sum(1 for start, end in lifted if end - start >= 0.1 * signals.rate_hz)
