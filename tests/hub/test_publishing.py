"""Folders on the Hub stand-in: private, whole, refused where they must not go, tried again where the Hub stumbles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_stand_in import HubStandIn

from agir_hf.errors import AgirError
from agir_hf.hub.publishing import TRIES, _retried, check_folder

PUSH = """
import sys
from pathlib import Path
from agir_hf.errors import AgirError
from agir_hf.hub.publishing import push_folder

try:
    print(push_folder(Path(sys.argv[1]), sys.argv[2], public=len(sys.argv) > 3, message="test"))
except AgirError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    (place / "data").mkdir(parents=True)
    (place / "README.md").write_text("# A card\n\nOf nothing.\n", encoding="utf-8")
    (place / "model.safetensors").write_bytes(bytes(1000))
    (place / "data" / "walks.parquet").write_bytes(b"walks")
    return place


def test_a_folder_comes_whole_and_private_and_public_only_when_asked(hub: HubStandIn, folder: Path) -> None:
    pushed = hub.run(PUSH, str(folder), "tester/model")
    assert pushed.returncode == 0, pushed.stderr
    assert set(hub.files("tester/model")) - {".gitattributes"} == {
        "README.md",
        "model.safetensors",
        "data/walks.parquet",
    }
    seen = "from huggingface_hub import hf_hub_download; hf_hub_download('tester/model', 'README.md')"
    assert hub.run(seen).returncode == 0 and hub.run(seen, signed_in=False).returncode != 0
    assert hub.run(PUSH, str(folder), "tester/model", "public").returncode == 0
    assert hub.run(seen, signed_in=False).returncode == 0
    assert hub.unknown_calls == []


def test_who_may_not_write_is_told_so(hub: HubStandIn, folder: Path) -> None:
    refused = hub.run(PUSH, str(folder), "stranger/model")
    assert refused.returncode == 1 and "expected the Hub to take stranger/model" in refused.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("README.md", None, "expected a card"),
        ("README.md", "Trained on {{ people }} people", "expected a filled card"),
        ("README.md", "Licence: [More Information Needed]", "expected a filled card"),
        ("model.bin", "", "expected weights as safetensors"),
        ("data/walks.pkl", "", "expected weights as safetensors"),
    ],
)
def test_what_must_not_go_is_refused_before_anything_is_sent(
    folder: Path, name: str, content: str | None, said: str
) -> None:
    path = folder / name
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(AgirError, match=said):
        check_folder(folder)


def test_a_passing_failure_is_tried_again_with_growing_pauses() -> None:
    waited: list[float] = []
    failures: list[Exception] = [ConnectionError("reset"), TimeoutError("slow")]

    def call() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert _retried(call, waited.append) == "done" and waited == [1.0, 2.0]

    def never() -> Any:
        raise ConnectionError("gone")

    waited.clear()
    with pytest.raises(AgirError, match="run the same command again"):
        _retried(never, waited.append)
    assert len(waited) == TRIES - 1


STRANGER = """
import sys
from huggingface_hub import HfApi
api = HfApi()
api.create_repo("lab/mixed", private=True, exist_ok=True)
for name in ("patients.csv", "results/keep.json"):
    api.upload_file(repo_id="lab/mixed", path_in_repo=name, path_or_fileobj=b"private")
"""


def test_a_private_repository_with_something_else_in_it_is_not_opened(hub: HubStandIn, folder: Path) -> None:
    assert hub.run(STRANGER).returncode == 0
    before = hub.files("lab/mixed")
    refused = hub.run(PUSH, str(folder), "lab/mixed", "public")
    assert refused.returncode == 1 and "found patients.csv" in refused.stderr and not hub.is_public("lab/mixed")
    assert hub.files("lab/mixed") == before
    kept = hub.run(PUSH, str(folder), "lab/mixed")  # private: added to, nothing of others is taken away
    assert kept.returncode == 0 and {"patients.csv", "results/keep.json", "README.md"} <= set(hub.files("lab/mixed"))


def test_a_repository_whose_history_holds_something_else_is_not_opened(hub: HubStandIn, folder: Path) -> None:
    assert hub.run(STRANGER).returncode == 0
    take_away = "from huggingface_hub import HfApi; api = HfApi();" + "".join(
        f"api.delete_file({name!r}, 'lab/mixed');" for name in ("patients.csv", "results/keep.json")
    )
    assert hub.run(take_away).returncode == 0
    refused = hub.run(PUSH, str(folder), "lab/mixed", "public")
    assert refused.returncode == 1 and "made by agir push alone" in refused.stderr and not hub.is_public("lab/mixed")


def test_two_pushes_at_once_never_mix(hub: HubStandIn, folder: Path) -> None:
    changed = "from huggingface_hub import HfApi; HfApi().upload_file(repo_id='lab/race', path_in_repo='x', "
    changed += "path_or_fileobj=b'other')"
    assert hub.run(PUSH, str(folder), "lab/race").returncode == 0
    (folder / "README.md").write_text("# Another card\n\nOf nothing.\n", encoding="utf-8")
    done: list[int] = []

    def meanwhile(method: str, path: str) -> None:
        if method == "POST" and "/preupload/" in path:
            hub.watch(lambda method, path: None)  # once
            done.append(hub.run(changed, timeout_s=60.0).returncode)

    hub.watch(meanwhile)
    refused = hub.run(PUSH, str(folder), "lab/race")
    assert done == [0] and refused.returncode == 1 and "run the same command again" in refused.stderr
    assert hub.run(PUSH, str(folder), "lab/race").returncode == 0
    assert b"Another card" in hub.files("lab/race")["README.md"]


@pytest.mark.parametrize("name", ["a b", "lab/a b", "lab/..", "lab/x--y", "lab/x.git", "lab/x@main", "a/b/c", ""])
def test_what_is_no_name_is_refused(name: str) -> None:
    from agir_hf.hub.publishing import check_name

    with pytest.raises(AgirError, match="OWNER/NAME"):
        check_name(name)
