"""Imports go down only, and the light parts stay light (DESIGN.md, Layout)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "agir_hf"

# Each layer may import itself (where it is one package) and every layer before it.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "skeleton", "clip", "package_data", "repositories"}),
    frozenset({"motion", "gait", "simulation"}),
    frozenset(
        {
            "configuration_agir",
            "motion_vocabulary",
            "feature_extraction_agir",
            "modeling_agir_motion_tokenizer",
            "modeling_agir",
        }
    ),
    frozenset({"rationale"}),
    frozenset({"processing_agir", "quoted_numbers"}),
    frozenset({"pipeline_agir", "motion_writing"}),
    frozenset({"loading"}),
    frozenset({"evaluation", "report"}),
    frozenset({"training", "hub", "demo"}),
    frozenset({"cli"}),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
# Of the second layer, none may import another one; the report's notes are plain text and need nothing.
APART = LAYERS[1]
FREE = {"__init__", "_auto"}


def _imports(path: Path) -> set[str]:
    """Sub-packages of agir_hf that a module imports, wherever in the file."""
    relative = path.relative_to(PACKAGE.parent).with_suffix("").parts
    package = list(relative[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            names = [".".join(module)] if len(module) > 1 else [".".join([*module, a.name]) for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] in {"agir_hf", "dataset_builder"} and (len(parts) > 1 or parts[0] == "dataset_builder"):
                found.add(parts[1] if parts[0] == "agir_hf" else "dataset_builder")
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_go_down_only(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in FREE:
        return
    assert own in RANK, f"{own} has no place among the layers: give it one"
    for target in _imports(path) - FREE - {own, "__version__"}:
        assert target in RANK, f"{path.name} imports {target}, which has no place among the layers"
        assert RANK[target] <= RANK[own], f"{own} must not import {target}"
        assert not (own in APART and target in APART), f"{own} and {target} must stay apart"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_the_package_never_imports_the_dataset_builder(path: Path) -> None:
    assert "dataset_builder" not in _imports(path)


@pytest.mark.parametrize("path", sorted((PACKAGE.parent / "dataset_builder").rglob("*.py")), ids=lambda p: p.name)
def test_the_dataset_builder_uses_the_light_parts_only(path: Path) -> None:
    allowed = {*LAYERS[0], *LAYERS[1], "rationale"}
    if path.name == "publish.py":  # how a folder gets to the Hub is the same for all
        allowed |= {"hub"}
    if path.name == "codes.py":  # its optional encoding step
        allowed |= {"feature_extraction_agir", "modeling_agir_motion_tokenizer"}
    assert _imports(path) - {"dataset_builder"} <= allowed


@pytest.mark.parametrize("folder", ["motion", "gait", "simulation", "rationale"])
def test_no_torch_below_the_model(folder: str) -> None:
    for path in (PACKAGE / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            assert not {n.split(".")[0] for n in names} & {"torch", "transformers", "trl", "peft"}, path


def test_measuring_imports_no_torch_and_the_package_is_light() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import agir_hf; s = time.perf_counter() - t;"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules and 'numpy' not in sys.modules;"
        "import agir_hf.cli, agir_hf.gait, agir_hf.motion, agir_hf.report.note;"
        "from agir_hf.gait import measure_gait; from agir_hf.motion import read_motion;"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules; print(s)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.3
