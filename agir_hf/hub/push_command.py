"""``agir push model | tokenizer | dataset``: what was trained or built, to the Hub."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..errors import AgirError


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of ``agir push``."""
    command.add_argument("what", choices=("model", "tokenizer", "dataset"), help="what SOURCE holds")
    command.add_argument("source", metavar="SOURCE", help="a folder, or the name of a packaged checkpoint")
    command.add_argument("repo", metavar="OWNER/NAME", help="repository on the Hub; made private where it is not there")
    command.add_argument("--public", action="store_true", help="make it visible to everyone, once it is whole")
    command.add_argument("--i-have-permission", action="store_true", help="with --public: you may publish this data")
    command.add_argument("--base-model", action="append", default=[], metavar="ID", help="repository it was made from")
    command.add_argument("--dataset", action="append", default=[], metavar="ID", help="dataset it was trained on")
    command.add_argument("--dry-run", action="store_true", help="only say what would be uploaded")


def push(options: argparse.Namespace) -> int:
    """Run ``agir push``."""
    from .publishing import check_name

    check_name(options.repo)
    if options.what == "dataset":
        return _push_dataset(options)
    if options.i_have_permission:
        raise AgirError("expected --i-have-permission with a dataset only, found it with a model: leave it out")
    from .staging import push_staged, stage_model, stage_tokenizer

    stage = stage_model if options.what == "model" else stage_tokenizer
    made_from = {"base_models": options.base_model, "datasets": options.dataset}
    if options.dry_run:
        return _list_files(stage, options, made_from)
    name = options.repo.partition("/")[2]
    what = "the assessor" if options.what == "model" else "the motion tokenizer"
    address, left = push_staged(
        stage, options.source, options.repo, public=options.public, message=f"{name}, {what}", **made_from
    )
    _say_what_stayed(left)
    print(f"agir: {options.repo} is whole and {'public' if options.public else 'private'}: {address}", file=sys.stderr)
    return 0


def _say_what_stayed(left: list[str]) -> None:
    if left:
        shown = ", ".join(map(repr, left[:8])) + (" ..." if len(left) > 8 else "")
        print(f"agir: what is no part of a model stayed here: {shown}", file=sys.stderr)


def _list_files(stage: Callable[..., list[str]], options: argparse.Namespace, made_from: dict[str, list[str]]) -> int:
    from .publishing import check_folder

    with tempfile.TemporaryDirectory(prefix="agir-push-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        left = stage(options.source, folder, options.repo, **made_from)
        check_folder(folder)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            print(f"{path.stat().st_size:>12,}  {path.relative_to(folder).as_posix()}")
    _say_what_stayed(left)
    return 0


def _push_dataset(options: argparse.Namespace) -> int:
    # The dataset's builder is a package beside this one, which never imports it.
    if options.base_model or options.dataset:
        raise AgirError("expected --base-model and --dataset with a model or tokenizer, found them with a dataset")
    flags = [
        flag
        for flag in ("--public", "--i-have-permission", "--dry-run")
        if getattr(options, flag[2:].replace("-", "_"))
    ]
    arguments = ["push", options.source, "--repo", options.repo, *flags]
    return subprocess.run([sys.executable, "-m", "dataset_builder", *arguments], check=False).returncode
