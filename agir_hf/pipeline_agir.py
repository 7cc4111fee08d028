"""The ``gait-assessment`` pipeline: a motion in, a checked `GaitAssessment` out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessorList, Pipeline, StoppingCriteria, StoppingCriteriaList

from .clip import MotionClip
from .errors import AgirError, MissingDependencyError
from .gait import GaitParameters, implausible, measure_gait
from .modeling_agir_motion_tokenizer import PADDING_CODE
from .motion.arrays import clip_from_array
from .quoted_numbers import NumberTokens, QuotedNumbers, numbers_in
from .rationale import BY_NAME, NORMS, SCORE_PREFIX, check_grounding, evidence_block, render_prompt, sentence_start

MAX_NEW_TOKENS = 384
SCORE_3_WARNING = (
    "A score of 3 is a prediction of the label from movement alone: in the clinic it stands for needing a walking aid "
    "to walk safely, and a clip shows no walking aid."
)
UNFIT_WARNING = "Most of what the model wrote did not fit the measurements: what is left of it explains little."
# Keys under which a data set row may carry its motion.
_ARRAY_KEYS = ("joints_m", "array", "joints")
_PATH_KEYS = ("path", "file", "file_name")
_NORM_NUMBERS = frozenset(norm.mean_text for norm in NORMS.values())
# Outside their plausible range there is an error of recording, and no walk to score.
_NEVER_BEYOND = ("walking_speed_mps", "stride_length_m", "cadence_spm")
_NO_GROUNDING: dict[str, Any] = {"claims": 0, "supported": 0, "unsupported": []}


@dataclass(frozen=True)
class GaitAssessment:
    """An answer about one clip; `to_dict` is what the pipeline returns and one JSON line of ``agir assess``.

    Attributes:
        source: the file, or what the clip was made from.
        score: most probable score, or None when abstained.
        probabilities: probability of each score label.
        expected_score: mean of the scores under the probabilities.
        rationale: the text with unsupported sentences taken out.
        gait_parameters: measured values by name; None where the clip has no evidence.
        grounding: ``claims``, ``supported`` and ``unsupported`` of the text as generated.
        quality: ``walking``, ``in_distribution``, ``reconstruction_mm``.
        abstained, abstain_reason: no score is given, and why.
        warnings: what to know when reading this, one sentence each.
        model: name of the checkpoint.
        trained_on: what its scores were learned from.
    """

    source: str
    score: int | None
    probabilities: Mapping[str, float] | None
    expected_score: float | None
    rationale: str | None
    gait_parameters: Mapping[str, float | int | None]
    grounding: Mapping[str, Any]
    quality: Mapping[str, Any]
    abstained: bool
    abstain_reason: str | None
    warnings: tuple[str, ...]
    model: str
    trained_on: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, ready for JSON."""
        return {
            "source": self.source,
            "score": self.score,
            "probabilities": None if self.probabilities is None else dict(self.probabilities),
            "expected_score": self.expected_score,
            "rationale": self.rationale,
            "gait_parameters": dict(self.gait_parameters),
            "grounding": dict(self.grounding),
            "quality": dict(self.quality),
            "abstained": self.abstained,
            "abstain_reason": self.abstain_reason,
            "warnings": list(self.warnings),
            "model": self.model,
            "trained_on": self.trained_on,
        }


@dataclass(frozen=True)
class _Case:
    """One clip on its way through the pipeline."""

    source: str
    parameters: GaitParameters
    quality: dict[str, Any]
    abstain_reason: str | None
    warnings: tuple[str, ...]
    evidence: str | None = None
    rationale: str | None = None
    probabilities: tuple[float, ...] | None = None


class _AfterScorePrefix(StoppingCriteria):
    """Stops each row once its text has reached the score; what stands there is read off the logits."""

    def __init__(self, tokenizer: Any, prompt_length: int) -> None:
        self.tokenizer = tokenizer
        self.prompt_length = prompt_length
        # The prefix cannot be spread over more tokens than it has bytes.
        self.tail = len(SCORE_PREFIX.encode("utf-8")) + 1

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        tails = input_ids[:, max(self.prompt_length, input_ids.shape[1] - self.tail) :]
        texts = self.tokenizer.batch_decode(tails, skip_special_tokens=True)
        return torch.tensor([SCORE_PREFIX in text for text in texts], device=input_ids.device)


class GaitAssessmentPipeline(Pipeline):
    """Measures a walk, lets the model write a rationale, reads the score's probabilities, checks every claim.

    Inputs: a path; a `MotionClip`; an array (T, 22, 3) in metres, or (T, 263) features, with ``frame_rate_hz=``; a dict
    with ``joints_m`` (or ``array``) and ``frame_rate_hz``, or with ``path``; or a list, generator or ``KeyDataset``.

    Options, when the pipeline is made or called:
        frame_rate_hz: rate of arrays and files that do not carry their own.
        window_s: [start, end) seconds shown as motion; default: all, or the middle of a long clip. Measures use all.
        evidence: show the measured parameters to the model (default True).
        motion: show the motion tokens to the model (default True).
        num_rationales: above 1, probabilities are averaged over the greedy rationale and this many less one sampled.
        max_new_tokens: longest rationale.
        streamer: gets the rationale of a single clip as it is written, before it is checked.
        batch_size: clips that go through the language model together.
    """

    _load_processor: Any = True
    _load_image_processor: Any = False
    _load_video_processor: Any = False
    _load_feature_extractor: Any = False
    _load_tokenizer: Any = False

    # transformers types these for its own classes.
    model: Any
    processor: Any
    tokenizer: Any
    feature_extractor: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.processor is None:
            raise AgirError("expected a processor beside the model: pass processor=AgirProcessor.from_pretrained(...)")
        self.processor.attach(self.model)
        self.tokenizer = self.processor.tokenizer
        self.feature_extractor = self.processor.feature_extractor
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        _check_labels(self.tokenizer, self.model.config.score_labels)
        self.number_tokens = NumberTokens(self.tokenizer)
        self.model_name = _model_name(self.model)

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs: Any) -> None:
        """Model and processor, without the note about custom code that would make a reload ask for trust."""
        self.model.save_pretrained(save_directory, **kwargs)
        self.processor.save_pretrained(save_directory, **kwargs)

    def _sanitize_parameters(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        stages: tuple[tuple[str, ...], ...] = (
            ("frame_rate_hz", "window_s", "evidence", "motion"),
            ("num_rationales", "max_new_tokens", "streamer"),
            (),
        )
        unknown = sorted(set(options).difference(*stages))
        if unknown:
            raise AgirError(f"unknown option {', '.join(unknown)}; expected {', '.join(n for s in stages for n in s)}")
        for name in ("num_rationales", "max_new_tokens"):
            if not isinstance(value := options.get(name, 1), int) or value < 1:
                raise AgirError(f"{name}: expected a whole number of at least 1, found {value!r}")
        for name in ("evidence", "motion"):
            if not isinstance(value := options.get(name, True), bool):
                raise AgirError(f"{name}: expected True or False, found {value!r}")
        if not options.get("evidence", True) and not options.get("motion", True):
            raise AgirError("expected evidence, motion or both to judge from, found both switched off")
        first, second, third = ({name: options[name] for name in stage if name in options} for stage in stages)
        return first, second, third

    def preprocess(  # type: ignore[override]
        self,
        input_: Any,
        frame_rate_hz: float | None = None,
        window_s: tuple[float, float] | None = None,
        evidence: bool = True,
        motion: bool = True,
    ) -> dict[str, Any]:
        clip = _read(input_, frame_rate_hz)
        parameters = measure_gait(clip)
        notes: list[str] = []
        window_asked_for = window_s is not None
        if window_s is None:
            window_s = self.feature_extractor.middle_window_s(clip)
            if window_s is not None:
                notes.append(
                    f"Only the middle of the clip, {window_s[0]:.1f} s to {window_s[1]:.1f} s, was shown to the model "
                    "as motion; measures use all of it."
                )
        elif self.feature_extractor.is_longer(window_s):
            notes.append(f"Only the first {self.feature_extractor.longest_s:.1f} s of the window were shown as motion.")
        case = _Case(clip.source, parameters, {"walking": parameters.quality.walking}, None, ())
        not_encoded = None
        try:
            codes, reconstruction_mm, deviation = self._encode(clip, window_s)
        except AgirError as error:
            if window_asked_for:
                raise
            not_encoded = f"the motion could not be encoded: {error}"
            notes.append(f"{sentence_start(not_encoded)}.")
            codes, reconstruction_mm, deviation = [], None, None
        strange = self._out_of_distribution(reconstruction_mm, deviation)
        reason = None
        if not parameters.quality.walking:
            reason = parameters.quality.not_walking_reason or "this was not recognised as walking"
        else:
            reason = strange or not_encoded or _beyond_people(parameters) or _too_little(parameters, clip.duration_s)
        quality = {
            "walking": parameters.quality.walking,
            "in_distribution": strange is None and reconstruction_mm is not None,
            "reconstruction_mm": None if reconstruction_mm is None else round(reconstruction_mm, 2),
        }
        case = replace(case, quality=quality, abstain_reason=reason, warnings=(*_warnings(parameters), *notes))
        if reason is not None:
            ids = torch.full((1, 1), self.tokenizer.pad_token_id)
            return {"case": case, "input_ids": ids, "attention_mask": torch.zeros_like(ids)}
        case = replace(case, evidence=evidence_block(parameters) if evidence else None)
        prompt = render_prompt(
            "assess",
            motion=self.processor.vocabulary.codes_to_text(codes) if motion else None,
            evidence=case.evidence,
        )
        encoded = self.tokenizer(prompt, return_tensors="pt")
        return {"case": case, "input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}

    def _encode(self, clip: MotionClip, window_s: tuple[float, float] | None) -> tuple[list[int], float, float]:
        """Codes, the error of decoding them again in millimetres, and the root-mean-square normalised feature."""
        features = self.feature_extractor(clip, window_s=window_s, return_tensors="pt")["motion_features"]
        tokenizer = self.model.motion_tokenizer
        codes = tokenizer.encode(features.to(tokenizer.device))
        rebuilt = tokenizer.decode(codes)[0].cpu().numpy()
        given = features[0, : len(rebuilt)].numpy()
        error_mm = self.feature_extractor.root_aligned_error_mm(given, rebuilt)
        used = codes[0][codes[0] != PADDING_CODE].tolist()
        return used, error_mm, float(np.sqrt(np.mean(np.square(given))))

    def _out_of_distribution(self, reconstruction_mm: float | None, deviation: float | None) -> str | None:
        config = self.model.config
        if reconstruction_mm is None or deviation is None:
            return None
        if config.max_reconstruction_mm is not None and reconstruction_mm > config.max_reconstruction_mm:
            return (
                "this movement is unlike what the model was trained on: its motion codes are "
                f"{reconstruction_mm:.0f} mm off on average, over the limit of {config.max_reconstruction_mm:.0f} mm"
            )
        if config.max_feature_deviation is not None and deviation > config.max_feature_deviation:
            return (
                "this movement is unlike what the model was trained on: its features deviate "
                f"{deviation:.1f} times as much as usual, over the limit of {config.max_feature_deviation:.1f}"
            )
        return None

    def _forward(  # type: ignore[override]
        self,
        input_tensors: dict[str, Any],
        num_rationales: int = 1,
        max_new_tokens: int = MAX_NEW_TOKENS,
        streamer: Any = None,
    ) -> dict[str, Any]:
        cases = input_tensors["case"]
        batched = isinstance(cases, list)
        cases = list(cases) if batched else [cases]
        asked = [row for row, case in enumerate(cases) if case.abstain_reason is None]
        if asked:
            ids, mask = input_tensors["input_ids"], input_tensors["attention_mask"].bool()
            prompts = [ids[row][mask[row]].tolist() for row in asked]
            evidence = [cases[row].evidence for row in asked]
            texts, probabilities = self.answer(prompts, evidence, num_rationales, max_new_tokens, streamer)
            for row, text, shares in zip(asked, texts, probabilities.tolist(), strict=True):
                cases[row] = replace(cases[row], rationale=text, probabilities=tuple(shares))
        return {"case": cases if batched else cases[0]}

    def answer(
        self,
        prompts: list[list[int]],
        evidence: Sequence[str | None],
        num_rationales: int = 1,
        max_new_tokens: int = MAX_NEW_TOKENS,
        streamer: Any = None,
    ) -> tuple[list[str], Tensor]:
        """The greedy rationale of each prompt, and probabilities (B, num_scores), averaged if several are asked for.

        Args:
            prompts: token ids of ``assess`` prompts.
            evidence: the measured block of each prompt, whose numbers (beside those of norms) its answer may hold.
        """
        numbers = [_NORM_NUMBERS | numbers_in(shown or "") for shown in evidence]
        texts = self._write(prompts, numbers, max_new_tokens, streamer=streamer)
        total = self._score(prompts, texts)
        if num_rationales > 1:
            extra = num_rationales - 1
            repeated = [prompt for prompt in prompts for _ in range(extra)]
            repeated_numbers = [allowed for allowed in numbers for _ in range(extra)]
            sampled = self._write(repeated, repeated_numbers, max_new_tokens, do_sample=True)
            shares = self._score(repeated, sampled).view(len(prompts), extra, -1)
            total = (total + shares.sum(1)) / num_rationales
        return texts, total

    def _write(
        self,
        prompts: list[list[int]],
        numbers: list[frozenset[str]],
        max_new_tokens: int,
        do_sample: bool = False,
        streamer: Any = None,
    ) -> list[str]:
        ids, mask = self._left_padded(prompts)
        eos = self.model.generation_config.eos_token_id
        options = GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=do_sample,
            num_beams=1,
            use_cache=True,  # said aloud: trainers switch it off and leave that in what they save
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self.tokenizer.eos_token_id if eos is None else eos,
        )
        stop = StoppingCriteriaList([_AfterScorePrefix(self.tokenizer, ids.shape[1])])
        written = self.model.generate(
            ids,
            attention_mask=mask,
            generation_config=options,
            stopping_criteria=stop,
            streamer=streamer,
            logits_processor=LogitsProcessorList([QuotedNumbers(self.number_tokens, numbers, ids.shape[1])]),
        )
        texts = self.tokenizer.batch_decode(written[:, ids.shape[1] :], skip_special_tokens=True)
        return [text.split(SCORE_PREFIX)[0] for text in texts]

    def _score(self, prompts: list[list[int]], texts: Sequence[str]) -> Tensor:
        rows = [
            prompt + self.tokenizer.encode(text + SCORE_PREFIX, add_special_tokens=False)
            for prompt, text in zip(prompts, texts, strict=True)
        ]
        ids, mask = self._left_padded(rows)
        return self.model.score_probabilities(ids, mask).cpu()

    def _left_padded(self, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
        longest = max(len(row) for row in rows)
        ids = torch.full((len(rows), longest), self.tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, longest - len(row) :] = torch.tensor(row)
            mask[index, longest - len(row) :] = 1
        return ids.to(self.model.device), mask.to(self.model.device)

    def postprocess(self, model_outputs: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        case: _Case = model_outputs["case"]
        config = self.model.config
        answer = GaitAssessment(
            source=case.source,
            score=None,
            probabilities=None,
            expected_score=None,
            rationale=None,
            gait_parameters=case.parameters.to_dict()["gait_parameters"],  # type: ignore[arg-type]
            grounding=dict(_NO_GROUNDING),
            quality=case.quality,
            abstained=case.abstain_reason is not None,
            abstain_reason=case.abstain_reason,
            warnings=case.warnings,
            model=self.model_name,
            trained_on=config.trained_on,
        )
        if case.probabilities is None or case.rationale is None:
            return answer.to_dict()
        shares = case.probabilities
        score = max(range(len(shares)), key=shares.__getitem__)
        report = check_grounding(case.rationale.strip(), case.parameters, score=score)
        notes = [SCORE_3_WARNING] if score == 3 else []
        if 2 * report.supported < report.claims:
            notes.append(UNFIT_WARNING)
        return replace(
            answer,
            score=score,
            probabilities={label: round(share, 6) for label, share in zip(config.score_labels, shares, strict=True)},
            expected_score=round(sum(value * share for value, share in enumerate(shares)), 4),
            rationale=report.shown,
            grounding=report.to_dict(),
            warnings=(*case.warnings, *notes),
        ).to_dict()


def _read(input_: Any, frame_rate_hz: float | None) -> MotionClip:
    """Any input of the pipeline as a clip."""
    if hasattr(input_, "joints_m"):
        return input_
    if isinstance(input_, (str, os.PathLike)):
        return _read_file(input_, frame_rate_hz)
    source = "array"
    if isinstance(input_, Mapping):
        row = input_
        frame_rate_hz = row.get("frame_rate_hz") or frame_rate_hz
        source = str(row.get("source") or row.get("clip_id") or "row")
        array = next((row[key] for key in _ARRAY_KEYS if row.get(key) is not None), None)
        path = next((row[key] for key in _PATH_KEYS if row.get(key) is not None), None)
        if array is None and path is not None:
            return _read_file(path, frame_rate_hz)
        if array is None:
            raise AgirError(
                f"expected a row with one of {', '.join(_ARRAY_KEYS + _PATH_KEYS)}, found {', '.join(map(str, row))}"
            )
        input_ = array
    if not isinstance(input_, (np.ndarray, list, tuple, Tensor)):
        raise AgirError(f"expected a path, a MotionClip, an array or a row, found {type(input_).__name__}")
    if frame_rate_hz is None:
        raise AgirError("an array of joints has no frame rate of its own: pass frame_rate_hz=")
    try:
        array = np.asarray(input_)
    except ValueError as error:
        raise AgirError("expected an array of joints, found lists of different lengths") from error
    return clip_from_array(array, frame_rate_hz=frame_rate_hz, source=source)


def _read_file(path: str | os.PathLike, frame_rate_hz: float | None) -> MotionClip:
    # By absolute name: the readers do not come with the code of a repository.
    try:
        from agir_hf.motion import read_motion
    except ImportError as error:
        raise MissingDependencyError(
            "reading motion files needs the package (pip install agir-hf); without it, pass an array (T, 22, 3) in "
            "metres with frame_rate_hz="
        ) from error
    return read_motion(Path(path), frame_rate_hz=frame_rate_hz)


def _beyond_people(parameters: GaitParameters) -> str | None:
    """Why measures that a score leans on cannot be a person's: a jump in the recording, another unit."""
    for name, note in implausible(parameters.values).items():
        if name in _NEVER_BEYOND:
            return f"{BY_NAME[name].phrase} of {parameters.values[name]:.2f} {BY_NAME[name].unit} is {note}"
    return None


def _too_little(parameters: GaitParameters, duration_s: float) -> str | None:
    """Why there is too little walking to judge."""
    if parameters.quality.strides:
        return None
    return f"there is no whole stride in the clip ({duration_s:.1f} s): too little walking for a score"


def _warnings(parameters: GaitParameters) -> tuple[str, ...]:
    """The measures' own warnings, and those values that are to be read with care, grouped by reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in parameters.low_confidence.items():
        by_reason.setdefault(reason, []).append(BY_NAME[name].phrase)
    careful = (f"Read with care: {', '.join(names)} ({reason})." for reason, names in by_reason.items())
    return (*parameters.warnings, *careful)


def _model_name(model: Any) -> str:
    name = str(getattr(model, "name_or_path", "") or "")
    return Path(name).name if Path(name).exists() and name else name or "unnamed"


def _check_labels(tokenizer: Any, labels: Sequence[str]) -> None:
    """In its place, after the prefix, each score label must still be one token of its own.

    Raises:
        AgirError: the text tokenizer joins a label with what stands before it.
    """
    prefix = tokenizer.encode(SCORE_PREFIX, add_special_tokens=False)
    for label in labels:
        together = tokenizer.encode(SCORE_PREFIX + label, add_special_tokens=False)
        if together[:-1] != prefix:
            raise AgirError(
                f"expected score label {label!r} to be one token after {SCORE_PREFIX!r}, found tokens {together}"
            )


__all__ = ["GaitAssessment", "GaitAssessmentPipeline"]
