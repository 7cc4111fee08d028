"""One walk: planted feet, rigid bones, knees that bend forward, events and values that follow the plan."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agir_hf.clip import PARAMETER_NAMES
from agir_hf.simulation import cohort_person, simulate_person, simulate_walk
from agir_hf.skeleton import JOINT_INDEX, PARENTS

CASES = [
    {"turn": "none"},
    {"turn": "left"},
    {"turn": "about"},
    {"turn": "right", "starts": True},
    {"turn": "none", "stops": True, "starts": True},
    {"turn": "none", "freezing": 1},
]


def _clean(person_index, seed=1, **options):
    options = {"frame_rate_hz": 100.0, "duration_s": 8.0, "noise_m": 0.0, **options}
    return simulate_walk(cohort_person(41, person_index), seed=seed, **options)


@pytest.fixture(scope="module", params=range(len(CASES)), ids=[str(case) for case in CASES])
def walks(request):
    return [_clean(index, **CASES[request.param]) for index in range(5)]


def test_planted_feet_stay_where_they_are(walks):
    for walk in walks:
        if walk.truth.freezing_s:
            continue  # the heels tremble in an episode
        checked = 0
        for step in walk.truth.footprints:
            rate = walk.clip.frame_rate_hz
            first = max(int(np.ceil(max(step.flat_s, step.strike_s + 0.06) * rate)), 0)
            last = min(int(np.floor(step.heel_rise_s * rate)), walk.clip.num_frames - 1)
            if last - first < 2:
                continue
            for joint in (f"{step.side}_ankle", f"{step.side}_foot"):
                path = walk.clip.joints_m[first : last + 1, JOINT_INDEX[joint]]
                assert np.ptp(path, axis=0).max() < 1e-3
            ankle = walk.clip.joints_m[first, JOINT_INDEX[f"{step.side}_ankle"]]
            assert np.hypot(ankle[0] - step.x_m, ankle[2] - step.z_m) < 1e-3
            checked += 1
        assert checked >= 4


def test_bones_keep_their_length(walks):
    for walk in walks:
        joints = walk.clip.joints_m.astype(float)
        for joint in range(1, 22):
            length = np.linalg.norm(joints[:, joint] - joints[:, PARENTS[joint]], axis=1)
            assert np.ptp(length) < 1e-4


def test_nothing_goes_through_the_floor_and_the_head_stays_up(walks):
    for walk in walks:
        joints = walk.clip.joints_m
        assert joints[:, [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]], 1].min() > 0.005
        assert joints[:, [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]], 1].min() > 0.03
        assert (joints[:, JOINT_INDEX["head"], 1] > joints[:, JOINT_INDEX["spine2"], 1] + 0.1).all()


def test_knees_bend_forward_and_never_lock(walks):
    for walk in walks:
        joints = walk.clip.joints_m.astype(float)
        across = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
        ahead = np.cross(across, [0.0, 1.0, 0.0])
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        for side in ("left", "right"):
            hip, knee, ankle = (joints[:, JOINT_INDEX[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
            reach = np.linalg.norm(ankle - hip, axis=1)
            bones = np.linalg.norm(knee - hip, axis=1) + np.linalg.norm(ankle - knee, axis=1)
            assert (reach < bones).all()
            along = np.sum((knee - hip) * (ankle - hip), axis=1) / reach**2
            bow = knee - hip - along[:, None] * (ankle - hip)
            assert (np.sum(bow * ahead, axis=1) > 0.0).all()


def test_movement_has_no_jumps(walks):
    for walk in walks:
        joints = walk.clip.joints_m.astype(float)
        acceleration = np.linalg.norm(np.diff(joints, 2, axis=0), axis=2) * walk.clip.frame_rate_hz**2
        assert acceleration[:, JOINT_INDEX["pelvis"]].max() < 50.0
        assert acceleration.max() < 900.0


def test_events_come_in_the_order_of_walking(walks):
    for walk in walks:
        times = [event.time_s for event in walk.truth.events]
        assert times == sorted(times)
        assert all(0.0 <= time <= walk.clip.duration_s for time in times)
        for side in ("left", "right"):
            kinds = [event.kind for event in walk.truth.events if event.side == side]
            assert all(one != other for one, other in itertools.pairwise(kinds))
        strikes = [event.side for event in walk.truth.events if event.kind == "foot_strike"]
        assert all(one != other for one, other in itertools.pairwise(strikes))
        # One foot at a time: between a side's foot off and its strike, the other foot stands.
        standing = {"left": True, "right": True}
        for event in walk.truth.events:
            standing[event.side] = event.kind == "foot_strike"
            assert any(standing.values())


def test_truth_names_and_types(walks):
    for walk in walks:
        assert tuple(walk.truth.values) == PARAMETER_NAMES
        assert isinstance(walk.truth.values["freezing_episodes"], int)
        assert all(value is None or np.isfinite(value) for value in walk.truth.values.values())


def test_rates_sample_the_same_plan():
    for options in ({"turn": "none"}, {"turn": "about"}, {"freezing": 1}):
        slow = _clean(3, frame_rate_hz=30.0, **options)
        fast = _clean(3, frame_rate_hz=60.0, **options)
        assert slow.truth == fast.truth
        difference = np.abs(fast.clip.joints_m[::2][: slow.clip.num_frames] - slow.clip.joints_m)
        assert difference.max() < 1e-3


def test_speed_and_strides_are_those_of_the_clip():
    walk = _clean(2, seed=5)
    pelvis = walk.clip.joints_m[:, 0].astype(float)
    strikes = [event.time_s for event in walk.truth.events if event.kind == "foot_strike" and event.side == "left"]
    first, last = (round(time * 100.0) for time in (strikes[0], strikes[-1]))
    shift = np.linalg.norm((pelvis[last] - pelvis[first])[[0, 2]])
    speed = shift / ((last - first) / 100.0)
    assert walk.truth.values["walking_speed_mps"] == pytest.approx(speed, rel=0.03)
    assert walk.truth.values["stride_time_s"] == pytest.approx(np.diff(strikes).mean(), rel=0.03)
    assert walk.truth.values["stride_length_m"] == pytest.approx(speed * np.diff(strikes).mean(), rel=0.04)
    total = walk.truth.values["double_support_percent"] + 2 * walk.truth.values["swing_percent"]
    assert total == pytest.approx(100.0, abs=3.0)


def test_clearance_and_strike_angle_are_those_of_the_clip():
    walk = _clean(4, seed=2)
    joints = walk.clip.joints_m.astype(float)
    for side in ("left", "right"):
        toe, ankle = joints[:, JOINT_INDEX[f"{side}_foot"]], joints[:, JOINT_INDEX[f"{side}_ankle"]]
        resting = np.quantile(toe[:, 1], 0.1)
        peaks = []
        events = [event for event in walk.truth.events if event.side == side]
        pitches = []
        pitch = np.degrees(np.arctan2(toe[:, 1] - ankle[:, 1], np.linalg.norm((toe - ankle)[:, [0, 2]], axis=1)))
        flat = np.median(pitch[toe[:, 1] < resting + 2e-3])
        for off, strike in itertools.pairwise(events):
            if off.kind == "foot_off":
                peaks.append(toe[int(off.time_s * 100) : int(strike.time_s * 100) + 1, 1].max() - resting)
                pitches.append(np.interp(strike.time_s * 100.0, np.arange(len(pitch)), pitch) - flat)
        assert walk.truth.values[f"foot_clearance_{side}_m"] == pytest.approx(np.mean(peaks), abs=0.004)
        assert walk.truth.values[f"foot_strike_angle_{side}_deg"] == pytest.approx(np.mean(pitches), abs=2.0)


def test_arms_swing_against_the_legs():
    walk = _clean(0, seed=3)
    joints = walk.clip.joints_m.astype(float)
    ahead = joints[-1, 0] - joints[0, 0]
    ahead[1] = 0.0
    ahead /= np.linalg.norm(ahead)
    leg = (joints[:, JOINT_INDEX["left_ankle"]] - joints[:, JOINT_INDEX["right_ankle"]]) @ ahead
    arm = (joints[:, JOINT_INDEX["left_wrist"]] - joints[:, JOINT_INDEX["right_wrist"]]) @ ahead
    assert np.corrcoef(leg, arm)[0, 1] < -0.6


def test_turn_turns_the_body_and_has_a_duration():
    for turn, expected in (("left", 90.0), ("right", -90.0), ("about", 180.0)):
        walk = _clean(6, turn=turn, duration_s=10.0)
        joints = walk.clip.joints_m.astype(float)
        across = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
        heading = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
        turned = np.degrees(heading[-50:].mean() - heading[:50].mean())
        assert walk.truth.turn_deg == pytest.approx(turned if turn != "about" else np.sign(turned) * expected, abs=12.0)
        assert abs(turned) == pytest.approx(abs(expected), abs=12.0)
        assert (walk.truth.values["turn_duration_180_s"] is not None) == (turn == "about")


def test_freezing_stops_progress_but_not_the_feet():
    walk = _clean(7, freezing=1, duration_s=10.0)
    assert walk.truth.values["freezing_episodes"] == 1
    start, end = walk.truth.freezing_s[0]
    inside = slice(int((start + 0.3) * 100), int((end - 0.1) * 100))
    pelvis = walk.clip.joints_m[inside, 0]
    assert np.linalg.norm((pelvis[-1] - pelvis[0])[[0, 2]]) / (end - start) < 0.2
    strikes = [event for event in walk.truth.events if event.kind == "foot_strike" and start < event.time_s < end]
    assert len(strikes) / (end - start) > 2.0


def test_start_and_stop_begin_and_end_standing():
    walk = _clean(8, starts=True, stops=True)
    pelvis = walk.clip.joints_m[:, 0].astype(float)
    speed = np.linalg.norm(np.diff(pelvis, axis=0)[:, [0, 2]], axis=1) * 100.0
    assert speed[:10].mean() < 0.1 and speed[-10:].mean() < 0.1
    assert speed[300:400].mean() > 0.3


def test_healthy_joint_angles_look_like_normal_walking():
    """Knee about 15 to 20 degrees in loading and 60 in swing, thigh through about 45, over healthy people."""
    loading, swing, hip_range = [], [], []
    for seed in range(30):
        walk = simulate_walk(simulate_person(seed, score=0), seed=1, frame_rate_hz=100.0, duration_s=4.0, noise_m=0.0)
        joints = walk.clip.joints_m.astype(float)
        across = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
        ahead = np.cross(across, [0.0, 1.0, 0.0])
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        hip, knee, ankle = (joints[:, JOINT_INDEX[f"left_{part}"]] for part in ("hip", "knee", "ankle"))
        thigh = np.degrees(np.arctan2(np.sum((knee - hip) * ahead, axis=1), hip[:, 1] - knee[:, 1]))
        shank = np.degrees(np.arctan2(np.sum((ankle - knee) * ahead, axis=1), knee[:, 1] - ankle[:, 1]))
        strikes = [int(e.time_s * 100) for e in walk.truth.events if e.kind == "foot_strike" and e.side == "left"]
        first, last = strikes[:2]
        flexion = (thigh - shank)[first:last]
        stance = int(0.3 * len(flexion))
        loading.append(flexion[:stance].max())
        swing.append(flexion.max())
        hip_range.append(np.ptp(thigh[first:last]))
    assert 13.0 < np.mean(loading) < 26.0
    assert 54.0 < np.mean(swing) < 72.0
    assert 36.0 < np.mean(hip_range) < 54.0


def test_the_trunk_of_a_waddle_bends_towards_the_standing_leg():
    people = [simulate_person(seed, score=2) for seed in range(200)]
    waddling = [person for person in people if person.phenotype == "waddling"][:4]
    assert waddling
    for person in waddling:
        walk = simulate_walk(person, seed=1, frame_rate_hz=100.0, duration_s=6.0, noise_m=0.0)
        joints = walk.clip.joints_m.astype(float)
        left_up = joints[:, JOINT_INDEX["left_shoulder"], 1] - joints[:, JOINT_INDEX["right_shoulder"], 1]
        weight_left = joints[:, JOINT_INDEX["right_ankle"], 1] - joints[:, JOINT_INDEX["left_ankle"], 1]
        assert np.corrcoef(left_up, weight_left)[0, 1] < -0.4


def test_a_bent_arm_does_not_push_the_elbow_behind_the_trunk():
    """The upper arm hangs about vertically, averaged over a walk, however far the elbow is bent."""
    upper = []
    for seed in range(40):
        person = simulate_person(seed, score=3)
        walk = simulate_walk(person, seed=1, frame_rate_hz=30.0, duration_s=4.0, noise_m=0.0)
        joints = walk.clip.joints_m.astype(float)
        across = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
        ahead = np.cross(across, [0.0, 1.0, 0.0])
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        arm = joints[:, JOINT_INDEX["left_elbow"]] - joints[:, JOINT_INDEX["left_shoulder"]]
        upper.append(
            (person.style.elbow_deg[0], np.degrees(np.arctan2(np.sum(arm * ahead, axis=1), -arm[:, 1])).mean())
        )
    elbow, angle = np.array(upper).T
    assert -12.0 < np.mean(angle) < 8.0
    assert np.mean(angle[elbow > 45.0]) > -16.0


def test_a_foot_lands_at_the_speed_at_which_it_then_comes_to_rest():
    """Recorded ankles slow down at about 30 m/s2 where the heel meets the floor; a jump in speed is far above that."""
    found = []
    for seed in range(12):
        walk = simulate_walk(simulate_person(seed, score=0), seed=1, frame_rate_hz=200.0, duration_s=3.0, noise_m=0.0)
        ankle = walk.clip.joints_m[:, JOINT_INDEX["left_ankle"]].astype(float)[:, [0, 2]]
        slowing = np.linalg.norm(np.diff(ankle, 2, axis=0), axis=1) * 200.0**2
        for event in walk.truth.events:
            frame = round(event.time_s * 200.0)
            if event.kind == "foot_strike" and event.side == "left" and 4 < frame < len(slowing) - 4:
                found.append(slowing[frame - 3 : frame + 2].max())
    assert np.median(found) < 55.0
