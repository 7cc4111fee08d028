"""A full disk is said in one line that names what is left; other errors pass as they are."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

pytest.importorskip("accelerate", reason="needs the train extra")

from agir_hf.errors import AgirError
from agir_hf.training.checkpoints import kept_text, saving_to


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_said_with_what_is_left(error: Exception, tmp_path: Path) -> None:
    kept = tmp_path / "step-30"
    with pytest.raises(AgirError, match=r"expected room .* found none; the checkpoint .*step-30 is whole"):
        with saving_to(tmp_path, lambda: kept_text(kept)):
            raise error
    with pytest.raises(AgirError, match="there is no checkpoint yet"), saving_to(tmp_path, lambda: kept_text(None)):
        raise error


def test_other_errors_pass(tmp_path: Path) -> None:
    for error in (OSError(errno.EACCES, "denied"), RuntimeError("shapes differ")):
        with pytest.raises(type(error)), saving_to(tmp_path, lambda: kept_text(None)):
            raise error
