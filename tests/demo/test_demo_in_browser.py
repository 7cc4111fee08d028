"""The app in a real browser as its visitors use it, with the packaged model: by mouse and by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import LOOKS, MARKS, keep_picture, opened, serious_faults

pytest.importorskip("gradio", reason="needs the demo extra")

from agir_hf.demo import build_app, launch_options
from agir_hf.demo.examples import EXAMPLES
from agir_hf.motion.writing import write_motion
from agir_hf.simulation import simulate_person, simulate_walk

pytestmark = MARKS
LAST = list(EXAMPLES)[-1]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from agir_hf.loading import load_pipeline

    app = build_app(load_pipeline("agir-tiny"))
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, show_error=True, **launch_options())
    yield url
    app.close()


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def page(request: pytest.FixtureRequest, address: str) -> Iterator[Any]:
    # Gradio warns in its console of its own ways ("Method not implemented."): errors are what counts.
    with opened(address, request.param, complains=("error",)) as page:
        page.get_by_role("button", name="Assess").wait_for()
        page.wait_for_timeout(1000)
        yield page
        # Its fonts are Gradio's; nothing else is asked for elsewhere.
        assert [url for url in page.asked if not url.startswith(address) and "fonts." not in url] == []


@pytest.fixture(scope="module")
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a real person where there is one, else of a simulated one."""
    try:
        folder = request.getfixturevalue("shared_data")
    except pytest.skip.Exception:
        path = tmp_path_factory.mktemp("walk") / "walk.bvh"
        write_motion(simulate_walk(simulate_person(3, score=1), seed=3, frame_rate_hz=60.0, duration_s=6.0).clip, path)
        return path
    return folder / "clinical_bvh" / "SubjectA1_Cycle1.bvh"


def _look(page: Any, name: str) -> None:
    keep_picture(page, f"{name}_{page.viewport_size['width']}")


def _upload(page: Any, path: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(str(path))


def _frame(page: Any) -> Any:
    """The report's frame, in view: Chromium draws none that cannot be seen, and playwright waits for its drawing."""
    page.locator("iframe").wait_for(state="attached", timeout=120_000)
    frame = page.frame_locator("iframe")
    for _ in range(120):  # another frame takes its place when the assessment is there
        page.locator("iframe").evaluate("frame => frame.scrollIntoView()")
        if frame.locator("#player button").first.is_visible():
            break
        page.wait_for_timeout(500)
    return frame


def _said(page: Any) -> str:
    page.locator(".toast-body").first.wait_for(timeout=30_000)
    return " ".join(page.locator(".toast-body").all_inner_texts())


def test_an_upload_is_watched_then_assessed_turned_scrubbed_and_saved(page: Any, recording: Path) -> None:
    _look(page, "demo_first")
    _upload(page, recording)
    page.get_by_text(recording.name).first.wait_for()
    page.get_by_role("button", name="Assess").click()
    page.get_by_text("Being written, not checked yet").wait_for(timeout=60_000)
    frame = _frame(page)
    # While the model writes, the walk is there to be watched, and no score.
    assert frame.locator("#player button").first.is_visible()
    if not frame.locator(".claim").count():
        assert not frame.locator("#score").is_visible()
    _look(page, "demo_writing")
    page.get_by_text("Estimated gait score").first.wait_for(timeout=120_000)
    frame = _frame(page)
    frame.locator("#score").wait_for()
    playing = frame.get_by_role("button", name="Pause")  # frames do not always hear of reduced motion
    if playing.is_visible():
        playing.click()
    canvas = frame.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    before = canvas.screenshot()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 80)
    page.mouse.up()
    turned = canvas.screenshot()
    assert turned != before
    frame.locator("input[type=range]").fill("1.5")
    assert "1.50 s" in frame.locator("#player").inner_text() and canvas.screenshot() != turned
    frame.locator(".claim").first.hover()
    assert ", from " in frame.locator("#tip").inner_text()
    _look(page, "demo_claim")
    for name, begins in (("Save the report", "<!doctype html>"), ("Save the numbers (JSON)", '{"')):
        page.get_by_role("link", name=name).scroll_into_view_if_needed()
        page.wait_for_timeout(800)  # the page scrolls smoothly, and a click on the way meets something else
        with page.expect_download() as saved:
            page.get_by_role("link", name=name).click()
        assert Path(saved.value.path()).read_text(encoding="utf-8").startswith(begins)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious_faults(page) == []


def test_a_double_click_is_one_and_a_file_or_an_example_is_chosen(page: Any, recording: Path) -> None:
    page.get_by_label(LAST).check()
    _upload(page, recording)
    page.locator(".file-preview").wait_for()
    page.wait_for_function("!document.querySelector('input[type=radio]:checked')")
    page.get_by_role("button", name="Assess").dblclick()
    page.get_by_text("Estimated gait score").first.wait_for(timeout=120_000)
    assert page.locator(".toast-body").count() == 0
    page.get_by_role("button", name="Assess").click()
    assert "upload it again" in _said(page) and _frame(page).locator("#score").is_visible()
    page.locator(".toast-close").first.click()
    page.get_by_label(LAST).check()  # and not the file, which is gone
    page.locator(".file-preview").wait_for(state="detached")
    page.get_by_role("button", name="Assess").click()
    page.get_by_text("Being written, not checked yet").wait_for(timeout=60_000)
    page.get_by_text("Estimated gait score").first.wait_for(timeout=120_000)
    assert page.locator(".toast-body").count() == 0


def test_two_walks_are_compared(page: Any, recording: Path, tmp_path: Path) -> None:
    other = tmp_path / "after.bvh"
    write_motion(simulate_walk(simulate_person(8, score=2), seed=8, frame_rate_hz=60.0, duration_s=6.0).clip, other)
    page.get_by_role("tab", name="Two walks").click()
    for label, path in (("First walk", recording), ("Second walk", other)):
        chosen = page.locator(".block", has=page.get_by_text(label, exact=True)).locator("input[type=file]").last
        chosen.set_input_files(str(path))
        page.get_by_text(path.name).first.wait_for()
    page.get_by_role("button", name="Compare").click()
    frame = _frame(page)
    frame.get_by_label("Beside it:").wait_for(timeout=120_000)
    assert "Walking speed" in page.locator("pre, code").first.inner_text()
    frame.locator("canvas").first.scroll_into_view_if_needed()
    _look(page, "demo_two")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_broken_file_and_one_of_a_gigabyte_are_answered_in_a_line(page: Any, tmp_path: Path) -> None:
    broken, huge = tmp_path / "broken.bvh", tmp_path / "huge.bvh"
    broken.write_text("HIERARCHY\nROOT", encoding="utf-8")
    with huge.open("wb") as file:
        file.truncate(1_000_000_000)
    _upload(page, huge)
    note = page.get_by_role("alert").filter(has_text="huge.bvh")
    note.wait_for(timeout=5_000)
    assert "has 1000 MB; this page takes up to 20 MB" in note.inner_text()
    _look(page, "demo_huge")
    _upload(page, broken)
    page.get_by_text("broken.bvh").first.wait_for()
    assert note.count() == 0
    page.get_by_role("button", name="Assess").click()
    assert "broken.bvh" in _said(page)
    _look(page, "demo_broken")


def test_the_keyboard_alone_is_enough(page: Any) -> None:
    def tab_to(what: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(f"document.activeElement.matches({what!r})"):
                return
        raise AssertionError(f"the tabulator key reaches no {what}")

    tab_to("input[type=radio]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    chosen = page.evaluate("document.querySelector('input[type=radio]:checked')?.value")
    assert chosen is not None
    tab_to("button.primary")
    page.keyboard.press("Enter")
    page.get_by_text("Estimated gait score").first.wait_for(timeout=120_000)
    tab_to("a[download]")
    frame = page.frames[-1]
    for _ in range(60):
        page.keyboard.press("Tab")
        if frame.evaluate("document.activeElement.matches('.claim')"):
            break
    assert ", from " in page.frame_locator("iframe").locator("#tip").inner_text()
    tip_shown = page.frame_locator("iframe").locator("#tip").is_visible()
    page.keyboard.press("Escape")
    assert tip_shown and not page.frame_locator("iframe").locator("#tip").is_visible()


def test_who_waits_sees_the_queue(page: Any) -> None:
    others = [page.context.new_page() for _ in range(3)]
    for other in (*others, page):
        if other is not page:
            other.goto(page.url)
            other.get_by_role("button", name="Assess").wait_for()
            other.wait_for_timeout(800)
        other.get_by_label(LAST).check()
    for other in (*others, page):
        other.get_by_role("button", name="Assess").click()
    waiting = page.get_by_text("queue:").first
    waiting.wait_for(timeout=10_000)
    assert "/" in waiting.inner_text()
    _look(page, "demo_queue")
    page.get_by_text("Estimated gait score").first.wait_for(timeout=180_000)
