"""Several codes a step: each refines what those before it leave, and everything else is as with one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import CODES, make_text_tokenizer, motion_config

from agir_hf.clip import MotionClip
from agir_hf.configuration_agir import AgirConfig
from agir_hf.errors import AgirError
from agir_hf.feature_extraction_agir import AgirFeatureExtractor
from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer, MotionCodebook
from agir_hf.motion_vocabulary import MotionVocabulary
from agir_hf.motion_writing import write_motions
from agir_hf.processing_agir import AgirProcessor

LAYOUT = {"frames_per_code": 2, "num_quantizers": 2}


def trained(steps: int = 60, **changes: int) -> tuple[AgirMotionTokenizer, torch.Tensor]:
    """A tokenizer that has learned a little, and what it learned from."""
    torch.manual_seed(0)
    model = AgirMotionTokenizer(motion_config(codebook_warmup_updates=5, **changes))
    phases = torch.rand(16, 1, 1) * 6.28 + torch.arange(64).view(1, 64, 1) * 0.3
    features = torch.sin(phases * torch.linspace(0.5, 1.5, 263)) + 0.1 * torch.randn(16, 64, 263)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(steps):
        model(features, update_codebook=True).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval(), features


def test_a_step_has_one_code_of_each_quantizer() -> None:
    model, features = trained(**LAYOUT)
    codes = model.encode(features[:3])
    assert codes.shape == (3, 64 // model.config.frames_per_code) == (3, 32)
    assert int(codes[:, ::2].max()) < CODES // 2 <= int(codes[:, 1::2].min())
    assert model.decode(codes).shape == (3, 64, 263)
    output = model(features[:3])
    assert torch.equal(output.motion_codes, codes)
    assert torch.allclose(output.reconstructed_features, model.decode(codes), atol=1e-5)
    # Padding on the right, and frames that are no whole step, change no code.
    mask = torch.ones(3, 64)
    mask[1, 43:] = 0
    padded = model.encode(features[:3], mask)
    assert padded[1, :20].tolist() == model.encode(features[1:2, :43])[0].tolist() and set(padded[1, 20:].tolist()) == {
        -1
    }


def test_each_quantizer_brings_the_sum_nearer() -> None:
    torch.manual_seed(1)
    book = MotionCodebook(motion_config(codebook_warmup_updates=1, **LAYOUT))
    vectors = torch.randn(400, 8)
    while not book.observe(vectors):
        pass
    for _ in range(20):
        book.update(vectors, book.nearest(vectors))
    said = book.look_up(book.nearest(vectors)).cumsum(1)
    errors = [(vectors - said[:, level]).square().mean().item() for level in range(2)]
    assert errors[1] < 0.8 * errors[0] < 0.8
    one = MotionCodebook(motion_config(codebook_warmup_updates=1))
    while not one.observe(vectors):
        pass
    assert errors[1] < (vectors - one.look_up(one.nearest(vectors)).sum(1)).square().mean().item()


def test_a_beam_finds_sums_that_one_code_after_another_misses() -> None:
    torch.manual_seed(2)
    config = motion_config(frames_per_code=1, num_quantizers=4)
    book, vectors = MotionCodebook(config), torch.randn(300, 8)
    book.start(vectors)
    codes = book.nearest(vectors)
    beam = (vectors - book.look_up(codes).sum(1)).square().mean().item()
    left = vectors
    for level in range(4):
        rows = slice(level * CODES // 4, (level + 1) * CODES // 4)
        left = left - book.codebook[rows][torch.cdist(left, book.codebook[rows]).argmin(1)]
    assert beam < 0.97 * left.square().mean().item()
    alone = torch.cat([book.nearest(one.unsqueeze(0)) for one in vectors])
    assert torch.equal(alone, codes)  # what is chosen for a step does not hang on the others


def test_half_a_step_is_refused_and_wrong_layouts_too() -> None:
    model, _ = trained(1, **LAYOUT)
    with pytest.raises(AgirError, match="whole steps of 2 codes, found 3"):
        model.decode(torch.zeros(1, 3, dtype=torch.long))
    with pytest.raises(AgirError, match="divisor"):
        motion_config(codebook_size=33, **LAYOUT)


def test_saved_and_loaded_bit_for_bit(tmp_path: Path) -> None:
    model, features = trained(**LAYOUT)
    model.save_pretrained(tmp_path)
    again = AgirMotionTokenizer.from_pretrained(tmp_path)
    assert again.config.frames_per_step == 4
    assert torch.equal(again.encode(features), model.encode(features))


def composite(walk: MotionClip) -> tuple[AgirForGaitAssessment, AgirProcessor]:
    """A small model with two codes a step, and its processor."""
    motion_tokenizer, _ = trained(**LAYOUT)
    text_tokenizer = make_text_tokenizer()
    vocabulary = MotionVocabulary.add_to_tokenizer(text_tokenizer, CODES)
    llama = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = AgirConfig(
        motion_config=motion_tokenizer.config.to_dict(),
        text_config={"model_type": "llama", "vocab_size": len(text_tokenizer), **llama},
        **vocabulary.config_fields(),
    )
    model = AgirForGaitAssessment(config).eval()
    model.motion_tokenizer.load_state_dict(motion_tokenizer.state_dict())
    extractor = AgirFeatureExtractor(frames_per_code=2, codes_per_step=2)
    extractor.fit([extractor.raw_features(walk)])
    processor = AgirProcessor(feature_extractor=extractor, tokenizer=text_tokenizer)
    processor.attach(model)
    return model, processor


def test_written_motions_are_whole_steps(walk: MotionClip) -> None:
    model, processor = composite(walk)
    torch.manual_seed(3)
    motions = write_motions(model, processor, ["slow", "a long description of a walk", "brisk"] * 4, longest_s=3.0)
    assert len({tuple(codes) for codes in motions}) == 12  # sampled
    assert len({len(codes) for codes in motions}) > 1  # they may end before they are cut off
    for codes in motions:
        assert 2 <= len(codes) <= 2 * 15 and len(codes) % 2 == 0
        assert max(codes[::2]) < CODES // 2 <= min(codes[1::2])
        assert len(processor.decode_motion(codes).joints_m) == 2 * len(codes) + 1


def test_raw_and_token_path_agree(walk: MotionClip) -> None:
    model, processor = composite(walk)
    extractor = processor.feature_extractor
    codes = processor.encode_motion(walk)
    assert len(codes) == extractor.num_codes(len(extractor.raw_features(walk))) and len(codes) % 2 == 0
    with torch.no_grad():
        raw = model(**processor(motion=walk, text="Motion: <motion>")).logits
        written = model(**processor(codes=codes, text="Motion: <motion>")).logits
    assert torch.equal(raw, written)
    clip = processor.decode_motion(codes)
    assert len(clip.joints_m) == 2 * len(codes) + 1
    assert np.array_equal(
        processor.decode_motion([*codes, 0]).joints_m, clip.joints_m
    )  # an unfinished step is left out
    processor.feature_extractor.codes_per_step = 1
    with pytest.raises(AgirError, match="do not belong together"):
        processor.attach(model)
