"""What is saved comes back, in whatever pieces and precision it is stored or asked for."""

from __future__ import annotations

import copy
import logging
from pathlib import Path

import pytest
import torch
from common_models import differing, dtypes, is_tied, load, some_ids, some_motion
from packaging.version import Version
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForCausalLM
from transformers.utils.logging import get_logger

from agir_hf.modeling_agir import AgirForGaitAssessment


def test_a_saved_model_loads_with_every_bit(assessor: AgirForGaitAssessment, saved: Path) -> None:
    loaded, info = AgirForGaitAssessment.from_pretrained(saved, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    assert not differing(assessor, loaded)
    assert not loaded.training
    # The same numbers at another place in memory may be rounded otherwise.
    torch.testing.assert_close(
        loaded(input_ids=some_ids()).logits, assessor(input_ids=some_ids()).logits, atol=1e-5, rtol=0
    )


def test_only_safetensors_are_written(saved: Path) -> None:
    weights = [path.name for path in saved.iterdir() if path.suffix not in (".json", ".jinja")]
    assert weights == ["model.safetensors"]


def test_a_sharded_save_loads_the_same_weights(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    assessor.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 3
    assert (tmp_path / "model.safetensors.index.json").is_file()
    assert not differing(assessor, load(tmp_path))


def test_a_variant_is_saved_and_loaded_by_its_name(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    assessor.save_pretrained(tmp_path, variant="first")
    assert (tmp_path / "model.first.safetensors").is_file()
    assert not differing(assessor, load(tmp_path, variant="first"))
    with pytest.raises(OSError, match=r"model\.safetensors"):
        load(tmp_path)


def test_another_state_dict_can_be_saved_and_given(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    other = copy.deepcopy(assessor)
    for tensor in other.state_dict().values():
        tensor.add_(1.0)
    assessor.save_pretrained(tmp_path, state_dict=dict(other.state_dict()))
    assert not differing(other, load(tmp_path))
    given = AgirForGaitAssessment.from_pretrained(
        None, config=copy.deepcopy(assessor.config), state_dict=dict(other.state_dict())
    )
    assert not differing(other, given)


def test_a_pickled_state_dict_still_loads(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    assessor.config.save_pretrained(tmp_path)
    torch.save(assessor.state_dict(), tmp_path / "pytorch_model.bin")
    assert not differing(assessor, load(tmp_path, use_safetensors=False))


def test_views_of_larger_tensors_are_saved(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    model = copy.deepcopy(assessor)
    weight = model.motion_tokenizer.motion_encoder.conv_in.weight
    weight.data = weight.data.transpose(0, 1).contiguous().transpose(0, 1)
    assert not weight.is_contiguous()
    model.save_pretrained(tmp_path)
    assert not differing(assessor, load(tmp_path))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, "bfloat16"], ids=str)
def test_the_dtype_asked_for_is_the_language_models_alone(
    dtype: torch.dtype | str, assessor: AgirForGaitAssessment, saved: Path
) -> None:
    loaded = load(saved, dtype=dtype)
    expected = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    assert loaded.dtype == expected and dtypes(loaded.language_model) == {expected}
    assert not differing(assessor.motion_tokenizer, loaded.motion_tokenizer)
    assert load(saved, torch_dtype=dtype).dtype == expected  # its name before transformers 5


def test_a_stored_dtype_comes_back_by_itself(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    half = copy.deepcopy(assessor).to(torch.bfloat16)
    half.save_pretrained(tmp_path)
    for options in ({}, {"dtype": "auto"}):
        assert not differing(half, load(tmp_path, **options))
    assert dtypes(load(tmp_path, dtype=torch.float32)) == {torch.float32}
    assert torch.get_default_dtype() == torch.float32


def test_a_model_from_a_config_has_the_dtype_asked_for(assessor: AgirForGaitAssessment) -> None:
    for kind in (AutoModel, AutoModelForCausalLM):
        made = kind.from_config(copy.deepcopy(assessor.config), dtype=torch.bfloat16)
        assert isinstance(made, AgirForGaitAssessment)
        assert dtypes(made.language_model) == {torch.bfloat16}
        assert dtypes(made.motion_tokenizer) == {torch.float32}
    assert torch.get_default_dtype() == torch.float32


def test_missing_and_unexpected_tensors_are_told(
    assessor: AgirForGaitAssessment, saved: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tensors = load_file(saved / "model.safetensors")
    gone = "motion_tokenizer.motion_encoder.conv_in.bias"
    del tensors[gone]
    tensors["language_model.stranger"] = torch.zeros(2)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assessor.config.save_pretrained(tmp_path)
    logger = get_logger("transformers")
    logger.addHandler(caplog.handler)
    try:
        # Whatever another test has set: the command line, for one, keeps libraries quiet.
        with caplog.at_level(logging.WARNING, logger="transformers"):
            _, info = AgirForGaitAssessment.from_pretrained(tmp_path, output_loading_info=True)
    finally:
        logger.removeHandler(caplog.handler)
    assert set(info["missing_keys"]) == {gone}
    assert set(info["unexpected_keys"]) == {"language_model.stranger"}
    assert gone in caplog.text and "language_model.stranger" in caplog.text


def test_other_shapes_are_refused_or_made_anew(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    wider = copy.deepcopy(assessor)
    wider.resize_token_embeddings(assessor.config.text_config.vocab_size + 3)
    wider.save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
        load(tmp_path, config=copy.deepcopy(assessor.config))
    loaded, info = AgirForGaitAssessment.from_pretrained(
        tmp_path, config=copy.deepcopy(assessor.config), ignore_mismatched_sizes=True, output_loading_info=True
    )
    anew = {name for name, *_ in info["mismatched_keys"]}
    changed = set(differing(assessor, loaded))
    assert anew <= changed and len(anew) == (1 if is_tied(assessor) else 2)
    assert all("lm_head" in name or "embed" in name or "wte" in name for name in changed)
    assert all(tensor.isfinite().all() for tensor in loaded.state_dict().values())


@pytest.mark.parametrize(
    "device_map", ["cpu", "auto", {"": "cpu"}, {"language_model": "cpu", "motion_tokenizer": "cpu"}], ids=str
)
def test_a_device_map_loads_the_same_model(
    device_map: str | dict[str, str], assessor: AgirForGaitAssessment, saved: Path
) -> None:
    pytest.importorskip("accelerate")
    assert not differing(assessor, load(saved, device_map=device_map))


@pytest.mark.parametrize("offloaded", ["language_model", "motion_tokenizer"])
def test_a_part_on_disk_computes_the_same(
    offloaded: str, assessor: AgirForGaitAssessment, saved: Path, tmp_path: Path
) -> None:
    accelerate = pytest.importorskip("accelerate")
    tied = bool(assessor.all_tied_weights_keys)
    if offloaded == "language_model" and tied and Version(accelerate.__version__) < Version("1.15"):
        pytest.skip("accelerate before 1.15 cannot put tied weights on disk")
    places = {"language_model": "cpu", "motion_tokenizer": "cpu", offloaded: "disk"}
    loaded = load(saved, device_map=places, offload_folder=tmp_path)
    assert {p.device.type for p in getattr(loaded, offloaded).parameters()} == {"meta"}
    ids = some_ids()
    ids[:, 2:6] = loaded.config.motion_token_id
    inputs = {"input_ids": ids, "motion_features": some_motion()}
    torch.testing.assert_close(loaded(**inputs).logits, assessor(**inputs).logits, atol=1e-5, rtol=0)


def test_a_model_is_made_on_no_device_and_loaded_inside_a_device_context(
    assessor: AgirForGaitAssessment, saved: Path
) -> None:
    with torch.device("meta"):
        empty = AgirForGaitAssessment(copy.deepcopy(assessor.config))
    assert {tensor.device.type for tensor in empty.state_dict().values()} == {"meta"}
    with torch.device("cpu"):
        assert not differing(assessor, load(saved))
    with torch.device("meta"), pytest.raises(RuntimeError, match="meta device context"):
        load(saved)


def test_quantised_loading_names_the_package_it_needs(saved: Path) -> None:
    from importlib.util import find_spec

    from transformers import BitsAndBytesConfig

    if find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    with pytest.raises(ImportError, match="bitsandbytes"):
        load(saved, quantization_config=BitsAndBytesConfig(load_in_4bit=True))
