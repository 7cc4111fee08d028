"""The gait item rates neither posture nor freezing: editing them alone hardly moves the packaged model's score."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from agir_hf.gait import GaitParameters, measure_gait
from agir_hf.loading import load_pipeline
from agir_hf.pipeline_agir import GaitAssessmentPipeline
from agir_hf.rationale import evidence_block, render_prompt
from agir_hf.simulation import deep_cohort_walk

APART = ("trunk_flexion_deg", "freezing_episodes")


@pytest.fixture(scope="module")
def assessor() -> GaitAssessmentPipeline:
    return load_pipeline("agir-tiny")


def edited(measured: GaitParameters, trunk_flexion_deg: float, freezing_episodes: float) -> GaitParameters:
    values = {**measured.values, "trunk_flexion_deg": trunk_flexion_deg, "freezing_episodes": freezing_episodes}
    sure = {name: note for name, note in measured.low_confidence.items() if name not in APART}
    return replace(measured, values=values, low_confidence=sure)


def test_posture_and_freezing_hardly_move_the_expected_score(assessor: GaitAssessmentPipeline) -> None:
    evidence, prompts = [], []
    for person in range(5):
        clip = deep_cohort_walk(77, person, 0)[0].clip
        measured = measure_gait(clip)
        motion = assessor.processor.vocabulary.codes_to_text(assessor.processor.encode_motion(clip))
        blocks = [evidence_block(edited(measured, *apart)) for apart in ((0.0, 0.0), (13.0, 1.0), (26.0, 3.0))]
        assert len(set(blocks)) == 3
        evidence += blocks
        prompts += [assessor.tokenizer.encode(render_prompt("assess", motion=motion, evidence=b)) for b in blocks]
    _, probabilities = assessor.answer(prompts, evidence)
    expected = probabilities @ torch.arange(probabilities.shape[1], dtype=probabilities.dtype)
    moved = expected.view(5, 3).amax(1) - expected.view(5, 3).amin(1)
    assert float(moved.max()) < 0.05, moved
