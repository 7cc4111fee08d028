"""What made a checkpoint: recipe, versions, commit, data hash, hardware and time, written beside the weights."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

PACKAGES = ("agir-hf", "torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "numpy", "scipy")


def versions() -> dict[str, str]:
    """Installed versions of the packages a run depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit(folder: Path) -> str | None:
    """The commit of the checkout ``folder`` is in, with ``+changes`` if it was not clean; None outside a checkout."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        status = subprocess.run(
            ["git", "status", "--porcelain", "-uno"], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.strip() + ("+changes" if status.stdout.strip() else "")


class RunRecord:
    """Collects figures while a run goes on; every change is written at once, so a stopped run leaves its record.

    A run that goes on where one stopped keeps the figures of the stages that are done; each stage names its own commit.
    """

    def __init__(self, path: Path, recipe: dict[str, Any]) -> None:
        self.path = path
        previous = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self.commit = git_commit(Path(__file__).parent)
        self.content: dict[str, Any] = {
            "recipe": recipe,
            "versions": versions(),
            "hardware": {"machine": platform.machine(), "system": platform.system(), "cpu_count": os.cpu_count()},
            "started": previous.get("started", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
            "stages": previous.get("stages", {}),
        }

    def stage(self, name: str, **figures: Any) -> None:
        """Add figures of a stage."""
        self.content["stages"].setdefault(name, {}).update(figures | {"git_commit": self.commit})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.content, indent=1), encoding="utf-8")
        temporary.replace(self.path)
