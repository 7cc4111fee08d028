"""What may leave the machine: nothing of a source that forbids it but recipe, ids and hashes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from care_pd_files import nine_cohorts
from datasets import load_dataset
from hub_stand_in import HubStandIn

from agir_hf.errors import AgirError
from dataset_builder.build import build
from dataset_builder.cli import main
from dataset_builder.executors import ExecutorSettings
from dataset_builder.manifest import Manifest, file_entry, read_manifest
from dataset_builder.publish import plan_publication
from dataset_builder.recipe import BuildRecipe
from dataset_builder.sources import CarePdSource


@pytest.fixture(scope="module")
def both(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source that may be shared and one that may not."""
    place = tmp_path_factory.mktemp("both")
    output = place / "out"
    shutil.copytree(built, output)
    source = CarePdSource(nine_cohorts(place / "care", subjects=1))
    assert build(BuildRecipe(source, seed=1), output, ExecutorSettings()).status == "built"
    return output


def change_manifest(output: Path, name: str, **changes: object) -> None:
    path = output / "manifests" / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def published(output: Path, folder: Path) -> dict[str, bytes]:
    plan_publication(output).write(folder)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_nothing_of_care_pd(files: dict[str, bytes], output: Path) -> None:
    """No file of it, no word of its texts, no figure; only recipe, ids and hashes."""
    assert not [name for name in files if "care_pd" in name and name != "recipes/care_pd.json"]
    recipe = json.loads(files["recipes/care_pd.json"])
    assert set(recipe) == {"name", "recipe", "recipe_sha256", "licence", "clips"}
    assert all(set(clip) == {"clip_id", "clip_sha256"} for clip in recipe["clips"])
    assert [clip["clip_id"] for clip in recipe["clips"]] == sorted(clip["clip_id"] for clip in recipe["clips"])
    options = {"cohorts", "folds", "fold_set", "fold"}
    assert set(recipe["recipe"]["options"]) == options and len(recipe["clips"]) == 9
    everything = b"\0".join(content for name, content in files.items() if not name.endswith(".parquet"))
    rows = [row for split in load_dataset(str(output), "care_pd").values() for row in split.remove_columns("joints_m")]
    for row in rows:
        for column in ("rationale", "description", "evidence"):
            assert row[column].encode() not in everything
    assert b"Figures: `care_pd`" not in everything and b"care_pd/train" not in files["README.md"]


def test_only_what_may_be_shared_is_laid_out(both: Path, tmp_path: Path) -> None:
    files = published(both, tmp_path / "up")
    assert_nothing_of_care_pd(files, both)
    manifest = read_manifest(both, "simulated")
    assert manifest is not None
    expected = {*manifest.files, "README.md", "manifests/simulated.json", "recipes/care_pd.json"}
    assert set(files) == expected | {f"reports/simulated.{end}" for end in ("json", "md", "svg")}
    assert load_dataset(str(tmp_path / "up"))["train"].num_rows == 16


def test_a_folder_with_nothing_to_share_gives_recipes_only(both: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(both, output)
    reports = [f"reports/simulated.{end}" for end in ("json", "md", "svg")]
    for path in ("data/simulated", "manifests/simulated.json", *reports):
        shutil.rmtree(output / path) if (output / path).is_dir() else (output / path).unlink()
    files = published(output, tmp_path / "up")
    assert set(files) == {"README.md", "recipes/care_pd.json"}
    assert b"configs:" not in files["README.md"] and b"load_dataset" not in files["README.md"]


@pytest.mark.parametrize("lie", [{"may_be_shared": True}, {"may_be_shared": True, "licence_name": "mit"}])
def test_a_changed_manifest_opens_nothing(both: Path, tmp_path: Path, lie: dict[str, object]) -> None:
    output = tmp_path / "out"
    shutil.copytree(both, output)
    change_manifest(output, "care_pd", **lie)
    assert_nothing_of_care_pd(published(output, tmp_path / "up"), output)
    # Nor under another name: the rows carry their licence.
    manifest = json.loads((output / "manifests" / "care_pd.json").read_text(encoding="utf-8"))
    manifest |= {"name": "mine", "licence_name": "mit", "may_be_shared": True, "recipe": {"source": "folder"}}
    (output / "manifests" / "care_pd.json").unlink()
    (output / "manifests" / "mine.json").write_text(json.dumps(manifest), encoding="utf-8")
    shutil.copyfile(output / "reports" / "care_pd.json", output / "reports" / "mine.json")
    names = published(output, tmp_path / "again")
    assert not [name for name in names if "care_pd" in name or ("mine" in name and name != "recipes/mine.json")]


def test_codes_follow_the_licence_of_their_motion(both: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(both, output)
    place = output / "data" / "care_pd_motion_codes" / "train-00000-of-00001.parquet"
    place.parent.mkdir(parents=True)
    pq.write_table(pa.table({"clip_id": ["x"], "clip_sha256": ["y"], "motion_codes": [[12345, 54321]]}), place)
    Manifest(
        name="care_pd_motion_codes",
        recipe={"codes_of": "care_pd", "tokenizer_sha256": "t"},
        recipe_sha256="r",
        licence_name="mit",
        licence_note="",
        may_be_shared=True,
        files={place.relative_to(output).as_posix(): file_entry(place, "train")},
        codes_of="care_pd",
    ).write(output)
    files = published(output, tmp_path / "up")
    assert [name for name in files if "codes" in name] == ["recipes/care_pd_motion_codes.json"]
    assert b"12345" not in files["recipes/care_pd_motion_codes.json"]


def test_a_file_that_is_not_the_one_built_is_not_pushed(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(built, output)
    with next((output / "data" / "simulated").glob("*.parquet")).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(AgirError, match="as it was built"):
        plan_publication(output)


PUSH = "import sys; from dataset_builder.cli import main; sys.exit(main(['push', *sys.argv[1:]]))"


def test_visibility(both: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["push", str(both), "--repo", "lab/gait", "--public"]) == 2
    assert "--i-have-permission" in capsys.readouterr().err
    assert main(["push", str(both), "--repo", "lab/gait", "--dry-run"]) == 0
    assert "care_pd: recipe, ids and hashes only" in capsys.readouterr().out
    with HubStandIn() as hub:
        pushed = hub.run(PUSH, str(both), "--repo", "lab/gait")
        assert pushed.returncode == 0, pushed.stderr
        names = hub.files("lab/gait", repo_type="dataset")
        assert "recipes/care_pd.json" in names and not [name for name in names if "data/care_pd" in name]
        assert not hub.is_public("lab/gait", repo_type="dataset") and not list(both.glob(".push-*"))
        assert hub.run(PUSH, str(both), "--repo", "lab/gait", "--public", "--i-have-permission").returncode == 0
        assert hub.is_public("lab/gait", repo_type="dataset")
        refused = hub.run(PUSH, str(both), "--repo", "lab/gait")
        assert refused.returncode == 2 and "found it public" in refused.stderr
