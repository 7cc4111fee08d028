"""``GaitRationaleBuilder``: a build as a ``datasets`` builder, for use in code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq

from agir_hf.errors import AgirError

from .build import build
from .examples import example_features
from .executors import ExecutorSettings
from .manifest import read_manifest
from .recipe import BuildRecipe


class GaitRationaleBuilder(datasets.GeneratorBasedBuilder):
    """Builds a source where its recipe was not built before, and gives it as a dataset.

    ```python
    from dataset_builder import GaitRationaleBuilder
    from dataset_builder.recipe import BuildRecipe
    from dataset_builder.sources import SimulatedSource

    builder = GaitRationaleBuilder(BuildRecipe(SimulatedSource(people=10, walks=2, seed=1), seed=1))
    builder.download_and_prepare()
    data = builder.as_dataset(split="train")
    ```

    The cache goes by the recipe's hash, which covers options, the source's content and the code that makes examples:
    ``datasets`` itself would not see any of these change.

    Args:
        recipe: what to build.
        cache_dir: where prepared datasets lie; that of ``datasets`` when None.
        workers: shards made at a time.
    """

    def __init__(self, recipe: BuildRecipe, *, cache_dir: str | None = None, workers: int = 1) -> None:
        self.recipe = recipe
        self.workers = workers
        super().__init__(
            cache_dir=cache_dir, dataset_name="gait_rationale", config_name=recipe.source.name, hash=recipe.sha256()
        )

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description="Gait motion with measures, descriptions, rationales and scores.",
            features=example_features(),
            license=self.recipe.source.licence.name,
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        output = Path(self._cache_dir_root) / "gait_rationale_builds" / self.recipe.sha256()
        result = build(self.recipe, output, ExecutorSettings(workers=self.workers))
        manifest = read_manifest(output, self.recipe.source.name)
        if result.status not in ("built", "already built") or manifest is None:
            raise AgirError(f"expected a dataset that may be built, found failures: see {result.report}")
        files: dict[str, list[str]] = {split: [] for split in manifest.examples()}
        for name, entry in manifest.files.items():
            if entry["split"] in files:
                files[entry["split"]].append(str(output / name))
        return [
            datasets.SplitGenerator(name=split, gen_kwargs={"files": names})
            for split, names in files.items()  # type: ignore[arg-type]
        ]

    def _generate_examples(self, files: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        seen: set[str] = set()
        for name in files:
            for batch in pq.ParquetFile(name).iter_batches(batch_size=50):
                motions = batch.column("joints_m").to_numpy(zero_copy_only=False)
                for row, joints in zip(batch.drop_columns(["joints_m"]).to_pylist(), motions, strict=True):
                    if row["clip_id"] in seen:  # datasets does not look
                        raise AgirError(f"expected clip ids of their own, found {row['clip_id']} twice")
                    seen.add(row["clip_id"])
                    yield row["clip_id"], {**row, "joints_m": joints}
