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
class CohortRecipe:
    """The simulated people. Train, validation and test people are disjoint."""

    seed: int = 2026
    train_people: int = 4000
    validation_people: int = 150
    test_people: int = 200
    walks_per_person: int = 3


@dataclass(frozen=True)
class TokenizerRecipe:
    """The VQ-VAE and its optimisation; a step sees ``batch_size`` windows of ``window_frames`` frames at 20 fps."""

    hidden_size: int = 192
    codebook_dim: int = 128
    steps: int = 2500
    batch_size: int = 96
    window_frames: int = 64
    learning_rate: float = 4e-4
    warmup_steps: int = 200


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
class SftRecipe:
    """One fine-tuning stage. Muon trains the matrices, AdamW (``learning_rate``) the embeddings and the rest."""

    epochs: float = 1.0
    batch_size: int = 16
    learning_rate: float = 1e-3
    matrix_learning_rate: float = 3e-3
    warmup_steps: int = 100
    max_length: int = 1024


@dataclass(frozen=True)
class TinyRecipe:
    """All of ``agir train tiny``."""

    name: str = "agir-tiny"
    seed: int = 2026
    workers: int = 2
    evaluate_walks: int = 600
    cohort: CohortRecipe = field(default_factory=CohortRecipe)
    tokenizer: TokenizerRecipe = field(default_factory=TokenizerRecipe)
    decoder: DecoderRecipe = field(default_factory=DecoderRecipe)
    quote: SftRecipe = field(default_factory=SftRecipe)
    tell: SftRecipe = field(default_factory=SftRecipe)
    describe: SftRecipe = field(default_factory=SftRecipe)
    assess: SftRecipe = field(default_factory=SftRecipe)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def load_recipe(name_or_path: str | Path, overrides: list[str] | None = None) -> TinyRecipe:
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
    return _build(TinyRecipe, content, "")


def _build(kind: Any, content: dict[str, Any], prefix: str) -> Any:
    known = {f.name: f for f in fields(kind)}
    values = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean '{prefix}{near[0]}'?" if near else f"; known keys: {', '.join(known)}"
            raise AgirError(f"unknown recipe key '{prefix}{key}'{hint}")
        default = getattr(kind(), key)
        if is_dataclass(default):
            values[key] = _build(type(default), value or {}, f"{prefix}{key}.")
        else:
            try:
                values[key] = type(default)(value)
            except (TypeError, ValueError) as error:
                raise AgirError(f"expected {type(default).__name__} for '{prefix}{key}', found {value!r}") from error
    return kind(**values)
