"""Configurations of the motion tokenizer (a VQ-VAE) and of the model that holds it beside a language model."""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .errors import AgirError

# Annotations are not postponed in this module: `strict` passes over the ones that are strings.
Number = float | int

# Columns of the 263 HumanML3D features, [start, end), and what they are.
FEATURE_GROUPS: dict[str, tuple[int, int]] = {
    "root": (0, 4),  # turn rate, two horizontal velocities, height
    "positions": (4, 67),  # 21 joints relative to the root
    "rotations": (67, 193),  # 21 joints, six numbers each
    "velocities": (193, 259),  # 22 joints
    "contacts": (259, 263),  # heel and toe of each foot on the floor
}
# Rotations and velocities follow from root and positions: a small weight keeps them, a large one costs joint accuracy.
# Positions have a term of their own, `position_weight`.
DEFAULT_GROUP_WEIGHTS: dict[str, float] = {
    "root": 1.5,
    "positions": 0.0,
    "rotations": 0.2,
    "velocities": 0.2,
    "contacts": 0.1,
}


def _without_remote_code(fields: dict[str, Any]) -> dict[str, Any]:
    """What a config says less the code of its repository, where the package is installed.

    The task is known to transformers then: the repository's code for it would only ask for trust that nobody needs to
    give, and a copy that is saved would name files that it has not.
    """
    if __name__ != "agir_hf.configuration_agir":
        return fields
    return {name: value for name, value in fields.items() if name not in ("auto_map", "custom_pipelines")}


@strict
class AgirMotionTokenizerConfig(PreTrainedConfig):
    """Shape and training terms of an `AgirMotionTokenizer`.

    Attributes:
        feature_dim: columns of ``motion_features``; 263 for the HumanML3D definition.
        hidden_size: channels of the convolutions.
        codebook_size: number of codes.
        codebook_dim: width of one code vector.
        frames_per_code: frames (at 20 fps) that one code stands for.
        num_quantizers: codes of one step, each refining what those before it leave (residual quantisation). They share
            the codebook evenly: the first is one of the first ``codebook_size / num_quantizers`` codes, and so on.
        encoder_blocks, decoder_blocks: residual blocks of each. What a linear encoder makes of a step keeps its sense
            on recordings that are like none it was trained on, so by default it has none.
        dilation_growth_rate: block ``i`` has dilation ``dilation_growth_rate ** (i % 3)``, in steps.
        group_weights: weight of each of `FEATURE_GROUPS` in the reconstruction loss, on the group's mean error.
        position_weight: weight of the mean distance of the joints, on top of the group's weight.
        velocity_weight: weight of the error of frame-to-frame differences of root and positions.
        commitment_weight: weight of the pull of encoder outputs towards their codes.
        codebook_decay: decay of the moving averages that the codes follow.
        codebook_warmup_updates: updates before the codebook is started from encoder outputs; until then nothing is
            quantised, so that the codes start where a useful encoder puts them.
        dead_code_threshold: a code used less than this share of the average is moved onto a recent encoder output.
        initializer_range: standard deviation of the untrained codebook.
    """

    model_type = "agir_motion_tokenizer"
    base_config_key = "motion_config"

    feature_dim: int = 263
    hidden_size: int = 224
    codebook_size: int = 512
    codebook_dim: int = 128
    frames_per_code: int = 4
    num_quantizers: int = 1
    encoder_blocks: int = 0
    decoder_blocks: int = 6
    dilation_growth_rate: int = 3
    group_weights: dict[str, Number] | None = None
    position_weight: Number = 1.0
    velocity_weight: Number = 0.5
    commitment_weight: Number = 1.0
    codebook_decay: Number = 0.99
    codebook_warmup_updates: int = 100
    dead_code_threshold: Number = 0.1
    initializer_range: Number = 1.0

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**_without_remote_code(kwargs))
        if self.group_weights is None:
            self.group_weights = dict(DEFAULT_GROUP_WEIGHTS)
        unknown = sorted(set(self.group_weights) - set(FEATURE_GROUPS))
        if unknown:
            raise AgirError(f"group_weights: expected names among {list(FEATURE_GROUPS)}, found {unknown}")
        if self.frames_per_code < 1:
            raise AgirError(f"frames_per_code: expected at least 1, found {self.frames_per_code}")
        if self.num_quantizers < 1 or self.codebook_size % self.num_quantizers:
            raise AgirError(
                f"num_quantizers: expected a divisor of the codebook_size of {self.codebook_size}, found "
                f"{self.num_quantizers}"
            )

    @property
    def frames_per_step(self) -> int:
        """Frames that the codes of one step stand for together."""
        return self.frames_per_code * self.num_quantizers


@strict
class AgirConfig(PreTrainedConfig):
    """Configuration of `AgirForGaitAssessment`.

    Attributes:
        motion_config: the motion tokenizer's configuration.
        text_config: configuration of any causal language model; a dict needs its ``model_type`` (default ``"llama"``).
        num_scores: number of scores, from 0.
        score_labels: text of each score, a single token each; default ``"0"``, ``"1"``, ...
        score_token_ids: token id of each label, see `AgirProcessor.attach`.
        score_temperature: divides the label logits; fitted on validation data.
        max_reconstruction_mm: a clip that the motion tokenizer reproduces worse than this is out of distribution.
        max_feature_deviation: so is a clip whose root-mean-square normalised feature is larger than this. ``None`` in
            either: no limit.
        max_motion_codes: longest motion, in codes, that the model takes; longer clips are cut.
        first_motion_token_id: token id of code 0; code k has ``first_motion_token_id + k``.
        motion_token_id: id of the ``<motion>`` placeholder that the raw path fills.
        motion_start_token_id, motion_end_token_id: ids of the tokens around a motion.
        trained_on: what the scores were learned from, such as ``"simulated"``; stands beside every score.
    """

    model_type = "agir"
    sub_configs_defaults = {  # noqa: RUF012 (read by transformers as a class attribute)
        "motion_config": SubConfigSpec(config_class=AgirMotionTokenizerConfig),
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="llama"),
    }

    motion_config: dict | PreTrainedConfig | None = None
    text_config: dict | PreTrainedConfig | None = None
    num_scores: int = 4
    score_labels: list[str] | None = None
    score_token_ids: list[int] | None = None
    score_temperature: Number = 1.0
    max_reconstruction_mm: Number | None = None
    max_feature_deviation: Number | None = None
    max_motion_codes: int = 64
    first_motion_token_id: int | None = None
    motion_token_id: int | None = None
    motion_start_token_id: int | None = None
    motion_end_token_id: int | None = None
    trained_on: str = "nothing"

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**_without_remote_code(kwargs))
        if self.score_labels is None:
            self.score_labels = [str(score) for score in range(self.num_scores)]
        if len(self.score_labels) != self.num_scores:
            raise AgirError(f"score_labels: expected {self.num_scores} labels, found {self.score_labels}")
        if self.score_temperature <= 0:
            raise AgirError(f"score_temperature: expected more than 0, found {self.score_temperature}")


__all__ = ["AgirConfig", "AgirMotionTokenizerConfig"]
