"""The code that goes with a checkpoint, so that it also runs where this package is not installed.

transformers runs a repository's own code (``trust_remote_code=True``) from files that lie side by side and import each
other as ``from .x import y``. They are made here from this package's modules: ``gait/events.py`` becomes
``gait_events.py``, imports follow, and data files become one module. Nothing else changes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .. import __version__
from ..errors import AgirError
from ..package_data import read_data
from .json_files import read_json, write_json

PACKAGE = Path(__file__).resolve().parent.parent
# What an assessment of an array reads; `agir_hf.package_data` is written anew with these.
DATA_FILES = ("gait/plausibility.csv", "rationale/bins.json", "rationale/prompts/assess.txt")
DATA_MODULE = "package_data"

ASSESSOR_CLASSES = {
    "AutoConfig": "configuration_agir.AgirConfig",
    "AutoModel": "modeling_agir.AgirForGaitAssessment",
    "AutoModelForCausalLM": "modeling_agir.AgirForGaitAssessment",
}
TOKENIZER_CLASSES = {
    "AutoConfig": "configuration_agir.AgirMotionTokenizerConfig",
    "AutoModel": "modeling_agir_motion_tokenizer.AgirMotionTokenizer",
}
EXTRACTOR_CLASS = {"AutoFeatureExtractor": "feature_extraction_agir.AgirFeatureExtractor"}
PROCESSOR_CLASS = {"AutoProcessor": "processing_agir.AgirProcessor"}
PIPELINES = {
    "gait-assessment": {
        "impl": "pipeline_agir.GaitAssessmentPipeline",
        "pt": ["AutoModelForCausalLM"],
        "type": "multimodal",
    }
}


def add_remote_code(folder: Path) -> list[Path]:
    """Put the code beside the weights of an assessor or a motion tokenizer and name its classes in the configurations.

    Returns:
        The files of code.

    Raises:
        AgirError: the folder holds neither.
    """
    config = read_json(folder / "config.json")
    kind = config.get("model_type")
    if kind == "agir":
        config |= {"auto_map": ASSESSOR_CLASSES | EXTRACTOR_CLASS | PROCESSOR_CLASS, "custom_pipelines": PIPELINES}
        processor = read_json(folder / "processor_config.json")
        if not isinstance(processor.get("feature_extractor"), dict):
            raise AgirError("expected a feature_extractor in processor_config.json, found none")
        processor["auto_map"] = PROCESSOR_CLASS
        processor["feature_extractor"]["auto_map"] = EXTRACTOR_CLASS
        write_json(folder / "processor_config.json", processor)
        entries = ["pipeline_agir", "processing_agir", "modeling_agir", "feature_extraction_agir"]
    elif kind == "agir_motion_tokenizer":
        config["auto_map"] = TOKENIZER_CLASSES | EXTRACTOR_CLASS
        extractor = read_json(folder / "preprocessor_config.json")
        extractor["auto_map"] = EXTRACTOR_CLASS
        write_json(folder / "preprocessor_config.json", extractor)
        entries = ["modeling_agir_motion_tokenizer", "feature_extraction_agir"]
    else:
        raise AgirError(f"expected an AGIR model or motion tokenizer in {folder}, found model type {kind!r}")
    write_json(folder / "config.json", config)
    written = []
    for name, text in flat_modules(entries).items():
        path = folder / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def flat_modules(entries: list[str]) -> dict[str, str]:
    """Source by flat module name of some modules of this package and all that they import of it.

    Imports by absolute name (``from agir_hf...``) are left alone: they say that something needs the package.

    Raises:
        AgirError: a module imports in a way that cannot be followed.
    """
    found: dict[str, str] = {}
    waiting = [f"{PACKAGE.name}.{name}" for name in entries]
    while waiting:
        module = waiting.pop()
        name = _flat(module)
        if name in found:
            continue
        if name == DATA_MODULE:
            found[name] = _data_module()
            continue
        lines = _path(module).read_text(encoding="utf-8").splitlines()
        for node in _relative_imports("\n".join(lines)):
            replaced, targets = _flat_import(module, node)
            indent = lines[node.lineno - 1][: node.col_offset]
            end = node.end_lineno or node.lineno
            # One import over several lines becomes as many lines: what is counted from the top must not move.
            rest = [""] * (end - node.lineno)
            lines[node.lineno - 1 : end] = ["\n".join(indent + line for line in replaced), *rest]
            waiting += targets
        found[name] = f"# {module} of agir-hf {__version__}, Apache-2.0; made by agir push.\n" + "\n".join(lines) + "\n"
    return dict(sorted(found.items()))


def _relative_imports(source: str) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node


def _flat_import(module: str, node: ast.ImportFrom) -> tuple[list[str], list[str]]:
    """Lines in the place of one relative import, and the modules that they need."""
    package = module.split(".")[: -node.level]
    source = ".".join([*package, *(node.module or "").split(".")]).rstrip(".")
    names: dict[str, list[str]] = {}
    lines: list[str] = []
    targets: list[str] = []
    for alias in node.names:
        own = alias.asname or alias.name
        if _is_module(f"{source}.{alias.name}"):
            target = f"{source}.{alias.name}"
            # The first line is for the loader, which copies the files that such lines name and no others.
            lines += [f"from .{_flat(target)} import __name__ as _{own}", f"from . import {_flat(target)} as {own}"]
        else:
            target, name = _home(source, alias.name)
            names.setdefault(target, []).append(name if name == own else f"{name} as {own}")
        targets.append(target)
    lines += [f"from .{_flat(target)} import {', '.join(imported)}" for target, imported in names.items()]
    return lines, targets


def _home(module: str, name: str) -> tuple[str, str]:
    """Where a name comes from: the module itself, or where a package's ``__init__`` takes it from."""
    if _path(module).name != "__init__.py":
        return module, name
    for node in _relative_imports(_path(module).read_text(encoding="utf-8")):
        for alias in node.names:
            if (alias.asname or alias.name) == name and node.level == 1 and node.module:
                return f"{module}.{node.module}", alias.name
    raise AgirError(f"expected {name} in a module below {module}, found it in none: import it from where it is defined")


def _flat(module: str) -> str:
    return module.removeprefix(f"{PACKAGE.name}.").replace(".", "_")


def _is_module(module: str) -> bool:
    place = PACKAGE.parent.joinpath(*module.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _path(module: str) -> Path:
    place = PACKAGE.parent.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _data_module() -> str:
    files = {name: read_data(name) for name in DATA_FILES}
    lines = [f"# Data files of agir-hf {__version__}, Apache-2.0; made by agir push.", "_FILES = {"]
    for name, text in files.items():
        lines += [f"    {name!r}: (", *(f"        {line!r}" for line in text.splitlines(keepends=True)), "    ),"]
    lines += ["}", "", "", "def read_data(name: str) -> str:", "    return _FILES[name]", ""]
    return "\n".join(lines)
