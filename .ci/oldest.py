"""The oldest versions that setup.cfg states, one ``name==version`` a line, for pip.

With ``--table`` a table of what is stated and what is installed. Standard library only: it runs before anything is
installed.
"""

from __future__ import annotations

import configparser
import importlib.metadata
import re
import sys
from pathlib import Path
from typing import NamedTuple

SETUP = Path(__file__).resolve().parent.parent / "setup.cfg"
FORM = re.compile(r"(?P<name>[\w.-]+)(?:\[(?P<extras>[\w.,\s-]+)\])?(?:>=(?P<oldest>[\w.]+)(?:,<(?P<below>[\w.]+))?)?")


class Range(NamedTuple):
    """Versions of one package: from ``oldest`` on, below ``below`` where setup.cfg states it."""

    name: str
    oldest: str
    below: str | None

    def __str__(self) -> str:
        return f">={self.oldest}" + (f",<{self.below}" if self.below else "")


def ranges(extra: str = "dev", setup: Path = SETUP) -> dict[str, Range]:
    """What the package and one of its extras ask for, the extras that this one names included.

    Raises:
        ValueError: a requirement states no oldest version, or one package has two ranges.
    """
    config = configparser.ConfigParser()
    config.read_string(setup.read_text(encoding="utf-8"))
    own = config["metadata"]["name"]
    found: dict[str, Range] = {}
    waiting, seen = [config["options"]["install_requires"], config["options.extras_require"][extra]], {extra}
    while waiting:
        for line in filter(None, map(str.strip, waiting.pop(0).splitlines())):
            form = FORM.fullmatch(line)
            if form is None:
                raise ValueError(f"expected name>=version or name>=version,<version in setup.cfg, found {line!r}")
            if form["name"] == own:
                named = {name.strip() for name in (form["extras"] or "").split(",")} - seen
                seen |= named
                waiting += [config["options.extras_require"][name] for name in sorted(named)]
                continue
            if form["oldest"] is None:
                raise ValueError(f"expected an oldest version in setup.cfg, found {line!r}")
            new = Range(form["name"], form["oldest"], form["below"])
            if found.setdefault(new.name, new) != new:
                raise ValueError(f"expected one range for {new.name} in setup.cfg, found {found[new.name]} and {new}")
    return found


def main() -> None:
    """Print the pins, or with ``--table`` what is installed."""
    stated = ranges()
    if sys.argv[1:] != ["--table"]:
        print("\n".join(f"{one.name}=={one.oldest}" for one in stated.values()))
        return
    width, middle = (max(len(str(text)) for text in column) for column in (stated, stated.values()))
    print(f"{'package':{width}}  {'stated':{middle}}  installed")
    for name, one in stated.items():
        print(f"{name:{width}}  {one!s:{middle}}  {importlib.metadata.version(name)}")


if __name__ == "__main__":
    main()
