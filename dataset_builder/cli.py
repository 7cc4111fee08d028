"""``python -m dataset_builder build | validate | card | bins | codes | push``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from agir_hf.errors import AgirError, require

from .sources import Source

DEFAULT_SEED = 2026
# A licence goes by the name of the configuration: nobody else may take these.
RESERVED = ("simulated", "care_pd")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dataset_builder",
        description="Gait motion with measures, descriptions, rationales and scores, from any cohort.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)

    build = commands.add_parser("build", help="build a source, or go on where a build stopped", allow_abbrev=False)
    build.add_argument(
        "--source", required=True, choices=("simulated", "care_pd", "folder", "hub"), help="where the walks come from"
    )
    build.add_argument("--output", required=True, type=Path, help="the dataset's folder")
    build.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the people (simulated) and of the wording")
    build.add_argument("--clips-per-shard", type=int, default=None, help="clips of one Parquet file")
    build.add_argument("--executor", choices=("local", "slurm", "ray"), default="local", help="what makes the shards")
    build.add_argument("--workers", type=int, default=1, help="shards made at a time")
    build.add_argument("--slurm-partition", default="", help="where Slurm runs them")
    build.add_argument("--slurm-time", default="02:00:00", help="time limit of a shard")
    build.add_argument("--memory-gb", type=int, default=2, help="of a shard, under Slurm and Ray")
    build.add_argument("--codes", metavar="MODEL", help="encode the motion as well, see the command codes")
    build.add_argument("--verbose", action="store_true", help="show datatrove's log")
    build.add_argument("--people", type=int, default=4000, help="simulated: virtual people")
    build.add_argument("--walks", type=int, default=3, help="simulated: walks of each person")
    build.add_argument("--path", type=Path, help="care_pd: folder of the pickles; folder: folder with metadata.csv")
    build.add_argument("--fold-set", default="fixed", help="care_pd: which folds file, such as fixed or 6fold")
    build.add_argument("--fold", type=int, default=1, help="care_pd: which fold of that file, from 1")
    build.add_argument("--name", help="folder, hub: name of the configuration")
    build.add_argument("--licence", help="folder, hub: licence that lets you pass the data on; without it nothing is")
    build.add_argument("--dataset", help="hub: dataset on the Hub or folder")
    build.add_argument("--config", help="hub: its configuration")
    build.add_argument("--columns", default="", help="hub: ours=theirs,... for joints_m, frame_rate_hz, ...")

    from .rewrite.options import add_rewrite_options

    add_rewrite_options(build)

    for name, text in (("validate", "check a built dataset again, from its files"), ("card", "write README.md anew")):
        command = commands.add_parser(name, help=text, allow_abbrev=False)
        command.add_argument("output", type=Path, metavar="DIR", help="the dataset's folder")

    bins = commands.add_parser("bins", help="fit the limits of words on the training subjects", allow_abbrev=False)
    bins.add_argument("output", type=Path, metavar="DIR", help="the dataset's folder")
    bins.add_argument("--source", required=True, help="configuration to fit on")
    bins.add_argument("--version", required=True, help="of the bins, such as 3")

    codes = commands.add_parser("codes", help="motion codes of a source, as a configuration", allow_abbrev=False)
    codes.add_argument("output", type=Path, metavar="DIR", help="the dataset's folder")
    codes.add_argument("--source", required=True, help="configuration that has the motion")
    codes.add_argument("--codes", required=True, metavar="MODEL", help="motion tokenizer or whole AGIR repository")

    push = commands.add_parser("push", help="upload what may be shared", allow_abbrev=False)
    push.add_argument("output", type=Path, metavar="DIR", help="the dataset's folder")
    push.add_argument("--repo", required=True, help="owner/name of a dataset on the Hub")
    push.add_argument("--public", action="store_true", help="visible to everyone; private otherwise")
    push.add_argument("--i-have-permission", action="store_true", help="needed with --public")
    push.add_argument("--dry-run", action="store_true", help="say what would be uploaded, upload nothing")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 when it did what was asked, 1 where a build was refused or a check failed, 2 for a wrong request, 3 where
        shards are still being made.
    """
    arguments = _parser().parse_args(argv)
    try:
        for module in ("datasets", "pyarrow", "datatrove"):
            require(module, "dataset")
        commands = {
            "build": _build,
            "validate": _validate,
            "card": _card,
            "bins": _bins,
            "codes": _codes,
            "push": _push,
        }
        return commands[arguments.command](arguments)
    except AgirError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _source(arguments: argparse.Namespace) -> Source:
    from .sources import CarePdSource, FolderSource, HubSource, SimulatedSource

    if arguments.source == "simulated":
        return SimulatedSource(arguments.people, arguments.walks, arguments.seed)
    if arguments.source == "hub":
        if arguments.dataset is None:
            raise AgirError("expected the name of a dataset, found none: --dataset OWNER/NAME")
        pairs = [pair.partition("=") for pair in arguments.columns.split(",") if pair]
        if wrong := [ours for ours, equals, theirs in pairs if not (ours and equals and theirs)]:
            raise AgirError(f"expected --columns ours=theirs,ours=theirs, found {wrong[0]!r}")
        columns = tuple((ours.strip(), theirs.strip()) for ours, _, theirs in pairs)
        return HubSource(arguments.dataset, arguments.config, columns, _name(arguments), arguments.licence)
    if arguments.path is None:
        raise AgirError("expected the folder of the data, found none: --path FOLDER")
    if arguments.source == "care_pd":
        return CarePdSource(arguments.path, arguments.fold_set, arguments.fold)
    return FolderSource(arguments.path, _name(arguments), arguments.licence)


def _name(arguments: argparse.Namespace) -> str:
    """Name of the configuration: also that of a folder, so letters, digits and underscores only."""
    name = arguments.name or arguments.source
    if not re.fullmatch(r"[A-Za-z0-9_]{1,60}", name) or name in RESERVED or name.endswith("_motion_codes"):
        raise AgirError(
            f"expected a name of letters, digits and underscores, not one of {', '.join(RESERVED)}, found {name!r}"
        )
    return name


def _build(arguments: argparse.Namespace) -> int:
    from .executors import ExecutorSettings, quiet_logs

    quiet_logs(arguments.verbose)
    from .build import build
    from .recipe import CLIPS_PER_SHARD, BuildRecipe
    from .rewriting import RewriteSettings

    size = CLIPS_PER_SHARD if arguments.clips_per_shard is None else arguments.clips_per_shard
    source = _source(arguments)
    recipe = BuildRecipe(source, arguments.seed, size, RewriteSettings.from_arguments(arguments, source))
    settings = ExecutorSettings(
        kind=arguments.executor,
        workers=arguments.workers,
        slurm_partition=arguments.slurm_partition,
        slurm_time=arguments.slurm_time,
        memory_gb=arguments.memory_gb,
        verbose=arguments.verbose,
    )
    result = build(recipe, arguments.output, settings)
    if result.status == "incomplete":
        print(f"{result.missing_shards} shards are still to be made: run the same command again when they are.")
        return 3
    from .report import summary

    if result.report is not None:
        print(summary(result.status, recipe.source.name, result.report))
    if arguments.codes is not None and result.status != "refused":
        from .codes import build_codes

        print(build_codes(arguments.output, recipe.source.name, arguments.codes))
    return 1 if result.status == "refused" else 0


def _validate(arguments: argparse.Namespace) -> int:
    from .revalidate import revalidate

    found = revalidate(arguments.output)
    for failure in found.failures:
        print(f"{failure.kind}: {failure.clip_id or failure.where}: {failure.where}: {failure.detail}", file=sys.stderr)
    print(f"{found.examples} examples in {found.files} files checked, {len(found.failures)} failures")
    return 1 if any(failure.consequence != "noted" for failure in found.failures) else 0


def _card(arguments: argparse.Namespace) -> int:
    from .card import write_card

    print(write_card(arguments.output))
    return 0


def _bins(arguments: argparse.Namespace) -> int:
    from .bins import fit_bins

    print(fit_bins(arguments.output, arguments.source, arguments.version), end="")
    return 0


def _codes(arguments: argparse.Namespace) -> int:
    from .codes import build_codes

    print(build_codes(arguments.output, arguments.source, arguments.codes))
    return 0


def _push(arguments: argparse.Namespace) -> int:
    from .publish import push

    for line in push(
        arguments.output,
        arguments.repo,
        public=arguments.public,
        i_have_permission=arguments.i_have_permission,
        dry_run=arguments.dry_run,
    ):
        print(line)
    return 0
