"""Two visits: values of single strides, the limits of noise, and how often noise alone exceeds them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gait_walker import Plan, walk
from scipy import stats

from agir_hf.clip import MotionClip
from agir_hf.gait import PARAMETER_NAMES, measure_gait
from agir_hf.gait.comparison import GaitComparison, Visit, compare_gait, measure_visit, noise_floors
from agir_hf.gait.per_stride import WITHOUT_STRIDES, StrideValue, gait_evidence, stride_samples, stride_values
from agir_hf.gait.results import GaitParameters, GaitQuality
from agir_hf.simulation import NOT_WALKING_KINDS, simulate_not_walking, simulate_person, simulate_walk

NO_FLOORS = dict.fromkeys(noise_floors(), 0.0)
COMPARED = ("higher", "lower", "no change beyond measurement noise")


def visit(values: dict[str, list[float]], *, sides: str = "own", **known: float) -> Visit:
    """A visit with these stride values (of left and right in turn, or of the name's own side) and their means."""
    strides: dict[str, tuple[StrideValue, ...] | None] = {
        name: None if name in WITHOUT_STRIDES else () for name in PARAMETER_NAMES
    }
    for name, numbers in values.items():
        own = "right" if "_right_" in name else "left"
        strides[name] = tuple(
            StrideValue(own if sides == "own" else ("left", "right")[index % 2], number)
            for index, number in enumerate(numbers)
        )
    means = {name: float(np.mean(numbers)) for name, numbers in values.items() if numbers} | known
    parameters = GaitParameters(
        values={name: means.get(name) for name in PARAMETER_NAMES},
        reasons={name: "no evidence" for name in PARAMETER_NAMES if name not in means},
        low_confidence={},
        events=(),
        quality=GaitQuality(True, 9, 9, 60.0, (), None),
        warnings=(),
    )
    return Visit("made by hand", parameters, strides, 0.85)


def false_alarms(comparisons: list[GaitComparison]) -> float:
    """Share of compared values called higher or lower."""
    verdicts = [change.verdict for made in comparisons for change in made.changes.values()]
    compared = [verdict for verdict in verdicts if verdict in COMPARED]
    assert len(compared) > 300
    return sum(verdict in ("higher", "lower") for verdict in compared) / len(compared)


@pytest.fixture(scope="module")
def people() -> list[tuple[Visit, Visit]]:
    """Two walks each of 40 people, with sensor noise."""
    return [
        (
            measure_visit(simulate_walk(person, seed=1, duration_s=6.0, frame_rate_hz=50.0).clip),
            measure_visit(simulate_walk(person, seed=2, duration_s=6.0, frame_rate_hz=50.0).clip),
        )
        for person in (simulate_person(number) for number in range(40))
    ]


@pytest.mark.parametrize("rate", [30.0, 100.0])
def test_stride_values_average_to_the_parameters(rate: float) -> None:
    clip = simulate_walk(simulate_person(4), seed=1, duration_s=11.0, frame_rate_hz=rate, turn="about").clip
    measured = measure_gait(clip).values
    values, evidence = stride_values(clip), gait_evidence(clip)
    assert evidence is not None and tuple(values) == PARAMETER_NAMES
    times = values["stride_time_s"]
    assert times is not None and 3 <= len(times) == len(evidence.used_strides)
    assert {name for name, found in values.items() if found is None} == WITHOUT_STRIDES
    for name, found in values.items():
        if found is None:
            continue
        assert (measured[name] is None) == (not found), name
        if not found:
            continue
        expected = float(np.mean(found))
        if name == "walking_speed_mps":
            expected = float(np.average(found, weights=times))
        if name in ("cadence_spm", "step_width_m", "swing_percent"):
            samples = stride_samples(evidence)[name] or ()
            sides = [[item.value for item in samples if item.side == side] for side in ("left", "right")]
            expected = float(np.mean([np.mean(side) for side in sides]))
        # Cadence is 60 over a mean of times, trunk flexion a mean over frames.
        loose = name in ("cadence_spm", "trunk_flexion_deg")
        assert expected == pytest.approx(measured[name], rel=2e-2 if loose else 1e-9), name
    assert bool(values["foot_strike_angle_left_deg"]) == (rate >= 50.0)


def test_a_clip_without_walking_has_no_stride_values() -> None:
    values = stride_values(simulate_not_walking(NOT_WALKING_KINDS[0], seed=1))
    assert tuple(values) == PARAMETER_NAMES
    assert all(found == (None if name in WITHOUT_STRIDES else []) for name, found in values.items())


def test_every_parameter_with_an_error_has_a_floor_and_says_why() -> None:
    floors = noise_floors()
    assert set(floors) == set(PARAMETER_NAMES) - {"turn_duration_180_s", "freezing_episodes"}
    for name, floor in floors.items():
        assert floor.instrument > 0.0 and floor.walk_to_walk > 0.0 and floor.basis, name
        assert floor.total == pytest.approx((floor.instrument**2 + floor.walk_to_walk**2) ** 0.5)
        if "_left_" in name:
            assert floor.total == floors[name.replace("_left_", "_right_")].total


def test_limits_are_those_of_welch() -> None:
    """Strides of one side, too few for a drift, no floor: Welch's t-test."""
    name = "step_length_left_m"
    one, two = [0.60, 0.62, 0.59, 0.61], [0.66, 0.65, 0.70]
    change = compare_gait(visit({name: one}), visit({name: two}), floors=NO_FLOORS).changes[name]
    known = stats.ttest_ind(two, one, equal_var=False)
    interval = known.confidence_interval(0.95)
    assert change.change == pytest.approx(np.mean(two) - np.mean(one))
    assert change.limit == pytest.approx(0.5 * (interval.high - interval.low))
    assert change.standard_error == pytest.approx(change.limit / stats.t.ppf(0.975, known.df))
    assert change.strides == (4, 3)
    assert (change.verdict == "higher") == (known.pvalue < 0.05)
    # With a floor the limit tends to 1.96 of it, and the same change is within the noise.
    wide = compare_gait(visit({name: one}), visit({name: two}), floors={name: 10.0}).changes[name]
    assert wide.limit == pytest.approx(19.6, rel=1e-3)
    assert wide.verdict == "no change beyond measurement noise" and wide.noise_floor == 10.0


def test_many_strides_need_no_more_than_1_96_standard_errors() -> None:
    rng = np.random.default_rng(0)
    name = "step_width_m"
    one, two = (visit({name: rng.normal(0.1, 0.01, 4000).tolist()}, sides="both") for _ in range(2))
    change = compare_gait(one, two, floors=NO_FLOORS).changes[name]
    assert change.standard_error == pytest.approx(0.01 * (2.0 / 4000.0) ** 0.5, rel=0.08)
    assert change.limit == pytest.approx(1.96 * change.standard_error, rel=1e-3)


def test_strides_that_overlap_count_for_half_and_lasting_differences_of_the_sides_for_nothing() -> None:
    noise = [0.01, -0.02, 0.02, -0.01, -0.03, 0.02, 0.00, 0.01]
    lopsided = [value + (0.3 if index % 2 else 0.0) for index, value in enumerate(noise)]
    for name, share in (("stride_time_s", 2.0), ("step_width_m", 1.0)):
        errors = [
            compare_gait(
                visit({name: values}, sides="both"), visit({name: values}, sides="both"), floors=NO_FLOORS
            ).changes[name]
            for values in (noise, lopsided)
        ]
        assert errors[0].standard_error == pytest.approx(errors[1].standard_error)
        sides = [np.array(noise[0::2]), np.array(noise[1::2])]
        variance = sum(((side - side.mean()) ** 2).sum() for side in sides) / (len(noise) - 2)
        assert errors[0].standard_error == pytest.approx((2.0 * share * variance / len(noise)) ** 0.5)


@pytest.mark.parametrize("drift", [0.0, 0.4])
def test_noise_alone_rarely_exceeds_its_limit(drift: float) -> None:
    """Stride values drawn at random, the same on both visits, some with strides that resemble the last one."""
    rng = np.random.default_rng(5)
    names = [name for name in noise_floors() if name not in WITHOUT_STRIDES and not name.startswith("arm_swing")]
    names = [name for name in names if "left" in name or "right" in name]

    def drawn() -> Visit:
        values = {}
        for name in names:
            steps = rng.standard_normal(14)
            for index in range(1, len(steps)):
                steps[index] = drift * steps[index - 1] + (1.0 - drift**2) ** 0.5 * steps[index]
            values[name] = (10.0 + steps).tolist()
        return visit(values)

    share = false_alarms([compare_gait(drawn(), drawn(), floors=NO_FLOORS) for _ in range(150)])
    assert 0.02 < share < (0.08 if drift == 0.0 else 0.12)


def test_two_walks_of_one_person_rarely_differ(people: list[tuple[Visit, Visit]]) -> None:
    made = [compare_gait(one, two) for one, two in people]
    assert false_alarms(made) < 0.05
    speeds = [item.changes["walking_speed_mps"].verdict for item in made]
    assert sum(verdict in ("higher", "lower") for verdict in speeds) <= 4
    # The strides of one walk do not tell how the next walk will be: without the walk-to-walk part it is many more.
    instrument = {name: floor.instrument for name, floor in noise_floors().items()}
    narrow = [compare_gait(one, two, floors=instrument).changes["walking_speed_mps"].verdict for one, two in people]
    assert sum(verdict in ("higher", "lower") for verdict in narrow) > 12


def test_two_halves_of_one_walk_differ_as_often_as_the_limits_promise() -> None:
    """One pace, other strides: the spread of the strides alone has to account for the differences."""
    made = []
    for number in range(30):
        clip = simulate_walk(simulate_person(200 + number), seed=1, duration_s=14.0, frame_rate_hz=50.0).clip
        half = clip.num_frames // 2
        parts = [clip.replace(joints_m=clip.joints_m[part]) for part in (slice(0, half), slice(half, None))]
        made.append(compare_gait(*parts, floors=NO_FLOORS))
    assert 0.02 < false_alarms(made) < 0.09


def test_a_faster_walk_is_flagged_and_the_reverse_is_lower() -> None:
    slow = measure_visit(walk(Plan(speed=0.8, stride_time=1.25, duration=9.0, noise=0.003)).clip)
    fast = measure_visit(walk(Plan(speed=1.1, stride_time=1.10, duration=9.0, noise=0.003), seed=1).clip)
    there, back = compare_gait(slow, fast).changes, compare_gait(fast, slow).changes
    assert there["walking_speed_mps"].change == pytest.approx(0.3, abs=0.02)
    assert there["walking_speed_mps"].verdict == there["cadence_spm"].verdict == "higher"
    assert there["stride_length_m"].verdict == "higher" and there["stride_time_s"].verdict == "lower"
    assert back["walking_speed_mps"].verdict == "lower"
    assert there["trunk_flexion_deg"].verdict == "no change beyond measurement noise"
    for name in PARAMETER_NAMES:
        assert there[name].limit == back[name].limit


def test_few_strides_and_missing_values_say_so() -> None:
    long = walk(Plan(duration=12.0)).clip
    short = walk(Plan(duration=2.6)).clip
    changes = compare_gait(long, short).changes
    few = changes["foot_clearance_left_m"]
    assert few.strides is not None and few.strides[1] < 3
    assert few.verdict == "not enough strides to tell" and "3 are needed" in str(few.reason)
    assert few.change is not None and few.limit is None
    gone = changes["stride_time_cv_percent"]
    assert gone.verdict == "not measured" and gone.change is None
    assert "second visit" in str(gone.reason) and "first visit" not in str(gone.reason)
    assert changes["turn_duration_180_s"].verdict == "not measured"
    counts = compare_gait(long, long).changes["freezing_episodes"]
    assert counts.verdict == "no noise estimate" and counts.change == 0 and counts.standard_error is None
    turning = walk(Plan(turn_deg=180.0, turn_s=(4.0, 6.5), duration=11.0)).clip
    assert compare_gait(turning, turning).changes["turn_duration_180_s"].verdict == "no noise estimate"


def test_two_strides_of_one_side_and_one_of_the_other_are_just_enough() -> None:
    name = "stride_length_m"
    enough, too_few = (visit({name: [1.0, 1.1, 1.02][:count]}, sides="both") for count in (3, 2))
    assert compare_gait(enough, enough).changes[name].limit is not None
    assert compare_gait(enough, too_few).changes[name].verdict == "not enough strides to tell"


def test_errors_of_asymmetry_and_variability_are_those_of_repeated_draws() -> None:
    rng = np.random.default_rng(2)
    shape = (4000, 40)
    left, right = rng.normal(0.60, 0.02, shape), rng.normal(0.50, 0.02, shape)
    spread = float(np.std(100.0 * (1.0 - right.mean(axis=1) / left.mean(axis=1))))
    name = "step_length_asymmetry_percent"
    one = visit(
        {"step_length_left_m": left[0].tolist(), "step_length_right_m": right[0].tolist()},
        step_length_asymmetry_percent=100.0 * (1.0 - right[0].mean() / left[0].mean()),
    )
    change = compare_gait(one, one, floors=NO_FLOORS).changes[name]
    assert change.standard_error == pytest.approx(2.0**0.5 * spread, rel=0.25) and change.strides == (40, 40)
    # Strides without overlap, of which the module counts half.
    times = rng.normal(1.0, 0.03, (4000, 60))
    spread = float(np.std(100.0 * times.std(axis=1, ddof=1) / times.mean(axis=1)))
    one = visit({"stride_time_s": times[0].tolist()}, sides="both", stride_time_cv_percent=3.0)
    error = compare_gait(one, one, floors=NO_FLOORS).changes["stride_time_cv_percent"].standard_error
    assert error == pytest.approx(2.0 * spread, rel=0.1)


def test_what_makes_two_recordings_hard_to_compare_is_said() -> None:
    clip = walk(Plan()).clip
    taller = walk(Plan(rate=50.0, leg=1.1)).clip.replace(joints_filled=("left_wrist",))
    said = " ".join(compare_gait(clip, taller).warnings)
    assert "100 and 50 frames a second" in said and "left_wrist" in said and "legs are" in said
    assert compare_gait(clip, clip).warnings == ()
    still = MotionClip(np.repeat(clip.joints_m[:1], 300, axis=0), 100.0)
    unlike = compare_gait(clip, still)
    assert "Second visit: The person stays in place" in " ".join(unlike.warnings)
    assert {change.verdict for change in unlike.changes.values()} == {"not measured"}


def test_to_dict_is_json_in_neutral_words() -> None:
    one = simulate_walk(simulate_person(3), seed=1, duration_s=10.5).clip
    two = simulate_walk(simulate_person(8), seed=1, duration_s=10.5).clip
    text = json.dumps(compare_gait(one, two).to_dict(), allow_nan=False)
    got = json.loads(text)
    assert tuple(got["changes"]) == PARAMETER_NAMES and got["confidence"] == 0.95
    assert set(got["first"]) == {
        "source",
        "walking",
        "strides",
        "steady_strides",
        "native_rate_hz",
        "leg_length_m",
        "low_confidence",
    }
    assert set(got["changes"]["walking_speed_mps"]) == {
        "first",
        "second",
        "change",
        "standard_error",
        "noise_floor",
        "limit",
        "strides",
        "verdict",
        "reason",
    }
    assert isinstance(got["changes"]["freezing_episodes"]["change"], int)
    for word in ("improv", "worse", "better", "deteriorat"):
        assert word not in text.lower()
