"""Motion and text to model inputs, and codes back to motion."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, ProcessorMixin

from .clip import MotionClip
from .errors import AgirError
from .modeling_agir_motion_tokenizer import PADDING_CODE, AgirMotionTokenizer
from .motion_vocabulary import MOTION_TOKEN, MotionVocabulary, label_token_ids


class AgirProcessor(ProcessorMixin):
    """Feature extractor, text tokenizer and (shared or read on first use) motion tokenizer in one.

    A text refers to a motion as ``<motion>``. With ``motion=`` it is expanded to placeholders that the model fills in
    (raw path); with ``codes=`` it becomes explicit ``<motion_k>`` tokens (token path). Both give the same logits.

    Args:
        feature_extractor: an `AgirFeatureExtractor`.
        tokenizer: any text tokenizer with motion tokens (`MotionVocabulary.add_to_tokenizer`).
    """

    # Where `from_pretrained` read this from; the motion tokenizer lies in the same place.
    _source: tuple[str, dict[str, Any]] | None = None
    _motion_tokenizer: AgirMotionTokenizer | None = None

    def __init__(self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: str | None = None) -> None:
        super().__init__(feature_extractor, tokenizer, chat_template=chat_template)
        self._vocabulary = MotionVocabulary.from_tokenizer(tokenizer)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike, *args: Any, **kwargs: Any
    ) -> AgirProcessor:
        """As in transformers; where it came from is kept, for the motion tokenizer to be read on first use."""
        processor = super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)
        kept = ("cache_dir", "local_files_only", "token", "revision", "subfolder")
        processor._source = (str(pretrained_model_name_or_path), {k: v for k, v in kwargs.items() if k in kept})
        return processor

    def save_pretrained(self, save_directory: str | os.PathLike, *args: Any, **kwargs: Any) -> Any:
        """Feature extractor and text tokenizer; how they were found is not part of what is saved."""
        for name in ("local_files_only", "dtype"):
            self.tokenizer.init_kwargs.pop(name, None)
        return super().save_pretrained(save_directory, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        # Pickling (and hashing by `datasets`) leaves the model out: it is read again where it is needed.
        return {name: value for name, value in self.__dict__.items() if name != "_motion_tokenizer"}

    def to_dict(self) -> dict[str, Any]:
        # The parent copies every attribute before it picks those to save; a model is too large for that.
        model, self._motion_tokenizer = self._motion_tokenizer, None
        try:
            content = super().to_dict()
        finally:
            self._motion_tokenizer = model
        if __name__ == "agir_hf.processing_agir":
            content.pop("auto_map", None)  # as in `configuration_agir`: a copy that is saved has no code beside it
        return content

    @property
    def model_input_names(self) -> list[str]:
        return [*self.tokenizer.model_input_names, *self.feature_extractor.model_input_names]

    @property
    def vocabulary(self) -> MotionVocabulary:
        """Code <-> token text <-> token id for this processor's text tokenizer."""
        return self._vocabulary

    @property
    def motion_tokenizer(self) -> AgirMotionTokenizer:
        """The model that encodes and decodes motion: the one set, else read from where this processor came from.

        Raises:
            AgirError: this processor was not read from a repository and none was set.
        """
        if self._motion_tokenizer is None:
            if self._source is None:
                raise AgirError(
                    "this processor was made in memory and has no motion tokenizer: set processor.motion_tokenizer = "
                    "model.motion_tokenizer"
                )
            path, options = self._source
            self._motion_tokenizer = AgirMotionTokenizer.from_pretrained(path, **options).eval()
        return self._motion_tokenizer

    @motion_tokenizer.setter
    def motion_tokenizer(self, model: AgirMotionTokenizer) -> None:
        self._motion_tokenizer = model

    def attach(self, model: Any) -> None:
        """Share a loaded model's motion tokenizer, and check that model and text tokenizer agree.

        Sets ``score_token_ids`` and the motion token ids on a config that has none, and lowers the feature extractor's
        ``max_frames`` to what the model takes.

        Raises:
            AgirError: a score label is not one token, or the ids in the config are not this tokenizer's.
        """
        config = model.config
        expected = {
            **self.vocabulary.config_fields(),
            "score_token_ids": label_token_ids(self.tokenizer, config.score_labels),
        }
        for name, value in expected.items():
            found = getattr(config, name)
            if found is None:
                setattr(config, name, value)
            elif found != value:
                raise AgirError(
                    f"model and tokenizer do not belong together: {name} is {found} in the config, {value} here"
                )
        motion = config.motion_config
        extractor = self.feature_extractor
        if (extractor.frames_per_code, extractor.codes_per_step) != (motion.frames_per_code, motion.num_quantizers):
            raise AgirError(
                f"model and feature extractor do not belong together: {motion.frames_per_code} frames a code and "
                f"{motion.num_quantizers} codes a step in the config, {extractor.frames_per_code} and "
                f"{extractor.codes_per_step} here"
            )
        if self.vocabulary.codebook_size != config.motion_config.codebook_size:
            raise AgirError(
                f"expected {config.motion_config.codebook_size} motion tokens in the text tokenizer, found "
                f"{self.vocabulary.codebook_size}"
            )
        longest = config.max_motion_codes * motion.frames_per_code
        self.feature_extractor.max_frames = min(self.feature_extractor.max_frames or longest, longest)
        self.motion_tokenizer = model.motion_tokenizer

    def __call__(  # type: ignore[override]
        self,
        motion: Any = None,
        text: str | Sequence[str] | None = None,
        codes: Any = None,
        frame_rate_hz: float | None = None,
        window_s: tuple[float, float] | None = None,
        return_tensors: str | None = "pt",
        padding: bool | str = True,
        **kwargs: Any,
    ) -> BatchFeature:
        """Model inputs for texts that refer to motions as ``<motion>``.

        Args:
            motion: a clip, an array (T, 22, 3) with ``frame_rate_hz``, or a list of them: the raw path.
            text: one text or a list; default: the motions alone. Without ``motion`` and ``codes`` it is only tokenised.
            codes: codes of one motion, or a list of such: the token path.
            window_s: part of each clip to use, seconds.
            return_tensors: for the text tokenizer.
            padding: for the text tokenizer.
            kwargs: for the text tokenizer.

        Returns:
            ``input_ids`` and ``attention_mask`` (B, L); on the raw path ``motion_features`` (M, T, 263) and
            ``motion_attention_mask`` (M, T) too, one row for each ``<motion>`` in order.

        Raises:
            AgirError: numbers of ``<motion>`` and of motions differ, or both ``motion`` and ``codes`` are given.
        """
        if kwargs.get("truncation") and (motion is not None or codes is not None):
            raise AgirError("a motion that is cut is another motion: shorten it with window_s= instead of truncation=")
        if motion is not None and codes is not None:
            raise AgirError("expected motion or codes, found both: codes already are the motion")
        inputs: dict[str, Any] = {}
        written: list[str] | None = None
        if motion is not None:
            features = self.feature_extractor(motion, frame_rate_hz, window_s, return_tensors="pt")
            lengths = features["motion_attention_mask"].sum(1).tolist()
            written = [self.vocabulary.placeholder_text(self.feature_extractor.num_codes(n)) for n in lengths]
            inputs.update(features)
        elif codes is not None:
            written = [self.vocabulary.codes_to_text(one) for one in _as_batches(codes)]
        if text is None and written is None:
            raise AgirError("expected motion, codes or text, found none of them")
        texts = [MOTION_TOKEN] * len(written or []) if text is None else [text] if isinstance(text, str) else list(text)
        if written is not None:
            texts = _insert(texts, written)
        # A motion token must never be cut in two or normalised, and a batch is continued at its end.
        encoded = self.tokenizer(
            texts,
            return_tensors=return_tensors,
            padding=padding,
            padding_side=kwargs.pop("padding_side", "left"),
            **kwargs,
        )
        names = ("input_ids", "attention_mask")
        return BatchFeature({**{name: encoded[name] for name in names}, **inputs}, tensor_type=return_tensors)

    def encode_motion(
        self, motion: Any, frame_rate_hz: float | None = None, window_s: tuple[float, float] | None = None
    ) -> list[int]:
        """Codes of one clip (or array with its rate), one for every ``frames_per_code`` frames at 20 fps."""
        features = self.feature_extractor(motion, frame_rate_hz, window_s, return_tensors="pt")
        if len(features["motion_features"]) != 1:
            raise AgirError(
                f"expected one motion to encode, found {len(features['motion_features'])}: encode them one by one"
            )
        device = self.motion_tokenizer.device
        codes = self.motion_tokenizer.encode(
            features["motion_features"].to(device), features["motion_attention_mask"].to(device)
        )
        return [code for code in codes[0].tolist() if code != PADDING_CODE]

    def decode_motion(self, codes: Any, body_scale: float = 1.0) -> MotionClip:
        """The motion that codes stand for, at 20 fps on the canonical skeleton times ``body_scale``.

        Args:
            codes: (N,) codes, or a text with ``<motion_k>`` tokens.
            body_scale: size of the person; ``agir_hf.motion.retarget.body_scale`` of the clip that was encoded.
        """
        vocabulary = self.vocabulary
        numbers = vocabulary.text_to_codes(codes) if isinstance(codes, str) else vocabulary.checked(codes)
        # What a model wrote may end within a step.
        numbers = numbers[
            : len(numbers) // self.feature_extractor.codes_per_step * self.feature_extractor.codes_per_step
        ]
        if not numbers:
            raise AgirError("expected the codes of at least one step to decode, found none")
        batch = torch.tensor([numbers], device=self.motion_tokenizer.device)
        features = self.motion_tokenizer.decode(batch)[0].cpu().numpy()
        joints = self.feature_extractor.joints(features) * np.float32(body_scale)
        return MotionClip(joints, self.feature_extractor.frame_rate_hz, source="motion codes")


def _as_batches(codes: Any) -> list[Any]:
    first = codes[0] if len(codes) else None
    single = first is None or np.ndim(first) == 0
    return [codes] if single else list(codes)


def _insert(texts: list[str], written: list[str]) -> list[str]:
    """Each ``<motion>`` in the texts replaced by the next written motion."""
    found = sum(text.count(MOTION_TOKEN) for text in texts)
    if found != len(written):
        raise AgirError(f"expected one {MOTION_TOKEN} in the text for each of {len(written)} motions, found {found}")
    remaining = iter(written)
    inserted = []
    for text in texts:
        first, *rest = text.split(MOTION_TOKEN)
        inserted.append(first + "".join(next(remaining) + part for part in rest))
    return inserted


__all__ = ["AgirProcessor"]
