"""Push in one process, load in another, over HTTP, with the libraries as they are; and the calls one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hub_stand_in import HubStandIn

HERE = Path(__file__).resolve().parent
START = "import sys; sys.path[:0] = sys.argv[1:3]; import round_trip; round_trip."


@pytest.fixture(scope="module")
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as started:
        yield started


def _run(hub: HubStandIn, call: str, *arguments: str) -> dict[str, Any]:
    done = hub.run(START + call, str(HERE), str(HERE.parent / "model"), *arguments)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.fixture(scope="module")
def pushed(hub: HubStandIn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _run(hub, "push(sys.argv[3])", str(tmp_path_factory.mktemp("folder")))


@pytest.fixture(scope="module")
def loaded(hub: HubStandIn, pushed: dict[str, Any]) -> dict[str, Any]:
    return _run(hub, "load()")


@pytest.mark.slow
def test_a_model_and_its_tokenizer_come_back(pushed: dict[str, Any], loaded: dict[str, Any]) -> None:
    assert loaded["model"] == pushed["model"]


@pytest.mark.slow
def test_an_agir_model_and_its_processor_come_back(pushed: dict[str, Any], loaded: dict[str, Any]) -> None:
    assert loaded["agir"] == pushed["agir"]


@pytest.mark.slow
def test_a_dataset_comes_back_whole_and_streamed(loaded: dict[str, Any]) -> None:
    for way in ("loaded", "streamed"):
        assert loaded["walks"][way] == [True, "Array3D(shape=(None, 22, 3), dtype='float32')"]
    assert loaded["walks"]["private"] == 1


@pytest.mark.slow
def test_revisions_and_tags(hub: HubStandIn, pushed: dict[str, Any], loaded: dict[str, Any]) -> None:
    assert loaded["folder"]["texts"] == {"main": "first\n", "v1": "first\n", "next/try": "second\n"}
    assert loaded["folder"]["files"] == {
        ".gitattributes": 0,
        "README.md": 6,
        "notes/größe.txt": 7,
        "weights.npz": 2048,
    }
    assert set(hub.files("tester/folder", revision="next/try")) == {".gitattributes", "README.md", "notes/größe.txt"}


@pytest.mark.slow
def test_what_is_missing_is_said(loaded: dict[str, Any]) -> None:
    assert loaded["no revision"][0] and "v2" in loaded["no revision"][1]
    assert "tester/nothing is not a local folder and is not a valid model identifier" in loaded["no repository"][1]


@pytest.mark.slow
def test_a_private_repository_without_a_token(hub: HubStandIn, pushed: dict[str, Any]) -> None:
    code = (
        "from huggingface_hub import HfApi\n"
        "print(HfApi().dataset_info('tester/walks').id)\n"
        "try: HfApi().dataset_info('tester/private-walks')\n"
        "except Exception as error: print(type(error).__name__, error.response.status_code)\n"
        "try: HfApi().create_repo('tester/mine')\n"
        "except Exception as error: print(type(error).__name__, error.response.status_code)\n"
    )
    done = hub.run(code, signed_in=False)
    assert done.stdout.split("\n")[:3] == ["tester/walks", "RepositoryNotFoundError 401", "HfHubHTTPError 401"]


@pytest.mark.slow
def test_the_libraries_ask_for_nothing_unknown(hub: HubStandIn, loaded: dict[str, Any]) -> None:
    assert hub.unknown_calls == []
    assert "model.safetensors" in hub.files("tester/tiny-llama")


@pytest.fixture
def api(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return HfApi(endpoint=hub.endpoint, token=hub.token)


def _add(api: HfApi, repo: str, path: str, data: bytes, **options: Any) -> str:
    return api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=data, **options).oid


def test_parquet_safetensors_and_binaries_are_lfs(api: HfApi) -> None:
    repo = api.create_repo("tester/kinds", repo_type="dataset").repo_id
    for path, data in (
        ("a.parquet", b"p"),
        ("a.safetensors", b"s"),
        ("a.csv", b"c"),
        ("b.dat", b"\0\1"),
        ("e.npy", b""),
    ):
        _add(api, repo, path, data, repo_type="dataset")
    listed = {entry.path: entry for entry in api.list_repo_tree(repo, repo_type="dataset")}
    assert {path for path, entry in listed.items() if entry.lfs} == {"a.parquet", "a.safetensors", "b.dat"}
    assert listed["a.csv"].blob_id == "3410062ba67c5ed59b854387a8bc0ec012479368"  # git hash-object


def test_folders_paths_and_ranges(hub: HubStandIn, api: HfApi) -> None:
    repo = api.create_repo("lab/paths").repo_id
    _add(api, repo, "a/b/c.bin", bytes(range(100)))
    _add(api, repo, "a/d e.txt", b"text")
    assert [entry.path for entry in api.list_repo_tree(repo)] == [".gitattributes", "a"]
    assert [entry.path for entry in api.list_repo_tree(repo, "a")] == ["a/b", "a/d e.txt"]
    assert [entry.path for entry in api.list_repo_tree(repo, recursive=True)][1:] == [
        "a",
        "a/b",
        "a/b/c.bin",
        "a/d e.txt",
    ]
    found = api.get_paths_info(repo, ["a/b", "a/b/c.bin", "a/none"])
    assert [type(entry).__name__ for entry in found] == ["RepoFolder", "RepoFile"]
    files = HfFileSystem(endpoint=hub.endpoint, token=hub.token, skip_instance_cache=True)
    assert files.cat_file(f"{repo}/a/b/c.bin", start=10, end=15) == bytes(range(10, 15))
    assert files.cat_file(f"{repo}/a/b/c.bin", start=-3) == bytes(range(97, 100))
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(repo, "nirgends/漢"))
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(repo, "none.txt")


def test_references_and_commits(api: HfApi) -> None:
    repo = api.create_repo("tester/refs").repo_id
    first = _add(api, repo, "a.txt", b"1")
    second = _add(api, repo, "a.txt", b"2")
    api.create_tag(repo, tag="v1", revision=first)
    api.create_branch(repo, branch="old", revision=first)
    refs = api.list_repo_refs(repo)
    assert {ref.name: ref.target_commit for ref in refs.branches} == {"main": second, "old": first}
    assert [(ref.ref, ref.target_commit) for ref in refs.tags] == [("refs/tags/v1", first)]
    assert [commit.commit_id for commit in api.list_repo_commits(repo)][:2] == [second, first]
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(repo, tag="v1")
    api.create_tag(repo, tag="v1", exist_ok=True)
    api.delete_tag(repo, tag="v1")
    api.delete_branch(repo, branch="old")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo, revision="v1")
    with pytest.raises(HfHubHTTPError, match="412"):
        _add(api, repo, "a.txt", b"3", parent_commit=first)
    api.create_commit(repo, [CommitOperationDelete("a.txt")], commit_message="away")
    assert not api.file_exists(repo, "a.txt")
    with pytest.raises(EntryNotFoundError):
        api.create_commit(repo, [CommitOperationDelete("a.txt")], commit_message="again")


def test_who_may_do_what(hub: HubStandIn, api: HfApi) -> None:
    who = api.whoami()
    assert who["name"] == "tester" and [o["name"] for o in who["orgs"]] == ["lab"]
    repo = api.create_repo("own-name", private=True).repo_id
    assert repo == "tester/own-name" and api.model_info(repo).private
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(repo)
    assert api.create_repo(repo, exist_ok=True).repo_id == repo
    with pytest.raises(HfHubHTTPError, match="403"):
        api.create_repo("somebody/else")
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(endpoint=hub.endpoint, token="hf_wrong").whoami()
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.endpoint, token=False).model_info(repo)
    api.delete_repo(repo)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info(repo)
    api.delete_repo(repo, missing_ok=True)


def test_cards_are_read_and_checked(api: HfApi) -> None:
    repo = api.create_repo("tester/card").repo_id
    card = b"---\nlicense: apache-2.0\npipeline_tag: gait-assessment\ntags: [gait]\n---\n# Card\n"
    _add(api, repo, "README.md", card)
    info = api.model_info(repo, files_metadata=True)
    assert info.pipeline_tag == "gait-assessment" and info.tags == ["gait"] and info.card_data.license == "apache-2.0"
    assert {s.rfilename: s.size for s in info.siblings} == {".gitattributes": 0, "README.md": len(card)}
    with pytest.raises(ValueError, match="Invalid metadata"):
        _add(api, repo, "README.md", b"---\na: [\n---\n")
