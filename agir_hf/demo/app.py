"""The app's page and what its buttons do. Nothing of a visitor stays on disk: an upload is read once and removed."""

from __future__ import annotations

import base64
import html
import json
import os
import threading
from collections.abc import Iterator
from typing import Any

from ..clip import MotionClip
from ..errors import AgirError, require
from ..gait.comparison import compare_gait
from ..package_data import read_data
from ..report.comparison_note import comparison_note
from ..report.html import page_text, walk_data
from ..report.note import checked_text
from ..report.page_data import page_data
from .examples import EXAMPLES, example_walk

MAX_UPLOAD_MB = 20
MAX_DURATION_S = 120.0
# One model on a laptop: one walk is assessed at a time, the others see their place in the queue.
AT_ONCE, WAITING = 1, 60
# What a closed window leaves of an upload is looked for and removed; not before the last of a full queue had a turn.
CLEAN_EVERY_S, CLEAN_AFTER_S = 60, 1800
FILE_TYPES = [".bvh", ".c3d", ".trc", ".npy", ".npz", ".csv", ".json"]
ABOUT = (
    "An estimate by **{model}**, trained on {people}, not the MDS-UPDRS, not a diagnosis, not a medical device. Upload "
    "only recordings that you may share; they are removed once they are read."
)


def serve(model: str = "agir-tiny", *, revision: str | None = None, host: str = "127.0.0.1", port: int = 7860) -> None:
    """Run the app until it is stopped.

    Args:
        model: a packaged checkpoint, a folder or a Hub repository; with its ``revision``.
        host: who may come: this machine only, unless another address is given.
        port: where it listens.

    Raises:
        AgirError: no such model, or the port is taken.
    """
    from ..loading import load_pipeline

    app = build_app(load_pipeline(model, revision=revision))
    try:
        app.launch(server_name=host, server_port=port, share=False, show_error=True, **launch_options())
    except OSError as error:
        raise AgirError(
            f"expected port {port} of {host} to be free, found: {error}; choose another with --port"
        ) from error


def launch_options() -> dict[str, Any]:
    """What ``launch`` needs wherever the app runs: the limit of uploads, and colours and names that all can read."""
    gr = require("gradio", "demo")
    return {
        "max_file_size": f"{MAX_UPLOAD_MB}mb",
        "theme": gr.themes.Default(primary_hue=gr.themes.colors.indigo),
        "css": read_data("demo/page/page.css"),
        "js": read_data("demo/page/page.js").replace("MAX_UPLOAD_MB", str(MAX_UPLOAD_MB)),
    }


def build_app(assessor: Any) -> Any:
    """The app around a ``gait-assessment`` pipeline, a ``gradio.Blocks``."""
    gr = require("gradio", "demo")
    people = assessor.model.config.trained_on
    people = "simulated people only" if people == "simulated" else str(people)
    lock = threading.Lock()

    def assess(file: str | None, example: str | None) -> Iterator[tuple[Any, Any]]:
        if file is not None and not os.path.exists(file):
            raise _note(gr, _gone(file))  # and what was seen of it stays
        yield "*Reading the file ...*", ""  # and what was there before is gone, whatever comes
        try:
            clip = _clip(file, example)
        except _Refused as refused:
            yield f"**{_plain(str(refused))}**", ""  # stays, where the note in the corner goes
            raise _note(gr, refused) from None
        # To be watched while the model writes.
        yield "*Measuring the walk ...*", _frame(page_text([page_data(clip)]))
        with lock:
            for text, page in _assess(assessor, clip):
                yield text, gr.skip() if page is None else page

    def compare(first: str | None, second: str | None) -> tuple[str, str]:
        try:
            if first is None or second is None:
                raise _Refused("Choose two motion files first.")
            for file in (first, second):  # before either is read and removed
                if not os.path.exists(file):
                    raise _gone(file)
            clips = [_clip(first, None)]
            # Gradio has one place for files of the same name and content, and it is empty once they are read.
            clips.append(clips[0] if second == first else _clip(second, None))
        except _Refused as refused:
            raise _note(gr, refused) from None
        with lock:
            results = [assessor(clip) for clip in clips]
            walks = [walk_data(assessor, clip, result) for clip, result in zip(clips, results, strict=True)]
        note = comparison_note(compare_gait(*clips).to_dict())
        return f"```text\n{note}\n```", _shown(walks, results)

    with gr.Blocks(
        title="AGIR gait assessment", analytics_enabled=False, delete_cache=(CLEAN_EVERY_S, CLEAN_AFTER_S)
    ) as app:
        gr.Markdown(f"# Gait assessment\n\n{ABOUT.format(model=assessor.model_name, people=people)}")
        with gr.Tab("One walk"):
            with gr.Row():
                file = gr.File(label=f"A motion file, up to {MAX_UPLOAD_MB} MB", file_types=FILE_TYPES, height=140)
                example = gr.Radio(list(EXAMPLES), label="or an example (simulated people)")
            # One or the other is chosen, whichever came last: the file is gone once it was read.
            example.input(None, None, file, js="() => null", api_visibility="private")
            file.upload(None, None, example, js="() => null", api_visibility="private")
            button = gr.Button("Assess", variant="primary")
            written = gr.Markdown(label="Assessment")
            page = gr.HTML(padding=False)
            button.click(assess, [file, example], [written, page], concurrency_limit=AT_ONCE, concurrency_id="model")
        with gr.Tab("Two walks"):
            gr.Markdown(
                "Before and after, or two visits of one person: what changed by more than the measurement's noise."
            )
            with gr.Row():
                first = gr.File(label="First walk", file_types=FILE_TYPES, height=140)
                second = gr.File(label="Second walk", file_types=FILE_TYPES, height=140)
            both = gr.Button("Compare", variant="primary")
            note = gr.Markdown()
            pages = gr.HTML(padding=False)
            both.click(compare, [first, second], [note, pages], concurrency_limit=AT_ONCE, concurrency_id="model")
    app.upload_file_set = app.temp_file_sets[0] = _Uploads()
    return app.queue(max_size=WAITING)


class _Uploads(set[str]):
    """Paths of uploads. Gradio's cleaner looks through them while others come, which would end it for good."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.copy()))


class _Refused(Exception):
    """What a visitor gave cannot be assessed; says why."""


def _gone(file: str) -> _Refused:
    return _Refused(f"{os.path.basename(file)} is gone, as it was read or waited for long: upload it again.")


def _note(gr: Any, refused: _Refused) -> Any:
    """The note in the corner, which reads HTML; the log is told neither a visitor's mistake nor their file's name."""
    return gr.Error(html.escape(str(refused), quote=False), print_exception=False)


def _clip(file: str | None, example: str | None) -> MotionClip:
    """The upload or the example as a clip; the upload is gone afterwards.

    Raises:
        _Refused: nothing was chosen, or the file cannot be read; it says which.
    """
    if file is None and not example:
        raise _Refused("Choose a motion file or an example first.")
    try:
        if file is None:
            return example_walk(str(example))
        try:
            from ..motion import read_motion

            clip = read_motion(file)
        finally:
            os.unlink(file)
        name = os.path.basename(file)
        if clip.duration_s > MAX_DURATION_S:
            raise AgirError(
                f"{name} lasts {clip.duration_s:.0f} s; this page takes up to {MAX_DURATION_S:.0f} s: cut it"
            )
        return clip.replace(source=name)
    except AgirError as error:
        # The folder is one of the server's, and nobody's business.
        folder = os.path.dirname(file or "")
        raise _Refused(str(error).replace(folder + os.sep, "") if folder else str(error)) from error


def _assess(assessor: Any, clip: MotionClip) -> Iterator[tuple[str, str | None]]:
    """The rationale as it is written, without a page yet; then the checked assessment and its page."""
    from transformers import TextIteratorStreamer

    gone = threading.Event()

    class Streamer(TextIteratorStreamer):  # type: ignore[misc]  # untyped there
        def put(self, value: Any) -> None:
            if gone.is_set():
                raise InterruptedError("nobody reads on")  # and the model is free for the next
            super().put(value)

    streamer = Streamer(assessor.tokenizer, skip_prompt=True, skip_special_tokens=True)
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(assessor(clip, streamer=streamer))
        except Exception as error:  # raised again below, in the visitor's request
            results.append(error)
        finally:
            streamer.on_finalized_text("", stream_end=True)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    text = ""
    try:
        for piece in streamer:
            text += piece
            yield f"*Being written, not checked yet:* {_plain(text)}", None
    finally:
        gone.set()
    thread.join()
    result = results[0]
    if isinstance(result, Exception):
        raise result
    yield _summary(result), _shown([walk_data(assessor, clip, result)], [result])


def _summary(result: dict[str, Any]) -> str:
    if result["abstained"]:
        return f"**No gait score:** {_plain(result['abstain_reason'])}"
    head = f"**Estimated gait score {result['score']}** (mean by probability {result['expected_score']:.2f})."
    return f"{head} {checked_text(result['grounding'])}"


def _shown(walks: list[dict[str, Any]], results: list[dict[str, Any]]) -> str:
    """The report in a frame of its own, and links that save it and the results from the visitor's own memory."""
    page = page_text(walks)
    lines = "".join(json.dumps(result, allow_nan=False) + "\n" for result in results)
    links = "".join(
        f'<a download="{name}" href="data:{kind};base64,{base64.b64encode(text.encode()).decode()}">{label}</a> '
        for name, kind, text, label in (
            ("gait_report.html", "text/html", page, "Save the report"),
            ("gait_assessment.jsonl", "application/json", lines, "Save the numbers (JSON)"),
        )
    )
    return f'<p style="display:flex;gap:1.5rem">{links}</p>{_frame(page)}'


def _frame(page: str) -> str:
    """The page in a frame that can reach nothing of the app's."""
    return (
        f'<iframe title="Gait report" sandbox="allow-scripts" style="width:100%;height:1100px;border:0" '
        f'srcdoc="{html.escape(page, quote=True)}"></iframe>'
    )


def _plain(text: str) -> str:
    """Text of a model or a file as Markdown that means nothing but itself."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~&$" else c for c in text)
