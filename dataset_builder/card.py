"""The dataset card: YAML that ``load_dataset`` reads, and what a reader should know, from manifests and reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agir_hf.rationale.bins import BINS_VERSION
from model_cards import fill_card

from .checks import Failure
from .examples import example_features
from .manifest import Manifest, read_manifests
from .report import measures_table, splits_table, variety_table
from .shards import write_text

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_WHAT = {
    "simulated": "virtual people who walk, with simulated scores",
    "care_pd": "walks of the CARE-PD cohorts",
}


def write_card(output: Path) -> Path:
    """Write ``README.md`` of a dataset folder.

    Raises:
        AgirError: nothing was built there.
    """
    path = output / "README.md"
    write_text(card_text(output, read_manifests(output)), path)
    return path


def card_text(output: Path, manifests: Sequence[Manifest], *, recipes_only: Sequence[Manifest] = ()) -> str:
    """The card.

    Args:
        output: the dataset folder, for its reports.
        manifests: configurations that are there with their data.
        recipes_only: configurations of which only recipe, ids and hashes are there: named, with no figure.
    """
    configs = [_config(output, manifest) for manifest in manifests]
    configs += [
        {
            "name": manifest.name,
            "what": f"recipe, ids and hashes only, in `recipes/{manifest.name}.json`: rebuild it from your own copy",
            "licence": manifest.licence_name,
            "note": manifest.licence_note,
            "report": False,
        }
        for manifest in recipes_only
    ]
    names = {manifest.codes_of or manifest.name for manifest in (*manifests, *recipes_only)}
    body = fill_card(
        "rationale_dataset",
        configs=configs,
        bins_version=BINS_VERSION,
        codes=[manifest.name for manifest in manifests if manifest.codes_of],
        simulated="simulated" in names,
        care_pd="care_pd" in names,
    )
    return f"---\n{_yaml(manifests)}---\n\n{body}"


def _config(output: Path, manifest: Manifest) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": manifest.name,
        "what": _WHAT.get(manifest.name, "recorded walks"),
        "licence": manifest.licence_name,
        "note": manifest.licence_note,
        "report": False,
    }
    if manifest.codes_of:
        tokenizer = str(manifest.recipe["tokenizer_sha256"])
        return shown | {"what": f"motion codes of `{manifest.codes_of}`, tokenizer weights {tokenizer[:16]}"}
    report = json.loads((output / "reports" / f"{manifest.name}.json").read_text(encoding="utf-8"))
    left_out = [failure for failure in report["failures"] if Failure(**failure).consequence == "left out"]
    kinds = sorted({failure["kind"] for failure in left_out})
    counts = [f"{sum(f['kind'] == kind for f in left_out)} {kind.replace('_', ' ')}" for kind in kinds]
    return shown | {
        "report": True,
        "examples": report["examples"],
        "clips": report["clips_in_source"],
        "left_out": ", ".join(counts),
        "redrawn": report["redrawn_rationales"],
        "splits_table": "\n".join(splits_table(report)),
        "variety_table": "\n".join(variety_table(report)),
        "measures_table": "\n".join(measures_table(report)),
    }


def _yaml(manifests: Sequence[Manifest]) -> str:
    from datasets.info import DatasetInfo, DatasetInfosDict
    from datasets.splits import SplitDict, SplitInfo
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    total = sum(sum(manifest.examples().values()) for manifest in manifests)
    licences = {manifest.licence_name for manifest in manifests}
    data = DatasetCardData(
        pretty_name="Gait motion with rationales",
        language=["en"],
        license=licences.pop() if len(licences) == 1 else "other",
        tags=["gait", "motion", "3d", "biomechanics", "rationale"],
        size_categories=[next((name for limit, name in _SIZES if total < limit), "n>1M")],
    )
    infos, configs = DatasetInfosDict(), MetadataConfigs()
    for manifest in manifests:
        splits = manifest.examples()
        infos[manifest.name] = DatasetInfo(
            features=_features(manifest),
            splits=SplitDict(
                {
                    split: SplitInfo(name=split, num_bytes=manifest.bytes(split), num_examples=count)
                    for split, count in splits.items()
                }
            ),
            dataset_size=sum(manifest.bytes(split) for split in splits),
            download_size=sum(manifest.bytes(split) for split in splits),
        )
        configs[manifest.name] = {
            "data_files": [{"split": split, "path": f"data/{manifest.name}/{split}-*.parquet"} for split in splits]
        }
    if manifests:
        configs[manifests[0].name] = {**configs[manifests[0].name], "default": True}
        configs.to_dataset_card_data(data)
        infos.to_dataset_card_data(data)
    return data.to_yaml() + "\n"


def _features(manifest: Manifest) -> Any:
    if manifest.codes_of:
        from .codes import code_features

        return code_features()
    return example_features()
