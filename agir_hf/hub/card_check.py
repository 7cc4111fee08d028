"""What a card must say before its repository may be uploaded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..errors import AgirError

# What an unfilled template leaves.
_UNFILLED = re.compile(r"\{\{|\}\}|\{%|%\}|\[More Information Needed\]|\bTODO\b|\bTBD\b")
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DEEPEST = 20  # levels of metadata; one that holds itself has no end
# Sections of the cards under ``model_cards``; a card that says less is no card of a model about people.
SECTIONS = ("Intended use", "Out-of-scope use", "Limits", "Citation")
NOT_A_DEVICE = "not a medical device"


def read_card(card: Path) -> str:
    """The text of a card.

    Raises:
        AgirError: it is not written in UTF-8.
    """
    try:
        return card.read_text(encoding="utf-8-sig").lstrip("\n")
    except UnicodeDecodeError as error:
        raise AgirError(f"expected {card.name} in UTF-8, found another encoding: save it anew") from error


def check_card(card: Path, *, sections: tuple[str, ...] = ()) -> dict[str, Any]:
    """Refuse a card with a blank field; returns its metadata.

    Args:
        card: a ``README.md``.
        sections: headings that it must have, such as `SECTIONS`.

    Raises:
        AgirError: a field that was not filled, an empty section, or one that is missing.
    """
    text = read_card(card)
    metadata, body = _parts(card, text)
    if blank := _UNFILLED.search(text):
        raise AgirError(f"expected a filled card, found {blank.group()!r} in {card.name}")
    if metadata and (field := next(_blank_fields(metadata), None)):
        raise AgirError(f"expected a filled card, found nothing for {field!r} at the top of {card.name}")
    told = _sections(body)
    if empty := next((title for title, content in told if not content), None):
        raise AgirError(f"expected a filled card, found nothing under '{empty}' in {card.name}")
    titles = [title for title, _ in told]
    if missing := next((title for title in sections if title not in titles), None):
        found = ", ".join(map(repr, titles)) or "none"
        raise AgirError(f"expected a section '{missing}' in {card.name}, found {found}")
    return metadata


def check_model_card(card: Path, *, sections: tuple[str, ...] = (), needs_figures: bool = False) -> None:
    """`check_card` of a model: it also needs a licence, and to say that it is not a medical device.

    Args:
        needs_figures: it needs a ``model-index`` too.

    Raises:
        AgirError: as `check_card`.
    """
    metadata = check_card(card, sections=sections)
    if not metadata.get("license"):
        raise AgirError(f"expected a license at the top of {card.name}, found none")
    prose = _FENCE.sub("", _parts(card, read_card(card))[1])
    if NOT_A_DEVICE not in " ".join(prose.split()).replace("*", ""):
        raise AgirError(f"expected {card.name} to say that this is {NOT_A_DEVICE}, found no such words")
    if needs_figures and not isinstance(metadata.get("model-index"), list):
        raise AgirError("expected figures (model-index) in the card, found none: fill it with 'agir evaluate --card'")


def _parts(card: Path, text: str) -> tuple[dict[str, Any], str]:
    """Metadata between the lines of dashes, and what follows."""
    match = re.match(r"---[ \t]*\n(.*?)\n---[ \t]*\n?(.*)\Z", text, re.DOTALL)
    if match is None:
        return {}, text
    try:
        metadata = yaml.safe_load(match.group(1)) or {}
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise AgirError(f"expected YAML between the lines of dashes in {card.name}, found: {reason}") from error
    if not isinstance(metadata, dict):
        raise AgirError(f"expected names and values between the lines of dashes in {card.name}, found {metadata!r}")
    return metadata, match.group(2)


def _blank_fields(value: Any, name: str = "", depth: int = 0) -> Iterator[str]:
    blank = (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and not math.isfinite(value))
    if value is None or value in ([], {}) or blank or depth > _DEEPEST:
        yield name
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _blank_fields(inner, f"{name}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            if inner is not None:  # the free length of an array
                yield from _blank_fields(inner, name, depth + 1)


def _sections(body: str) -> list[tuple[str, str]]:
    """Each heading and what stands under it, sub-headings included."""
    hidden = _FENCE.sub(lambda fence: re.sub(r"\S", "x", fence.group()), body)  # a comment in code is no heading
    hidden = _COMMENT.sub(lambda comment: re.sub(r"\S", " ", comment.group()), hidden)
    headings = list(_HEADING.finditer(hidden))
    found = []
    for place, heading in enumerate(headings):
        level = len(heading.group(1))
        after = (other for other in headings[place + 1 :] if len(other.group(1)) <= level)
        end = next((other.start() for other in after), len(hidden))
        found.append((body[heading.start(2) : heading.end(2)], hidden[heading.end() : end].strip()))
    return found
