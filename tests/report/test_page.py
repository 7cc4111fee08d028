"""The report page: one file, nothing from the network, and in it what was measured and when."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from agir_hf.clip import MotionClip
from agir_hf.errors import AgirError
from agir_hf.gait import measure_gait, normal_cycles
from agir_hf.report.html import write_html
from agir_hf.report.page_data import page_data
from agir_hf.report.write import check_report
from agir_hf.simulation import simulate_person, simulate_walk

RATIONALE = "The person walks at {speed} m/s, against a mean of 1.24 m/s in healthy older adults."


@pytest.fixture(scope="module")
def walk() -> MotionClip:
    return simulate_walk(simulate_person(4, score=1), seed=4, frame_rate_hz=60.0, duration_s=8.0, turn="none").clip


def _result(clip: MotionClip, source: str = "walks/one.bvh") -> dict:
    measured = measure_gait(clip).to_dict()
    values = measured["gait_parameters"]
    speed = values["walking_speed_mps"]  # type: ignore[index]
    return {
        "source": source,
        "score": None if speed is None else 1,
        "probabilities": None if speed is None else {"0": 0.2, "1": 0.6, "2": 0.15, "3": 0.05},
        "expected_score": None if speed is None else 1.05,
        "rationale": None if speed is None else RATIONALE.format(speed=f"{speed:.2f}"),
        "gait_parameters": values,
        "grounding": {"claims": 2, "supported": 2, "unsupported": []},
        "quality": {"walking": speed is not None, "in_distribution": True, "reconstruction_mm": None},
        "abstained": speed is None,
        "abstain_reason": "nobody walks here" if speed is None else None,
        "warnings": ["Look <b>closely</b>."],
        "model": "agir-test",
        "trained_on": "simulated",
    }


def _joints(motion: dict) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(motion["joints_mm"]), dtype="<i2").reshape(motion["frames"], 22, 3)
    joints = values.astype(float)
    joints[..., [0, 2]] += np.array(motion["path_mm"]).reshape(-1, 1, 2)
    return joints / 1000.0


def test_the_motion_is_that_of_the_clip_at_thirty_frames_a_second(walk: MotionClip) -> None:
    motion = page_data(walk, _result(walk))["motion"]
    assert motion["rate_hz"] == 30.0
    np.testing.assert_allclose(
        _joints(motion)[::3], walk.joints_m[::6][: len(_joints(motion)[::3])], atol=0.008
    )  # low-passed


def test_who_walks_far_and_long_is_shown_to_the_end(walk: MotionClip) -> None:
    onwards = np.concatenate([walk.joints_m + np.float32([0.0, 0.0, 8.0 * lap]) for lap in range(20)])
    clip = walk.replace(joints_m=onwards)
    data = page_data(clip)
    shown, rate = _joints(data["motion"]), data["motion"]["rate_hz"]
    assert data["duration_s"] == pytest.approx(clip.duration_s, abs=0.001) and 10.0 <= rate < 30.0
    assert (len(shown) - 1) / rate == pytest.approx(clip.duration_s, abs=1.0 / rate)
    assert np.ptp(shown[:, 0, 2]) > 150.0
    np.testing.assert_allclose(shown[-1, 0], clip.joints_m[-1, 0], atol=0.2)
    assert np.ptp(shown[-1], axis=0).max() < 2.5  # a body, not joints strewn along the way


def test_a_rebuilt_motion_stands_where_the_clip_is_and_faces_its_way(walk: MotionClip) -> None:
    angle = 1.1
    matrix = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    elsewhere = walk.replace(joints_m=(walk.joints_m @ matrix.T + [3.0, 0.0, -2.0]).astype(np.float32))
    data = page_data(walk, _result(walk), rebuilt=elsewhere, codes=[1, 2], codes_per_s=20.0)
    np.testing.assert_allclose(_joints(data["rebuilt"]), _joints(data["motion"]), atol=0.003)


def test_a_number_leads_to_its_measure_and_to_the_strides_it_is_a_mean_of(walk: MotionClip) -> None:
    result = _result(walk)
    data = page_data(walk, result)
    linked = [piece for piece in data["rationale"] if "names" in piece]
    assert [(piece["names"], piece["role"]) for piece in linked] == [
        (["walking_speed_mps"], "measured"),
        (["walking_speed_mps"], "norm"),
    ]
    assert "".join(piece["text"] for piece in data["rationale"]) == result["rationale"]
    for measure in data["measures"]:
        for sample in measure["samples"]:
            assert 0.0 <= sample["start_s"] <= sample["end_s"] <= walk.duration_s + 0.01
    speed = next(one for one in data["measures"] if one["name"] == "walking_speed_mps")
    assert len(speed["samples"]) > 3
    times = np.array([one["end_s"] - one["start_s"] for one in speed["samples"]])
    mean = np.average([one["number"] for one in speed["samples"]], weights=times)
    assert mean == pytest.approx(result["gait_parameters"]["walking_speed_mps"], abs=0.005)


def test_the_file_needs_nothing_else_and_a_name_cannot_become_code(walk: MotionClip, tmp_path: Path) -> None:
    name = "walks/</script><script>alert(1)</script>.bvh"
    path = tmp_path / "report.html"
    write_html([page_data(walk, _result(walk, name)), page_data(walk, _result(walk))], path)
    page = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 3e6
    assert set(re.findall(r"https?://[^\"'\s]+", page)) == {"http://www.w3.org/2000/svg"}
    assert page.count("</script>") == 2 and "alert(1)</script>" not in page
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None and len(json.loads(data.group(1))) == 2
    assert "not the MDS-UPDRS" in page and "default-src 'none'" in page


def test_a_name_that_is_no_utf8_has_a_page_and_a_sheet(walk: MotionClip, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from agir_hf.report.sheet import plot_assessment, write_sheet

    name = b"walks/a\xff.bvh".decode("utf-8", "surrogateescape")
    write_html([page_data(walk, _result(walk, name))], tmp_path / "report.html")
    assert '"source":"a\\udcff.bvh"' in (tmp_path / "report.html").read_text(encoding="utf-8")
    write_sheet([[plot_assessment(_result(walk, name))]], tmp_path / "report.pdf")


def test_a_place_where_no_report_can_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    for path, said in (
        ("none/report.html", "no folder"),
        ("folder.html", "found a folder"),
        ("report.txt", ".html, .pdf"),
    ):
        with pytest.raises(AgirError, match=said):
            check_report(tmp_path / path)
    check_report(tmp_path / "report.html")


def test_a_curve_of_normal_walking_lies_in_the_middle_of_its_band() -> None:
    for cycle in normal_cycles().values():
        low, high = cycle.usual_deg
        np.testing.assert_allclose((low + high) / 2.0, cycle.angle_deg, atol=1e-9)
        assert (high > low).all()


def test_who_stands_has_a_page_too(walk: MotionClip, tmp_path: Path) -> None:
    standing = MotionClip(np.repeat(walk.joints_m[:1], 200, axis=0), 60.0)
    data = page_data(standing, _result(standing))
    assert data["gait"] is None and data["rationale"] == []
    assert all(not measure["samples"] for measure in data["measures"])
    write_html([data], tmp_path / "report.html")


@pytest.mark.parametrize("suffix", [".pdf", ".png"])
def test_what_stands_still_is_a_file_too(walk: MotionClip, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    from agir_hf.report.sheet import walk_figures, write_sheet

    path = tmp_path / f"report{suffix}"
    write_sheet([walk_figures(walk, _result(walk), list(range(32)), codes_per_step=8, codebook_size=64)], path)
    data = path.read_bytes()
    assert data.startswith({".pdf": b"%PDF", ".png": b"\x89PNG"}[suffix]) and 20_000 < len(data) < 3_000_000
    if suffix == ".pdf":
        assert data.count(b"/Type /Page\n") == 5 or data.count(b"/Type /Page ") == 5


def test_the_reasons_of_what_is_missing_are_told(walk: MotionClip) -> None:
    data = page_data(walk, _result(walk))
    turn = next(one for one in data["measures"] if one["name"] == "turn_duration_180_s")
    assert turn["number"] is None and turn["reason"]
    knee = next(curve for curve in data["curves"] if curve["label"].startswith("Knee"))
    assert len(knee["left"]["mean"]) == 51 and max(knee["left"]["mean"]) > 30.0
    low, high = (np.array(limit) for limit in knee["band"])
    assert len(low) == len(high) == 51 and (low < high).all()
    np.testing.assert_allclose((low + high) / 2.0, knee["normal"], atol=0.11)
    arm = next(curve for curve in data["curves"] if curve["label"].startswith("Arm"))
    assert arm["band"] is None


def test_words_stand_only_beside_a_published_range(walk: MotionClip) -> None:
    told = {measure["name"]: measure for measure in page_data(walk, _result(walk))["measures"]}
    for measure in told.values():
        if measure["usual"] is None or measure["caution"]:
            assert measure["word"] == "", measure["name"]
        elif measure["number"] is not None:
            low, high = measure["usual"]
            inside = measure["number"] <= high and (low is None or measure["number"] >= low)
            assert inside == (measure["word"] == ""), measure["name"]
    assert sum(measure["word"] != "" for measure in told.values()) >= 2


def test_a_walk_that_is_not_assessed_yet_has_all_but_a_score(walk: MotionClip) -> None:
    alone, assessed = page_data(walk), page_data(walk, _result(walk))
    assert alone["result"] is None and alone["rationale"] == [] and alone["rebuilt"] is None
    for name in ("measures", "gait", "curves", "motion"):
        assert alone[name] == assessed[name], name
