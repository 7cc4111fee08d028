"""Feature extractor and processor as transformers tests its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoFeatureExtractor, AutoProcessor, BatchFeature

from agir_hf.clip import MotionClip
from agir_hf.feature_extraction_agir import AgirFeatureExtractor
from agir_hf.processing_agir import AgirProcessor

PROMPT = "Motion: <motion>\nRationale:"


def test_a_feature_extractor_is_made_without_arguments_and_round_trips(tmp_path: Path) -> None:
    assert AgirFeatureExtractor().to_dict() == AgirFeatureExtractor().to_dict()
    extractor = AgirFeatureExtractor(
        feature_mean=[0.5] * 263, feature_std=[2.0] * 263, max_frames=64, frames_per_code=8
    )
    extractor.to_json_file(tmp_path / "one.json")
    assert AgirFeatureExtractor.from_json_file(tmp_path / "one.json").to_dict() == extractor.to_dict()
    assert json.loads(extractor.to_json_string())["max_frames"] == 64
    extractor.save_pretrained(tmp_path)
    assert AgirFeatureExtractor.from_pretrained(tmp_path).to_dict() == extractor.to_dict()
    assert AgirFeatureExtractor.from_pretrained(tmp_path, max_frames=32).max_frames == 32


def test_features_come_in_the_form_asked_for(processor: AgirProcessor, walk: MotionClip) -> None:
    extractor = processor.feature_extractor
    arrays = extractor(walk, return_tensors="np")
    tensors = extractor(walk, return_tensors="pt")
    assert isinstance(tensors, BatchFeature) and list(tensors) == extractor.model_input_names
    for name, tensor in tensors.items():
        assert isinstance(arrays[name], np.ndarray) and np.array_equal(arrays[name], tensor.numpy())
    assert tensors["motion_features"].dtype == torch.float32
    assert tensors.to(torch.float16)["motion_features"].dtype == torch.float16
    assert tensors["motion_attention_mask"].dtype == torch.int64


def test_features_of_a_batch_are_padded_on_the_right(processor: AgirProcessor, walk: MotionClip) -> None:
    extractor = processor.feature_extractor
    short = MotionClip(walk.joints_m[: len(walk.joints_m) // 2], walk.frame_rate_hz, source="half")
    both = extractor([walk, short])
    alone = extractor(short)["motion_features"][0]
    assert both["motion_attention_mask"].sum(1).tolist() == [both["motion_features"].shape[1], len(alone)]
    assert both["motion_features"][1, : len(alone)].equal(alone)
    assert (both["motion_features"][1, len(alone) :] == 0).all()


def test_a_processor_round_trips_with_its_parts(
    checkpoint: Path, processor: AgirProcessor, walk: MotionClip, tmp_path: Path
) -> None:
    AgirProcessor.from_pretrained(checkpoint).save_pretrained(tmp_path)
    for loaded in (AgirProcessor.from_pretrained(tmp_path), AutoProcessor.from_pretrained(tmp_path)):
        assert isinstance(loaded, AgirProcessor)
        assert loaded.feature_extractor.to_dict() == processor.feature_extractor.to_dict()
        assert loaded.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
        one, other = (each(motion=walk, text=PROMPT) for each in (loaded, processor))
        assert all(one[name].equal(other[name]) for name in other)
    assert isinstance(AutoFeatureExtractor.from_pretrained(tmp_path), AgirFeatureExtractor)


def test_a_processor_keeps_what_the_tokenizer_is_told_when_loaded(checkpoint: Path) -> None:
    loaded = AgirProcessor.from_pretrained(checkpoint, padding_side="right", model_max_length=50)
    assert (loaded.tokenizer.padding_side, loaded.tokenizer.model_max_length) == ("right", 50)


def test_a_processor_gives_what_the_model_takes(processor: AgirProcessor, walk: MotionClip) -> None:
    inputs = processor(motion=walk, text=PROMPT)
    assert isinstance(inputs, BatchFeature)
    assert list(inputs) == ["input_ids", "attention_mask", *processor.feature_extractor.model_input_names]
    assert set(inputs) <= set(processor.model_input_names)
    assert list(processor(text="speed")) == ["input_ids", "attention_mask"]
    assert inputs.to("cpu")["input_ids"].equal(inputs["input_ids"])


def test_a_processor_passes_on_text_options_and_decodes(processor: AgirProcessor) -> None:
    inputs = processor(text=["speed", "walking speed"], padding="max_length", max_length=40)
    assert inputs["input_ids"].shape == (2, 40)
    assert (inputs["input_ids"][:, 0] == processor.tokenizer.pad_token_id).all()  # batches are continued at their end
    told = processor.batch_decode(inputs["input_ids"], skip_special_tokens=True)
    assert told == ["speed", "walking speed"]
    assert processor.decode(inputs["input_ids"][1], skip_special_tokens=True) == "walking speed"
    lists = processor(text="speed", return_tensors=None, padding=False)
    assert isinstance(lists["input_ids"][0], list)


def test_a_chat_template_is_saved_with_the_processor(checkpoint: Path, tmp_path: Path) -> None:
    processor = AgirProcessor.from_pretrained(checkpoint)
    processor.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    processor.save_pretrained(tmp_path)
    loaded = AgirProcessor.from_pretrained(tmp_path)
    assert loaded.chat_template == processor.chat_template
    chat = [{"role": "user", "content": "speed"}]
    assert loaded.apply_chat_template(chat, tokenize=False) == "speed"


def test_an_unknown_part_is_refused(processor: AgirProcessor) -> None:
    with pytest.raises(TypeError):
        AgirProcessor(feature_extractor=processor.tokenizer, tokenizer=processor.feature_extractor)
