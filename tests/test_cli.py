"""The command line as a user runs it: results on stdout, everything else on stderr, exit codes, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from agir_hf.cli import main
from agir_hf.gait import PARAMETER_NAMES
from agir_hf.pipeline_agir import GaitAssessment
from agir_hf.simulation import simulate_not_walking, simulate_person, simulate_walk

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "simulated_walk.npz"
ASSESSMENT_FIELDS = [field.name for field in fields(GaitAssessment)]


def save(path: Path, joints: np.ndarray, rate: float = 50.0) -> Path:
    np.savez(path, joints_m=joints, frame_rate_hz=rate)
    return path


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    person = simulate_person(11, score=1)
    return simulate_walk(person, seed=4, frame_rate_hz=50.0, duration_s=5.0, turn="none").clip.joints_m


def test_measure_json(tmp_path: Path, walk: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "walk.npz", walk)
    assert main(["measure", str(path), "--format", "json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    result = json.loads(line)
    assert result["source"] == str(path)
    assert list(result["gait_parameters"]) == list(PARAMETER_NAMES)
    assert {"walking", "strides", "steady_strides", "native_rate_hz", "joints_filled"} == set(result["quality"])
    assert {event["kind"] for event in result["events"]} == {"foot_strike", "foot_off"}
    assert result["gait_parameters"]["turn_duration_180_s"] is None


def test_measure_text_reads_as_a_note(tmp_path: Path, walk: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", str(save(tmp_path / "walk.npz", walk))]) == 0
    out = capsys.readouterr().out
    assert "Walking speed" in out and "m/s" in out and "Arm swing" in out
    assert "None" not in out and "nan" not in out


def malformed(folder: Path, walk: np.ndarray) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    made: dict[str, Path] = {"missing": folder / "missing.bvh"}
    for name, content in {
        "empty.bvh": "",
        "cut.bvh": "HIERARCHY\nROOT Hips\n{\n  OFFSET 0 0 0\n  CHANNELS 6 Xpos",
        "no_legs.bvh": "HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\n"
        "OFFSET 0 10 0\n}\n}\nMOTION\nFrames: 2\nFrame Time: 0.02\n0 0 0\n0 0 0\n",
        "table.xyz": "1 2 3",
    }.items():
        (folder / name).write_text(content, encoding="utf-8")
        made[name] = folder / name
    with_nan = walk.copy()
    with_nan[3, 2, 1] = np.nan
    made["nan"] = save(folder / "nan.npz", with_nan)
    made["zero frames"] = save(folder / "zero.npz", walk[:0])
    made["too short for a step"] = save(folder / "short.npz", walk[:8])
    made["one frame"] = save(folder / "one.npz", walk[:1])
    made["shape"] = save(folder / "shape.npz", walk[:, :10])
    np.save(folder / "rate.npy", walk)
    made["no rate"] = folder / "rate.npy"
    return made


def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, walk: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, path in malformed(tmp_path / "bad", walk).items():
        assert main(["measure", str(path)]) == 2, name
        out, err = capsys.readouterr()
        assert out == "" and len(err.splitlines()) == 1, (name, err)
        assert "Traceback" not in err and path.name in err, (name, err)


def test_a_folder_with_bad_files_gives_the_good_ones_and_exit_code_1(
    tmp_path: Path, walk: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mixed"
    malformed(folder, walk)
    save(folder / "good.npz", walk)
    assert main(["measure", str(folder), "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert [Path(json.loads(line)["source"]).name for line in out.splitlines()] == ["good.npz"]
    # The file of an unknown extension is not taken from a folder, and the missing one is not in it.
    assert len(err.splitlines()) == 9


def test_an_empty_folder_and_a_bad_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", str(tmp_path)]) == 2
    assert "found none" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["measure"])
    assert stopped.value.code == 2


def test_too_short_for_two_steps_and_standing_are_measured_as_not_walking(
    tmp_path: Path, walk: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    standing = simulate_not_walking("standing", seed=1)
    paths = [
        save(tmp_path / "short.npz", walk[:19]),
        save(tmp_path / "standing.npz", standing.joints_m, standing.frame_rate_hz),
    ]
    assert main(["measure", *map(str, paths), "--format", "json"]) == 0
    for line in capsys.readouterr().out.splitlines():
        result = json.loads(line)
        assert result["quality"]["walking"] is False
        assert result["gait_parameters"]["cadence_spm"] is None


class TestPackagedModel:
    def test_example_is_assessed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["assess", str(EXAMPLE), "--format", "json"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        result = json.loads(line)
        assert list(result) == ASSESSMENT_FIELDS
        assert result["abstained"] is False and result["score"] in range(4)
        assert sum(result["probabilities"].values()) == pytest.approx(1.0, abs=1e-3)
        expected = sum(int(k) * p for k, p in result["probabilities"].items())
        assert result["expected_score"] == pytest.approx(expected, abs=0.02)
        assert result["grounding"]["claims"] >= 5
        assert result["trained_on"] == "simulated"

    def test_text_note_says_what_it_is(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["assess", str(EXAMPLE)]) == 0
        out = capsys.readouterr().out
        assert "Estimated gait score" in out and "trained on simulated people" in out and "not the MDS-UPDRS" in out

    @pytest.mark.parametrize("kind", ["standing", "sitting"])
    def test_no_score_is_made_up_for_a_motion_that_is_not_walking(
        self, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        clip = simulate_not_walking(kind, seed=2)
        path = save(tmp_path / f"{kind}.npz", clip.joints_m, clip.frame_rate_hz)
        assert main(["assess", str(path), "--format", "json"]) == 0
        result = json.loads(capsys.readouterr().out)
        assert list(result) == ASSESSMENT_FIELDS
        assert result["abstained"] is True and result["abstain_reason"]
        assert [result[k] for k in ("score", "probabilities", "expected_score", "rationale")] == [None] * 4

    def test_as_a_process(self, tmp_path: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "agir_hf.cli",
            "assess",
            str(EXAMPLE),
            str(tmp_path / "absent.bvh"),
            "--format",
            "json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, encoding="utf-8")
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == 1 and json.loads(done.stdout)["source"] == str(EXAMPLE)
        assert "absent.bvh" in done.stderr and "Traceback" not in done.stderr


def test_convert_and_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "walk.bvh"
    assert main(["convert", str(EXAMPLE), str(copy)]) == 0
    assert main(["convert", str(EXAMPLE), str(copy)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["compare", str(EXAMPLE), str(copy), "--format", "json"]) == 0
    verdicts = {change["verdict"] for change in json.loads(capsys.readouterr().out)["changes"].values()}
    assert not verdicts & {"higher", "lower"} and "no change beyond measurement noise" in verdicts
    assert main(["compare", str(EXAMPLE), str(copy)]) == 0
    assert "Walking speed" in capsys.readouterr().out


def test_a_wrong_model_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"model_type": "gpt2"}', encoding="utf-8")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{", encoding="utf-8")
    (tmp_path / "pickled").mkdir()
    packaged = ROOT / "agir_hf" / "checkpoints" / "agir-tiny"
    for file in packaged.iterdir():
        if file.suffix == ".json":
            (tmp_path / "pickled" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"not safe")
    for name in ("absent", "other", "damaged", "pickled"):
        assert main(["assess", str(EXAMPLE), "--model", str(tmp_path / name)]) == 2, name
        out, err = capsys.readouterr()
        lines = [line for line in err.splitlines() if line.startswith("agir:")]
        assert out == "" and len(lines) == 1 and name in lines[0], (name, err)
        assert "Traceback" not in err


@pytest.mark.parametrize("option", [["--batch-size", "0"], ["--num-rationales", "x"], ["--bogus"]])
def test_a_wrong_option_is_one_line_and_exit_code_2(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["assess", str(EXAMPLE), *option])
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path, walk: np.ndarray) -> None:
    path = str(save(tmp_path / "walk.npz", walk))
    line = [sys.executable, "-m", "agir_hf.cli", "measure", *[path] * 20, "--format", "json"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(5)
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
