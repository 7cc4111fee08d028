"""setup.cfg says which versions are supported, and the pins for both ends come from there (.ci/versions tests them)."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ("transformers", "trl", "peft", "datasets")


@pytest.fixture(scope="module")
def oldest() -> ModuleType:
    spec = importlib.util.spec_from_file_location("agir_ci_oldest", ROOT / ".ci" / "oldest.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name: Version(version) for name, version in pins}


@pytest.mark.parametrize("library", LIBRARIES)
def test_both_ends_are_stated(oldest: ModuleType, library: str) -> None:
    stated = oldest.ranges()[library]
    assert stated.below is not None
    assert Version(stated.oldest) < Version(stated.below)


def test_constraints_lie_within_what_is_stated(oldest: ModuleType) -> None:
    pins, stated = _constraints(), oldest.ranges("test")
    assert stated.keys() <= pins.keys()
    for name, one in stated.items():
        assert Version(one.oldest) <= pins[name], name
        assert one.below is None or pins[name] < Version(one.below), name


def test_there_is_a_pin_for_every_requirement() -> None:
    ran = subprocess.run([sys.executable, str(ROOT / ".ci" / "oldest.py")], capture_output=True, text=True, check=True)
    pins = dict(line.split("==") for line in ran.stdout.splitlines())
    written = (ROOT / "setup.cfg").read_text(encoding="utf-8").partition("install_requires")[2]
    assert pins == dict(re.findall(r"^    ([\w.-]+)>=([\w.]+)", written, flags=re.MULTILINE))
    assert pins.keys() >= set(LIBRARIES)


def test_a_requirement_without_an_oldest_version_is_refused(oldest: ModuleType, tmp_path: Path) -> None:
    setup = tmp_path / "setup.cfg"
    text = (
        "[metadata]\nname = a\n[options]\ninstall_requires =\n    b{}\n"
        "[options.extras_require]\nc =\n    b>=1,<2\ndev =\n    a[c]\n"
    )
    setup.write_text(text.format(">=1,<2"), encoding="utf-8")
    assert [str(one) for one in oldest.ranges(setup=setup).values()] == [">=1,<2"]
    for spoiled in ("", "==1", ">=1", "<2"):
        setup.write_text(text.format(spoiled), encoding="utf-8")
        with pytest.raises(ValueError, match=r"expected .* found"):
            oldest.ranges(setup=setup)


@pytest.mark.skipif(os.name == "nt", reason="a bash script")
def test_the_script_wants_to_know_which_end() -> None:
    ran = subprocess.run([str(ROOT / ".ci" / "versions"), "latest"], capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.startswith("usage: ")
