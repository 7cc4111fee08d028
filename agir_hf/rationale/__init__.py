"""Parameters to words, prompts, and the check that every claim in a text is measured."""

from __future__ import annotations

from .describe import describe
from .evidence import evidence_block
from .grounding import GroundingReport, UnsupportedClaim, check_grounding
from .measures import BY_NAME, GROUPS
from .norms import NORMS
from .phrases import sentence_start
from .prompting import SCORE_PREFIX, PromptError, render_prompt
from .rationale import write_rationale
from .stored import StoredParameters, StoredQuality

__all__ = [
    "BY_NAME",
    "GROUPS",
    "NORMS",
    "SCORE_PREFIX",
    "GroundingReport",
    "PromptError",
    "StoredParameters",
    "StoredQuality",
    "UnsupportedClaim",
    "check_grounding",
    "describe",
    "evidence_block",
    "render_prompt",
    "sentence_start",
    "write_rationale",
]
