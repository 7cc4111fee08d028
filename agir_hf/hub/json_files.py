"""The small JSON files of a repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import AgirError


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        AgirError: there is no such file, or it holds something else.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AgirError(f"expected JSON in {path}, found: {error}") from error
    if not isinstance(loaded, dict):
        raise AgirError(f"expected a JSON object in {path}, found {type(loaded).__name__}")
    return loaded


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object, in the order that transformers writes its own."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
