from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import motion_config
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForCausalLM, AutoProcessor

from agir_hf.clip import MotionClip
from agir_hf.configuration_agir import AgirConfig
from agir_hf.errors import AgirError
from agir_hf.feature_extraction_agir import AgirFeatureExtractor
from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer
from agir_hf.processing_agir import AgirProcessor

PROMPT = "Motion: <motion>\nRationale:\n"


def _same_state(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    left, right = one.state_dict(), other.state_dict()
    return left.keys() == right.keys() and all(
        value.dtype == right[name].dtype and value.equal(right[name]) for name, value in left.items()
    )


def test_model_round_trip_is_bit_identical(model: AgirForGaitAssessment, checkpoint: Path, tmp_path: Path) -> None:
    loaded, info = AgirForGaitAssessment.from_pretrained(checkpoint, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert _same_state(model, loaded)
    assert loaded.config.to_dict()["score_labels"] == ["0", "1", "2", "3"]
    loaded.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()


def test_auto_classes_load_each_part(checkpoint: Path) -> None:
    assert isinstance(AutoConfig.from_pretrained(checkpoint), AgirConfig)
    assert isinstance(AutoModel.from_pretrained(checkpoint), AgirForGaitAssessment)
    assert isinstance(AutoModelForCausalLM.from_pretrained(checkpoint), AgirForGaitAssessment)
    assert isinstance(AutoProcessor.from_pretrained(checkpoint), AgirProcessor)
    assert isinstance(AutoFeatureExtractor.from_pretrained(checkpoint), AgirFeatureExtractor)


def test_processor_round_trip_is_exact(
    checkpoint: Path, processor: AgirProcessor, walk: MotionClip, tmp_path: Path
) -> None:
    loaded = AgirProcessor.from_pretrained(checkpoint)
    assert loaded.feature_extractor.to_dict() == processor.feature_extractor.to_dict()
    assert loaded.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
    assert loaded.vocabulary == processor.vocabulary
    for name, value in loaded(motion=walk, text=PROMPT).items():
        assert value.equal(processor(motion=walk, text=PROMPT)[name])
    AgirProcessor.from_pretrained(checkpoint).save_pretrained(tmp_path)  # not `loaded`: its use left a padding rule
    names = sorted(path.name for path in tmp_path.iterdir())
    assert not any(name.endswith(".safetensors") for name in names)
    for name in names:
        saved, original = (json.loads((folder / name).read_text(encoding="utf-8")) for folder in (tmp_path, checkpoint))
        for note_of_loading in ("is_local", "local_files_only"):  # transformers writes how a tokenizer was loaded
            saved.pop(note_of_loading, None)
        assert saved == original


def test_motion_tokenizer_is_read_out_of_the_whole_repository(
    model: AgirForGaitAssessment, checkpoint: Path, walk: MotionClip, processor: AgirProcessor
) -> None:
    alone, info = AgirMotionTokenizer.from_pretrained(checkpoint, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert _same_state(alone, model.motion_tokenizer)
    lazy = AgirProcessor.from_pretrained(checkpoint)
    assert lazy.encode_motion(walk) == processor.encode_motion(walk)


def test_a_missing_language_model_is_noticed(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(checkpoint / "model.safetensors")
    tensors["language_model.extra.weight"] = torch.zeros(1)
    (tmp_path / "config.json").write_text((checkpoint / "config.json").read_text(encoding="utf-8"), encoding="utf-8")
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    _, info = AgirForGaitAssessment.from_pretrained(tmp_path, output_loading_info=True)
    assert set(info["unexpected_keys"]) == {"language_model.extra.weight"}


def test_both_token_paths_give_equal_logits(
    model: AgirForGaitAssessment, processor: AgirProcessor, walk: MotionClip
) -> None:
    short = walk.replace(joints_m=walk.joints_m[:150])
    raw = processor(motion=[walk, short], text=[PROMPT, "Now: " + PROMPT])
    codes = [processor.encode_motion(clip) for clip in (walk, short)]
    written = processor(codes=codes, text=[PROMPT, "Now: " + PROMPT])
    assert raw["input_ids"].shape == written["input_ids"].shape
    with torch.no_grad():
        one, other = model(**raw).logits, model(**written).logits
    assert (one - other).abs().max() == 0
    options = {"max_new_tokens": 6, "do_sample": False}
    assert model.generate(**raw, **options).equal(model.generate(**written, **options))
    assert model.score_probabilities(**raw).equal(model.score_probabilities(**written))


@pytest.mark.parametrize(
    "text_config",
    [
        {"model_type": "qwen3", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16}
        | {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True},
        {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2},
    ],
    ids=["qwen3, tied", "gpt2"],
)
def test_any_causal_language_model_serves(
    text_config: dict[str, Any], processor: AgirProcessor, walk: MotionClip, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    ids = {"eos_token_id": processor.tokenizer.eos_token_id, "pad_token_id": processor.tokenizer.pad_token_id}
    config = AgirConfig(
        motion_config=motion_config().to_dict(),
        text_config={**text_config, **ids, "bos_token_id": None, "vocab_size": len(processor.tokenizer)},
        max_motion_codes=5,
    )
    made = AgirForGaitAssessment(config).eval()
    own = AgirProcessor(feature_extractor=copy.deepcopy(processor.feature_extractor), tokenizer=processor.tokenizer)
    own.attach(made)
    made.save_pretrained(tmp_path)
    loaded = AgirForGaitAssessment.from_pretrained(tmp_path)
    assert _same_state(made, loaded)
    with pytest.warns(UserWarning, match="only"):
        raw = own(motion=walk, text=PROMPT)
    with pytest.warns(UserWarning, match="only"):
        codes = own.encode_motion(walk)
    assert len(codes) == 5
    written = own(codes=codes, text=PROMPT)
    options = {"max_new_tokens": 5, "do_sample": False}
    assert loaded.generate(**raw, **options).equal(loaded.generate(**written, **options))
    assert loaded.score_probabilities(**raw).equal(loaded.score_probabilities(**written))
    # Another place in memory may give another rounding.
    torch.testing.assert_close(loaded.score_probabilities(**raw), made.score_probabilities(**raw), atol=1e-6, rtol=0)


def test_placeholders_and_motions_must_match(
    model: AgirForGaitAssessment, processor: AgirProcessor, walk: MotionClip
) -> None:
    with pytest.raises(AgirError, match="2 motions, found 1"):
        processor(motion=[walk, walk], text=PROMPT)
    inputs = processor(motion=walk, text=PROMPT)
    with pytest.raises(AgirError, match="one <motion> token for each"):
        model(input_ids=inputs["input_ids"][:, :-8], motion_features=inputs["motion_features"][:, :8])


def test_generation_with_and_without_cache_and_beams(
    model: AgirForGaitAssessment, processor: AgirProcessor, walk: MotionClip
) -> None:
    inputs = processor(motion=walk, text=PROMPT)
    cached = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    assert cached.equal(model.generate(**inputs, max_new_tokens=8, do_sample=False, use_cache=False))
    several = model.generate(**inputs, max_new_tokens=4, num_beams=3, num_return_sequences=2)
    assert several.shape[0] == 2
    assert int((several == model.config.motion_token_id).sum()) == 0


def test_score_probabilities_do_not_depend_on_padding(model: AgirForGaitAssessment, processor: AgirProcessor) -> None:
    texts = ["Rationale: short", "Rationale: a good deal longer, speed 0.8 m/s"]
    alone = torch.cat([model.score_probabilities(**processor(text=text)) for text in texts])
    for side in ("left", "right"):
        together = model.score_probabilities(**processor(text=texts, padding_side=side))
        assert together.shape == (2, 4) and together.dtype == torch.float32
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(alone.sum(1), torch.ones(2))


def test_score_temperature_comes_from_the_config(model: AgirForGaitAssessment, processor: AgirProcessor) -> None:
    inputs = processor(text="Rationale:")
    warm = copy.deepcopy(model)
    warm.config.score_temperature = 2.0
    expected = torch.softmax(model.score_probabilities(**inputs).log() / 2.0, dim=-1)
    torch.testing.assert_close(warm.score_probabilities(**inputs), expected)


def test_bfloat16_load_keeps_the_motion_tokenizer_in_float32(
    model: AgirForGaitAssessment, checkpoint: Path, processor: AgirProcessor, walk: MotionClip, tmp_path: Path
) -> None:
    loaded = AgirForGaitAssessment.from_pretrained(checkpoint, dtype=torch.bfloat16)
    assert loaded.dtype == torch.bfloat16
    assert {p.dtype for p in loaded.language_model.parameters()} == {torch.bfloat16}
    assert _same_state(loaded.motion_tokenizer, model.motion_tokenizer)
    loaded.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert again.dtype == torch.bfloat16
    assert _same_state(again, loaded)
    inputs = processor(motion=walk, text=PROMPT)
    assert loaded.score_probabilities(**inputs).dtype == torch.float32


def test_codes_do_not_change_under_autocast(
    model: AgirForGaitAssessment, processor: AgirProcessor, walk: MotionClip
) -> None:
    features = processor(motion=walk)["motion_features"]
    plain = model.motion_tokenizer.encode(features)
    with torch.autocast("cpu", torch.bfloat16):
        assert model.motion_tokenizer.encode(features).equal(plain)


def test_language_model_exports_and_embeddings_resize(model: AgirForGaitAssessment, tmp_path: Path) -> None:
    model.language_model.save_pretrained(tmp_path / "plain")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "plain")
    assert type(plain).__name__ == "LlamaForCausalLM"
    assert _same_state(plain, model.language_model)
    wider = copy.deepcopy(model)
    size = wider.config.text_config.vocab_size
    wider.resize_token_embeddings(size + 7)
    wider.save_pretrained(tmp_path / "wider")
    loaded = AgirForGaitAssessment.from_pretrained(tmp_path / "wider")
    assert loaded.config.text_config.vocab_size == size + 7
    assert _same_state(loaded, wider)


def test_training_leaves_the_motion_tokenizer_alone(
    model: AgirForGaitAssessment, processor: AgirProcessor, walk: MotionClip
) -> None:
    trained = copy.deepcopy(model).train()
    inputs = processor(motion=walk, text=PROMPT)
    loss = trained(**inputs, labels=inputs["input_ids"]).loss
    loss.backward()
    torch.optim.SGD([p for p in trained.parameters() if p.requires_grad], lr=0.1).step()
    assert _same_state(trained.motion_tokenizer, model.motion_tokenizer)
    assert not _same_state(trained.language_model, model.language_model)


def test_a_motion_is_never_cut_and_padding_is_no_motion(processor: AgirProcessor, walk: MotionClip) -> None:
    with pytest.raises(AgirError, match="window_s"):
        processor(motion=walk, text="<motion>", truncation=True, max_length=4)
    with pytest.raises(AgirError, match="-1"):
        processor.decode_motion([3, -1])


def test_decode_motion_gives_a_clip(processor: AgirProcessor, walk: MotionClip) -> None:
    codes = processor.encode_motion(walk)
    clip = processor.decode_motion(codes)
    assert clip.frame_rate_hz == 20.0
    assert clip.num_frames == 4 * len(codes) + 1
    larger = processor.decode_motion(processor.vocabulary.codes_to_text(codes), body_scale=1.1)
    torch.testing.assert_close(torch.from_numpy(larger.joints_m), torch.from_numpy(clip.joints_m) * 1.1)


def test_a_processor_made_in_memory_says_what_it_needs(processor: AgirProcessor, walk: MotionClip) -> None:
    lonely = AgirProcessor(feature_extractor=processor.feature_extractor, tokenizer=processor.tokenizer)
    with pytest.raises(AgirError, match=r"model\.motion_tokenizer"):
        lonely.encode_motion(walk)


def test_a_foreign_config_is_refused(model: AgirForGaitAssessment, processor: AgirProcessor) -> None:
    other = copy.deepcopy(model)
    other.config.first_motion_token_id += 1
    fresh = AgirProcessor(feature_extractor=processor.feature_extractor, tokenizer=processor.tokenizer)
    with pytest.raises(AgirError, match="first_motion_token_id"):
        fresh.attach(other)
