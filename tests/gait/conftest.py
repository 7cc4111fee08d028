"""The shared recordings, where they are present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("AGIR_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no shared recordings at {folder}: set AGIR_SHARED_DATA")
    return folder
