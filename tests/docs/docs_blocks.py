"""The code blocks of the documentation and of the README, and what becomes of each in the tests.

``python tests/docs/docs_blocks.py`` prints how many are run, parsed and left out.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"^(?P<indent>[ ]*)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL
)
COMMENT = re.compile(r"<!--\s*(?P<word>not run|output|tests)(?::\s*(?P<reason>.+?))?\s*-->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: from the repository's root.
        line: of its first line of content, from 1.
        language: as written after the fence.
        text: its content.
        mark: ``not run`` or ``output`` where a comment right above says so.
        reason: why it is not run.
    """

    page: str
    line: int
    language: str
    text: str
    mark: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """The commands of a bash block as words: continued lines joined, comments dropped, ``&&`` split."""
        found = []
        for line in self.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words:
                end = words.index("&&") if "&&" in words else len(words)
                found.append(words[:end])
                words = words[end + 1 :]
        return [words for words in found if words]


def pages() -> list[Path]:
    """The README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    content = page.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(content):
        above = COMMENT.search(content[: fence.start()].rstrip())
        mark, reason = (above["word"], above["reason"] or "") if above else ("", "")
        found.append(
            Block(
                page.relative_to(ROOT).as_posix(),
                content[: fence.start("text")].count("\n") + 1,
                fence["language"],
                fence["text"],
                mark,
                reason,
            )
        )
    return found


def fates(block: Block) -> set[str]:
    """What becomes of a block: ``run``, ``parsed`` or ``not run``; a bash block can have commands of several kinds.

    Raises:
        ValueError: nothing is known to do with it, and no comment says why it is not run.
    """
    from docs_commands import fate

    if block.mark == "not run":
        if not block.reason:
            raise ValueError(f"{block}: expected a reason, as in <!-- not run: needs a GPU -->, found none")
        return {"not run"}
    if block.mark == "output" or block.language in ("python", "csv"):
        return {"run"}
    if block.language == "bash":
        return {fate(words, str(block)) for words in block.commands}
    raise ValueError(
        f"{block}: expected a python, bash or csv block, or <!-- output --> or <!-- not run: REASON --> right above, "
        f"found {block.language or 'no language'}"
    )


def counts() -> Counter[str]:
    """How many blocks of the documentation are run, are parsed at least in part, and are left out."""
    found: Counter[str] = Counter()
    for page in pages():
        for block in blocks(page):
            kinds = fates(block)
            # As weak as its weakest command.
            found[next(kind for kind in ("not run", "parsed", "slow", "run") if kind in kinds)] += 1
    return found


if __name__ == "__main__":
    print(dict(counts()))
