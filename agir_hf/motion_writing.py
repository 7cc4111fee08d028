"""Descriptions to motion: decoding that writes whole steps of motion codes and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from .modeling_agir import AgirForGaitAssessment
from .motion_vocabulary import MotionVocabulary
from .processing_agir import AgirProcessor
from .rationale import render_prompt


class WholeSteps(LogitsProcessor):
    """Lets every row write one motion: its start, whole steps of codes, each of its quantizer, its end, and stop.

    Args:
        vocabulary: of the text tokenizer.
        num_quantizers: codes of a step, which share the codebook evenly.
        prompt_length: tokens of the (left-padded) prompts.
        end_token_id: what is written after the motion.
    """

    def __init__(
        self, vocabulary: MotionVocabulary, num_quantizers: int, prompt_length: int, end_token_id: int
    ) -> None:
        self.vocabulary, self.num_quantizers = vocabulary, num_quantizers
        self.prompt_length, self.end_token_id = prompt_length, end_token_id

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        written = input_ids.shape[1] - self.prompt_length
        allowed = torch.zeros_like(scores, dtype=torch.bool)
        if written == 0:
            allowed[:, self.vocabulary.motion_start_token_id] = True
        else:
            place = (written - 1) % self.num_quantizers
            size = self.vocabulary.codebook_size // self.num_quantizers
            first = self.vocabulary.first_motion_token_id + place * size
            allowed[:, first : first + size] = True
            if place == 0 and written > 1:
                allowed[:, self.vocabulary.motion_end_token_id] = True
            ended = (input_ids[:, self.prompt_length :] == self.vocabulary.motion_end_token_id).any(1)
            allowed[ended] = False
            allowed[ended, self.end_token_id] = True
        return scores.masked_fill(~allowed, -float("inf"))


@torch.no_grad()
def write_motions(
    model: AgirForGaitAssessment,
    processor: AgirProcessor,
    descriptions: Sequence[str],
    *,
    longest_s: float = 10.0,
    temperature: float = 1.0,
) -> list[list[int]]:
    """Motion codes for each description, sampled; ``processor.decode_motion`` makes clips of them.

    Args:
        descriptions: such as ``agir_hf.rationale.describe`` writes.
        longest_s: seconds after which a motion is cut off.
        temperature: below 1 for what is likelier.
    """
    tokenizer = processor.tokenizer
    prompts = [render_prompt("description_to_motion", description=text) for text in descriptions]
    ids = tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False)
    config = model.motion_tokenizer.config
    steps = int(longest_s * processor.feature_extractor.frame_rate_hz) // config.frames_per_step
    end = model.generation_config.eos_token_id or tokenizer.eos_token_id
    end = end[0] if isinstance(end, list) else end
    length = ids["input_ids"].shape[1]
    written = model.generate(
        ids["input_ids"].to(model.device),
        attention_mask=ids["attention_mask"].to(model.device),
        generation_config=GenerationConfig(
            max_new_tokens=1 + steps * config.num_quantizers,
            do_sample=True,
            temperature=temperature,
            use_cache=True,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=end,
        ),
        logits_processor=LogitsProcessorList([WholeSteps(processor.vocabulary, config.num_quantizers, length, end)]),
    )
    return [processor.vocabulary.ids_to_codes(row) for row in written[:, length:].tolist()]
