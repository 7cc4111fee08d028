"""Checkpoints that are there whole or not at all, and what several trainers ask of the machine."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from ..errors import AgirError

STATE = "state.json"
KEPT = 2


class CheckpointFolder:
    """Checkpoints ``step-N`` of an accelerate training; the last two are kept.

    One is written under another name and renamed, so whatever is called ``step-N`` is whole.
    """

    def __init__(self, folder: Path, accelerator: Accelerator) -> None:
        self.folder, self.accelerator = folder, accelerator

    def _whole(self) -> list[Path]:
        found = [path for path in self.folder.glob("step-*") if (path / STATE).is_file()]
        return sorted(found, key=lambda path: int(path.name.removeprefix("step-")))

    def kept(self) -> str:
        """See `kept_text`."""
        return kept_text(next(iter(self._whole()[-1:]), None))

    def save(self, state: dict[str, Any]) -> None:
        """Write the state of everything that was prepared or registered, with ``state`` beside it."""
        temporary = self.folder / "unfinished"
        with self.guarded():
            if self.accelerator.is_main_process:
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir(parents=True)
            self.accelerator.wait_for_everyone()
            self.accelerator.save_state(str(temporary))
            self.accelerator.wait_for_everyone()
            if self.accelerator.is_main_process:
                (temporary / STATE).write_text(json.dumps(state), encoding="utf-8")
                final = self.folder / f"step-{state['step']}"
                shutil.rmtree(final, ignore_errors=True)
                temporary.rename(final)
                for old in self._whole()[:-KEPT]:
                    shutil.rmtree(old)

    def resume(self) -> dict[str, Any] | None:
        """Load the last whole checkpoint; None where there is none."""
        whole = self._whole()
        if not whole:
            return None
        self.accelerator.load_state(str(whole[-1]))
        state: dict[str, Any] = json.loads((whole[-1] / STATE).read_text(encoding="utf-8"))
        return state

    def guarded(self) -> AbstractContextManager[None]:
        """A full disk as one clear line."""
        return saving_to(self.folder, self.kept)


@contextmanager
def saving_to(folder: Path, kept: Callable[[], str]) -> Iterator[None]:
    """A full disk as one clear line, with what is left to go on from."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch and safetensors say RuntimeError or their own of it
        if not is_full_disk(error):
            raise
        raise AgirError(f"expected room for a checkpoint in {folder}, found none; {kept()}") from error


def kept_text(checkpoint: Path | None) -> str:
    """What is left to go on from, for a message."""
    return "there is no checkpoint yet" if checkpoint is None else f"the checkpoint {checkpoint} is whole"


def is_full_disk(error: BaseException) -> bool:
    """Whether an error means that the disk is full."""
    text = str(error).lower()
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "no space left" in text or "os error 28" in text


def cpu_only() -> bool:
    return not torch.cuda.is_available()


def mixed_precision() -> str:
    """What the configuration of ``accelerate launch`` says; else bf16 where the machine is fast at it."""
    if asked := os.environ.get("ACCELERATE_MIXED_PRECISION"):
        return asked
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    return "bf16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "no"


def summary_writer_available() -> bool:
    """Whether TensorBoard is installed."""
    return find_spec("tensorboard") is not None


def summary_writer(folder: Path) -> Any | None:
    """TensorBoard's writer; None where it is not installed."""
    if not summary_writer_available():
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))
