"""Prompts: one template file a task under ``prompts/``."""

from __future__ import annotations

from functools import cache
from typing import Literal

from ..errors import AgirError
from ..package_data import read_data

Task = Literal["assess", "motion_to_description", "description_to_motion", "quote", "tell"]

SCORE_PREFIX = "\nScore:"
"""A completion of ``assess`` is the rationale, then this, then one label token."""

_INPUTS: dict[str, tuple[str, ...]] = {
    "assess": ("motion", "evidence"),
    "motion_to_description": ("motion",),
    "description_to_motion": ("description",),
    "quote": ("evidence",),
    "tell": ("evidence",),
}


class PromptError(AgirError, ValueError):
    """A prompt was asked for with an unknown task or without what the task needs."""


@cache
def _template(task: str):  # type: ignore[no-untyped-def]  # jinja2 is imported late: it costs 50 ms
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(read_data(f"rationale/prompts/{task}.txt"))


def render_prompt(
    task: Task,
    *,
    motion: str | None = None,
    evidence: str | None = None,
    description: str | None = None,
) -> str:
    """The prompt of a task, ending in a newline.

    Args:
        task: ``assess`` takes motion, evidence or both; the other tasks take what their names start with,
            and ``quote`` and ``tell``, the warm-up of models that start from nothing, take evidence.
        motion: token text such as ``"<motion_start><motion_5><motion_end>"``, or the placeholder ``"<motion>"``.
        evidence: from ``evidence_block``.
        description: from ``describe`` or a user.

    Raises:
        PromptError: unknown task, a needed input missing, or an input the task does not take.
    """
    if task not in _INPUTS:
        raise PromptError(f"expected a task of {', '.join(_INPUTS)}, found {task!r}")
    given = {"motion": motion, "evidence": evidence, "description": description}
    present = {name: text.strip() for name, text in given.items() if text is not None and text.strip()}
    surplus = sorted(set(present) - set(_INPUTS[task]))
    if surplus:
        raise PromptError(
            f"expected only {' and '.join(_INPUTS[task])} for task {task!r}, found {', '.join(surplus)} too"
        )
    if not present:
        raise PromptError(f"expected {' or '.join(_INPUTS[task])} for task {task!r}, found none")
    return _template(task).render(**{name: present.get(name) for name in _INPUTS[task]})
