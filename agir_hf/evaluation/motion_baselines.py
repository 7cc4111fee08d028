"""Baselines that see the motion itself: a linear head on frozen tokenizer outputs, a graph network, a transformer.

All three give (N, C) probabilities for test walks after learning from training walks of other people. The networks read
joints on the canonical skeleton at 20 frames a second, relative to the pelvis and to where the person faces, with the
path kept as the pelvis's own velocity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..configuration_agir import FEATURE_GROUPS
from ..errors import AgirError, require
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer
from ..skeleton import MIRROR_INDEX, NUM_JOINTS, PARENTS

Features = NDArray[np.float32]
CHANNELS = 6  # position and velocity of a joint
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 12, 32, 2e-3, 0.05
LONGEST_FRAMES = 256


def tokenizer_summary(model: AgirMotionTokenizer, clips: Sequence[Features]) -> NDArray[np.float64]:
    """(N, 2 * codebook_dim) mean and standard deviation over time of what the tokenizer says of each clip.

    Args:
        clips: normalised features (T', 263), each of a whole step at least.
    """
    rows = []
    for clip in clips:
        codes = model.encode(torch.from_numpy(clip).unsqueeze(0))
        said = model.motion_codebook.look_up(codes.unflatten(1, (-1, model.config.num_quantizers)))[0].sum(1)
        rows.append(torch.cat([said.mean(0), said.std(0, unbiased=False)]).double().numpy())
    return np.stack(rows)


def linear_head(
    train: NDArray[np.floating], scores: Sequence[int], test: NDArray[np.floating], *, num_scores: int
) -> NDArray[np.float64]:
    """(N, C) probabilities of a logistic regression on summaries, standardised as the training ones are."""
    linear, pipeline, preprocessing = (
        require(f"sklearn.{part}", "evaluate") for part in ("linear_model", "pipeline", "preprocessing")
    )
    head = pipeline.make_pipeline(preprocessing.StandardScaler(), linear.LogisticRegression(C=0.1, max_iter=2000))
    head.fit(train, list(scores))
    told = np.zeros((len(test), num_scores))
    told[:, head.classes_] = head.predict_proba(test)
    return told


def joint_inputs(features: Features) -> Features:
    """(T', 22, 6) of features (T', 263), not normalised: where each joint is and how fast it goes, heading removed.

    The pelvis, which is the origin, has its height above the floor there.
    """
    frames = len(features)
    found = np.zeros((frames, NUM_JOINTS, CHANNELS), dtype=np.float32)
    start, end = FEATURE_GROUPS["positions"]
    found[:, 1:, :3] = features[:, start:end].reshape(frames, NUM_JOINTS - 1, 3)
    found[:, 0, 1] = features[:, 3]
    start, end = FEATURE_GROUPS["velocities"]
    found[:, :, 3:] = features[:, start:end].reshape(frames, NUM_JOINTS, 3)
    return found


class GraphBlock(nn.Module):
    """Joints to their neighbours, then along time at half the rate (after Yan et al. 2018, ST-GCN)."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("neighbours", torch.from_numpy(_neighbours()))
        self.mix = nn.Linear(channels_in * len(_neighbours()), channels)
        self.along = nn.Conv1d(channels, channels, 9, stride=2, padding=4, groups=channels)
        self.out = nn.Linear(channels, channels)
        self.skip = nn.Linear(channels_in, channels)
        self.norm = nn.LayerNorm(channels)

    neighbours: Tensor

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(B, T, J, C) and (B, T) -> (B, (T + 1) / 2, J, C')."""
        gathered = torch.einsum("kij,btjc->btikc", self.neighbours, hidden).flatten(3)
        mixed = F.gelu(self.mix(gathered)) * mask[..., None, None]
        batch, frames, joints, channels = mixed.shape
        moved = self.along(mixed.permute(0, 2, 3, 1).reshape(batch * joints, channels, frames))
        moved = moved.view(batch, joints, channels, -1).permute(0, 3, 1, 2)
        return self.norm(self.skip(hidden[:, ::2]) + self.out(F.gelu(moved)))


class GraphNetwork(nn.Module):
    def __init__(self, num_scores: int, widths: Sequence[int] = (24, 48, 96)) -> None:
        super().__init__()
        sizes = [CHANNELS, *widths]
        self.blocks = nn.ModuleList(GraphBlock(a, b) for a, b in zip(sizes, widths, strict=False))
        self.head = nn.Linear(2 * widths[-1], num_scores)

    def forward(self, joints: Tensor, mask: Tensor) -> Tensor:
        hidden = joints
        for block in self.blocks:
            hidden = block(hidden, mask)
            mask = mask[:, ::2]
        over_joints = torch.cat([hidden.mean(2), hidden.amax(2)], -1)
        return self.head(_masked_mean(over_joints, mask))


class JointTransformer(nn.Module):
    def __init__(self, num_scores: int, width: int = 96, layers: int = 3, heads: int = 4, patch: int = 4) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(NUM_JOINTS * CHANNELS * patch, width)
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, num_scores)
        places = torch.arange(LONGEST_FRAMES // patch).unsqueeze(1)
        turns = torch.exp(-math.log(1000.0) * torch.arange(0, width, 2) / width)
        self.register_buffer("places", torch.cat([torch.sin(places * turns), torch.cos(places * turns)], 1))

    places: Tensor

    def forward(self, joints: Tensor, mask: Tensor) -> Tensor:
        steps = joints.shape[1] // self.patch
        hidden = self.embed(joints[:, : steps * self.patch].reshape(len(joints), steps, -1)) + self.places[:steps]
        mask = mask[:, : steps * self.patch : self.patch]
        return self.head(_masked_mean(self.layers(hidden, src_key_padding_mask=mask == 0), mask))


NETWORKS: dict[str, Callable[[int], nn.Module]] = {"graph network": GraphNetwork, "transformer": JointTransformer}


def network_probabilities(
    name: str,
    train: Sequence[Features],
    scores: Sequence[int],
    test: Sequence[Features],
    *,
    num_scores: int,
    seed: int,
    epochs: int = EPOCHS,
) -> NDArray[np.float64]:
    """(N, C) probabilities that one of ``NETWORKS``, trained from nothing, gives the test walks.

    Args:
        train, test: features (T', 263), not normalised.
        epochs: fixed in advance; nothing is chosen by the test walks.

    Raises:
        AgirError: no walks to learn from or none to test on.
    """
    if not len(train) or not len(test):
        raise AgirError(f"expected walks to learn from and to test on, found {len(train)} and {len(test)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = NETWORKS[name](num_scores)
        learned = [joint_inputs(clip)[:LONGEST_FRAMES] for clip in train]
        every = np.concatenate(learned)
        mean, scale = every.mean(0), np.maximum(every.std(0), 1e-3)
        learned = [(clip - mean) / scale for clip in learned]
        optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        total = epochs * math.ceil(len(learned) / BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=total)
        labels = torch.tensor(list(scores))
        network.train()
        for _ in range(epochs):
            for places in torch.randperm(len(learned)).split(BATCH):
                logits = network(*_batch([learned[i] for i in places.tolist()]))
                F.cross_entropy(logits, labels[places]).backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
        network.eval()
        told = []
        with torch.no_grad():
            for start in range(0, len(test), BATCH):
                some = test[start : start + BATCH]
                inputs = [(joint_inputs(clip)[:LONGEST_FRAMES] - mean) / scale for clip in some]
                told.append(network(*_batch(inputs)).softmax(-1).double().numpy())
    return np.concatenate(told)


def _batch(clips: Sequence[Features]) -> tuple[Tensor, Tensor]:
    """(B, T, 22, 6) with zeros behind each clip, and (B, T) with 1 for a frame."""
    longest = max(map(len, clips))
    joints = np.zeros((len(clips), longest, NUM_JOINTS, CHANNELS), dtype=np.float32)
    mask = np.zeros((len(clips), longest), dtype=np.float32)
    for row, clip in enumerate(clips):
        joints[row, : len(clip)] = clip
        mask[row, : len(clip)] = 1.0
    return torch.from_numpy(joints), torch.from_numpy(mask)


def _masked_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True).clamp_min(1.0)


def _neighbours() -> NDArray[np.float32]:
    """(4, J, J) rows summing to 1 or 0: itself, parent, mean of children, the joint of the other side."""
    own = np.eye(NUM_JOINTS, dtype=np.float32)
    parent = np.zeros_like(own)
    for joint, above in enumerate(PARENTS):
        if joint:  # the pelvis has none
            parent[joint, above] = 1.0
    children = parent.T / np.maximum(parent.T.sum(1, keepdims=True), 1.0)
    return np.stack([own, parent, children, own[list(MIRROR_INDEX)]])
