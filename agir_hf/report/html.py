"""One self-contained HTML file about one walk or several: no network, no other files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from .. import __version__
from ..clip import MotionClip
from ..errors import require
from .page_data import page_data


def encoded(assessor: Any, clip: MotionClip, result: Mapping[str, Any]) -> tuple[list[int], float]:
    """Motion codes of the part of a clip that the model was shown, and the second at which it begins.

    Without codes where the clip could not be encoded, which the result says.
    """
    if result["quality"]["reconstruction_mm"] is None:
        return [], 0.0
    window_s = assessor.feature_extractor.middle_window_s(clip)
    return assessor.processor.encode_motion(clip, window_s=window_s), 0.0 if window_s is None else window_s[0]


def walk_data(assessor: Any, clip: MotionClip, result: Mapping[str, Any]) -> dict[str, Any]:
    """`page_data` of a clip and its result, with the motion as the codes of the pipeline's model keep it.

    Args:
        assessor: a ``gait-assessment`` pipeline.
        clip: as it was read.
        result: what the pipeline gave for it.
    """
    from ..motion.retarget import body_scale

    codes, from_s = encoded(assessor, clip, result)
    if not codes:
        return page_data(clip, result)
    extractor = assessor.feature_extractor
    rebuilt = assessor.processor.decode_motion(codes, body_scale=body_scale(clip.joints_m))
    return page_data(
        clip,
        result,
        rebuilt=rebuilt,
        rebuilt_from_s=from_s,
        codes=codes,
        codes_per_s=extractor.frame_rate_hz / extractor.frames_per_code,
    )


def write_html(walks: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write `page_text` to a file."""
    path.write_text(page_text(walks), encoding="utf-8")


def page_text(walks: Iterable[Mapping[str, Any]]) -> str:
    """The page.

    Args:
        walks: of `walk_data`, in the order of the visits.
    """
    jinja2 = require("jinja2", "report")
    folder = resources.files("agir_hf") / "report" / "page"
    parts = {
        name: (folder / name).read_text(encoding="utf-8") for name in ("report.html.jinja", "report.css", "report.js")
    }
    data = json.dumps(list(walks), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    # In a script element only "</" and "<!--" could end the data; JSON may write both with an escape. So it may what of
    # a file's name is no UTF-8.
    data = data.replace("<", "\\u003c").encode("utf-8", "backslashreplace").decode("utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
    return environment.from_string(parts["report.html.jinja"]).render(
        style=parts["report.css"], script=parts["report.js"], data=data, version=__version__
    )
