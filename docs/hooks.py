"""Lets pages link to what lies beside ``docs/``: results, cards and the changelog become pages of the site too.

A link such as ``../../benchmarks/RESULTS.md`` is right where the repository is read. A built site has only ``docs/``,
so these files are added to it, below ``beside/``, and the links are turned to them.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
BESIDE = (
    "CHANGELOG.md",
    "benchmarks/*.md",
    "benchmarks/results/**/*.md",
    "benchmarks/results/**/*.svg",
    "agir_hf/checkpoints/*/README.md",
)
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def on_files(files: Files, *, config: Any, **_: Any) -> Files:
    """Add the files beside ``docs/`` that pages may link to."""
    for pattern in BESIDE:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            # A README would become an index page, whose own relative links then count from elsewhere.
            files.append(File.generated(config, _in_site(name), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, files: Files, **_: Any) -> str:
    """Turn links that leave ``docs/`` to the pages added above."""
    here = page.file.src_uri
    source = Path(page.file.abs_src_path).resolve().relative_to(ROOT).as_posix()

    def turned(link: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join(os.path.dirname(source), link[2])).replace(os.sep, "/")
        name = target.removeprefix("docs/") if target.startswith("docs/") else _in_site(target)
        if files.get_file_from_path(name) is None:
            return link[0]  # MkDocs says which link leads nowhere
        return f"{link[1]}{os.path.relpath(name, os.path.dirname(here) or '.').replace(os.sep, '/')}{link[3]}"

    return LINK.sub(turned, markdown)


def _in_site(name: str) -> str:
    return "beside/" + (name.replace("README.md", "card.md") if name.endswith("/README.md") else name)
