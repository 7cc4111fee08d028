"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores: torch reads this when it is first imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from tiny_repository import assessor_copy, tiny_assessor  # noqa: F401 (fixtures)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings; tests that need it skip where it is absent."""
    given = os.environ.get("AGIR_SHARED_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}: set AGIR_SHARED_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def gait_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 simulated people with 2 walks each, as ``python -m dataset_builder build`` writes them."""
    pytest.importorskip("datatrove", reason="needs the dataset extra")
    from dataset_builder.build import build
    from dataset_builder.executors import ExecutorSettings
    from dataset_builder.recipe import BuildRecipe
    from dataset_builder.sources import SimulatedSource

    output = tmp_path_factory.mktemp("training") / "gait_dataset"
    recipe = BuildRecipe(SimulatedSource(people=24, walks=2, seed=11), seed=11)
    assert build(recipe, output, ExecutorSettings()).status == "built"
    return output
