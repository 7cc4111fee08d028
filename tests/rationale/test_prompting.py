"""Prompts: what each task needs, and how a rendered prompt ends."""

from __future__ import annotations

import pytest

from agir_hf.errors import AgirError
from agir_hf.rationale import SCORE_PREFIX, PromptError, render_prompt


def test_assess_takes_either_or_both() -> None:
    both = render_prompt("assess", motion="<motion>", evidence="walking speed 0.78 m/s")
    motion = render_prompt("assess", motion="<motion>")
    evidence = render_prompt("assess", evidence="walking speed 0.78 m/s")
    assert both == "Task: assess gait\nMotion: <motion>\nMeasured:\nwalking speed 0.78 m/s\nRationale:\n"
    assert motion == "Task: assess gait\nMotion: <motion>\nRationale:\n"
    assert evidence == "Task: assess gait\nMeasured:\nwalking speed 0.78 m/s\nRationale:\n"


def test_the_other_tasks() -> None:
    assert render_prompt("motion_to_description", motion="<motion_start><motion_5><motion_end>") == (
        "Task: describe motion\nMotion: <motion_start><motion_5><motion_end>\nDescription:\n"
    )
    assert render_prompt("description_to_motion", description="Walks. {{ 7 }} ") == (
        "Task: make motion\nDescription: Walks. {{ 7 }}\nMotion:\n"
    )


def test_score_prefix_starts_a_line() -> None:
    assert SCORE_PREFIX == "\nScore:"


@pytest.mark.parametrize(
    ("task", "given", "said"),
    [
        ("asses", {"motion": "x"}, "expected a task of"),
        ("assess", {}, "found none"),
        ("assess", {"motion": "  "}, "found none"),
        ("motion_to_description", {"description": "x"}, "found description too"),
        ("assess", {"motion": "x", "description": "y"}, "found description too"),
    ],
)
def test_errors_say_what_to_do(task: str, given: dict[str, str], said: str) -> None:
    with pytest.raises(PromptError, match=said) as caught:
        render_prompt(task, **given)  # type: ignore[arg-type]
    assert isinstance(caught.value, AgirError) and "\n" not in str(caught.value)
