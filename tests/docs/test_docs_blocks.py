"""Every code block of the documentation and of the README does what it says, with small inputs.

A page's blocks run in order, python in one namespace, in one folder of its own. ``docs_commands.fate`` says which
commands are run, which are only parsed because they take hours or a network, and which are run in slow tests.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docs_commands as commands
import pytest
from docs_blocks import ROOT, Block, blocks, counts, fates, pages
from docs_inputs import make_inputs

pytest.importorskip("datatrove", reason="needs the dataset extra")
pytest.importorskip("peft", reason="needs the train extra")

PAGES = [page for page in pages() if blocks(page)]
# Pages whose blocks take more than a few seconds: several assessments, a Hub in processes of its own.
SLOW_PAGES = frozenset({"docs/how-to/push.md"})
MAX_NOT_RUN = 6


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the few simulated people of all pages are kept once they were built."""
    return tmp_path_factory.mktemp("docs") / "built"


@pytest.fixture(autouse=True)
def kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory and a cache of its own, and no network."""
    import datasets

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module", autouse=True)
def rationales_written_once() -> Iterator[None]:
    """Pages ask for the same few walks: what the model writes greedily is the same each time, and seconds each time."""
    from agir_hf.pipeline_agir import GaitAssessmentPipeline

    write = GaitAssessmentPipeline._write
    written: dict[str, list[str]] = {}

    def write_once(self: Any, prompts: Any, numbers: Any, max_new_tokens: int, **options: Any) -> list[str]:
        if any(options.values()):  # drawn, or told word by word
            return write(self, prompts, numbers, max_new_tokens, **options)
        asked = repr((prompts, [sorted(allowed) for allowed in numbers], max_new_tokens))
        if asked not in written:
            written[asked] = write(self, prompts, numbers, max_new_tokens)
        return written[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GaitAssessmentPipeline, "_write", write_once)
        yield


def simulated(built: Path, output: Path) -> None:
    command = ["python", "-m", "dataset_builder", "build", "--source", "simulated", "--output", str(output)]
    assert commands.run_build(commands.small(command), built) == 0


def run_page(page: Path, built: Path, *, slow: bool) -> None:
    namespace: dict[str, Any] = {"__name__": "documentation"}
    printed = ""
    for block in blocks(page):
        fates(block)
        make_inputs(block, Path.cwd(), lambda output: simulated(built, output))
        if block.mark == "not run":
            check_syntax(block)
        elif block.mark == "output":
            check_output(block, printed)
        elif block.language == "python":
            namespace.update(names_for(block))
            exec(compiled(block), namespace)
        elif block.language == "csv":
            check_metadata(block)
        else:
            printed = "".join(run_command(words, block, built, slow=slow) for words in block.commands)


def compiled(block: Block) -> Any:
    # Lines count as in the page, so that a traceback names the place to mend.
    return compile("\n" * (block.line - 1) + block.text, str(ROOT / block.page), "exec")


def check_syntax(block: Block) -> None:
    if block.language == "python":
        compiled(block)
        return
    for words in block.commands:
        if words[0] in ("agir", "python", "pip"):
            commands.parse(words)


def names_for(block: Block) -> dict[str, Any]:
    """What a block takes from its reader."""
    if "assessor(joints," not in block.text:
        return {}
    import agir_hf

    return {"joints": agir_hf.read_motion(ROOT / "examples" / "simulated_walk.npz").joints_m}


def run_command(words: list[str], block: Block, built: Path, *, slow: bool) -> str:
    fate = commands.fate(words, str(block))
    try:
        commands.parse(words)
    except ValueError as error:
        pytest.fail(f"{block}: {error}")
    if fate == "parsed" or (fate == "slow" and not slow):
        return ""
    words = commands.small(words)
    if "build" in words and "simulated" in words:
        code, printed = commands.run_build(words, built), ""
    else:
        code, printed = commands.run(words)
    assert code == 0, f"{block}: {' '.join(words)} ended with {code}"
    return printed


def check_output(block: Block, printed: str) -> None:
    """Each line was printed, in this order; ``...`` stands for lines that are not shown."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    for shown in block.text.splitlines():
        if shown.strip() != "...":
            assert shown.rstrip() in lines, f"{block}: expected this line to be printed, in this order: {shown!r}"


def check_metadata(block: Block) -> None:
    """A table in a page is the ``metadata.csv`` of ``clinic/``."""
    from dataset_builder.sources import FolderSource

    rows = list(csv.reader(io.StringIO(block.text)))
    assert len({len(row) for row in rows}) == 1, f"{block}: expected rows of one length"
    folder = Path("clinic")
    if not folder.exists():
        from docs_inputs import MAKERS

        MAKERS["clinic"](folder)
    (folder / "metadata.csv").write_text(block.text, encoding="utf-8")
    assert len(FolderSource(folder).references()) == len(rows) - 1


@pytest.mark.parametrize("page", [p for p in PAGES if name_of(p) not in SLOW_PAGES], ids=name_of)
def test_the_blocks_of_a_page_run(page: Path, built: Path) -> None:
    run_page(page, built, slow=False)


def takes_long(page: Path) -> bool:
    return name_of(page) in SLOW_PAGES or any("slow" in fates(block) for block in blocks(page))


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if takes_long(p)], ids=name_of)
def test_the_long_commands_of_a_page_run(page: Path, built: Path) -> None:
    run_page(page, built, slow=True)


def test_every_block_is_run_or_says_why_not(record_property: Any) -> None:
    found = counts()  # raises for a block that is neither
    for kind, number in found.items():
        record_property(kind, number)
    assert found["run"] > found["parsed"]
    assert found["not run"] <= MAX_NOT_RUN, "more blocks than before are not run: have them run, or raise MAX_NOT_RUN"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```bash\nrm -rf /\n```\n", "expected a command"),
        ("```\nwhat is this\n```\n", "no language"),
        ("<!-- not run -->\n```python\nprint(1)\n```\n", "expected a reason"),
    ],
)
def test_an_unmarked_block_is_refused(
    text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import docs_blocks

    monkeypatch.setattr(docs_blocks, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    (block,) = blocks(page)
    with pytest.raises(ValueError, match=complaint):
        fates(block)


@pytest.mark.parametrize(
    "line",
    [
        "agir assess walk.bvh --no-such-option",
        "agir train sft --recipe base describe.no_such_key=1",
        "python -m dataset_builder build --source nowhere --output out",
        'pip install ".[no_such_extra]"',
        "python -m pytest tests/no_such_folder",
    ],
)
def test_a_command_that_would_be_refused_does_not_parse(line: str) -> None:
    block = Block("page.md", 1, "bash", line, "", "")
    with pytest.raises(Exception, match=r"expected|unknown"):
        commands.parse(block.commands[0])
