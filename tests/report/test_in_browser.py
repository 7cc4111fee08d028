"""The report in a real browser: nothing complained of, turned, scrubbed, a claim pointed at; mouse and keyboard.

Needs playwright and a Chromium (``chromium`` on the path, or ``AGIR_CHROMIUM``); with ``AGIR_AXE`` naming axe-core's
``axe.min.js`` it looks for faults of accessibility too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_page import _result

from agir_hf.report.html import write_html
from agir_hf.report.page_data import page_data
from agir_hf.simulation import simulate_person, simulate_walk

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = os.environ.get("AGIR_CHROMIUM") or shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium: put it on the path or name it in AGIR_CHROMIUM"),
]
LOOKS = (("light", 1440), ("dark", 390))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    walks = []
    for seed in (4, 5):
        clip = simulate_walk(simulate_person(seed, score=1), seed=seed, frame_rate_hz=60.0, duration_s=6.0).clip
        walks.append(page_data(clip, _result(clip, f"visit{seed}.bvh"), rebuilt=clip, codes=[1] * 80, codes_per_s=20.0))
    write_html(walks, path)
    return path


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def page(request: pytest.FixtureRequest, report: Path) -> Iterator[Any]:
    scheme, width = request.param
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
        )
        opened = context.new_page()
        complaints: list[str] = []
        opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith("http") else None)
        opened.goto(report.as_uri())
        yield opened
        assert complaints == []
        browser.close()


def _picture(page: Any) -> bytes:
    return page.locator("canvas").first.screenshot()


def test_the_skeleton_turns_and_time_is_scrubbed(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    before = _picture(page)
    box = page.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 90)
    page.mouse.up()
    turned = _picture(page)
    assert turned != before
    page.locator("input[type=range]").fill("2.5")
    assert _picture(page) != turned and "2.50 s" in page.locator("#player").inner_text()


def test_a_number_says_what_it_is_measured_from_by_mouse_and_by_keyboard(page: Any) -> None:
    claim = page.locator(".claim").first
    for point in (claim.hover, claim.focus):
        point()
        tip = page.locator("#tip").inner_text()
        assert tip.startswith("Walking speed:") and ", from " in tip
        assert page.locator("#marks rect").count() > 2
        page.locator("h1").click()
        claim.blur()
    claim.focus()
    page.keyboard.press("Enter")
    assert page.locator("#player .quiet").inner_text() != "0.00 s"


def test_the_keyboard_reaches_and_moves_everything(page: Any) -> None:
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "BUTTON", "CANVAS", "INPUT"} <= reached
    canvas = page.locator("canvas").first
    canvas.focus()
    before = _picture(page)
    page.keyboard.press("ArrowLeft")
    assert _picture(page) != before


def test_the_walks_are_chosen_in_the_table(page: Any) -> None:
    page.get_by_role("button", name="visit5.bvh").click()
    assert page.title() == "Gait report: visit5.bvh"


def test_axe_finds_no_serious_fault(page: Any) -> None:
    axe = os.environ.get("AGIR_AXE")
    if not axe:
        pytest.skip("AGIR_AXE names no axe.min.js")
    page.evaluate(Path(axe).read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
