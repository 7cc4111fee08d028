"""Foot strikes and foot offs against written plans and laboratory-like conditions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from gait_walker import Plan, walk

from agir_hf.clip import GaitEvent
from agir_hf.gait.events import detect_contacts
from agir_hf.gait.signals import body_signals, low_pass
from agir_hf.simulation import simulate_person, simulate_walk


def _errors_s(planned: tuple[GaitEvent, ...], found: tuple[GaitEvent, ...], edge_s: float, end_s: float) -> list[float]:
    errors = []
    for event in planned:
        if edge_s < event.time_s < end_s - edge_s:
            same = [e.time_s - event.time_s for e in found if (e.kind, e.side) == (event.kind, event.side)]
            errors.append(min(same, key=abs, default=9.0))
    return errors


PLANS = {
    "brisk": Plan(speed=1.5, stride_time=0.98),
    "slow": Plan(speed=0.5, stride_time=1.5, swing=0.30),
    "shuffle": Plan(speed=0.3, stride_time=0.85, swing=0.28, strike_angle=(0, 0), clearance=(0.01, 0.01)),
    "one sided": Plan(left_step_bias=0.12, strike_angle=(20, 2), clearance=(0.06, 0.02)),
    "turning": Plan(turn_deg=180.0, turn_s=(3.0, 5.5), duration=9.0),
}


@pytest.mark.parametrize("rate", [20.0, 25.0, 30.0, 60.0, 100.0, 120.0])
@pytest.mark.parametrize("name", PLANS)
def test_events_fall_where_the_plan_put_them_at_every_rate(name: str, rate: float) -> None:
    plan = Plan(**{**PLANS[name].__dict__, "rate": rate})
    made = walk(plan)
    found = detect_contacts(body_signals(made.clip)).events()
    errors = _errors_s(made.events, found, 0.15, made.clip.duration_s)
    assert len(errors) > 10
    assert np.max(np.abs(errors)) < 0.045
    assert abs(np.median(errors)) < 0.012
    assert abs(len(found) - len(made.events)) <= 2  # at the clip's ends only


def test_a_foot_that_rolls_over_its_heel_has_struck() -> None:
    """Slow walking onto steep heels, where the ankle rolls on nearly as fast as it swings."""
    errors = []
    for index in range(12):
        person = simulate_person(500 + index, score=2)
        made = simulate_walk(person, seed=index, frame_rate_hz=60.0, duration_s=8.0, noise_m=0.003)
        strikes = tuple(event for event in made.truth.events if event.kind == "foot_strike")
        found = detect_contacts(body_signals(made.clip)).events()
        errors += _errors_s(strikes, found, 0.3, made.clip.duration_s)
    assert np.median(np.abs(errors)) < 0.02 and np.quantile(np.abs(errors), 0.95) < 0.065


@pytest.mark.parametrize("rate", [20.0, 60.0, 120.0])
def test_sensor_noise_adds_no_events(rate: float) -> None:
    made = walk(Plan(rate=rate, noise=0.005, duration=10.0), seed=3)
    found = detect_contacts(body_signals(made.clip)).events()
    errors = _errors_s(made.events, found, 0.15, made.clip.duration_s)
    assert np.median(np.abs(errors)) < 0.02 and np.max(np.abs(errors)) < 0.06
    assert abs(len(found) - len(made.events)) <= 2


def test_noise_does_not_lift_a_standing_foot() -> None:
    for seed in (1, 6, 8):
        made = walk(Plan(rate=20.0, noise=0.005, duration=10.0), seed=seed)
        found = detect_contacts(body_signals(made.clip)).events()
        offs = tuple(event for event in made.events if event.kind == "foot_off")
        assert np.max(np.abs(_errors_s(offs, found, 0.15, 10.0))) < 0.1


def test_strike_and_off_alternate_on_each_side() -> None:
    made = walk(Plan(turn_deg=-180.0, turn_s=(3.0, 5.0), duration=9.0, noise=0.004))
    found = detect_contacts(body_signals(made.clip)).events()
    for side in ("left", "right"):
        kinds = [event.kind for event in found if event.side == side]
        assert len(kinds) > 8
        assert all(a != b for a, b in pairwise(kinds))


def test_no_event_before_the_first_step() -> None:
    made = walk(Plan(stand_s=(3.0, 1e3), duration=8.0))
    found = detect_contacts(body_signals(made.clip)).events()
    assert found and min(event.time_s for event in found) > 2.8


def test_a_toe_base_that_was_filled_in_is_not_used_for_the_foot_offs() -> None:
    made = walk(Plan())
    joints = made.clip.joints_m.copy()
    joints[:, 10:12] = joints[:, 7:9] + np.float32([0.0, -0.05, 0.1])
    found = detect_contacts(body_signals(made.clip.replace(joints_m=joints)), ("left_foot", "right_foot")).events()
    offs = tuple(event for event in made.events if event.kind == "foot_off")
    assert np.max(np.abs(_errors_s(offs, found, 0.2, made.clip.duration_s))) < 0.08


def test_filter_keeps_trends_and_slow_curves_and_removes_noise() -> None:
    t = np.arange(0, 4, 0.05)
    for rate, upsampling in ((20.0, 5), (100.0, 1)):
        t = np.arange(0, 4, 1 / rate)
        fine = np.arange((len(t) - 1) * upsampling + 1) / (rate * upsampling)
        line = low_pass((2.0 * t + 1.0)[:, None], rate, 8.0, upsampling)[:, 0]
        np.testing.assert_allclose(line, 2.0 * fine + 1.0, atol=1e-5)
        wave = low_pass(np.sin(2 * np.pi * 1.5 * t)[:, None], rate, 8.0, upsampling)[:, 0]
        inner = slice(len(fine) // 5, -len(fine) // 5)
        np.testing.assert_allclose(wave[inner], np.sin(2 * np.pi * 1.5 * fine)[inner], atol=0.02)
    noise = np.random.default_rng(0).standard_normal((2000, 1))
    assert low_pass(noise, 120.0, 4.0).std() < 0.35
