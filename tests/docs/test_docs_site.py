"""The documentation as a whole: links, public names, options of the command line, drawings, a build with no warning."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_blocks import FENCE, ROOT, pages

REFERENCE = ROOT / "docs" / "reference"
DRAWINGS = ROOT / "docs" / "drawings"
# Packages whose public names (``__all__``) stand in the reference.
PACKAGES = (
    "agir_hf",
    "agir_hf.motion",
    "agir_hf.gait",
    "agir_hf.rationale",
    "agir_hf.evaluation",
    "agir_hf.report",
    "agir_hf.simulation",
    "dataset_builder",
    "dataset_builder.sources",
    "dataset_builder.rewrite",
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
DIRECTIVE = re.compile(r"^::: ([\w.]+)", re.MULTILINE)


def public_names() -> list[tuple[str, str]]:
    return [(package, name) for package in PACKAGES for name in importlib.import_module(package).__all__]


def directives() -> set[str]:
    """What the reference pages ask mkdocstrings to write out."""
    return {name for page in REFERENCE.glob("*.md") for name in DIRECTIVE.findall(page.read_text(encoding="utf-8"))}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), f"{name_of(page)}: {target} leads nowhere"


@pytest.mark.parametrize(("package", "name"), public_names())
def test_a_public_name_stands_in_the_reference(package: str, name: str) -> None:
    asked_for = directives()
    if name == "__version__":
        assert f"`{package}.__version__`" in (REFERENCE / f"{package}.md").read_text(encoding="utf-8")
    elif package == "agir_hf":
        assert f"{package}.{name}" in asked_for
    else:
        assert package in asked_for
    thing = getattr(importlib.import_module(package), name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        own = thing.__doc__ if not inspect.isclass(thing) else vars(thing).get("__doc__")
        assert own and own.strip(), f"{package}.{name}: expected a docstring, found none"


def test_everything_in_the_reference_exists() -> None:
    for name in sorted(directives()):
        parts = name.split(".")
        for end in range(len(parts), 0, -1):
            try:
                thing = importlib.import_module(".".join(parts[:end]))
            except ModuleNotFoundError:
                continue
            for part in parts[end:]:
                thing = getattr(thing, part)
            assert thing.__doc__, f"{name}: expected a docstring, found none"
            break


def command_lines() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    from agir_hf.cli import _parser as agir_parser
    from dataset_builder.cli import _parser as builder_parser

    for program, parser in (("agir", agir_parser()), ("python -m dataset_builder", builder_parser())):
        (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        yield from ((f"{program} {name}", command) for name, command in commands.choices.items())


def test_the_page_of_the_command_line_has_every_option() -> None:
    content = (REFERENCE / "command_line.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", content, flags=re.MULTILINE | re.DOTALL))
    parsers = dict(command_lines())
    assert sections.keys() == parsers.keys()
    for command, parser in parsers.items():
        rows = [row for row in sections[command].splitlines() if row.startswith("| `")]
        actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
        assert len(rows) == len(actions), f"{command}: expected a row for each option in {name_of(REFERENCE)}"
        for action, row in zip(actions, rows, strict=True):
            assert action.help, f"{command}: expected a help text for {action.dest}, found none"
            assert action.help % {"default": action.default} in row, f"{command} {action.dest}: another help text"
            assert all(option in row for option in action.option_strings), row


def test_drawings_are_what_their_script_draws(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(DRAWINGS / "draw.py"), str(tmp_path)], check=True)
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.svg")}
    assert drawn == {path.name: path.read_text(encoding="utf-8") for path in DRAWINGS.glob("*.svg")}
    shown = "".join(page.read_text(encoding="utf-8") for page in pages())
    for name, text in drawn.items():
        ElementTree.fromstring(text)
        assert f"drawings/{name}" in shown, f"{name}: expected a page that shows it"


def test_every_gait_parameter_is_defined_with_a_drawing() -> None:
    from agir_hf.gait import PARAMETER_NAMES

    content = (ROOT / "docs" / "concepts" / "parameters.md").read_text(encoding="utf-8")
    sections = content.split("\n## ")[1:]
    for name in PARAMETER_NAMES:
        (section,) = (section for section in sections if f"`{name}`" in section)
        assert ".svg)" in section, f"{name}: expected a drawing beside its definition"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as a site; the build stops at a warning."""
    for module in ("mkdocs", "material", "mkdocstrings_handlers"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"no {module}: pip install agir-hf[docs]")
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},  # which speaks of another program
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WARNING" not in ran.stdout + ran.stderr
    return folder


def test_the_site_has_every_public_name(site: Path) -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").glob("*.html"))
    for package, name in public_names():
        # `describe` is also the name of the module that the function is in.
        anchors = (f"{package}.{name}", f"{package}.{name}.{name}")
        assert name == "__version__" or any(f'id="{anchor}"' in written for anchor in anchors), anchors[0]


def test_the_site_takes_nothing_from_the_network(site: Path) -> None:
    for path in site.rglob("*.html"):
        content = path.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?//[^"]*"', content), path
