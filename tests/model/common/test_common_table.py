"""The table of common behaviours names tests that exist, and every test of this folder."""

from __future__ import annotations

import ast
import re
from pathlib import Path

FOLDER = Path(__file__).parent
TABLE = Path(__file__).parents[3] / "docs" / "reference" / "common_behaviours.md"
NAMED = re.compile(r"`(test_common_\w+)::(test_\w+)`")


def _tests(path: Path) -> set[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        (path.stem, node.name)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def _existing() -> set[tuple[str, str]]:
    paths = [path for path in FOLDER.glob("test_common_*.py") if path != Path(__file__)]
    return set().union(*map(_tests, paths))


def _named() -> set[tuple[str, str]]:
    return set(NAMED.findall(TABLE.read_text(encoding="utf-8")))


def test_every_test_in_the_table_exists() -> None:
    assert _named()
    assert _named() - _existing() == set()


def test_every_common_test_is_in_the_table() -> None:
    assert _existing() - _named() == set()


def test_every_row_of_the_table_names_a_test_or_says_why_not() -> None:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in TABLE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| Behaviour")
    ]
    assert len(rows) > 50
    for row in rows:
        behaviour, assessor, tokenizer, tests, why = row
        assert {assessor, tokenizer} <= {"holds", "does not hold", "not applicable"}, behaviour
        if "holds" in (assessor, tokenizer):
            assert NAMED.search(tests), behaviour
        if {assessor, tokenizer} != {"holds"}:
            assert why, behaviour
