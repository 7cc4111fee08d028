"""A real browser for the tests that look at pages: playwright and a Chromium (on the path, or ``AGIR_CHROMIUM``).

With ``AGIR_AXE`` naming axe-core's ``axe.min.js`` they look for faults of accessibility too; with ``AGIR_PICTURES``
naming a folder they leave pictures of what they saw there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = os.environ.get("AGIR_CHROMIUM") or shutil.which("chromium")
MARKS = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium: put it on the path or name it in AGIR_CHROMIUM"),
]
# Colours and width in pixels.
LOOKS = (("light", 1440), ("dark", 390))


@contextmanager
def opened(address: str, look: tuple[str, int], complains: tuple[str, ...] = ("error", "warning")) -> Iterator[Any]:
    """A page in a new browser; afterwards nothing was complained of in its console.

    Its ``asked`` is the list of addresses that were asked for over the network.
    """
    scheme, width = look
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
        )
        page = context.new_page()
        complaints: list[str] = []
        page.asked = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in complains else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: page.asked.append(asked.url) if asked.url.startswith("http") else None)
        page.goto(address)
        yield page
        assert complaints == []
        browser.close()


def serious_faults(page: Any) -> list[str]:
    """What axe-core finds, serious or worse; skips where it is not here."""
    axe = os.environ.get("AGIR_AXE")
    if not axe:
        pytest.skip("AGIR_AXE names no axe.min.js")
    page.evaluate(Path(axe).read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def keep_picture(page: Any, name: str) -> None:
    folder = os.environ.get("AGIR_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
