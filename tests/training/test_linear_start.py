"""The start of a motion tokenizer: what a linear code can do, before any training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agir_hf.configuration_agir import AgirMotionTokenizerConfig
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer
from agir_hf.training.linear_start import start_linearly


def walks(count: int, rank: int, seed: int) -> list[np.ndarray]:
    """Clips (40, 263) whose steps of 4 frames lie in ``rank`` directions."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((rank, 4 * 263)) / np.sqrt(rank)
    rng = np.random.default_rng(seed)
    return [
        (rng.standard_normal((10, rank)) @ directions).reshape(40, 263).astype(np.float32) + 0.5 for _ in range(count)
    ]


@pytest.fixture(scope="module")
def started() -> AgirMotionTokenizer:
    torch.manual_seed(0)
    config = AgirMotionTokenizerConfig(
        hidden_size=16, codebook_dim=12, codebook_size=64, frames_per_code=1, num_quantizers=4
    )
    model = AgirMotionTokenizer(config).eval()
    start_linearly(model, walks(60, 6, seed=1), lambda clip: clip, seed=0)
    return model


def test_what_is_linear_comes_back_without_training(started: AgirMotionTokenizer) -> None:
    clip = torch.from_numpy(walks(1, 6, seed=2)[0]).unsqueeze(0)
    steps = torch.ones(1, 1, 10)
    with torch.no_grad():
        rebuilt = started.motion_decoder(started.motion_encoder(clip.transpose(1, 2), steps), steps).transpose(1, 2)
    assert (rebuilt - clip).square().mean() < 1e-3 * clip.var()


def test_codes_are_started_too(started: AgirMotionTokenizer) -> None:
    clip = torch.from_numpy(walks(1, 6, seed=3)[0]).unsqueeze(0)
    rebuilt = started.decode(started.encode(clip))
    assert bool(started.motion_codebook.started)
    assert (rebuilt - clip).square().mean() < 0.5 * clip.var()
    # It starts the same again: a resumed run, and every process of several, comes out alike.
    torch.manual_seed(0)
    again = AgirMotionTokenizer(started.config).eval()
    start_linearly(again, walks(60, 6, seed=1), lambda one: one, seed=0)
    assert all(
        torch.equal(a, b) for a, b in zip(started.state_dict().values(), again.state_dict().values(), strict=True)
    )
