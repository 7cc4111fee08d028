from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_models import CODES, motion_config

from agir_hf.configuration_agir import AgirMotionTokenizerConfig
from agir_hf.errors import AgirError
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer


@pytest.fixture(scope="module")
def tokenizer() -> AgirMotionTokenizer:
    torch.manual_seed(0)
    return AgirMotionTokenizer(motion_config()).eval()


def _mask(lengths: list[int], frames: int) -> torch.Tensor:
    return (torch.arange(frames)[None] < torch.tensor(lengths)[:, None]).long()


def test_default_size_stays_under_the_limit() -> None:
    model = AgirMotionTokenizer(AgirMotionTokenizerConfig())
    assert sum(p.numel() for p in model.parameters()) + model.motion_codebook.codebook.numel() <= 2_500_000


def test_codes_of_a_clip_do_not_depend_on_its_batch(tokenizer: AgirMotionTokenizer, features: torch.Tensor) -> None:
    lengths = [40, 22, 13]
    batched = tokenizer.encode(features, _mask(lengths, 40))
    for row, length in enumerate(lengths):
        alone = tokenizer.encode(features[row : row + 1, :length])[0]
        assert batched[row, : length // 4].equal(alone)
        assert (batched[row, length // 4 :] == -1).all()
        assert len(alone) == length // 4


def test_padding_changes_nothing_in_the_convolutions(tokenizer: AgirMotionTokenizer, features: torch.Tensor) -> None:
    with torch.no_grad():
        alone = tokenizer(features[1:2, :20])
        noisy = features.clone()
        noisy[:, 20:] = 1e3  # padding may hold anything
        batched = tokenizer(noisy, _mask([20, 20, 20], 40))
    torch.testing.assert_close(
        batched.reconstructed_features[1:2, :20], alone.reconstructed_features, atol=1e-5, rtol=0
    )
    assert (batched.reconstructed_features[:, 20:] == 0).all()
    assert batched.motion_codes[1, :5].equal(alone.motion_codes[0])


def test_decode_is_batch_independent_and_of_the_right_length(tokenizer: AgirMotionTokenizer) -> None:
    codes = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, -1, -1]])
    batched = tokenizer.decode(codes)
    assert batched.shape == (2, 20, 263)
    assert (batched[1, 12:] == 0).all()
    torch.testing.assert_close(batched[1, :12], tokenizer.decode(codes[1:, :3])[0], atol=1e-5, rtol=0)
    with pytest.raises(AgirError, match=f"codes in \\[0, {CODES}\\)"):
        tokenizer.decode(torch.tensor([[CODES]]))


def test_save_and_load_is_bit_identical(tokenizer: AgirMotionTokenizer, tmp_path: Path, features: torch.Tensor) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = AgirMotionTokenizer.from_pretrained(tmp_path)
    state = loaded.state_dict()
    assert state.keys() == tokenizer.state_dict().keys()
    assert all(value.equal(state[name]) for name, value in tokenizer.state_dict().items())
    assert loaded.encode(features).equal(tokenizer.encode(features))


def test_stays_in_float32_however_it_is_loaded_or_cast(tokenizer: AgirMotionTokenizer, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = AgirMotionTokenizer.from_pretrained(tmp_path, dtype=torch.bfloat16)
    before = loaded.motion_codebook.codebook.clone()
    for model in (loaded, loaded.to(torch.bfloat16), loaded.half()):
        assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    assert loaded.motion_codebook.codebook.equal(before)
    assert before.equal(tokenizer.motion_codebook.codebook)


def test_training_mode_alone_never_changes_a_code(features: torch.Tensor) -> None:
    model = AgirMotionTokenizer(motion_config()).train()
    before = {name: value.clone() for name, value in model.motion_codebook.state_dict().items()}
    model(features).loss.backward()
    assert all(value.equal(before[name]) for name, value in model.motion_codebook.state_dict().items())


def test_training_learns_the_codebook_and_uses_it_widely() -> None:
    torch.manual_seed(0)
    model = AgirMotionTokenizer(motion_config(codebook_warmup_updates=10)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    time = torch.arange(32)[None, :, None]
    losses, used = [], set()
    for step in range(200):
        frequency, phase = torch.rand(16, 1, 1) * 0.6, torch.rand(16, 1, 263) * 0.2
        features = torch.sin(frequency * time + phase + torch.rand(16, 1, 1) * 6.28)
        output = model(features, update_codebook=True)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        losses.append(output.loss.item())
        if step >= 180:
            used |= set(output.motion_codes.flatten().tolist())
    assert model.motion_codebook.started == 1
    assert losses[-1] < 0.6 * losses[0]
    assert len(used) >= 0.8 * CODES


def test_a_resumed_codebook_is_not_started_again(tmp_path: Path, features: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = AgirMotionTokenizer(motion_config(codebook_warmup_updates=0))
    for _ in range(20):
        model(features, update_codebook=True)
    assert model.motion_codebook.started == 1
    model.save_pretrained(tmp_path)
    resumed = AgirMotionTokenizer.from_pretrained(tmp_path)
    for one in (model, resumed):
        torch.manual_seed(1)
        one(features, update_codebook=True)
    assert resumed.motion_codebook.codebook.equal(model.motion_codebook.codebook)


def test_bad_input_is_named(tokenizer: AgirMotionTokenizer) -> None:
    with pytest.raises(AgirError, match=r"\(B, T, 263\)"):
        tokenizer.encode(torch.zeros(1, 8, 5))
    with pytest.raises(AgirError, match="pad on the right"):
        tokenizer.encode(torch.zeros(1, 8, 263), torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1]]))
    with pytest.raises(AgirError, match="frames_per_code: expected at least 1, found 0"):
        AgirMotionTokenizerConfig(frames_per_code=0)
    with pytest.raises(AgirError, match="group_weights"):
        AgirMotionTokenizerConfig(group_weights={"hands": 1.0})
