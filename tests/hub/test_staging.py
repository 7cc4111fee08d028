"""What ``agir push`` lays out, and what it refuses to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from agir_hf.cli import main
from agir_hf.errors import AgirError
from agir_hf.hub.staging import stage_model, stage_tokenizer

REPO = "lab/model"


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    folder = tmp_path / "staged"
    folder.mkdir()
    return folder


def _metadata(card: Path) -> dict:
    return yaml.safe_load(card.read_text(encoding="utf-8").split("---\n")[1])


def test_the_source_stays_as_it_is_and_trainers_leavings_stay_behind(assessor_copy: Path, staged: Path) -> None:
    (assessor_copy / "checkpoint-100").mkdir()
    (assessor_copy / "checkpoint-100" / "model.safetensors").write_bytes(b"half")
    (assessor_copy / "training_args.bin").write_bytes(b"pickle")
    before = {path.name: path.read_bytes() for path in assessor_copy.iterdir() if path.is_file()}
    stage_model(str(assessor_copy), staged, REPO)
    assert {path.name: path.read_bytes() for path in assessor_copy.iterdir() if path.is_file()} == before
    names = {path.name for path in staged.iterdir()}
    assert "training_args.bin" not in names and "checkpoint-100" not in names
    assert {"README.md", "config.json", "pipeline_agir.py", "model.safetensors.index.json"} <= names
    assert f'from_pretrained("{REPO}")' in (staged / "README.md").read_text(encoding="utf-8")


def test_where_it_comes_from_is_added_to_the_card(assessor_copy: Path, staged: Path) -> None:
    stage_model(str(assessor_copy), staged, REPO, base_models=["lab/base"], datasets=["lab/walks", "lab/more"])
    metadata = _metadata(staged / "README.md")
    assert metadata["base_model"] == ["lab/base"] and metadata["datasets"] == ["lab/walks", "lab/more"]
    assert metadata["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.25


def test_a_tokenizer_is_taken_out_of_the_packaged_assessor_with_its_figures(staged: Path) -> None:
    stage_tokenizer("agir-tiny", staged, REPO)
    card = (staged / "README.md").read_text(encoding="utf-8")
    assert _metadata(staged / "README.md")["model-index"] and "recordings never trained on" in card
    assert json.loads((staged / "config.json").read_text(encoding="utf-8"))["model_type"] == "agir_motion_tokenizer"
    assert json.loads((staged / "preprocessor_config.json").read_text(encoding="utf-8"))["max_frames"] is None


def _without_card(folder: Path) -> None:
    (folder / "README.md").unlink()


def _without_part(folder: Path) -> None:
    sorted(folder.glob("*.safetensors"))[0].unlink()


def _with_half_a_part(folder: Path) -> None:
    part = sorted(folder.glob("*.safetensors"))[0]
    part.write_bytes(part.read_bytes()[:-10])


def _without_weights(folder: Path) -> None:
    for path in folder.glob("*.safetensors*"):
        path.unlink()


def _card(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        card = folder / "README.md"
        text = card.read_text(encoding="utf-8")
        assert old in text
        card.write_text(text.replace(old, new), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_card, "expected a card"),
        (_without_part, "expected all parts of the weights"),
        (_with_half_a_part, "expected whole weights"),
        (_without_weights, "expected weights as safetensors"),
        (_card("license: apache-2.0", "license:"), "found nothing for 'license'"),
        (_card("license: apache-2.0\n", ""), "expected a license"),
        (_card("value: 0.25", "value: null"), "found nothing for 'model-index.results.metrics.value'"),
        (_card("It knows nothing.", ""), "found nothing under 'Limits'"),
        (_card("It knows nothing.", "{{ limits }}"), "found '{{'"),
        (_card("## Out-of-scope use", "## Other use"), "expected a section 'Out-of-scope use'"),
        (_card("not a medical device", "fine"), "not a medical device"),
        (_card("model-index:", "figures:"), "expected figures"),
        (_card("license: apache-2.0", "license: [apache"), "expected YAML"),
    ],
)
def test_what_is_not_whole_is_refused(
    assessor_copy: Path, staged: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(assessor_copy)
    with pytest.raises(AgirError) as refused:
        stage_model(str(assessor_copy), staged, REPO)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_options_that_cannot_be_meant_are_refused_in_one_line(
    assessor_copy: Path, capsys: pytest.CaptureFixture
) -> None:
    for arguments, said in (
        (["model", str(assessor_copy), "model"], "OWNER/NAME"),
        (["model", "no-such-model", REPO], "found 'no-such-model'"),
        (["tokenizer", str(assessor_copy.parent), REPO], "expected a motion tokenizer or an assessor"),
        (["model", str(assessor_copy), REPO, "--public", "--i-have-permission"], "with a dataset only"),
        (["dataset", "walks", REPO, "--base-model", "lab/base"], "with a model or tokenizer"),
    ):
        assert main(["push", *arguments]) == 2
        error = capsys.readouterr().err
        assert said in error and len(error.strip().splitlines()) == 1, error


def test_a_dry_run_lists_what_would_go(assessor_copy: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["push", "model", str(assessor_copy), REPO, "--dry-run"]) == 0
    listed = capsys.readouterr().out
    assert "pipeline_agir.py" in listed and "model.safetensors.index.json" in listed


def test_secrets_strays_and_links_stay_and_are_named(
    assessor_copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for name in ("token.json", ".hidden.json", "password.txt", "optimizer.safetensors", "trainer_state.json"):
        (assessor_copy / name).write_text("{}", encoding="utf-8")
    (assessor_copy / "picture.svg").write_text("<svg/>", encoding="utf-8")
    (assessor_copy / "NOTICE").write_text("Thanks.\n", encoding="utf-8")
    _card("Random weights.", "Random weights. ![A picture](picture.svg) ![Not here](../secret.svg)")(assessor_copy)
    (assessor_copy.parent / "secret.svg").write_text("<svg/>", encoding="utf-8")
    assert main(["push", "model", str(assessor_copy), REPO, "--dry-run"]) == 0
    told = capsys.readouterr()
    assert "picture.svg" in told.out and "NOTICE" in told.out and "secret" not in told.out
    for name in ("token.json", "password.txt", "optimizer.safetensors", "trainer_state.json"):
        assert name not in told.out and name in told.err


def test_where_it_lay_on_this_machine_and_foreign_code_are_taken_out(assessor_copy: Path, staged: Path) -> None:
    path = assessor_copy / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["text_config"] |= {"_name_or_path": "/home/someone/llama", "auto_map": {"AutoConfig": "evil/repo--x.Y"}}
    path.write_text(json.dumps(config), encoding="utf-8")
    stage_model(str(assessor_copy), staged, REPO)
    text = (staged / "config.json").read_text(encoding="utf-8")
    assert "/home/someone" not in text and "evil" not in text and "modeling_agir.AgirForGaitAssessment" in text


def test_an_adapter_names_its_base_by_a_repository(assessor_copy: Path, staged: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    part = sorted(assessor_copy.glob("*.safetensors"))[0]
    (adapter / "adapter_model.safetensors").write_bytes(part.read_bytes())
    (adapter / "README.md").write_bytes((assessor_copy / "README.md").read_bytes())
    told = {"peft_type": "LORA", "base_model_name_or_path": str(assessor_copy)}
    (adapter / "adapter_config.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(AgirError, match="--base-model"):
        stage_model(str(adapter), staged, REPO)
    again = tmp_path / "again"
    again.mkdir()
    stage_model(str(adapter), again, REPO, base_models=["lab/base"])
    assert (
        json.loads((again / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"] == "lab/base"
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("README.md", "gut für alle\n".encode("latin-1"), "in UTF-8"),
        ("README.md", b"---\na: &a [*a]\n---\n# T\n\ntext\n", "found nothing for 'a'"),
        ("model.safetensors.index.json", b"{}", "expected weights as safetensors"),
        ("model.safetensors.index.json", b'{"metadata": {}, "weight_map": {"x": "../y.safetensors"}}', "beside"),
        ("model.safetensors.index.json", b'{"metadata": {}, "weight_map": []}', "a weight_map"),
        ("processor_config.json", b"{}", "feature_extractor in processor_config.json"),
        ("config.json", b'{"model_type": "agir"}', "text_config"),
        ("config.json", b'{"model_type": 5}', "expected a model in"),
        ("config.json", b"{", "expected JSON"),
    ],
)
def test_files_that_mean_nothing_are_named_in_one_line(
    assessor_copy: Path, staged: Path, name: str, content: bytes, said: str
) -> None:
    (assessor_copy / name).write_bytes(content)
    with pytest.raises(AgirError) as refused:
        stage_model(str(assessor_copy), staged, REPO)
    assert said in str(refused.value) and "\n" not in str(refused.value) and str(staged) not in str(refused.value)


def test_a_part_with_the_tensors_of_another_is_noticed(assessor_copy: Path, staged: Path) -> None:
    first, second = sorted(assessor_copy.glob("*.safetensors"))[:2]
    second.write_bytes(first.read_bytes())
    with pytest.raises(AgirError, match="as the index says, found it missing"):
        stage_model(str(assessor_copy), staged, REPO)
