"""``agir``: measure and assess motion files, and train, from the command line.

Results go to standard output, everything else to standard error. Exit code 0: all went well; 1: some of several files
could not be read; 2: nothing could be done (a bad file, a bad option).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .clip import MotionClip
from .errors import AgirError
from .hub.push_command import add_options as add_push_options
from .training.command import PARTS, add_options, changes_among

Result = dict[str, Any]


def motion_files(arguments: Sequence[str]) -> list[Path]:
    """The files named, with folders replaced by the motion files in them (sorted, sub-folders included)."""
    from .motion import MOTION_EXTENSIONS

    files: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in MOTION_EXTENSIONS and p.is_file())
        if not inside:
            raise AgirError(
                f"{path}: expected motion files ({', '.join(MOTION_EXTENSIONS)}) in this folder, found none"
            )
        files += inside
    return files


class Clips:
    """Reads files one by one, reports the bad ones on standard error and counts them."""

    def __init__(self, files: Sequence[Path], frame_rate_hz: float | None) -> None:
        self.files = files
        self.frame_rate_hz = frame_rate_hz
        self.failed = 0

    def __iter__(self) -> Iterator[MotionClip]:
        from .motion import read_motion

        for path in self.files:
            try:
                clip = read_motion(path, frame_rate_hz=self.frame_rate_hz)
                _check_length(clip)
            except AgirError as error:
                self.failed += 1
                _complain(str(error) if str(path) in str(error) else f"{path}: {error}")
            else:
                yield clip

    @property
    def exit_code(self) -> int:
        """0: all files were read; 1: some; 2: none."""
        if not self.failed:
            return 0
        return 2 if self.failed == len(self.files) else 1


def _check_length(clip: MotionClip) -> None:
    """Raise where a clip is too short to hold a step at the highest plausible cadence."""
    from .gait import plausibility_limits

    step_s = 60.0 / plausibility_limits()["cadence_spm"].upper
    if clip.duration_s < step_s:
        raise AgirError(f"expected at least {step_s:.2f} s, as long as a quick step, found {clip.duration_s:.2f} s")


def _complain(message: str) -> None:
    """One line on standard error, whatever the message and the names of files in it hold."""
    line = "".join(c if c.isprintable() else " " for c in message)
    print(f"agir: {' '.join(line.split())}", file=sys.stderr)


def _show(results: Iterator[Result], total: int, as_json: bool, note: Callable[[Result], str]) -> None:
    # The bar appears only where the work lasts longer than two seconds.
    from tqdm import tqdm

    with tqdm(total=total, unit="file", delay=2, file=sys.stderr, disable=None) as bar:
        for result in results:
            bar.clear()
            text = json.dumps(result, allow_nan=False) if as_json else note(result)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
            bar.update()


def measure(options: argparse.Namespace) -> int:
    """``agir measure``: the gait parameters of each file."""
    from .gait import measure_gait
    from .report.note import measures_note

    clips = Clips(motion_files(options.files), options.frame_rate_hz)
    results = ({"source": clip.source, **measure_gait(clip).to_dict()} for clip in clips)
    _show(results, len(clips.files), options.format == "json", measures_note)
    return clips.exit_code


def assess(options: argparse.Namespace) -> int:
    """``agir assess``: score, probabilities, rationale and parameters of each file."""
    if options.report:
        from .report.write import check_report

        check_report(options.report)  # before anything is read or computed
    files = motion_files(options.files)
    clips = Clips(files, options.frame_rate_hz)
    # Read before the model is loaded: a mistyped name is answered at once.
    first = iter(clips)
    opening = next(first, None)
    if opening is None:
        return clips.exit_code

    def remaining() -> Iterator[MotionClip]:
        yield opening
        yield from first

    from transformers.utils import logging

    from .loading import load_pipeline
    from .report.note import assessment_note
    from .report.page_data import with_reasons

    # What a library says of its own parts (bars of a second, kernels it has not) is no news about the walk.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    assessor = load_pipeline(options.model, revision=options.revision)
    read: deque[MotionClip] = deque()
    results = assessor(
        _remembered(remaining(), read),
        batch_size=min(options.batch_size, len(files)),
        num_rationales=options.num_rationales,
        evidence=not options.no_evidence,
    )
    as_json = options.format == "json"
    reported: list[tuple[MotionClip, Result]] = []

    def told() -> Iterator[Result]:
        for result in results:
            clip = read.popleft()
            if options.report:
                reported.append((clip, result))
            yield result if as_json else with_reasons(clip, result)

    _show(told(), len(files), as_json, assessment_note)
    if options.report:
        from .report.write import write_report

        write_report(assessor, [clip for clip, _ in reported], [result for _, result in reported], options.report)
        print(f"agir: the report is {options.report}", file=sys.stderr)
    return clips.exit_code


def _remembered(clips: Iterator[MotionClip], read: deque[MotionClip]) -> Iterator[MotionClip]:
    """The clips as they come, kept beside until their results are there."""
    for clip in clips:
        read.append(clip)
        yield clip


def convert(options: argparse.Namespace) -> int:
    """``agir convert``: one motion file as .npz, .bvh or .npy (HumanML3D features)."""
    from .motion import read_motion
    from .motion.writing import conversion_notes, write_motion

    clip = read_motion(options.input, frame_rate_hz=options.frame_rate_hz)
    write_motion(clip, options.output, overwrite=options.overwrite)
    for note in (*clip.warnings, *conversion_notes(clip, options.output)):
        print(f"agir: {note}", file=sys.stderr)
    return 0


def compare(options: argparse.Namespace) -> int:
    """``agir compare``: the gait parameters of two visits of one person side by side."""
    from .gait.comparison import compare_gait
    from .motion import read_motion
    from .report.comparison_note import comparison_note

    first, second = (read_motion(path, frame_rate_hz=options.frame_rate_hz) for path in (options.first, options.second))
    result = compare_gait(first, second).to_dict()
    as_json = options.format == "json"
    sys.stdout.write(json.dumps(result, allow_nan=False) + "\n" if as_json else comparison_note(result))
    return 0


def export(options: argparse.Namespace) -> int:
    """``agir export``: the language model alone, for stock transformers and what serves its architecture."""
    from transformers.utils import logging

    from .hub.export import export_language_model

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    folder = export_language_model(
        options.checkpoint, options.output, base=options.base or None, overwrite=options.overwrite
    )
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    print(f"agir: {folder} is whole ({size:.1f} MiB)", file=sys.stderr)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """``agir evaluate``: figures of a model and its baselines, or what changed between two reports."""
    from .evaluation import run as evaluation
    from .evaluation.differences import differences, differences_note
    from .evaluation.report_files import markdown, write_report

    if options.compare:
        before, after = map(evaluation.read_report, options.compare)
        print(differences_note(differences(before, after)))
        return 0
    if not options.data:
        raise AgirError("expected --data DATASET_OR_FOLDER, found none")
    if options.card and options.quick:
        raise AgirError("expected --card without --quick: a card takes the figures of a whole run")
    if options.output and options.output.exists() and not options.output.is_dir():
        raise AgirError(f"expected a folder for the report at {options.output}, found a file")
    also: dict[str, str] = {}
    for one in options.also:
        name, _, where = one.partition("=") if "=" in one else (one, "", one)
        if not name or not where or name in also or name == "AGIR":
            raise AgirError(f"expected --also NAME=MODEL with a name of its own other than AGIR, found '{one}'")
        also[name] = where
    plan = evaluation.Evaluation(
        model=options.model,
        revision=options.revision,
        data=options.data,
        config=options.config,
        protocol=options.protocol,
        walks=options.walks,
        recordings=tuple(options.recordings),
        also=also,
        quick=options.quick,
    )
    card = _card_writer(options.model) if options.card else None
    report = evaluation.evaluate(plan)
    if options.output:
        for path in write_report(report, options.output):
            print(path)
    else:
        print(markdown(report))
    if card is not None:
        print(card(report))
    return 0


def _card_writer(model: str) -> Callable[[dict[str, Any]], Path]:
    """What fills the card of a model folder with a report.

    Raises:
        AgirError: the folder is not there or has no record of a training.
    """
    from .hub.card import write_assessor_card
    from .repositories import checkpoint_folder

    folder = checkpoint_folder(model) or Path(model)
    try:
        record = json.loads((folder / "run_record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AgirError(f"expected the record of a training, run_record.json, in {folder}, found: {error}") from error
    return lambda report: write_assessor_card(folder, record, report)


def push(options: argparse.Namespace) -> int:
    """``agir push model | tokenizer | dataset``: to the Hub, private unless asked otherwise."""
    from .hub.push_command import push as run

    return run(options)


def demo(options: argparse.Namespace) -> int:
    """``agir demo``: the Gradio app, for this machine only unless another host is given."""
    from .demo import serve

    serve(options.model, revision=options.revision, host=options.host, port=options.port)
    return 0


def train(options: argparse.Namespace) -> int:
    """``agir train tokenizer | sft | tiny``: a part of a recipe, or all of it."""
    from .training.command import train as run

    return run(options.what, options)


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected 0 or more, found {number}")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {number}")
    return number


def _add_revision(command: argparse.ArgumentParser) -> None:
    command.add_argument("--revision", help="branch, tag or commit of the model on the Hub")


class _Parser(argparse.ArgumentParser):
    """Wrong options are answered in one line too."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"agir: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="agir", description="Gait assessment from 3D motion. Research software.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    reading = _Parser(add_help=False)
    reading.add_argument("files", nargs="+", metavar="FILE", help="motion files or folders of them")
    reading.add_argument("--format", choices=("text", "json"), default="text", help="json: one line a file")
    reading.add_argument("--frame-rate-hz", type=float, help="for arrays that do not carry their rate")

    command = commands.add_parser("measure", parents=[reading], help="gait parameters and events")
    command.set_defaults(run=measure)

    command = commands.add_parser(
        "assess", parents=[reading], help="gait score with probabilities and a checked rationale"
    )
    command.add_argument("--model", default="agir-tiny", help="a packaged checkpoint, a folder or a Hub repository")
    _add_revision(command)
    command.add_argument("--batch-size", type=_positive, default=8, help="walks that the model takes together")
    command.add_argument(
        "--num-rationales", type=_positive, default=1, help="average the probabilities over sampled rationales"
    )
    command.add_argument("--report", type=Path, metavar="FILE", help="also write a report: .html, .pdf or .png")
    command.add_argument("--no-evidence", action="store_true", help="judge from the motion tokens alone")
    command.set_defaults(run=assess)

    command = commands.add_parser("convert", help="write a motion file as .npz, .bvh or .npy (HumanML3D features)")
    command.add_argument("input", metavar="IN", help="motion file")
    command.add_argument("output", metavar="OUT", help="file to write; its extension says how")
    command.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    command.add_argument("--frame-rate-hz", type=float, help="for arrays that do not carry their rate")
    command.set_defaults(run=convert)

    command = commands.add_parser("compare", help="two visits of one person side by side")
    command.add_argument("first", metavar="A", help="motion file of the first visit")
    command.add_argument("second", metavar="B", help="motion file of the second visit")
    command.add_argument("--format", choices=("text", "json"), default="text", help="json: one line")
    command.add_argument("--frame-rate-hz", type=float, help="for arrays that do not carry their rate")
    command.set_defaults(run=compare)

    command = commands.add_parser("export", help="write the language model alone, for transformers serve and others")
    command.add_argument("checkpoint", metavar="CHECKPOINT", help="an AGIR model or an adapter: folder, name or Hub")
    command.add_argument("output", metavar="OUTPUT", help="folder to write")
    command.add_argument("--base", default="", help="model of the adapter, if not the one that its config names")
    command.add_argument("--overwrite", action="store_true", help="replace OUTPUT where it holds a model")
    command.set_defaults(run=export)

    command = commands.add_parser("push", help="upload a model, a tokenizer or a dataset to the Hub, private first")
    add_push_options(command)
    command.set_defaults(run=push)

    command = commands.add_parser("demo", help="a page to upload walks to, on this machine")
    command.add_argument("--model", default="agir-tiny", help="a packaged checkpoint, a folder or a Hub repository")
    _add_revision(command)
    command.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets others on the network in")
    command.add_argument("--port", type=_positive, default=7860, help="where it listens")
    command.set_defaults(run=demo)

    command = commands.add_parser("evaluate", help="a model and its baselines on people it never saw")
    command.add_argument("--model", default="agir-tiny", help="a packaged checkpoint, a folder or a Hub repository")
    _add_revision(command)
    command.add_argument("--data", help="a rationale dataset, or a folder of motion files with metadata.csv")
    command.add_argument("--config", default="simulated", help="configuration of the dataset")
    command.add_argument("--protocol", default="split", help="who is learned from and who is tested on")
    command.add_argument("--walks", type=_natural, default=400, help="test walks at most; 0: all")
    command.add_argument(
        "--recordings", nargs="+", default=[], metavar="FOLDER", help="real walks: are they answered, do diagnoses show"
    )
    command.add_argument("--also", action="append", default=[], metavar="NAME=MODEL", help="another model beside it")
    command.add_argument("--quick", action="store_true", help="few walks, no slow baselines: to see that it runs")
    command.add_argument("--output", type=Path, help="folder for report.json, report.md and figures")
    command.add_argument("--card", action="store_true", help="fill the card in the model's folder with the figures")
    command.add_argument("--compare", nargs=2, metavar=("BEFORE", "AFTER"), help="what changed between two reports")
    command.set_defaults(run=evaluate)

    command = commands.add_parser("train", help="train from a recipe")
    command.add_argument(
        "what",
        choices=PARTS,
        help="the motion tokenizer, the language model, or both from nothing with figures on test people",
    )
    add_options(command)
    command.set_defaults(run=train)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    # Results may hold any character of a file's name, and a Windows console does not always speak UTF-8.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    changes = changes_among(rest)
    if rest and (options.command != "train" or changes != rest):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if changes:
        options.changes = [*options.changes, *changes]
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except AgirError as error:
        _complain(str(error))
        return 2
    except BrokenPipeError:
        # Whoever read has enough; nothing may be written when Python closes the stream once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        print("agir: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
