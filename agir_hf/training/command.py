"""The command line of a training, as ``agir train`` and as ``accelerate launch -m agir_hf.training.sft``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import AgirError, require

PARTS = ("tokenizer", "sft", "tiny")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Recipe, changes and output folder."""
    parser.add_argument("changes", nargs="*", metavar="key=value", help="changes to the recipe")
    parser.add_argument("--recipe", default="tiny", help="a packaged recipe (tiny, smoke, base, large) or a YAML file")
    parser.add_argument("--smoke", action="store_true", help="the recipe 'smoke': minutes, to see that it runs")
    parser.add_argument("--output", default="runs/agir-tiny", help="folder for checkpoints, logs and figures")


def changes_among(rest: Sequence[str]) -> list[str]:
    """The ``key=value`` among arguments left over: argparse takes no positional ones on both sides of an option."""
    return [argument for argument in rest if "=" in argument and not argument.startswith("-")]


def train(part: str, options: argparse.Namespace) -> int:
    """Run a part of a recipe, or all of it.

    Raises:
        AgirError: the recipe is wrong, the data is not there, or the training cannot go on.
    """
    require("trl", "train")
    from .recipe import load_recipe

    recipe = load_recipe("smoke" if options.smoke else options.recipe, options.changes)
    from . import run

    parts = {"tokenizer": run.train_tokenizer, "sft": run.fine_tune, "tiny": run.train_all}
    parts[part](recipe, Path(options.output))
    return 0


def main(part: str, arguments: Sequence[str] | None = None) -> int:
    """One part as a script; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"agir train {part}", allow_abbrev=False)
    add_options(parser)
    options, rest = parser.parse_known_args(arguments)
    if changes_among(rest) != rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.changes = [*options.changes, *rest]
    try:
        return train(part, options)
    except (AgirError, OSError) as error:
        print(f"agir: {error}", file=sys.stderr)
        return 2
