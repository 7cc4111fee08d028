"""The motion tokenizer: a VQ-VAE that turns gait features into codes, one for every few frames, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput, can_return_tuple

from .configuration_agir import FEATURE_GROUPS, AgirMotionTokenizerConfig
from .errors import AgirError

PADDING_CODE = -1
# Encoder outputs kept for starting the codebook and for reviving dead codes, in multiples of the codebook size.
POOL_CODES = 4
KMEANS_ITERATIONS = 15
DILATIONS = 3  # dilations of a stack of blocks before they start again at 1
# Sums of codes followed at once when the codes of a step are chosen: the best first code is not always part of the best
# sum.
BEAM = 8


@dataclass
class AgirMotionTokenizerOutput(ModelOutput):
    """What one pass through encoder, codebook and decoder gives; all losses are means over frames that count.

    Attributes:
        loss: scalar, weighted sum of the terms below.
        reconstruction_loss: scalar, absolute error of the features, weighted by group.
        position_loss: scalar, distance of the joints, all in the one scale of positions.
        velocity_loss: scalar, absolute error of frame-to-frame differences of root and positions.
        commitment_loss: scalar, squared distance of encoder outputs to their codes.
        perplexity: scalar, effective number of codes in use in this batch.
        reconstructed_features: (B, T, feature_dim), 0 in padding.
        motion_codes: (B, T / frames_per_code) int64, -1 in padding.
    """

    loss: Tensor | None = None
    reconstruction_loss: Tensor | None = None
    position_loss: Tensor | None = None
    velocity_loss: Tensor | None = None
    commitment_loss: Tensor | None = None
    perplexity: Tensor | None = None
    reconstructed_features: Tensor | None = None
    motion_codes: Tensor | None = None


class MaskedConv1d(nn.Conv1d):
    """A convolution whose output is 0 in padding, so that nothing of it reaches a clip through the next layer."""

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        output = super().forward(hidden)
        return output * mask.to(output.dtype)


class ChannelNorm(nn.Module):
    """Each frame scaled to unit root mean square over its channels: nothing passes from one frame to another."""

    def __init__(self, channels: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.epsilon = epsilon

    def forward(self, hidden: Tensor) -> Tensor:
        scale = torch.rsqrt(hidden.square().mean(1, keepdim=True) + self.epsilon)
        return hidden * scale * self.weight.unsqueeze(-1)


class ResidualBlock(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.dilated = MaskedConv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.pointwise = MaskedConv1d(channels, channels, 1)
        # The block starts as the identity: depth costs no scale. (A mark on the layer, since transformers never asks
        # `_init_weights` about a module of our own that holds no tensor itself.)
        self.pointwise.starts_at_zero = True  # type: ignore[assignment]

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        return hidden + self.pointwise(F.silu(self.dilated(self.norm(hidden), mask)), mask)


class MotionEncoder(nn.Module):
    """(B, feature_dim, T) -> (B, codebook_dim, T / frames_per_step).

    The frames of a step are read together, linearly, before anything else; without blocks the encoder is linear.
    """

    def __init__(self, config: AgirMotionTokenizerConfig) -> None:
        super().__init__()
        width, step = config.hidden_size, config.frames_per_step
        self.conv_in = MaskedConv1d(config.feature_dim, width, step, stride=step)
        self.blocks = _blocks(config, config.encoder_blocks)
        self.conv_out = MaskedConv1d(width, config.codebook_dim, 1)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """The mask (B, 1, T / frames_per_step) is of steps."""
        hidden = self.conv_in(features, mask)
        for block in self.blocks:
            hidden = block(hidden, mask)
        return self.conv_out(hidden, mask)


class MotionDecoder(nn.Module):
    """(B, codebook_dim, N) -> (B, feature_dim, N * frames_per_step): the frames of a step are written together."""

    def __init__(self, config: AgirMotionTokenizerConfig) -> None:
        super().__init__()
        width, self.step = config.hidden_size, config.frames_per_step
        self.conv_in = MaskedConv1d(config.codebook_dim, width, 1)
        self.blocks = _blocks(config, config.decoder_blocks)
        self.conv_out = MaskedConv1d(width, config.feature_dim * self.step, 1)

    def forward(self, quantized: Tensor, mask: Tensor) -> Tensor:
        hidden = self.conv_in(quantized, mask)
        for block in self.blocks:
            hidden = block(hidden, mask)
        frames = self.conv_out(hidden, mask).unflatten(1, (-1, self.step))
        return frames.transpose(2, 3).flatten(2)


def _blocks(config: AgirMotionTokenizerConfig, count: int) -> nn.ModuleList:
    return nn.ModuleList(
        ResidualBlock(config.hidden_size, config.dilation_growth_rate ** (index % DILATIONS)) for index in range(count)
    )


class MotionCodebook(nn.Module):
    """Code vectors that follow moving averages of the encoder outputs assigned to them (no gradient).

    With several quantizers an encoder output is the sum of one code of each, every one chosen for what those before it
    leave; quantizer ``q`` has the rows ``[q * size, (q + 1) * size)`` of the codebook.

    All state is in float32 buffers that are saved, so that training resumes where it stopped and a loaded codebook is
    never started anew.
    """

    def __init__(self, config: AgirMotionTokenizerConfig) -> None:
        super().__init__()
        size, dim = config.codebook_size, config.codebook_dim
        self.num_quantizers = config.num_quantizers
        self.size = size // config.num_quantizers
        self.decay = config.codebook_decay
        self.warmup_updates = config.codebook_warmup_updates
        self.dead_threshold = config.dead_code_threshold
        self.register_buffer("codebook", torch.zeros(size, dim))
        self.register_buffer("usage", torch.zeros(size))
        self.register_buffer("vector_sum", torch.zeros(size, dim))
        self.register_buffer("recent", torch.zeros(POOL_CODES * size, dim))
        # Counts, in float like all else: a loader that keeps this module in float32 would turn integers into floats.
        self.register_buffer("recent_seen", torch.zeros(()))
        self.register_buffer("updates_seen", torch.zeros(()))
        self.register_buffer("started", torch.zeros(()))

    codebook: Tensor
    usage: Tensor
    vector_sum: Tensor
    recent: Tensor
    recent_seen: Tensor
    updates_seen: Tensor
    started: Tensor

    def _rows(self, quantizer: int) -> slice:
        return slice(quantizer * self.size, (quantizer + 1) * self.size)

    def nearest(self, vectors: Tensor) -> Tensor:
        """(N, codebook_dim) -> (N, num_quantizers) codes, the best sum of them that a beam search finds."""
        left = vectors.unsqueeze(1)  # (N, followed, codebook_dim)
        codes = torch.empty(*left.shape[:2], 0, dtype=torch.long, device=vectors.device)
        for quantizer in range(self.num_quantizers):
            rows = self._rows(quantizer)
            book = self.codebook[rows]
            # |left - code|^2, for all followed sums at once
            apart = left.square().sum(-1, keepdim=True) + (book.square().sum(1) - 2 * left @ book.T)
            kept = min(BEAM if quantizer + 1 < self.num_quantizers else 1, apart.shape[1:].numel())
            best = apart.flatten(1).topk(kept, largest=False).indices
            parent, chosen = best // self.size, best % self.size
            codes = torch.cat(
                [codes.gather(1, parent.unsqueeze(-1).expand(-1, -1, quantizer)), (chosen + rows.start).unsqueeze(-1)],
                2,
            )
            left = left.gather(1, parent.unsqueeze(-1).expand(-1, -1, left.shape[-1])) - book[chosen]
        return codes[:, 0]

    def look_up(self, codes: Tensor) -> Tensor:
        """(..., num_quantizers) codes -> (..., num_quantizers, codebook_dim) vectors; their sum is what they say."""
        return F.embedding(codes, self.codebook)

    @torch.no_grad()
    def observe(self, vectors: Tensor) -> bool:
        """Remember encoder outputs (N, codebook_dim); start the codebook when it is time. True once it is started."""
        pool = len(self.recent)
        chosen = vectors[torch.randperm(len(vectors), device=vectors.device)[: pool // 4]]
        slots = (torch.arange(len(chosen), device=vectors.device) + int(self.recent_seen)) % pool
        self.recent[slots] = chosen
        self.recent_seen += len(chosen)
        self.updates_seen += 1
        if not self.started and self.updates_seen > self.warmup_updates and self.recent_seen >= pool:
            self.start(self.recent)
        return bool(self.started)

    @torch.no_grad()
    def update(self, vectors: Tensor, codes: Tensor) -> None:
        """Move each code towards the mean of what it was chosen for; put unused codes where there is something.

        Args:
            vectors, codes: encoder outputs (N, codebook_dim) and their codes (N, num_quantizers).
        """
        left, before = vectors, self.codebook.clone()
        for quantizer in range(self.num_quantizers):
            rows = self._rows(quantizer)
            chosen = codes[:, quantizer] - rows.start
            counts = torch.bincount(chosen, minlength=self.size).to(vectors.dtype)
            sums = torch.zeros_like(before[rows]).index_add_(0, chosen, left)
            usage, vector_sum = self.usage[rows], self.vector_sum[rows]
            usage.mul_(self.decay).add_(counts, alpha=1 - self.decay)
            vector_sum.mul_(self.decay).add_(sums, alpha=1 - self.decay)
            average = usage.mean()
            dead = (usage < self.dead_threshold * average).nonzero().flatten()
            if len(dead):
                # Half the average use: time to gather its own vectors before it can be called dead again.
                usage[dead] = 0.5 * average
                vector_sum[dead] = self._remembered(len(dead), quantizer, before) * (0.5 * average)
            self.codebook[rows] = vector_sum / usage.clamp_min(1e-8).unsqueeze(1)
            left = left - before[codes[:, quantizer]]

    def _remembered(self, count: int, quantizer: int, codebook: Tensor) -> Tensor:
        """Some of the remembered encoder outputs, less what the quantizers before this one say of them."""
        seen = min(int(self.recent_seen), len(self.recent))
        left = self.recent[torch.randint(seen, (count,), device=self.recent.device)]
        for rows in map(self._rows, range(quantizer)):
            left = left - codebook[rows][_nearest(left, codebook[rows])]
        return left

    @torch.no_grad()
    def start(self, vectors: Tensor) -> None:
        """A few rounds of k-means over encoder outputs (N, codebook_dim), and over what each quantizer leaves."""
        left = vectors.clone()
        for quantizer in range(self.num_quantizers):
            rows = self._rows(quantizer)
            centres = left[torch.randperm(len(left), device=left.device)[: self.size]].clone()
            for _ in range(KMEANS_ITERATIONS):
                nearest = _nearest(left, centres)
                counts = torch.bincount(nearest, minlength=self.size).to(centres.dtype)
                sums = torch.zeros_like(centres).index_add_(0, nearest, left)
                centres = torch.where(counts.unsqueeze(1) > 0, sums / counts.clamp_min(1).unsqueeze(1), centres)
            nearest = _nearest(left, centres)
            share = torch.bincount(nearest, minlength=self.size).to(centres.dtype) * (self.size / len(left))
            self.codebook[rows] = centres
            # In the proportion of their use, one on average, so that a rare code is not taken for a used one.
            self.usage[rows] = share.clamp_min(self.dead_threshold)
            self.vector_sum[rows] = centres * self.usage[rows].unsqueeze(1)
            left = left - centres[nearest]
        self.started.fill_(1.0)


def _of_all_processes(vectors: Tensor) -> Tensor:
    """The vectors of every process of a training, in the order of the processes; one process has its own only.

    Each process then changes the codebook in the same way, which keeps their codebooks the same.
    """
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return vectors
    count = torch.tensor([len(vectors)], device=vectors.device)
    counts = [torch.zeros_like(count) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(counts, count)
    longest = max(int(one) for one in counts)
    padded = F.pad(vectors, (0, 0, 0, longest - len(vectors))).contiguous()
    gathered = [torch.zeros_like(padded) for _ in counts]
    torch.distributed.all_gather(gathered, padded)
    return torch.cat([part[: int(size)] for part, size in zip(gathered, counts, strict=True)])


def _nearest(vectors: Tensor, centres: Tensor) -> Tensor:
    # |v - c|^2 less |v|^2, which is the same for every code.
    return (centres.square().sum(1) - 2 * vectors @ centres.T).argmin(1)


class AgirMotionTokenizer(PreTrainedModel):
    """Motion features to codes and back; a 1-D convolutional VQ-VAE.

    It always computes codes in float32, whatever the model around it is loaded in or cast to: rounding would change
    codes. ``from_pretrained`` takes its own repository or a whole AGIR repository, of which it reads its own tensors.
    """

    config_class = AgirMotionTokenizerConfig
    config: AgirMotionTokenizerConfig
    main_input_name = "motion_features"
    # Inside an AGIR repository the tensors carry this prefix; transformers strips it.
    base_model_prefix = "motion_tokenizer"
    # Names that no language model uses: inside a composite they are matched against every tensor.
    _keep_in_fp32_modules_strict = ["motion_encoder", "motion_decoder", "motion_codebook"]  # noqa: RUF012
    _keys_to_ignore_on_load_unexpected: list[str] = [r"^language_model\."]  # noqa: RUF012
    # It has no attention, so it stands in the way of no implementation that is asked of a model around it.
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    # Encoder, codebook and decoder call each other past the hooks that would carry tensors between devices.
    _no_split_modules = ["AgirMotionTokenizer"]  # noqa: RUF012

    def __init__(self, config: AgirMotionTokenizerConfig) -> None:
        super().__init__(config)
        self.motion_encoder = MotionEncoder(config)
        self.motion_decoder = MotionDecoder(config)
        self.motion_codebook = MotionCodebook(config)
        self.float()
        self.post_init()

    @property
    def device(self) -> torch.device:
        """Where motions and codes are taken: parameters that are offloaded are on no device, the codebook always is."""
        return self.motion_codebook.codebook.device

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> AgirMotionTokenizer:
        def move_only(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            if moved.is_floating_point() and moved.dtype != torch.float32:
                return tensor.to(device=moved.device, dtype=torch.float32)
            return moved

        return super()._apply(move_only, recurse)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv1d):
            if getattr(module, "starts_at_zero", False):
                nn.init.zeros_(module.weight)
            else:
                nn.init.kaiming_uniform_(module.weight, nonlinearity="linear")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, ChannelNorm):
            nn.init.ones_(module.weight)
        elif isinstance(module, MotionCodebook):
            nn.init.normal_(module.codebook, std=self.config.initializer_range)
            for buffer in (module.usage, module.vector_sum, module.recent):
                nn.init.zeros_(buffer)
            for buffer in (module.recent_seen, module.updates_seen, module.started):
                nn.init.zeros_(buffer)

    @can_return_tuple
    def forward(
        self,
        motion_features: Tensor,
        motion_attention_mask: Tensor | None = None,
        update_codebook: bool = False,
    ) -> AgirMotionTokenizerOutput:
        """Encode, quantise, decode, and say how far the result is off.

        Args:
            motion_features: (B, T, feature_dim), normalised; frames after the last whole code are left out.
            motion_attention_mask: (B, T), 1 for a frame, 0 for padding at the end.
            update_codebook: learn the codebook from this batch. Give it in the tokenizer's own training only:
                ``train()`` alone never changes a code.
        """
        features, mask = self._trim(motion_features, motion_attention_mask)
        step_mask = mask[:, :: self.config.frames_per_step].bool()
        latent = self.motion_encoder(features.transpose(1, 2), step_mask.float().unsqueeze(1)).transpose(1, 2)
        with torch.autocast(latent.device.type, enabled=False):
            latent = latent.float()
            vectors = latent[step_mask]
            own = vectors.detach()
            seen = _of_all_processes(own) if update_codebook else own
            quantising = self.motion_codebook.observe(seen) if update_codebook else True
            codes = self.motion_codebook.nearest(own)
            quantized = latent
            commitment = latent.new_zeros(())
            if quantising:
                # The pull is towards all codes together: towards the first ones alone, it would draw what they leave
                # to the others out of the encoder's output.
                chosen = self.motion_codebook.look_up(codes).sum(1)
                commitment = F.mse_loss(vectors, chosen)
                if update_codebook:
                    every = codes if seen is own else self.motion_codebook.nearest(seen)
                    self.motion_codebook.update(seen, every)
                # The decoder sees the code; the encoder gets the decoder's gradient as if it had been its own output.
                quantized = torch.zeros_like(latent)
                quantized[step_mask] = vectors + (chosen - vectors).detach()
        rebuilt = self.motion_decoder(quantized.transpose(1, 2), step_mask.float().unsqueeze(1)).transpose(1, 2)
        shape = (*step_mask.shape, self.config.num_quantizers)
        motion_codes = torch.full(shape, PADDING_CODE, dtype=torch.long, device=codes.device)
        motion_codes[step_mask] = codes
        with torch.autocast(latent.device.type, enabled=False):
            reconstruction, position, velocity = self._losses(rebuilt.float(), features, mask)
            weights = self.config
            loss = (
                reconstruction
                + weights.position_weight * position
                + weights.velocity_weight * velocity
                + weights.commitment_weight * commitment
            )
            share = torch.bincount(codes.flatten(), minlength=weights.codebook_size).float() / max(codes.numel(), 1)
            perplexity = torch.exp(-(share * torch.log(share + 1e-10)).sum())
        return AgirMotionTokenizerOutput(
            loss=loss,
            reconstruction_loss=reconstruction,
            position_loss=position,
            velocity_loss=velocity,
            commitment_loss=commitment,
            perplexity=perplexity,
            reconstructed_features=rebuilt,
            motion_codes=motion_codes.flatten(1),
        )

    @torch.no_grad()
    def encode(self, motion_features: Tensor, motion_attention_mask: Tensor | None = None) -> Tensor:
        """(B, T, feature_dim) features -> (B, T / frames_per_code) codes, -1 in padding.

        Each clip is encoded on its own, without its padding: the codes of a clip cannot depend on the batch it came in,
        not even by rounding.
        """
        features, mask = self._trim(motion_features, motion_attention_mask)
        step = self.config.frames_per_step
        shape = (len(features), features.shape[1] // step, self.config.num_quantizers)
        codes = torch.full(shape, PADDING_CODE, device=features.device)
        with torch.autocast(features.device.type, enabled=False):
            for row, (clip, length) in enumerate(zip(features, mask.sum(1).long().tolist(), strict=True)):
                if length == 0:
                    continue
                frames = clip[:length].T.unsqueeze(0).contiguous()
                latent = self.motion_encoder(frames, frames.new_ones(1, 1, length // step))
                codes[row, : length // step] = self.motion_codebook.nearest(latent[0].T)
        return codes.flatten(1)

    @torch.no_grad()
    def decode(self, motion_codes: Tensor, code_attention_mask: Tensor | None = None) -> Tensor:
        """(B, N) codes -> (B, N * frames_per_code, feature_dim) normalised features, 0 in padding.

        Args:
            motion_codes: int64, whole steps of ``num_quantizers`` codes; -1 marks padding.
            code_attention_mask: (B, N), 1 for a code, 0 for padding; default: every code that is not -1.

        Raises:
            AgirError: a code outside the codebook, or a step without all of its codes.
        """
        quantizers = self.config.num_quantizers
        if motion_codes.shape[1] % quantizers:
            raise AgirError(f"expected whole steps of {quantizers} codes, found {motion_codes.shape[1]} codes")
        mask = motion_codes != PADDING_CODE if code_attention_mask is None else code_attention_mask.bool()
        used = motion_codes[mask]
        if used.numel() and (used.min() < 0 or used.max() >= self.config.codebook_size):
            raise AgirError(
                f"expected codes in [0, {self.config.codebook_size}), found {int(used.min())} to {int(used.max())}"
            )
        with torch.autocast(self.device.type, enabled=False):
            steps = motion_codes.clamp_min(0).unflatten(1, (-1, quantizers))
            step_mask = mask.unflatten(1, (-1, quantizers)).all(-1)
            quantized = self.motion_codebook.look_up(steps).sum(2) * step_mask.unsqueeze(-1)
            return self.motion_decoder(quantized.transpose(1, 2), step_mask.float().unsqueeze(1)).transpose(1, 2)

    def _trim(self, features: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Whole codes only: features (B, T', F) float32 with padding zeroed, mask (B, T') float32."""
        if features.ndim != 3 or features.shape[-1] != self.config.feature_dim:
            raise AgirError(
                f"expected motion_features of shape (B, T, {self.config.feature_dim}), found {tuple(features.shape)}"
            )
        step = self.config.frames_per_step
        frames = features.shape[1] // step * step
        lengths = torch.full((len(features),), features.shape[1], device=features.device)
        if mask is not None:
            if mask.shape != features.shape[:2]:
                raise AgirError(
                    f"expected motion_attention_mask of shape {tuple(features.shape[:2])}, found {tuple(mask.shape)}"
                )
            lengths = mask.long().sum(1)
            if not torch.equal(mask.long().cummin(1).values, mask.long()):
                raise AgirError("expected motion padding at the end only, found it before a frame: pad on the right")
        kept = (lengths // step * step).unsqueeze(1)
        new_mask = (torch.arange(frames, device=features.device).unsqueeze(0) < kept).float()
        return features[:, :frames].float() * new_mask.unsqueeze(-1), new_mask

    def _losses(self, rebuilt: Tensor, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction, position and velocity terms; see `AgirMotionTokenizerOutput`.

        Absolute errors and distances, not their squares: what is reported is a mean distance, and near zero a squared
        error no longer pulls.
        """
        frames = mask.sum().clamp_min(1)
        per_feature = ((rebuilt - features).abs() * mask.unsqueeze(-1)).sum((0, 1)) / frames
        weights = self.config.group_weights or {}
        groups = [
            weights.get(name, 0.0) * per_feature[start:end].mean() for name, (start, end) in FEATURE_GROUPS.items()
        ]
        start, end = FEATURE_GROUPS["positions"]
        apart = (rebuilt - features)[..., start:end].unflatten(-1, (-1, 3))
        # Root of the square plus a little: the gradient of a distance has no value where it is 0.
        distance = (apart.square().sum(-1) + 1e-6).sqrt().mean(-1)
        position = (distance * mask).sum() / frames
        pairs = mask[:, 1:].unsqueeze(-1)
        step_error = (rebuilt[..., :end].diff(dim=1) - features[..., :end].diff(dim=1)).abs()
        velocity = (step_error * pairs).sum() / (pairs.sum().clamp_min(1) * end)
        return torch.stack(groups).sum(), position, velocity
