"""The app as its visitors use it, over HTTP, with a tiny random model."""

from __future__ import annotations

import html
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("gradio", reason="needs the demo extra")
pytest.importorskip("gradio_client")

import gradio
from gradio_client import Client, handle_file

import agir_hf.demo
from agir_hf.demo import build_app
from agir_hf.demo.app import MAX_DURATION_S, _assess, _note, _plain, _Refused
from agir_hf.demo.examples import EXAMPLES, example_walk

FIRST, LAST = next(iter(EXAMPLES)), list(EXAMPLES)[-1]


@pytest.fixture(scope="module")
def assessor(tiny_assessor: Path) -> Any:
    from agir_hf.loading import load_pipeline

    assessor = load_pipeline(tiny_assessor)
    assessor._forward_params["max_new_tokens"] = 24
    return assessor


@pytest.fixture(scope="module")
def address(assessor: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    patch = pytest.MonkeyPatch()
    uploads = tmp_path_factory.mktemp("uploads")
    patch.setenv("GRADIO_TEMP_DIR", str(uploads))
    app = build_app(assessor)
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, max_file_size="1mb", show_error=True)
    yield url, uploads
    app.close()
    patch.undo()


def _walk_file(path: Path, seconds: float = 4.0) -> Path:
    clip = example_walk(FIRST)
    frames = int(seconds * clip.frame_rate_hz)
    # One frame again and again where it is only the length that counts: that is small.
    few = frames <= clip.num_frames
    joints = clip.joints_m[:frames] if few else np.repeat(clip.joints_m[:1], frames, axis=0)
    np.savez_compressed(path, joints_m=joints, frame_rate_hz=clip.frame_rate_hz)
    return path


def _files(folder: Path) -> list[Path]:
    """Those with anything in them: Gradio leaves empty ones."""
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]


def test_an_upload_is_assessed_as_it_is_written_and_nothing_of_it_stays(
    address: tuple[str, Path], tmp_path: Path
) -> None:
    url, uploads = address
    client = Client(url, verbose=False, download_files=False)
    job = client.submit(handle_file(str(_walk_file(tmp_path / "mine.npz"))), None, api_name="/assess")
    summary, page = job.result(timeout=120)
    seen = [text for text, _ in job.outputs()]
    assert any(text.startswith("*Being written, not checked yet:*") for text in seen)
    assert re.search(r"\*\*Estimated gait score [0-3]\*\*", summary)
    assert "srcdoc=" in page and 'sandbox="allow-scripts"' in page and 'download="gait_report.html"' in page
    assert "mine.npz" in page and str(uploads) not in page
    assert _files(uploads) == []


def test_two_walks_are_compared(address: tuple[str, Path], tmp_path: Path) -> None:
    client = Client(address[0], verbose=False, download_files=False)
    files = [handle_file(str(_walk_file(tmp_path / f"{name}.npz"))) for name in ("before", "after")]
    note, page = client.predict(*files, api_name="/compare")
    assert "speed" in note.lower() and "before.npz" in page and "after.npz" in page
    assert _files(address[1]) == []


def test_a_walk_may_be_compared_with_itself(address: tuple[str, Path], tmp_path: Path) -> None:
    client = Client(address[0], verbose=False, download_files=False)
    file = _walk_file(tmp_path / "same.npz")
    note, _ = client.predict(handle_file(str(file)), handle_file(str(file)), api_name="/compare")
    assert "within noise" in note
    for one in ((handle_file(str(file)), None), (None, handle_file(str(file)))):
        with pytest.raises(Exception, match="Choose two motion files"):
            client.predict(*one, api_name="/compare")
    kept = _files(address[1])  # which was not read
    assert [path.name for path in kept] == ["same.npz"]
    kept[0].unlink()
    assert _files(address[1]) == []


def test_uploads_may_come_while_those_of_closed_windows_are_looked_for(assessor: Any) -> None:
    app = build_app(assessor)
    assert app.temp_file_sets[0] is app.upload_file_set
    app.upload_file_set.update(map(str, range(50)))
    for number, _ in enumerate(app.upload_file_set):
        app.upload_file_set.add(f"{number} too")  # which would end Gradio's cleaner, and nothing would be removed again


def test_the_model_stops_where_a_visitor_leaves(assessor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(assessor._forward_params, "max_new_tokens", 2000)
    before = set(threading.enumerate())
    writing = _assess(assessor, example_walk(LAST))
    next(writing)
    (writer,) = set(threading.enumerate()) - before
    writing.close()
    writer.join(timeout=5.0)
    assert not writer.is_alive()


def test_what_cannot_be_read_is_said_without_the_servers_folders(address: tuple[str, Path], tmp_path: Path) -> None:
    url, uploads = address
    client = Client(url, verbose=False, download_files=False)
    broken = tmp_path / "broken.bvh"
    broken.write_text("HIERARCHY\nROOT", encoding="utf-8")
    for file, said in (
        (broken, "broken.bvh"),
        (_walk_file(tmp_path / "long.npz", MAX_DURATION_S + 5.0), "lasts 1"),
    ):
        with pytest.raises(Exception, match=said) as refused:
            client.predict(handle_file(str(file)), None, api_name="/assess")
        assert str(uploads) not in str(refused.value)
    with pytest.raises(Exception, match="Choose a motion file"):
        client.predict(None, None, api_name="/assess")
    assert _files(uploads) == []


def test_a_file_that_is_too_large_is_refused(address: tuple[str, Path], tmp_path: Path) -> None:
    large = tmp_path / "large.npz"
    large.write_bytes(bytes(1_500_000))
    client = Client(address[0], verbose=False, download_files=False)
    with pytest.raises(Exception, match=r"(?i)too large|exceeds|413|maximum"):
        client.predict(handle_file(str(large)), None, api_name="/assess")
    assert _files(address[1]) == []


def test_only_this_machine_may_come(address: tuple[str, Path]) -> None:
    assert address[0].startswith("http://127.0.0.1:")
    port = int(address[0].rstrip("/").rpartition(":")[2])
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no other address of its own")
    with pytest.raises(OSError), socket.create_connection((own, port), timeout=2):
        pass


@pytest.mark.slow
def test_twenty_visitors_at_once_all_get_an_answer(address: tuple[str, Path]) -> None:
    answers: list[Any] = []

    def visit() -> None:
        client = Client(address[0], verbose=False, download_files=False)
        answers.append(client.predict(None, LAST, api_name="/assess"))

    visitors = [threading.Thread(target=visit) for _ in range(20)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(timeout=300)
    assert len(answers) == 20 and all("srcdoc=" in page for _, page in answers)


def test_a_space_is_told_what_it_needs() -> None:
    folder = Path(agir_hf.demo.__file__).parent
    head = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert head["sdk"] == "gradio" and (folder / head["app_file"]).is_file() and len(head["short_description"]) <= 60
    root = folder.parents[1]
    if not (root / "constraints.txt").is_file():
        pytest.skip("installed without its repository")
    pins = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert f"gradio=={head['sdk_version']}" in pins
    assert f">={head['python_version']}" in (root / "setup.cfg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_files_of_a_space_run_by_themselves(tiny_assessor: Path, tmp_path: Path) -> None:
    folder = Path(agir_hf.demo.__file__).parent
    for name in ("README.md", "requirements.txt", "space.py"):
        shutil.copy(folder / name, tmp_path / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "AGIR_MODEL": str(tiny_assessor), "GRADIO_SERVER_PORT": str(port)}
    started = subprocess.Popen([sys.executable, "space.py"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(120):
            assert started.poll() is None
            try:
                client = Client(f"http://127.0.0.1:{port}", verbose=False, download_files=False)
                break
            except Exception:  # not there yet, in one of many ways
                time.sleep(1.0)
        _, page = client.predict(None, LAST, api_name="/assess")
        assert "srcdoc=" in page
    finally:
        started.terminate()
        started.wait(timeout=30)


def test_text_of_a_file_means_nothing_but_itself() -> None:
    assert _plain("<script> **x** [a](b)") == "\\<script\\> \\*\\*x\\*\\* \\[a\\](b)"
    assert _plain("&lt; $$x$$") == "\\&lt; \\$\\$x\\$\\$"
    assert html.unescape(_note(gradio, _Refused("<img src=x>")).message) == "<img src=x>"
    assert "<" not in _note(gradio, _Refused("<img src=x>")).message
