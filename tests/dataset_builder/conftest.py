"""One small build that the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_builder.build import build
from dataset_builder.executors import ExecutorSettings
from dataset_builder.recipe import BuildRecipe
from dataset_builder.sources import SimulatedSource

RECIPE = BuildRecipe(SimulatedSource(people=10, walks=2, seed=5), seed=5, clips_per_shard=6)


@pytest.fixture(scope="session")
def recipe() -> BuildRecipe:
    return RECIPE


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished dataset folder; do not change it."""
    output = tmp_path_factory.mktemp("dataset") / "built"
    assert build(RECIPE, output, ExecutorSettings()).status == "built"
    return output


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the cache of the user, or asks the Hub."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "datasets_cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_OFFLINE", True, raising=False)
