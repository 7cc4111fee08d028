"""Commands of the documentation: run with small inputs, or parsed where running takes long or a network."""

from __future__ import annotations

import argparse
import configparser
import contextlib
import importlib.metadata
import importlib.util
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from docs_blocks import ROOT

FEW_PEOPLE = ["--people", "8", "--walks", "1", "--workers", "1"]


def fate(words: list[str], where: str) -> str:
    """What becomes of a command: ``run``, ``slow`` (run in slow tests, else parsed) or ``parsed``.

    Raises:
        ValueError: it is none of the commands that are known here.
    """
    match words:
        case ["agir", "train", *rest]:
            return "slow" if "--smoke" in rest else "parsed"  # hours
        case ["agir", "evaluate", *rest]:
            return "run" if "--compare" in rest else "slow"
        case ["agir", "export", source, *_] if source != "agir-tiny":
            return "parsed"  # of an adapter, and of its base: tests/hub/test_export.py exports one
        case ["python", "-m", "dataset_builder", "bins", *_]:
            return "parsed"  # takes a cohort of at least 30 people with score 0: tests/dataset_builder/test_bins.py
        case ["agir", "demo", *_]:
            return "parsed"  # a server that does not end
        case ["agir", *_]:
            return "run"
        case ["python", "-m", "dataset_builder", *rest]:
            return "parsed" if "slurm" in rest or "ray" in rest else "run"
        case ["mkdocs", "build", "--strict"]:
            return "parsed"  # tests/docs/test_docs_site.py builds it
        case (
            ["pip", "install", *_]
            | ["python", "-m", "pytest", *_]
            | [".ci/versions", *_]
            | ["accelerate", "launch", *_]
        ):
            return "parsed"
    raise ValueError(f"{where}: expected a command that docs_commands.py knows, found {shlex_join(words)}")


def shlex_join(words: list[str]) -> str:
    """The words as a line."""
    return " ".join(words)


def small(words: list[str]) -> list[str]:
    """The command with little to do, and nothing to send: few simulated people, ``--quick``, ``--dry-run``."""
    match words:
        case ["python", "-m", "dataset_builder", "build", *rest] if "simulated" in rest:
            return [*without(words, {"--people", "--walks", "--workers"}), *FEW_PEOPLE]
        case ["agir", "push", *rest] if "--dry-run" not in rest:
            return [*words, "--dry-run"]
        case ["agir", "evaluate", *rest] if "--compare" not in rest and "--quick" not in rest:
            # A card takes the figures of a whole run only.
            return [*(word for word in words if word != "--card"), "--quick"]
    return words


def without(words: list[str], options: set[str]) -> list[str]:
    """The words without these options and their values."""
    return [
        word
        for place, word in enumerate(words)
        if word not in options and (not place or words[place - 1] not in options)
    ]


def run(words: list[str]) -> tuple[int, str]:
    """Run a command in this process, by its installed entry point; its exit code and what it printed."""
    main = _main(words)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            code = main(words[1:] if words[0] == "agir" else words[3:])
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 2
    return code, printed.getvalue()


def _main(words: list[str]) -> Callable[[list[str]], int]:
    if words[0] == "agir":
        (entry,) = importlib.metadata.entry_points(group="console_scripts", name="agir")
        return entry.load()
    from dataset_builder.cli import main

    return main


def run_build(words: list[str], kept: Path) -> int:
    """Build simulated people once for all pages: the same few whatever a page asks for."""
    output = Path(words[words.index("--output") + 1])
    if not kept.exists():
        code, _ = run([*without(words, {"--output"}), "--output", str(kept)])
        if code:
            return code
    shutil.copytree(kept, output, dirs_exist_ok=True)
    return 0


def parse(words: list[str]) -> None:
    """Read a command with the parser that it would meet.

    Raises:
        ValueError: it would be refused.
    """
    match words:
        case ["agir", "train", *_]:
            _parse_training(words[2:])
        case ["agir", *rest]:
            from agir_hf.cli import _parser

            _parse(_parser(), rest)
        case ["python", "-m", "dataset_builder", *rest]:
            from dataset_builder.cli import _parser as builder_parser

            _parse(builder_parser(), rest)
        case ["python", "-m", "pytest", *rest]:
            _exist([word for word in rest if "/" in word])
        case ["pip", "install", *rest]:
            _parse_install(rest)
        case [".ci/versions", which]:
            _exist([".ci/versions"])
            if which not in ("oldest", "newest"):
                raise ValueError(f"expected oldest or newest, found {which}")
        case ["accelerate", "launch", "--config_file", config, "-m", module, *rest]:
            _exist([config])
            if importlib.util.find_spec(module) is None:
                raise ValueError(f"expected a module, found {module}")
            _parse_training(rest)
        case ["mkdocs", "build", "--strict"]:
            _exist(["mkdocs.yml"])
        case _:
            raise ValueError(f"expected a command with a parser, found {shlex_join(words)}")


def _parse(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return parser.parse_args(words)
    except SystemExit as stop:
        raise ValueError(f"expected options that are accepted, found {words}: {complaint.getvalue()}") from stop


def _parse_training(words: list[str]) -> None:
    """The options as well as the recipe with its changes, whose every key must exist."""
    from agir_hf.training.command import add_options, changes_among
    from agir_hf.training.recipe import load_recipe

    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_options(parser)
    if words and words[0] in ("tokenizer", "sft", "tiny"):
        words = words[1:]
    options, rest = parser.parse_known_args(words)
    if changes_among(rest) != rest:
        raise ValueError(f"expected key=value beside the options, found {rest}")
    load_recipe("smoke" if options.smoke else options.recipe, [*options.changes, *rest])


def _parse_install(words: list[str]) -> None:
    """The constraints are there, and the extras of this package exist."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    if "-c" in words:
        _exist([words[words.index("-c") + 1]])
    for word in words:
        if form := re.fullmatch(r"\.\[([\w,-]+)\]", word):
            for extra in form[1].split(","):
                if extra not in setup["options.extras_require"]:
                    raise ValueError(f"expected an extra of setup.cfg, found {extra}")


def _exist(names: list[str]) -> None:
    for name in names:
        if not (ROOT / name).exists():
            raise ValueError(f"expected a file of the repository, found none at {name}")
