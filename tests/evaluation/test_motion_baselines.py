"""Baselines on the motion itself learn what is there to learn, the same twice, and hang on no padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agir_hf.configuration_agir import AgirMotionTokenizerConfig
from agir_hf.errors import AgirError
from agir_hf.evaluation.motion_baselines import (
    CHANNELS,
    NETWORKS,
    _batch,
    joint_inputs,
    linear_head,
    network_probabilities,
    tokenizer_summary,
)
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer
from agir_hf.skeleton import NUM_JOINTS


def walks(count: int, seed: int, longest: int = 32) -> tuple[list[np.ndarray], list[int]]:
    """Features of arms that swing by as much as the class says, at a phase of their own."""
    rng = np.random.default_rng(seed)
    clips, classes = [], []
    for _ in range(count):
        label, frames = int(rng.integers(0, 3)), int(rng.integers(longest // 2, longest))
        clip = 0.05 * rng.standard_normal((frames, 263)).astype(np.float32)
        swing = (0.2 + 0.5 * label) * np.sin(np.arange(frames) * 0.4 + rng.uniform(0, 6))
        clip[:, 4 + 3 * 19 : 4 + 3 * 21] += swing[:, None].astype(np.float32)
        clips.append(clip)
        classes.append(label)
    return clips, classes


@pytest.mark.parametrize(("name", "longest", "epochs"), [("graph network", 32, 25), ("transformer", 80, 10)])
def test_a_network_learns_and_does_it_again(name: str, longest: int, epochs: int) -> None:
    (train, scores), (test, given) = walks(200, 1, longest), walks(40, 2, longest)
    before = torch.random.get_rng_state()
    told = network_probabilities(name, train, scores, test, num_scores=4, seed=3, epochs=epochs)
    assert torch.equal(before, torch.random.get_rng_state())
    assert told.shape == (40, 4) and told.sum(1) == pytest.approx(1.0)
    assert (told.argmax(1) == given).mean() > 0.7  # a third by guessing
    once, again = (network_probabilities(name, train, scores, test, num_scores=4, seed=3, epochs=1) for _ in range(2))
    assert np.array_equal(once, again)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_padding_changes_nothing(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name](4).eval()
    short, long = (
        np.random.default_rng(n).standard_normal((n, NUM_JOINTS, CHANNELS)).astype(np.float32) for n in (40, 90)
    )
    with torch.no_grad():
        alone, beside = network(*_batch([short])), network(*_batch([short, long]))
    assert torch.allclose(alone[0], beside[0], atol=1e-4)


def test_a_linear_head_on_frozen_codes() -> None:
    torch.manual_seed(0)
    model = AgirMotionTokenizer(AgirMotionTokenizerConfig(hidden_size=32, codebook_dim=16, codebook_size=64)).eval()
    (train, scores), (test, given) = walks(150, 4), walks(60, 5)
    with torch.no_grad():
        model.motion_codebook.start(model.motion_encoder(*_tensors(np.concatenate([c[:20] for c in train])))[0].T)
    summaries = [tokenizer_summary(model, clips) for clips in (train, test)]
    assert summaries[0].shape == (150, 32)
    told = linear_head(summaries[0], scores, summaries[1], num_scores=4)
    assert told.shape == (60, 4) and (told[:, 3] == 0).all()
    assert (told.argmax(1) == given).mean() > 0.6


def _tensors(features: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(features.T[None].copy()), torch.ones(1, 1, len(features) // 4)


def test_inputs_are_joints_and_their_velocities() -> None:
    features = np.arange(263, dtype=np.float32)[None]
    joints = joint_inputs(features)
    assert joints[0, 0].tolist() == [0, 3, 0, 193, 194, 195] and joints[0, 1, :3].tolist() == [4, 5, 6]
    assert joints[0, 21].tolist() == [64, 65, 66, 256, 257, 258]


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(AgirError, match="found 0 and 1"):
        network_probabilities("transformer", [], [], [np.zeros((8, 263), np.float32)], num_scores=4, seed=0)
