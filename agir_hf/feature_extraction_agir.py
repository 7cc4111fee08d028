"""Clips to normalised motion features at 20 frames a second (the HumanML3D definition), and back to joints."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import BatchFeature
from transformers.feature_extraction_utils import FeatureExtractionMixin

from .clip import MotionClip
from .errors import AgirError
from .motion.arrays import clip_from_array
from .motion.features import features_to_joints, joints_to_features
from .motion.retarget import resample_joints, retarget_joints

# Feature columns that share one scale, [start, end): turn rate, root speed, root height, positions, rotations,
# velocities, contacts. One scale a group, as HumanML3D has it, keeps an error of 1 cm the same at every joint.
_SCALE_GROUPS = ((0, 1), (1, 3), (3, 4), (4, 67), (67, 193), (193, 259), (259, 263))
_SMALLEST_SCALE = 1e-4


class AgirFeatureExtractor(FeatureExtractionMixin):
    """Turns motion into the features an `AgirMotionTokenizer` reads.

    Each clip is resampled to ``frame_rate_hz``, retargeted to one skeleton, written as 263 features a frame, normalised
    and padded on the right. Measured gait parameters never come from here.

    Args:
        feature_mean: 263 numbers, taken off; default: none. See `fit`.
        feature_std: 263 numbers, divided by; default: none.
        frame_rate_hz: rate of the features.
        max_frames: longest features, in frames; a longer clip is cut to the window asked for, or to its middle, with a
            warning. ``None``: no limit.
        frames_per_code: frames that one motion code stands for.
        codes_per_step: codes that come together; a clip needs at least the frames of one step.
    """

    model_input_names = ["motion_features", "motion_attention_mask"]  # noqa: RUF012 (as in transformers)
    feature_size = 263

    def __init__(
        self,
        feature_mean: Sequence[float] | None = None,
        feature_std: Sequence[float] | None = None,
        frame_rate_hz: float = 20.0,
        max_frames: int | None = 256,
        frames_per_code: int = 4,
        codes_per_step: int = 1,
        **kwargs: Any,
    ) -> None:
        if __name__ == "agir_hf.feature_extraction_agir":
            kwargs.pop("auto_map", None)  # as in `configuration_agir`: a copy that is saved has no code beside it
        super().__init__(**kwargs)
        self.feature_mean = _numbers(feature_mean, "feature_mean", 0.0)
        self.feature_std = _numbers(feature_std, "feature_std", 1.0)
        self.frame_rate_hz = frame_rate_hz
        self.max_frames = max_frames
        self.frames_per_code = frames_per_code
        self.codes_per_step = codes_per_step

    def __call__(
        self,
        motion: Any,
        frame_rate_hz: float | None = None,
        window_s: tuple[float, float] | None = None,
        return_tensors: str | None = "pt",
    ) -> BatchFeature:
        """Features of one or several clips.

        Args:
            motion: a `MotionClip`, an array (T, 22, 3) of joints or (T, 263) of features, or a list of them.
            frame_rate_hz: rate of the arrays; clips carry their own.
            window_s: [start, end) in seconds from the first frame: the part to use.
            return_tensors: ``"pt"``, ``"np"`` or ``None``.

        Returns:
            ``motion_features`` (B, T', 263) float32 and ``motion_attention_mask`` (B, T') int64, padded on the right.
        """
        clips = self.as_clips(motion, frame_rate_hz)
        features = [self.normalize(self.raw_features(clip, window_s)) for clip in clips]
        longest = max(len(one) for one in features)
        padded = np.zeros((len(features), longest, self.feature_size), dtype=np.float32)
        mask = np.zeros((len(features), longest), dtype=np.int64)
        for row, one in enumerate(features):
            padded[row, : len(one)] = one
            mask[row, : len(one)] = 1
        return BatchFeature({"motion_features": padded, "motion_attention_mask": mask}, tensor_type=return_tensors)

    def as_clips(self, motion: Any, frame_rate_hz: float | None = None) -> list[MotionClip]:
        """One or several motions as a list of clips; arrays are checked and converted as those of files are.

        Args:
            motion: a clip, an array (T, 22, 3) or (T, 263), or a list of them.
            frame_rate_hz: rate of the arrays.

        Raises:
            AgirError: a path, joints without their frame rate, no plausible body, or nothing at all.
        """
        if isinstance(motion, (str, os.PathLike)):
            raise AgirError(f"expected a clip or an array, found the path {motion}: pass read_motion(path)")
        single = hasattr(motion, "joints_m") or getattr(motion, "ndim", None) in (2, 3)
        motions = [motion] if single else list(motion)
        if not motions:
            raise AgirError("expected at least one motion, found an empty list")
        clips = []
        for one in motions:
            if hasattr(one, "joints_m"):
                clips.append(one)
                continue
            clips.append(clip_from_array(one, frame_rate_hz=frame_rate_hz))
        return clips

    def canonical_joints(self, clip: MotionClip, window_s: tuple[float, float] | None = None) -> NDArray[np.floating]:
        """(T, 22, 3) metres at the features' rate, on the canonical skeleton, cut to the window: what gets encoded.

        Raises:
            AgirError: fewer frames than one code needs, or a window outside the clip.
        """
        if window_s is not None and not 0 <= window_s[0] < window_s[1]:
            raise AgirError(f"window_s: expected 0 <= start < end in seconds, found {window_s}")
        if window_s is None:
            window_s = self.middle_window_s(clip)
            if window_s is not None:
                warnings.warn(
                    f"the motion lasts {clip.duration_s:.1f} s; only {window_s[0]:.1f} s to {window_s[1]:.1f} s are "
                    "encoded (pass window_s= to choose)",
                    stacklevel=2,
                )
        elif window_s[0] >= clip.duration_s:
            raise AgirError(
                f"window_s: expected a window inside the clip of {clip.duration_s:.1f} s, found {window_s[0]:g} s to "
                f"{window_s[1]:g} s"
            )
        elif self.is_longer(window_s):
            warnings.warn(f"only the first {self.longest_s:.1f} s of the window are encoded", stacklevel=2)
        joints = retarget_joints(resample_joints(clip.joints_m, clip.frame_rate_hz, self.frame_rate_hz))
        if window_s is not None:
            start, end = (round(second * self.frame_rate_hz) for second in window_s)
            joints = joints[start : end + 1]
        if self.max_frames is not None:
            joints = joints[: self.max_frames + 1]
        if not self.num_codes(len(joints) - 1):
            shortest_s = (self.frames_per_code * self.codes_per_step + 1) / self.frame_rate_hz
            raise AgirError(
                f"expected at least {shortest_s:.2f} s of motion to encode, found "
                f"{len(joints) / self.frame_rate_hz:.2f} s"
            )
        return joints

    def num_codes(self, frames: int) -> int:
        """How many codes features of so many frames become: those of whole steps."""
        return frames // (self.frames_per_code * self.codes_per_step) * self.codes_per_step

    @property
    def longest_s(self) -> float:
        """Seconds that ``max_frames`` last; infinite without it."""
        return float("inf") if self.max_frames is None else self.max_frames / self.frame_rate_hz

    def is_longer(self, window_s: tuple[float, float]) -> bool:
        """Whether a window lasts longer than what is encoded at most."""
        return window_s[1] - window_s[0] > self.longest_s + 1e-6

    def middle_window_s(self, clip: MotionClip) -> tuple[float, float] | None:
        """The middle of a clip that is longer than ``max_frames``, in seconds; ``None`` where all of it fits."""
        frames = int(clip.duration_s * self.frame_rate_hz)
        if self.max_frames is None or frames <= self.max_frames:
            return None
        start = (frames - self.max_frames) // 2
        return start / self.frame_rate_hz, (start + self.max_frames) / self.frame_rate_hz

    def raw_features(self, clip: MotionClip, window_s: tuple[float, float] | None = None) -> NDArray[np.float32]:
        """(T', 263) float32 features of a clip, not normalised."""
        return joints_to_features(self.canonical_joints(clip, window_s), self.frame_rate_hz)

    def joints(self, motion_features: Any) -> NDArray[np.float32]:
        """Normalised features (T', 263) -> joints (T' + 1, 22, 3) in metres on the canonical skeleton."""
        return np.asarray(features_to_joints(self.denormalize(motion_features)), dtype=np.float32)

    def normalize(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """(T', 263) raw features less the mean, over the scale."""
        return ((features - self._array(self.feature_mean)) / self._array(self.feature_std)).astype(np.float32)

    def denormalize(self, motion_features: Any) -> NDArray[np.float32]:
        """(T', 263) raw features again."""
        features = np.asarray(motion_features, dtype=np.float32)
        return features * self._array(self.feature_std) + self._array(self.feature_mean)

    def root_aligned_error_mm(self, motion_features: Any, other: Any) -> float:
        """Mean distance in millimetres between the joints of two normalised features (T', 263), root on root.

        The pelvis, which is 0 by construction, does not count; positions are compared in each motion's own heading.
        """
        positions = []
        for one in (motion_features, other):
            raw = self.denormalize(one)
            joints = raw[:, 4:67].reshape(len(raw), 21, 3).copy()
            joints[..., 1] -= raw[:, 3:4]  # heights are above the floor, the rest is relative to the root already
            positions.append(joints)
        return float(1000 * np.linalg.norm(positions[0] - positions[1], axis=-1).mean())

    def fit(self, features: Iterable[NDArray[np.floating]]) -> AgirFeatureExtractor:
        """Set mean and scale from raw features of training clips, (T', 263) each; returns itself.

        The mean is per feature; the scale is shared within each group of like features.
        """
        count, total, squares = 0, np.zeros(self.feature_size), np.zeros(self.feature_size)
        for one in features:
            values = np.asarray(one, dtype=np.float64)
            count += len(values)
            total += values.sum(axis=0)
            squares += np.square(values).sum(axis=0)
        if count == 0:
            raise AgirError("expected features of at least one clip to fit mean and scale to, found none")
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
        for start, end in _SCALE_GROUPS:
            deviation[start:end] = max(float(deviation[start:end].mean()), _SMALLEST_SCALE)
        self.feature_mean = _numbers(mean, "feature_mean", 0.0)
        self.feature_std = _numbers(deviation, "feature_std", 1.0)
        return self

    @staticmethod
    def _array(values: list[float]) -> NDArray[np.float32]:
        return np.asarray(values, dtype=np.float32)


def _numbers(values: Any, name: str, default: float) -> list[float]:
    """263 floats, rounded to float32 so that a saved file gives back the same numbers."""
    if values is None:
        return [default] * AgirFeatureExtractor.feature_size
    array = np.asarray(values, dtype=np.float32)
    if array.shape != (AgirFeatureExtractor.feature_size,) or not np.isfinite(array).all():
        raise AgirError(
            f"{name}: expected {AgirFeatureExtractor.feature_size} finite numbers, found shape {array.shape}"
        )
    return [float(value) for value in array]


__all__ = ["AgirFeatureExtractor"]
