"""The code that goes with a checkpoint: files side by side that find each other as the loader looks for them."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from transformers.dynamic_module_utils import get_imports, get_relative_imports

from agir_hf.errors import AgirError
from agir_hf.hub.remote_code import DATA_FILES, add_remote_code, flat_modules
from agir_hf.package_data import read_data

ENTRIES = {
    "assessor": ["pipeline_agir", "processing_agir", "modeling_agir", "feature_extraction_agir"],
    "tokenizer": ["modeling_agir_motion_tokenizer", "feature_extraction_agir"],
}
# What someone has who has transformers, torch and scipy.
KNOWN = {"torch", "numpy", "scipy", "transformers", "tokenizers", "huggingface_hub", "jinja2"}


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_import_is_one_that_the_loader_follows_to_a_file(kind: str, tmp_path: Path) -> None:
    modules = flat_modules(ENTRIES[kind])
    for name, source in modules.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    for name, source in modules.items():
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.level]
        assert all(node.level == 1 for node in nodes), name
        needed = {node.module or alias.name for node in nodes for alias in node.names}
        # The loader reads lines, not syntax: a docstring must not look like an import, and no import may escape it.
        assert set(get_relative_imports(tmp_path / f"{name}.py")) == needed, name
        assert needed <= set(modules), name
        others = {one for one in get_imports(tmp_path / f"{name}.py") if one not in KNOWN}
        assert all(__import__(one).__name__ in _standard() for one in others), (name, others)


def _standard() -> frozenset[str]:
    import sys

    return sys.stdlib_module_names


def test_the_smaller_one_has_no_language_model_and_data_files_come_along() -> None:
    tokenizer, assessor = (flat_modules(ENTRIES[kind]) for kind in ("tokenizer", "assessor"))
    assert set(tokenizer) < set(assessor) and "modeling_agir" not in tokenizer
    space: dict[str, object] = {}
    exec(compile(assessor["package_data"], "package_data.py", "exec"), space)
    for name in DATA_FILES:
        assert space["read_data"](name) == read_data(name)  # type: ignore[operator]


def test_the_configurations_name_the_classes(assessor_copy: Path) -> None:
    add_remote_code(assessor_copy)
    config = json.loads((assessor_copy / "config.json").read_text(encoding="utf-8"))
    processor = json.loads((assessor_copy / "processor_config.json").read_text(encoding="utf-8"))
    named = [*config["auto_map"].values(), processor["auto_map"]["AutoProcessor"]]
    named += [processor["feature_extractor"]["auto_map"]["AutoFeatureExtractor"]]
    named += [task["impl"] for task in config["custom_pipelines"].values()]
    for reference in named:
        module, _, name = reference.partition(".")
        tree = ast.parse((assessor_copy / f"{module}.py").read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    (assessor_copy / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    with pytest.raises(AgirError, match="found model type 'llama'"):
        add_remote_code(assessor_copy)
