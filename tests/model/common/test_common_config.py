"""The configurations as transformers tests its own: made without arguments, written, read, nested."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from common_models import LANGUAGE_MODELS, make_config
from huggingface_hub.errors import StrictDataclassFieldValidationError
from transformers import AutoConfig, LlamaConfig, PreTrainedConfig, PreTrainedTokenizerFast

from agir_hf.configuration_agir import AgirConfig, AgirMotionTokenizerConfig
from agir_hf.errors import AgirError
from agir_hf.modeling_agir import AgirForGaitAssessment

CHANGED = {"num_scores": 5, "score_temperature": 1.5, "max_motion_codes": 9, "trained_on": "a test"}


def _changed(kind: type[PreTrainedConfig]) -> PreTrainedConfig:
    if kind is AgirMotionTokenizerConfig:
        return kind(hidden_size=16, codebook_size=32, num_quantizers=2, group_weights={"root": 2.0})
    return kind(**CHANGED, motion_config={"hidden_size": 16}, text_config={"model_type": "gpt2", "n_embd": 32})


BOTH = pytest.mark.parametrize("kind", [AgirConfig, AgirMotionTokenizerConfig])


def _content(config: PreTrainedConfig) -> dict[str, Any]:
    """All but where and by what it was read."""
    return {k: v for k, v in config.to_dict().items() if k not in ("_name_or_path", "transformers_version")}


@BOTH
def test_a_config_is_made_without_arguments(kind: type[PreTrainedConfig]) -> None:
    config = kind()
    assert config.model_type and kind().to_dict() == config.to_dict()


@BOTH
def test_a_config_round_trips_through_json(kind: type[PreTrainedConfig], tmp_path: Path) -> None:
    config = _changed(kind)
    assert json.loads(config.to_json_string(use_diff=False)).items() >= {"model_type": config.model_type}.items()
    config.to_json_file(tmp_path / "one.json")
    assert kind.from_json_file(tmp_path / "one.json").to_dict() == config.to_dict()
    config.save_pretrained(tmp_path)
    for loaded in (kind.from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
        assert type(loaded) is kind and _content(loaded) == _content(config)
    assert kind.from_dict(config.to_dict()).to_dict() == config.to_dict()
    assert copy.deepcopy(config).to_dict() == config.to_dict()


@BOTH
def test_a_config_in_a_folder_below_is_found(kind: type[PreTrainedConfig], tmp_path: Path) -> None:
    config = _changed(kind)
    config.save_pretrained(tmp_path / "below")
    assert _content(kind.from_pretrained(tmp_path, subfolder="below")) == _content(config)


@BOTH
def test_common_settings_are_kept(kind: type[PreTrainedConfig], tmp_path: Path) -> None:
    settings: dict[str, Any] = {"return_dict": False, "output_hidden_states": True, "architectures": ["One"]}
    settings |= {"id2label": {0: "none", 1: "some"}, "label2id": {"none": 0, "some": 1}, "dtype": "bfloat16"}
    config = kind(**settings)
    for name, value in settings.items():
        assert getattr(config, name) == (torch.bfloat16 if name == "dtype" else value)
    config.save_pretrained(tmp_path)
    loaded = kind.from_pretrained(tmp_path)
    assert {name: getattr(loaded, name) for name in settings} == {name: getattr(config, name) for name in settings}
    assert loaded.num_labels == 2


@BOTH
def test_a_config_takes_changes_when_loaded(kind: type[PreTrainedConfig], tmp_path: Path) -> None:
    _changed(kind).save_pretrained(tmp_path)
    name, value = ("max_motion_codes", 11) if kind is AgirConfig else ("codebook_dim", 6)
    assert getattr(kind.from_pretrained(tmp_path, **{name: value}), name) == value
    _, unused = kind.from_pretrained(tmp_path, stranger=1, return_unused_kwargs=True)
    assert unused == {"stranger": 1}


def test_the_motion_config_is_read_out_of_a_composite(tmp_path: Path) -> None:
    config = _changed(AgirConfig)
    config.save_pretrained(tmp_path)
    alone = AgirMotionTokenizerConfig.from_pretrained(tmp_path)
    assert alone.hidden_size == 16
    assert _content(alone) == _content(config.motion_config)


def test_sub_configs_are_taken_as_dicts_or_configs() -> None:
    given = AgirConfig(motion_config=AgirMotionTokenizerConfig(hidden_size=16), text_config=LlamaConfig(hidden_size=32))
    written = AgirConfig(motion_config={"hidden_size": 16}, text_config={"model_type": "llama", "hidden_size": 32})
    assert given.to_dict() == written.to_dict()
    assert isinstance(written.text_config, LlamaConfig)
    assert isinstance(written.motion_config, AgirMotionTokenizerConfig)
    assert set(AgirConfig.sub_configs) == {"motion_config", "text_config"}


@pytest.mark.parametrize("kind", sorted(LANGUAGE_MODELS))
def test_the_text_config_speaks_for_the_whole(kind: str, text_tokenizer: PreTrainedTokenizerFast) -> None:
    config = make_config(kind, text_tokenizer)
    assert config.get_text_config() is config.get_text_config(decoder=True) is config.text_config
    assert config.get_text_config().vocab_size == len(text_tokenizer)


def test_model_and_parts_share_their_configs(assessor: AgirForGaitAssessment) -> None:
    assert assessor.config.text_config is assessor.language_model.config
    assert assessor.config.motion_config is assessor.motion_tokenizer.config


def test_a_value_of_the_wrong_type_is_refused() -> None:
    wrong = {"num_scores": "four", "max_motion_codes": 1.5, "trained_on": 4, "score_temperature": "warm"}
    for name, value in wrong.items():
        with pytest.raises(StrictDataclassFieldValidationError, match=f"'{name}'"):
            AgirConfig(**{name: value})
        with pytest.raises(StrictDataclassFieldValidationError, match=f"'{name}'"):
            setattr(AgirConfig(), name, value)
    with pytest.raises(StrictDataclassFieldValidationError, match="'hidden_size'"):
        AgirMotionTokenizerConfig(hidden_size="wide")


def test_a_whole_number_is_taken_where_a_fraction_may_stand() -> None:
    assert AgirConfig(score_temperature=2, max_reconstruction_mm=40).score_temperature == 2
    assert AgirMotionTokenizerConfig(velocity_weight=1, group_weights={"root": 2}).velocity_weight == 1


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(AgirError, match="score_temperature: expected more than 0, found -1"):
        AgirConfig(score_temperature=-1)
    with pytest.raises(AgirError, match="num_quantizers"):
        AgirMotionTokenizerConfig(codebook_size=32, num_quantizers=3)
