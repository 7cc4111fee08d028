from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import make_walk
from transformers import pipeline
from transformers.pipelines import PIPELINE_REGISTRY
from transformers.pipelines.pt_utils import KeyDataset

from agir_hf.clip import MotionClip
from agir_hf.errors import AgirError
from agir_hf.gait import measure_gait
from agir_hf.loading import load_pipeline
from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.pipeline_agir import SCORE_3_WARNING, UNFIT_WARNING, GaitAssessmentPipeline
from agir_hf.processing_agir import AgirProcessor
from agir_hf.quoted_numbers import numbers_in
from agir_hf.rationale import SCORE_PREFIX
from agir_hf.simulation import simulate_person, simulate_walk

FIELDS = [
    "source",
    "score",
    "probabilities",
    "expected_score",
    "rationale",
    "gait_parameters",
    "grounding",
    "quality",
    "abstained",
    "abstain_reason",
    "warnings",
    "model",
    "trained_on",
]


@pytest.fixture(scope="module")
def assessor(checkpoint: Path) -> GaitAssessmentPipeline:
    return pipeline("gait-assessment", model=str(checkpoint), max_new_tokens=12, device="cpu")


@pytest.fixture(scope="module")
def walks() -> list[MotionClip]:
    return [make_walk(seconds=3.0 + 0.4 * i, seed=i, frame_rate_hz=(30.0, 60.0, 100.0)[i % 3]) for i in range(8)]


@pytest.fixture(scope="module")
def standing() -> MotionClip:
    from agir_hf.simulation import simulate_not_walking

    return simulate_not_walking("standing", seed=0)


def test_the_answer_has_every_field_and_is_json(assessor: GaitAssessmentPipeline, walk: MotionClip) -> None:
    answer = assessor(walk)
    assert list(answer) == FIELDS
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answer["source"] == walk.source
    assert answer["model"] == "agir-test" and answer["trained_on"] == "nothing, random weights"
    assert list(answer["probabilities"]) == ["0", "1", "2", "3"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert answer["score"] == int(max(answer["probabilities"], key=answer["probabilities"].__getitem__))
    expected = sum(int(label) * share for label, share in answer["probabilities"].items())
    assert answer["expected_score"] == pytest.approx(expected, abs=1e-3)
    assert not answer["abstained"] and answer["abstain_reason"] is None
    assert answer["quality"]["walking"] and answer["quality"]["in_distribution"]
    assert answer["quality"]["reconstruction_mm"] > 0
    assert (SCORE_3_WARNING in answer["warnings"]) == (answer["score"] == 3)


def test_every_kind_of_input_gives_the_same_answer(
    assessor: GaitAssessmentPipeline, walk: MotionClip, tmp_path: Path
) -> None:
    path = tmp_path / "walk.npy"
    np.save(path, walk.joints_m)
    expected = assessor(walk)
    rate = walk.frame_rate_hz
    row = {"joints_m": walk.joints_m, "frame_rate_hz": rate, "clip_id": "walk-1"}

    def clips() -> Iterator[MotionClip]:
        yield walk

    rows = [{"motion": walk.joints_m.tolist(), "score": 1}]
    answers: dict[str, dict[str, Any]] = {
        "path": assessor(str(path), frame_rate_hz=rate),
        "Path": assessor(path, frame_rate_hz=rate),
        "array": assessor(walk.joints_m, frame_rate_hz=rate),
        "tensor": assessor(torch.from_numpy(walk.joints_m), frame_rate_hz=rate),
        "row": assessor(row),
        "array row": assessor({"array": walk.joints_m.tolist(), "frame_rate_hz": rate}),
        "path row": assessor({"path": str(path), "frame_rate_hz": rate}),
        "list": assessor([walk])[0],
        "generator": next(iter(assessor(clips()))),
        "KeyDataset": next(iter(assessor(KeyDataset(rows, "motion"), frame_rate_hz=rate))),
    }
    assert answers["row"]["source"] == "walk-1" and answers["path"]["source"] == str(path)
    for kind, answer in answers.items():
        same = {name: value for name, value in answer.items() if name not in ("source", "warnings")}
        assert same == {name: expected[name] for name in same}, kind


def test_features_are_an_input_too(assessor: GaitAssessmentPipeline, walk: MotionClip) -> None:
    features = assessor.feature_extractor.raw_features(walk)
    answer = assessor(features, frame_rate_hz=20.0)
    assert answer["quality"]["walking"] and answer["score"] is not None


def test_batch_of_eight_equals_one_by_one(
    assessor: GaitAssessmentPipeline, walks: list[MotionClip], standing: MotionClip
) -> None:
    clips = [*walks[:5], standing, *walks[5:]]
    one_by_one = assessor(clips)
    together = assessor(clips, batch_size=8)
    assert together[5]["abstained"]
    for single, batched in zip(one_by_one, together, strict=True):
        assert single["rationale"] == batched["rationale"]
        assert single["grounding"] == batched["grounding"]
        if not single["abstained"]:
            shares, others = single["probabilities"].values(), batched["probabilities"].values()
            np.testing.assert_allclose(list(shares), list(others), atol=1e-4)


def test_probabilities_are_read_after_the_rationale_and_the_prefix(
    assessor: GaitAssessmentPipeline, walk: MotionClip
) -> None:
    inputs = assessor.preprocess(walk)
    output = assessor._forward({k: v for k, v in inputs.items()}, max_new_tokens=12)["case"]
    prompt = inputs["input_ids"][0].tolist()
    text = prompt + assessor.tokenizer.encode(output.rationale + SCORE_PREFIX, add_special_tokens=False)
    with torch.no_grad():
        logits = assessor.model(input_ids=torch.tensor([text])).logits[0, -1]
    labels = assessor.tokenizer.convert_tokens_to_ids(["0", "1", "2", "3"])
    np.testing.assert_allclose(output.probabilities, torch.softmax(logits[labels], 0).numpy(), atol=1e-5)


class _Scripted(AgirForGaitAssessment):
    """Writes a given text, whatever it is asked."""

    script: torch.Tensor

    def forward(self, *args: Any, input_ids: torch.Tensor, **kwargs: Any) -> Any:
        output = super().forward(*args, input_ids=input_ids, **kwargs)
        seen = getattr(self, "seen", 0)
        if seen < len(self.script):
            output.logits[:, -1] = torch.nn.functional.one_hot(self.script[seen], output.logits.shape[-1]) * 100.0
            self.seen = seen + 1
        return output


def test_generation_stops_at_the_score(checkpoint: Path, processor: Any, walk: MotionClip) -> None:
    model = _Scripted.from_pretrained(checkpoint).eval()
    script = processor.tokenizer.encode(f"speed{SCORE_PREFIX}2 and more", add_special_tokens=False)
    model.script = torch.tensor(script)
    assessor = GaitAssessmentPipeline(model=model, processor=processor, device="cpu")
    inputs = assessor.preprocess(walk)
    prompt = inputs["input_ids"][0].tolist()
    assert assessor._write([prompt], [frozenset()], 50) == ["speed"]
    assert model.seen < len(script) - 2


def test_numbers_are_quoted_from_the_evidence(assessor: GaitAssessmentPipeline, walk: MotionClip) -> None:
    prompt = assessor.preprocess(walk)["input_ids"][0].tolist()
    torch.manual_seed(0)
    free, held = {"7", "12", "0.74", "88"}, frozenset({"12", "0.74"})
    texts = assessor._write([prompt] * 8, [frozenset(free)] * 4 + [held] * 4, 60, do_sample=True)
    first, last = numbers_in(" ".join(texts[:4])), numbers_in(" ".join(texts[4:]))
    assert first <= free and last <= held and last


def test_the_cache_is_used_whatever_a_trainer_left_in_the_checkpoint(
    assessor: GaitAssessmentPipeline, walk: MotionClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessor.model.generation_config, "use_cache", False)
    monkeypatch.setattr(assessor.model.config.text_config, "use_cache", False)
    lengths = []
    forward = assessor.model.language_model.forward

    def watched(*args: Any, **kwargs: Any) -> Any:
        lengths.append(kwargs["input_ids"].shape[1])
        return forward(*args, **kwargs)

    monkeypatch.setattr(assessor.model.language_model, "forward", watched)
    prompt = assessor.preprocess(walk)["input_ids"][0].tolist()
    assessor._write([prompt], [frozenset()], 5)
    assert lengths[0] == len(prompt) and set(lengths[1:]) == {1}


def test_evidence_and_motion_can_be_switched_off(assessor: GaitAssessmentPipeline, walk: MotionClip) -> None:
    def prompt(**options: bool) -> str:
        return assessor.tokenizer.decode(assessor.preprocess(walk, **options)["input_ids"][0])

    assert "<motion_start>" in prompt() and "Measured" in prompt()
    assert "<motion_start>" in prompt(evidence=False) and "Measured" not in prompt(evidence=False)
    assert "<motion_start>" not in prompt(motion=False) and "Measured" in prompt(motion=False)
    with pytest.raises(AgirError, match="both switched off"):
        assessor(walk, evidence=False, motion=False)


def test_several_rationales_are_averaged(assessor: GaitAssessmentPipeline, walk: MotionClip) -> None:
    torch.manual_seed(0)
    several = assessor(walk, num_rationales=3)
    single = assessor(walk)
    assert several["rationale"] == single["rationale"]
    assert several["probabilities"] != single["probabilities"]
    assert sum(several["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(AgirError, match="num_rationales"):
        assessor(walk, num_rationales=0)


def test_not_walking_is_answered_without_the_language_model(
    assessor: GaitAssessmentPipeline, standing: MotionClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the language model must not run")

    monkeypatch.setattr(assessor.model, "generate", refuse)
    monkeypatch.setattr(assessor.model.language_model, "forward", refuse)
    answer = assessor(standing)
    assert list(answer) == FIELDS
    assert answer["abstained"] and answer["abstain_reason"]
    assert [answer[name] for name in ("score", "probabilities", "expected_score", "rationale")] == [None] * 4
    assert not answer["quality"]["walking"]
    assert len(answer["gait_parameters"]) == 21


@pytest.mark.parametrize(("text", "told"), [("The person walks at 9.99 m/s.", True), ("", False)])
def test_a_text_that_does_not_fit_is_said_to_explain_little(
    assessor: GaitAssessmentPipeline, walk: MotionClip, monkeypatch: pytest.MonkeyPatch, text: str, told: bool
) -> None:
    shares = torch.tensor([[0.7, 0.1, 0.1, 0.1]])
    monkeypatch.setattr(type(assessor), "answer", lambda *args, **kwargs: ([text], shares))
    answer = assessor(walk)
    assert (UNFIT_WARNING in answer["warnings"]) == told
    assert answer["rationale"] == "" and answer["score"] == 0


def test_too_little_walking_is_abstained_from(assessor: GaitAssessmentPipeline) -> None:
    walked = simulate_walk(simulate_person(1), seed=1, frame_rate_hz=60.0, duration_s=6.0, turn="none").clip
    short = walked.replace(joints_m=walked.joints_m[120:180])
    measured = measure_gait(short).quality
    assert measured.walking and measured.strides == 0
    answer = assessor(short)
    assert answer["abstained"] and answer["abstain_reason"].startswith("there is no whole stride in the clip (1.0 s)")


@pytest.mark.parametrize("limit", ["max_reconstruction_mm", "max_feature_deviation"])
def test_unfamiliar_movement_is_abstained_from(
    assessor: GaitAssessmentPipeline, walk: MotionClip, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(assessor.model.config, limit, 0.01)
    answer = assessor(walk)
    assert answer["abstained"] and "unlike what the model was trained on" in answer["abstain_reason"]
    assert answer["quality"]["walking"] and not answer["quality"]["in_distribution"]
    assert answer["gait_parameters"]["walking_speed_mps"] is not None


def test_a_long_recording_says_which_part_was_shown(assessor: GaitAssessmentPipeline) -> None:
    long = make_walk(seconds=15.0, frame_rate_hz=30.0)
    answer = assessor(long)
    assert any("middle of the clip" in warning for warning in answer["warnings"])
    assert not any("middle of the clip" in warning for warning in assessor(long, window_s=(1.0, 6.0))["warnings"])


def test_wrong_inputs_are_named(assessor: GaitAssessmentPipeline, walk: MotionClip) -> None:
    with pytest.raises(AgirError, match="frame_rate_hz"):
        assessor(walk.joints_m)
    with pytest.raises(AgirError, match="joints_m"):
        assessor({"pose": 1})
    with pytest.raises(AgirError, match="unknown option loud"):
        assessor(walk, loud=True)
    with pytest.raises(AgirError, match="found int"):
        assessor(3)
    with pytest.raises(AgirError, match="different lengths"):
        assessor({"joints_m": [[1.0, 2.0], [1.0]], "frame_rate_hz": 30.0})
    for option in ({"num_rationales": 1.5}, {"max_new_tokens": 0}, {"evidence": "no"}, {"window_s": (90.0, 95.0)}):
        with pytest.raises(AgirError, match=next(iter(option))):
            assessor(walk, **option)


def test_a_window_that_is_too_long_is_said(assessor: GaitAssessmentPipeline) -> None:
    long = make_walk(seconds=15.0, frame_rate_hz=30.0)
    assert any("of the window" in warning for warning in assessor(long, window_s=(0.0, 14.0))["warnings"])


def test_what_no_person_does_gets_no_score(assessor: GaitAssessmentPipeline, walk: MotionClip) -> None:
    jump = walk.joints_m.copy()
    jump[len(jump) // 2 :, :, [0, 2]] += 40.0
    answer = assessor(walk.replace(joints_m=jump))
    assert answer["abstained"] and answer["score"] is None
    assert "plausible" in answer["abstain_reason"] or "walking" in answer["abstain_reason"]


def test_saved_pipeline_loads_again(assessor: GaitAssessmentPipeline, walk: MotionClip, tmp_path: Path) -> None:
    assessor.save_pretrained(tmp_path)
    assert "custom_pipelines" not in json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    again = load_pipeline(tmp_path, max_new_tokens=12, device="cpu")
    answer, expected = again(walk), assessor(walk)
    assert answer["probabilities"] == expected["probabilities"]
    assert answer["rationale"] == expected["rationale"]


def test_the_task_alone_takes_the_packaged_checkpoint(
    checkpoint: Path, walk: MotionClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = PIPELINE_REGISTRY.supported_tasks["gait-assessment"]["default"]
    assert Path(registered["model"][0]).parts[-3:] == ("agir_hf", "checkpoints", "agir-tiny")
    monkeypatch.setitem(registered, "model", (str(checkpoint), None))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    answer = pipeline("gait-assessment")(walk, max_new_tokens=2)
    assert answer["model"] == "agir-test"


def test_labels_that_merge_with_the_prefix_are_refused(assessor: GaitAssessmentPipeline, checkpoint: Path) -> None:
    processor = AgirProcessor.from_pretrained(checkpoint)
    processor.tokenizer.add_tokens([":2"])  # "Score:2" is now written with one token for ":2"
    with pytest.raises(AgirError, match="label '2' to be one token after"):
        GaitAssessmentPipeline(model=assessor.model, processor=processor, device="cpu")
