"""The report in a real browser: nothing complained of, turned, scrubbed, a claim pointed at; mouse and keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import LOOKS, MARKS, keep_picture, opened, serious_faults
from test_page import _result

from agir_hf.report.html import write_html
from agir_hf.report.page_data import page_data
from agir_hf.simulation import simulate_person, simulate_walk

pytestmark = MARKS


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
    with opened(report.as_uri(), request.param) as page:
        yield page
        assert page.asked == []


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


def test_two_walks_are_watched_beside_each_other_or_beside_what_the_tokens_keep(page: Any) -> None:
    beside = page.get_by_label("Beside it:")
    assert beside.evaluate("e => e.selectedOptions[0].text") == "As recorded in 2. visit5.bvh"
    other = page.locator("canvas").nth(1)
    before = other.screenshot()
    beside.select_option("tokens")
    assert other.screenshot() != before
    page.locator("#views").scroll_into_view_if_needed()
    keep_picture(page, f"report_{page.viewport_size['width']}")


def test_slow_stays_slow_and_one_clock_runs_whichever_walk_is_chosen(page: Any) -> None:
    page.get_by_role("button", name="Slow").click()
    page.get_by_role("button", name="visit5.bvh").click()
    assert page.get_by_role("button", name="Slow").get_attribute("aria-pressed") == "true"
    page.evaluate("""() => {
        const asked = window.requestAnimationFrame.bind(window);
        window.waiting = new Set();
        window.requestAnimationFrame = (call) => {
            const id = asked((now) => { window.waiting.delete(id); call(now); });
            window.waiting.add(id);
            return id;
        };
        const cancelled = window.cancelAnimationFrame.bind(window);
        window.cancelAnimationFrame = (id) => { window.waiting.delete(id); cancelled(id); };
    }""")
    play = page.locator("#player button").first
    for _ in range(5):
        play.evaluate("button => { for (let i = 0; i < 3; i++) button.click(); }")
    assert page.evaluate("window.waiting.size") == 1


def test_walks_without_a_score_are_no_part_of_a_line(tmp_path: Path) -> None:
    clip = simulate_walk(simulate_person(4, score=1), seed=4, frame_rate_hz=60.0, duration_s=6.0).clip
    standing = clip.replace(joints_m=clip.joints_m[:1].repeat(200, axis=0))
    none = dict.fromkeys(("score", "probabilities", "expected_score", "rationale"))
    abstained = _result(standing) | none | {"abstained": True, "abstain_reason": "nobody walks here"}
    walks = [
        page_data(clip, _result(clip, "long" * 60)),
        page_data(standing, abstained),
        page_data(clip),
        page_data(clip, _result(clip)),
    ]
    write_html(walks, tmp_path / "report.html")
    with opened((tmp_path / "report.html").as_uri(), LOOKS[0]) as page:
        assert page.locator("#trend path").first.get_attribute("d").count("M") == 2
        for place in range(4):
            page.locator("#visit-table button").nth(place).click()
            assert page.locator("canvas").count() == 2
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate("!document.body.innerHTML.includes('NaN')")


def test_axe_finds_no_serious_fault(page: Any) -> None:
    assert serious_faults(page) == []
