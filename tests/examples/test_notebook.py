"""The notebook from its first cell to its last, at smoke size."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_every_cell_runs_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for extra in ("datatrove", "trl", "matplotlib"):
        pytest.importorskip(extra)
    shutil.copy(EXAMPLES / "simulated_walk.npz", tmp_path)
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((EXAMPLES / "walk_through.ipynb").read_text(encoding="utf-8"))
    space: dict[str, Any] = {}
    for cell in notebook["cells"]:
        assert cell["cell_type"] == "markdown" or cell["outputs"] == [], "outputs are not kept in the repository"
        if cell["cell_type"] == "code":
            lines = [line for line in cell["source"] if not line.startswith("%")]  # for the notebook's own display
            exec(compile("".join(lines), f"walk_through.ipynb, {cell['id']}", "exec"), space)
    assert space["result"]["grounding"]["supported"] > 0 and len(space["codes"]) > 50
    assert (tmp_path / "report.html").is_file() and (tmp_path / "smoke" / "checkpoint" / "config.json").is_file()
    assert "AGIR" in (tmp_path / "evaluation" / "report.md").read_text(encoding="utf-8")
