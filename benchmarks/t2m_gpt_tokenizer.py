"""The motion tokenizer of T2M-GPT (Zhang et al., CVPR 2023) trained on what ours is trained on, for comparison.

    python benchmarks/t2m_gpt_tokenizer.py --recipe tiny data.dataset=runs/gait_dataset --output runs/t2m_gpt
    python benchmarks/motion_tokenizer.py FOLDER ... --model runs/agir-tiny/motion_tokenizer --t2m-gpt runs/t2m_gpt

Encoder and decoder halve and double the rate with convolutions (residual blocks with dilations 9, 3, 1 at each rate,
ReLU, no normalisation); one code for 4 frames out of 512 that follow moving averages with resets; smooth L1 over all
263 features alike, half as much on the velocities of joint positions, 0.02 on commitment, windows of 64 frames, as
published. It has 2.9 million parameters (width 192 where the publication has 512), ours 2.2, and sees as many
frames of the same clips; the learning rate is twice the published one, which was for a hundred times as many steps.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from agir_hf import AgirMotionTokenizer
from agir_hf.configuration_agir import FEATURE_GROUPS, AgirMotionTokenizerConfig
from agir_hf.modeling_agir_motion_tokenizer import MaskedConv1d
from agir_hf.training.data import load_splits, recordings_features
from agir_hf.training.motion_tokenizer import train_motion_tokenizer
from agir_hf.training.recipe import load_recipe

WIDTH, CODE_WIDTH, CODES, HALVINGS = 192, 128, 512, 2
DILATIONS = (9, 3, 1)
WINDOW_FRAMES, LEARNING_RATE = 64, 4e-4


class Block(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.dilated = MaskedConv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.pointwise = MaskedConv1d(channels, channels, 1)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        return hidden + self.pointwise(F.relu(self.dilated(F.relu(hidden), mask)), mask)


class Encoder(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_in = MaskedConv1d(features, WIDTH, 3, padding=1)
        self.down = nn.ModuleList(MaskedConv1d(WIDTH, WIDTH, 4, stride=2, padding=1) for _ in range(HALVINGS))
        self.blocks = nn.ModuleList(nn.ModuleList(Block(WIDTH, d) for d in DILATIONS) for _ in range(HALVINGS))
        self.conv_out = MaskedConv1d(WIDTH, CODE_WIDTH, 3, padding=1)

    def forward(self, features: Tensor, step_mask: Tensor) -> Tensor:
        mask = step_mask.repeat_interleave(2**HALVINGS, dim=-1)
        hidden = F.relu(self.conv_in(features, mask))
        for down, blocks in zip(self.down, self.blocks, strict=True):
            mask = mask[..., ::2]
            hidden = down(hidden, mask)
            for block in blocks:  # type: ignore[attr-defined]
                hidden = block(hidden, mask)
        return self.conv_out(hidden, mask)


class Decoder(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_in = MaskedConv1d(CODE_WIDTH, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(nn.ModuleList(Block(WIDTH, d) for d in DILATIONS) for _ in range(HALVINGS))
        self.up = nn.ModuleList(MaskedConv1d(WIDTH, WIDTH, 3, padding=1) for _ in range(HALVINGS))
        self.conv_mid = MaskedConv1d(WIDTH, WIDTH, 3, padding=1)
        self.conv_out = MaskedConv1d(WIDTH, features, 3, padding=1)

    def forward(self, quantized: Tensor, mask: Tensor) -> Tensor:
        hidden = F.relu(self.conv_in(quantized, mask))
        for blocks, up in zip(self.blocks, self.up, strict=True):
            for block in blocks:  # type: ignore[attr-defined]
                hidden = block(hidden, mask)
            mask = mask.repeat_interleave(2, dim=-1)
            hidden = up(hidden.repeat_interleave(2, dim=-1), mask)
        return self.conv_out(F.relu(self.conv_mid(hidden, mask)), mask)


class T2MGPTTokenizer(AgirMotionTokenizer):
    """Codebook and masking of ours, everything else of T2M-GPT."""

    def __init__(self, config: AgirMotionTokenizerConfig) -> None:
        super().__init__(config)
        self.motion_encoder = Encoder(config.feature_dim)  # type: ignore[assignment]
        self.motion_decoder = Decoder(config.feature_dim)  # type: ignore[assignment]
        self.float()
        self.post_init()

    def _losses(self, rebuilt: Tensor, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        frames = mask.sum().clamp_min(1)
        error = (F.smooth_l1_loss(rebuilt, features, reduction="none") * mask.unsqueeze(-1)).sum((0, 1)) / frames
        start, end = FEATURE_GROUPS["positions"]
        pairs = mask[:, 1:].unsqueeze(-1)
        steps = (one[..., start:end].diff(dim=1) for one in (rebuilt, features))
        step_error = (F.smooth_l1_loss(*steps, reduction="none") * pairs).sum()
        return error.mean(), error.new_zeros(()), step_error / (pairs.sum().clamp_min(1) * (end - start))


def configuration() -> AgirMotionTokenizerConfig:
    return AgirMotionTokenizerConfig(
        hidden_size=WIDTH, codebook_size=CODES, codebook_dim=CODE_WIDTH, velocity_weight=0.5, commitment_weight=0.02
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("changes", nargs="*", help="key=value of the recipe")
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    recipe = load_recipe(options.recipe, options.changes)
    splits = load_splits(recipe.data, workers=recipe.workers)
    train = splits["train"]
    clips = [*train.features, *train.mirrored_features, *train.varied_features]
    clips += recordings_features(recipe.data.recordings, copies=recipe.data.varied_copies, seed=recipe.seed)
    model = T2MGPTTokenizer(configuration())
    ours = recipe.tokenizer
    windows = ours.batch_size * ours.window_frames // WINDOW_FRAMES
    budget = replace(ours, batch_size=windows, window_frames=WINDOW_FRAMES, learning_rate=LEARNING_RATE)
    figures = train_motion_tokenizer(
        budget, clips, splits["validation"].features, options.output, seed=recipe.seed, model=model
    )
    print(figures, file=sys.stderr)


if __name__ == "__main__":
    main()
