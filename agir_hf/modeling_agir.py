"""Gait assessment model: a motion tokenizer and a complete causal language model under one configuration."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.utils import can_return_tuple

from .configuration_agir import AgirConfig
from .errors import AgirError
from .modeling_agir_motion_tokenizer import PADDING_CODE, AgirMotionTokenizer


class AgirForGaitAssessment(PreTrainedModel, GenerationMixin):
    """Reads motion tokens and measured parameters, writes a rationale, and gives the probabilities of each score.

    ``language_model`` is a plain causal language model that can be exported, trained (TRL, PEFT) and put back;
    ``motion_tokenizer`` stays in float32 and is never trained from here.

    Two equal ways in: explicit ``<motion_k>`` tokens in ``input_ids``, or ``<motion>`` placeholders together with
    ``motion_features`` (and their mask), which this model encodes and fills in.
    """

    config_class = AgirConfig
    config: AgirConfig
    main_input_name = "input_ids"
    # What the language model does not support, it refuses itself.
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    supports_gradient_checkpointing = True

    def __init__(self, config: AgirConfig) -> None:
        super().__init__(config)
        # The language model first: the composite's dtype is that of its first tensor.
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.motion_tokenizer = AgirMotionTokenizer(config.motion_config)  # type: ignore[arg-type]
        self.motion_tokenizer.requires_grad_(False)
        self.post_init()
        # What a lone motion tokenizer passes over in a whole repository is what this model must have.
        self._keys_to_ignore_on_load_unexpected = set(self._keys_to_ignore_on_load_unexpected or ()).difference(
            AgirMotionTokenizer._keys_to_ignore_on_load_unexpected
        )
        self._can_compile_fullgraph = self.language_model._can_compile_fullgraph
        self._language_model_inputs = frozenset(inspect.signature(self.language_model.forward).parameters)

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        return self.language_model.get_output_embeddings()

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        self.language_model.set_output_embeddings(new_embeddings)

    def get_decoder(self) -> nn.Module:
        return self.language_model.get_decoder()

    def fill_motion(
        self, input_ids: Tensor, motion_features: Tensor, motion_attention_mask: Tensor | None = None
    ) -> Tensor:
        """Put the codes of the motions in the place of the ``<motion>`` tokens, in order.

        Args:
            input_ids: (B, L); as many placeholders in all as the motions have codes.
            motion_features: (M, T, 263), the motions in the order in which they occur in the batch.
            motion_attention_mask: (M, T), 1 for frames.

        Returns:
            (B, L) ids with ``first_motion_token_id + code`` at the placeholders.
        """
        if self.config.motion_token_id is None or self.config.first_motion_token_id is None:
            raise AgirError(
                "the config does not say where the motion tokens are: set MotionVocabulary.config_fields() on it"
            )
        device = self.motion_tokenizer.device  # a device map may put it elsewhere than the text
        codes = self.motion_tokenizer.encode(
            motion_features.to(device), None if motion_attention_mask is None else motion_attention_mask.to(device)
        )
        codes = codes[codes != PADDING_CODE].to(input_ids.device)
        places = input_ids == self.config.motion_token_id
        if int(places.sum()) != len(codes):
            raise AgirError(
                f"expected one <motion> token for each of {len(codes)} motion codes, found {int(places.sum())}; let "
                "AgirProcessor expand the placeholder"
            )
        return input_ids.masked_scatter(places, codes + self.config.first_motion_token_id)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        motion_features: Tensor | None = None,
        motion_attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """The language model's output on text whose motions are codes or, with ``motion_features``, placeholders.

        Args:
            input_ids: (B, L).
            attention_mask: (B, L).
            labels: (B, L), -100 where no loss is wanted.
            motion_features: (M, T, 263) normalised features of the motions in the batch, in order.
            motion_attention_mask: (M, T), 1 for frames.
        """
        if motion_features is not None:
            if input_ids is None:
                raise AgirError("motion_features need input_ids with <motion> tokens to fill, found none")
            input_ids = self.fill_motion(input_ids, motion_features, motion_attention_mask)
        given = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "position_ids": position_ids,
            "past_key_values": past_key_values,
            "inputs_embeds": inputs_embeds,
            "labels": labels,
            "use_cache": use_cache,
        }
        if "logits_to_keep" in self._language_model_inputs:
            given["logits_to_keep"] = logits_to_keep
        if "position_ids" not in self._language_model_inputs:
            given.pop("position_ids")
        # The language model asks its own config only.
        for name in ("output_attentions", "output_hidden_states"):
            if getattr(self.config, name):
                kwargs.setdefault(name, True)
        return self.language_model(**{name: value for name, value in given.items() if value is not None}, **kwargs)

    @torch.no_grad()
    def generate(
        self,
        inputs: Tensor | None = None,
        *args: Any,
        motion_features: Tensor | None = None,
        motion_attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """``GenerationMixin.generate``; motions are filled in first, so the sequences returned hold their codes."""
        if motion_features is not None:
            input_ids = inputs if inputs is not None else kwargs.pop("input_ids", None)
            if input_ids is None:
                raise AgirError("motion_features need input_ids with <motion> tokens to fill, found none")
            inputs = self.fill_motion(input_ids, motion_features, motion_attention_mask)
        return super().generate(inputs, *args, **kwargs)  # type: ignore[misc]

    @torch.no_grad()
    def score_probabilities(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        motion_features: Tensor | None = None,
        motion_attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Probability of each score at the end of each row, which is where the label would be written next.

        Args:
            input_ids: (B, L), padded on either side.
            attention_mask: (B, L), 1 where there is a token.

        Returns:
            (B, num_scores) float32; softmax over the label tokens' logits divided by ``config.score_temperature``.
        """
        label_ids = self.config.score_token_ids
        if label_ids is None:
            raise AgirError("the config has no score_token_ids: call AgirProcessor.attach(model) or set them")
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        positions = (mask.long().cumsum(1) - 1).clamp_min(0)
        last = input_ids.shape[1] - 1 - mask.long().flip(1).argmax(1)
        same = bool((last == last[0]).all())
        output = self(
            input_ids=input_ids,
            attention_mask=mask,
            position_ids=positions,
            motion_features=motion_features,
            motion_attention_mask=motion_attention_mask,
            use_cache=False,
            return_dict=True,
            logits_to_keep=input_ids.shape[1] - int(last[0]) if same else 0,
        )
        row = torch.arange(len(input_ids), device=input_ids.device)
        offset = input_ids.shape[1] - output.logits.shape[1]
        logits = output.logits[row, last - offset][:, label_ids].float()
        return torch.softmax(logits / self.config.score_temperature, dim=-1)


__all__ = ["AgirForGaitAssessment"]
