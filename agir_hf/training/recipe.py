"""Recipes: everything a training run depends on, in one YAML file, with ``key=value`` changes from the command line."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from ..errors import AgirError


@dataclass(frozen=True)
class DataRecipe:
    """What is learned from: a dataset as ``python -m dataset_builder`` writes it, in a folder or on the Hub.

    Attributes:
        dataset: folder or name.
        config: configuration of it.
        revision: on the Hub; empty for the newest.
        recordings: folders of motion files that the motion tokenizer is trained on beside the dataset.
        varied_copies: of each training clip, with parts of the body turned, mirrored and played slower or faster; the
            motion tokenizer is trained on them too.
        train_clips, validation_clips, test_clips: the first clips of a split that are used; 0 for all.
    """

    dataset: str = ""
    config: str = "simulated"
    revision: str = ""
    recordings: tuple[str, ...] = ()
    varied_copies: int = 1
    train_clips: int = 0
    validation_clips: int = 0
    test_clips: int = 0


@dataclass(frozen=True)
class TokenizerRecipe:
    """The VQ-VAE and its optimisation; a step sees ``batch_size`` windows of ``window_frames`` frames at 20 fps.

    Encoder and decoder start at the principal components of steps. ``encoder_rate`` and ``frame_layer_rate`` are the
    learning rates of the encoder and of the decoder's last layer over that of the others; 0: they stay as they start.
    """

    hidden_size: int = 224
    encoder_blocks: int = 0
    decoder_blocks: int = 6
    codebook_size: int = 512
    codebook_dim: int = 128
    frames_per_code: int = 4
    num_quantizers: int = 1
    steps: int = 2500
    batch_size: int = 48
    window_frames: int = 128
    learning_rate: float = 5e-4
    encoder_rate: float = 0.0
    frame_layer_rate: float = 0.03
    warmup_steps: int = 200
    eval_steps: int = 500
    patience: int = 0  # evaluations without a better one before it stops; 0: never
    save_steps: int = 500


@dataclass(frozen=True)
class DecoderRecipe:
    """The language model, an LFM2 architecture with random weights and a byte-level BPE vocabulary of its own."""

    hidden_size: int = 256
    layers: int = 6
    heads: int = 2
    convolution_length: int = 5
    intermediate_size: int = 768
    text_vocabulary: int = 1024
    initializer_range: float = 0.04
    max_positions: int = 1024


@dataclass(frozen=True)
class LoraRecipe:
    """Low-rank adapters on all linear layers; with rank 0 there are none and all weights are trained."""

    rank: int = 0
    alpha: int = 32
    dropout: float = 0.0


@dataclass(frozen=True)
class LanguageModelRecipe:
    """Which language model is fine-tuned.

    Attributes:
        base: a model on the Hub or a folder; empty for one from nothing, as ``decoder`` says.
        revision: of the base on the Hub; empty for the newest.
        decoder: used without a base.
        lora: adapters; with rank 0 all weights are trained.
    """

    base: str = ""
    revision: str = ""
    decoder: DecoderRecipe = field(default_factory=DecoderRecipe)
    lora: LoraRecipe = field(default_factory=LoraRecipe)


@dataclass(frozen=True)
class SftRecipe:
    """One fine-tuning stage.

    Attributes:
        matrix_learning_rate: Muon trains the matrices with it, AdamW (``learning_rate``) embeddings and the rest; 0
            leaves all to AdamW.
        batch_size: rows of a step on one process; ``gradient_accumulation`` such steps make an update.
        eval_steps, save_steps: updates between two evaluations and two checkpoints; 0: at the end only.
        patience: evaluations without a better one before it stops; 0: never.
    """

    epochs: float = 1.0
    batch_size: int = 16
    gradient_accumulation: int = 1
    learning_rate: float = 1e-3
    matrix_learning_rate: float = 0.0
    warmup_steps: int = 100
    max_length: int = 1024
    eval_steps: int = 0
    save_steps: int = 500
    patience: int = 0


@dataclass(frozen=True)
class Recipe:
    """All that a training run depends on.

    Attributes:
        motion_tokenizer: a trained one, folder or name on the Hub; empty for the one that the run trains itself.
        stages: of the language model, in order; some of ``STAGES``.
        evaluate_walks: validation walks for the temperature, test walks for the figures.
        log_every: updates between two lines of a log.
        push_to: repository on the Hub, "owner/name", made private, for the finished checkpoint; with
            "-motion-tokenizer" and "-adapter" behind its name for those, as soon as each is trained.
    """

    name: str = "agir"
    seed: int = 2026
    workers: int = 2
    evaluate_walks: int = 600
    log_every: int = 50
    push_to: str = ""
    data: DataRecipe = field(default_factory=DataRecipe)
    motion_tokenizer: str = ""
    tokenizer: TokenizerRecipe = field(default_factory=TokenizerRecipe)
    language_model: LanguageModelRecipe = field(default_factory=LanguageModelRecipe)
    stages: tuple[str, ...] = ("describe", "assess")
    quote: SftRecipe = field(default_factory=SftRecipe)
    tell: SftRecipe = field(default_factory=SftRecipe)
    describe: SftRecipe = field(default_factory=SftRecipe)
    assess: SftRecipe = field(default_factory=SftRecipe)
    settle: SftRecipe = field(default_factory=SftRecipe)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the record of a run keeps them."""
        return asdict(self)


# The warm-up of a model that starts from nothing, the two stages of AGIR, and the second of them once more.
STAGES = ("quote", "tell", "describe", "assess", "settle")


def load_recipe(name_or_path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe by the name of a packaged one (``tiny``, ``smoke``) or from a YAML file.

    Args:
        overrides: ``key=value`` with dots for nested keys, such as ``tokenizer.steps=100``.

    Raises:
        AgirError: the recipe does not exist, or has a key that is not known (the nearest known one is named).
    """
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise AgirError(f"expected a recipe file at {path}, found none")
        text = path.read_text(encoding="utf-8")
    else:
        packaged = resources.files("agir_hf") / "recipes" / f"{name_or_path}.yaml"
        if not packaged.is_file():
            known = sorted(
                p.name[:-5] for p in (resources.files("agir_hf") / "recipes").iterdir() if p.name.endswith(".yaml")
            )
            raise AgirError(f"expected a recipe among {', '.join(known)} or a .yaml file, found '{name_or_path}'")
        text = packaged.read_text(encoding="utf-8")
    content = yaml.safe_load(text) or {}
    for override in overrides or []:
        key, separator, value = override.partition("=")
        if not separator:
            raise AgirError(f"expected key=value, found '{override}'")
        target = content
        *parents, last = key.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise AgirError(f"expected a nested key, but '{parent}' in '{key}' is a plain value")
        target[last] = yaml.safe_load(value)
    recipe: Recipe = _build(Recipe, content, "")
    if unknown := [stage for stage in recipe.stages if stage not in STAGES]:
        raise AgirError(f"expected stages among {', '.join(STAGES)}, found '{unknown[0]}'")
    return recipe


def _build(kind: Any, content: dict[str, Any], prefix: str) -> Any:
    known = {f.name: f for f in fields(kind)}
    values = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean '{prefix}{near[0]}'?" if near else f"; known keys: {', '.join(known)}"
            raise AgirError(f"unknown recipe key '{prefix}{key}'{hint}")
        default = getattr(kind(), key)
        if value is None:  # "key=" and an empty line of YAML
            values[key] = default
            continue
        if is_dataclass(default):
            values[key] = _build(type(default), value, f"{prefix}{key}.")
        elif isinstance(default, tuple):
            values[key] = (value,) if isinstance(value, str) else tuple(str(one) for one in value or ())
        else:
            try:
                values[key] = type(default)(value)
            except (TypeError, ValueError) as error:
                raise AgirError(f"expected {type(default).__name__} for '{prefix}{key}', found {value!r}") from error
    return kind(**values)
