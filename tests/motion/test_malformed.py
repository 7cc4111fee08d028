"""Whatever is wrong with a file, the answer is one clear line, soon, and nothing in the file is run."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("ezc3d", reason="reading C3D needs the extra 'c3d'")

from malformed_files import CANARY, KINDS, MALFORMED, Files, files_of, good

from agir_hf.cli import main
from agir_hf.errors import AgirError
from agir_hf.motion import read_motion

LIMIT_S = 5.0
ABSURD = (b"1e999", b"nan", b"-1", b"9" * 25, b"0", b"1e300", b"", b"\0", b"{", b"}", b'"', b"\t", b"\n", b"  " * 90)
WORDS = (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80")


def put(folder: Path, files: Files) -> Path:
    """Write the files of a case; the path of the first, which is the one to read."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / next(iter(files))


@contextmanager
def watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No hang, no warning on the side, no code run."""
    monkeypatch.chdir(folder)
    if hasattr(signal, "setitimer"):

        def stop(*_: object) -> None:
            raise TimeoutError(f"still reading after {LIMIT_S:g} s")

        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    assert time.perf_counter() - start < LIMIT_S
    assert not list(folder.glob(f"*{CANARY}*"))


def assert_one_clear_line(error: AgirError, path: Path) -> None:
    told = str(error)
    assert "\n" not in told and len(told) < 1000, told
    # A skeleton that is wrong is named in place of the motion.
    assert told.startswith((f"{path}: ", f"{path.with_suffix('.asf')}: ")), told
    assert "expected" in told and "found" in told, told


def test_there_are_enough_cases() -> None:
    assert len(MALFORMED) >= 100


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_get_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    path = put(tmp_path, MALFORMED[case])
    with watched(tmp_path, monkeypatch), pytest.raises(AgirError) as caught:
        read_motion(path)
    assert_one_clear_line(caught.value, path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_they_are_made_from_read(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path, files_of(kind, good(kind)))
    assert read_motion(path).num_frames >= 20


HUGE = [case for case in MALFORMED if re.search("bomb|gigabytes|petabytes|GiB|absurdly|end of time|65535", case)]


@pytest.mark.parametrize("case", HUGE)
def test_what_a_file_declares_takes_no_memory(tmp_path: Path, case: str) -> None:
    path = put(tmp_path, MALFORMED[case])
    tracemalloc.start()
    try:
        with pytest.raises(AgirError):
            read_motion(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * 1024**2 + 20 * path.stat().st_size


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """A copy with one to a few damages: cut, changed, lost, doubled or absurd in places."""
    content = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not content:
            break
        # Headers tell more than the numbers behind them.
        place = rng.randrange(len(content) if rng.random() < 0.6 else min(len(content), 3000))
        kind = rng.randrange(7)
        if kind == 0:
            del content[place:]
        elif kind == 1:
            content[place] = rng.randrange(256)
        elif kind == 2:
            del content[place : place + rng.choice((1, 4, 50, 1000))]
        elif kind == 3:
            content[place:place] = rng.choice(ABSURD)
        elif kind == 4:
            content[place : place + 4] = rng.choice(WORDS)
        elif kind == 5:
            start = rng.randrange(len(content))
            content[place:place] = content[start : start + rng.choice((4, 100, 2000))]
        else:
            start = max(0, place - 300)
            numbers = list(re.finditer(rb"-?\d+\.?\d*", bytes(content[start : place + 300])))
            if numbers:
                number = rng.choice(numbers)
                content[start + number.start() : start + number.end()] = rng.choice(ABSURD)
    return bytes(content)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_by_chance_is_read_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    rng = random.Random(kind)
    refused = 0
    for _ in range(40):
        path = put(tmp_path, files_of(kind, mutated(good(kind), rng)))
        with watched(tmp_path, monkeypatch):
            try:
                read_motion(path, frame_rate_hz=rng.choice((None, 30.0)))
            except AgirError as error:
                assert_one_clear_line(error, path)
                refused += 1
    assert refused > 10


def test_damaged_recordings_are_read_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_data: Path
) -> None:
    rng = random.Random(7)
    sources = [sorted(shared_data.rglob(f"*.{kind}"))[0] for kind in ("bvh", "c3d", "trc", "amc", "npy")]
    for source in sources:
        raw = source.read_bytes()
        for asf in source.parent.glob("*.asf"):
            (tmp_path / asf.name).write_bytes(asf.read_bytes())
        path = tmp_path / source.name
        for number in range(6):
            path.write_bytes(raw[: rng.randrange(len(raw))] if number < 2 else mutated(raw, rng))
            with watched(tmp_path, monkeypatch):
                try:
                    read_motion(path)
                except AgirError as error:
                    assert "\n" not in str(error) and path.name in str(error)


SHOWN = ["bvh cut in its values", "c3d with 65535 points", "npz bomb", "pickle that runs a command", "csv with a word"]


@pytest.mark.parametrize("command", ["measure", "convert"])
@pytest.mark.parametrize("case", [*SHOWN, "json nested 100000 deep", "trc with a word", "amc without its asf"])
def test_the_command_line_says_it_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str, command: str
) -> None:
    path = put(tmp_path, MALFORMED[case])
    rest = [str(tmp_path / "out.bvh")] if command == "convert" else []
    assert main([command, str(path), *rest]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1 and err.startswith("agir: ") and path.name in err
    assert not (tmp_path / "out.bvh").exists()


def test_a_process_of_its_own_ends_with_one_line_and_code_2(tmp_path: Path) -> None:
    path = put(tmp_path, MALFORMED["pickle that runs a command"])
    command = [sys.executable, "-m", "agir_hf.cli", "convert", str(path), "out.npz"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "posix.system" in done.stderr or "os.system" in done.stderr
    assert not (tmp_path / CANARY).exists()
