"""Where a motion tokenizer starts: at the principal components of whole steps, the best that a linear code can do.

From random weights, most of a short training goes into what linear algebra gives at once, and what comes out suits
simulated people better than recordings. The residual blocks start as the identity, so encoder and decoder start as the
projection onto the components and back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ..configuration_agir import FEATURE_GROUPS
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer

STEPS_READ = 60_000
# Errors of the root's velocities add up over a clip; those of a joint do not.
ROOT_WEIGHT = 2.0
RIDGE = 1e-3  # of the mean variance of a component


@torch.no_grad()
def start_linearly(
    model: AgirMotionTokenizer,
    clips: Sequence[NDArray[np.float32]],
    normalize: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    *,
    seed: int,
) -> None:
    """Set the first and last layers of encoder and decoder from training clips (T', feature_dim), not normalised.

    Components are those of root and positions; the other features are predicted from them by least squares.
    """
    config, step = model.config, model.config.frames_per_step
    blocks = _steps(clips, normalize, step, seed)  # (N, step, feature_dim)
    mean = blocks.mean((0, 1))
    end = FEATURE_GROUPS["positions"][1]
    weight = np.ones(end, dtype=np.float32)
    weight[slice(*FEATURE_GROUPS["root"])] = ROOT_WEIGHT
    seen = ((blocks[..., :end] - mean[:end]) * weight).reshape(len(blocks), -1)
    values, vectors = np.linalg.eigh(seen.T @ seen / len(seen))
    size = min(config.hidden_size, config.codebook_dim, vectors.shape[1])
    components = vectors[:, ::-1][:, :size]
    # Codes are compared by squared distance: unit variance on average keeps the commitment term in proportion.
    scale = float(np.sqrt(values[::-1][:size].mean()))
    latent = seen @ components / scale
    target = (blocks - mean).reshape(len(blocks), -1)
    gram = latent.T @ latent / len(latent)
    gram += RIDGE * np.trace(gram) / size * np.eye(size, dtype=gram.dtype)
    back = np.linalg.solve(gram, latent.T @ target / len(latent))  # (size, step * feature_dim)

    encoder, decoder = model.motion_encoder, model.motion_decoder
    forward = np.zeros((size, step, config.feature_dim), dtype=np.float32)
    forward[..., :end] = components.T.reshape(size, step, end) * weight / scale
    for layer in (encoder.conv_in, encoder.conv_out, decoder.conv_in, decoder.conv_out):
        layer.bias.zero_()  # type: ignore[union-attr]
    encoder.conv_in.weight[:size] = torch.from_numpy(forward.transpose(0, 2, 1).copy())
    encoder.conv_in.bias[:size] = -torch.from_numpy((forward * mean).sum((1, 2)))  # type: ignore[index]
    for layer in (encoder.conv_out, decoder.conv_in):
        layer.weight[:size] = 0.0
        layer.weight[:, :size] = 0.0
        layer.weight[range(size), range(size)] = 1.0
    by_feature = back.reshape(size, step, config.feature_dim).transpose(2, 1, 0).reshape(-1, size, 1)
    decoder.conv_out.weight[:, size:] = 0.0
    decoder.conv_out.weight[:, :size] = torch.from_numpy(np.ascontiguousarray(by_feature, dtype=np.float32))
    decoder.conv_out.bias.copy_(torch.from_numpy(np.repeat(mean, step)))  # type: ignore[union-attr]
    encoded = torch.zeros(len(latent), config.codebook_dim)
    encoded[:, :size] = torch.from_numpy(latent)
    model.motion_codebook.start(encoded)


def _steps(
    clips: Sequence[NDArray[np.float32]],
    normalize: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    step: int,
    seed: int,
) -> NDArray[np.float32]:
    """(N, step, feature_dim) normalised steps of clips in random order, at most ``STEPS_READ``."""
    found: list[NDArray[np.float32]] = []
    count = 0
    for index in np.random.default_rng(seed).permutation(len(clips)):
        whole = len(clips[index]) // step
        found.append(normalize(clips[index][: whole * step]).reshape(whole, step, -1))
        count += whole
        if count >= STEPS_READ:
            break
    return np.concatenate(found)
