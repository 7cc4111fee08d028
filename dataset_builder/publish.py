"""What may leave this machine, and sending it to the Hub.

Of a source that may not be shared go its recipe, ids and hashes, which rebuild it from the user's own copy: no motion,
codes, parameters, text, scores or figures. The upload is made from a folder that holds nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from agir_hf.errors import AgirError
from agir_hf.hub.card_check import SECTIONS, check_model_card
from agir_hf.hub.publishing import push_folder
from agir_hf.hub.staging import REPOSITORY

from .card import card_text
from .manifest import Manifest, read_manifests
from .sources.base import declared_licence, file_sha256

# Whatever a manifest says: its licence forbids it.
_NEVER = frozenset({"care_pd"})
_OURS = ["README.md", "data/**", "manifests/**", "recipes/**", "reports/**"]


@dataclass(frozen=True)
class Publication:
    """What is uploaded.

    Attributes:
        copied: path in the repository -> file on this machine.
        written: path in the repository -> text made for it.
        shared: configurations that go with their data.
        withheld: configurations of which only recipe, ids and hashes go.
    """

    copied: dict[str, Path]
    written: dict[str, str]
    shared: tuple[str, ...]
    withheld: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Lay it out in a folder, which then is what gets uploaded."""
        for name, path in self.copied.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path.resolve(), target)
            except OSError:
                shutil.copyfile(path, target)
        for name, text in self.written.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def plan_publication(output: Path) -> Publication:
    """Decide what of a dataset folder may be uploaded.

    Raises:
        AgirError: nothing was built there, or a file is not the one that was built.
    """
    manifests = read_manifests(output)
    for manifest in manifests:
        _check_files(output, manifest)
    shared = [manifest for manifest in manifests if may_be_shared(output, manifest, manifests)]
    withheld = [manifest for manifest in manifests if manifest not in shared]
    copied: dict[str, Path] = {}
    for manifest in shared:
        names = [*manifest.files, f"manifests/{manifest.name}.json"]
        names += [
            name for end in ("json", "md", "svg") if (output / (name := f"reports/{manifest.name}.{end}")).is_file()
        ]
        copied |= {name: output / name for name in names}
    # Codes of a withheld source are named by the source's own entry: they have no recipe but the tokenizer's.
    written = {f"recipes/{m.name}.json": _recipe_text(output, m) for m in withheld}
    written["README.md"] = card_text(output, shared, recipes_only=withheld)
    return Publication(copied, written, tuple(m.name for m in shared), tuple(m.name for m in withheld))


def may_be_shared(output: Path, manifest: Manifest, manifests: Sequence[Manifest]) -> bool:
    """Whether a configuration may be passed on: its manifest and its source's say so, and every row's licence.

    Args:
        output: the dataset's folder.
        manifest: the configuration.
        manifests: all of the folder, for the source of a configuration of codes.
    """
    if not manifest.may_be_shared or not declared_licence(manifest.licence_name).may_be_shared:
        return False
    if _NEVER & {manifest.name, manifest.codes_of, str(manifest.recipe.get("source"))}:
        return False
    if manifest.codes_of:
        source = next((other for other in manifests if other.name == manifest.codes_of), None)
        return source is not None and not source.codes_of and may_be_shared(output, source, manifests)
    licences: set[str | None] = set()
    for name in manifest.files:
        licences.update(pq.read_table(output / name, columns=["licence"])["licence"].unique().to_pylist())
    return all(licence is not None and declared_licence(licence).may_be_shared for licence in licences)


def _check_files(output: Path, manifest: Manifest) -> None:
    for name, entry in manifest.files.items():
        if not (output / name).is_file() or file_sha256(output / name) != entry["sha256"]:
            raise AgirError(f"expected {name} as it was built, found another or none: build it again, then push")


def _recipe_text(output: Path, manifest: Manifest) -> str:
    columns = ["clip_id", "clip_sha256"]
    clips: list[dict[str, Any]] = []
    for name in manifest.files:
        clips += pq.read_table(output / name, columns=columns).to_pylist()
    content = {
        "name": manifest.name,
        "recipe": manifest.recipe,
        "recipe_sha256": manifest.recipe_sha256,
        "licence": {"name": manifest.licence_name, "note": manifest.licence_note},
        # By id, so that not even the order tells a split.
        "clips": sorted(clips, key=lambda clip: clip["clip_id"]),
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def push(
    output: Path, repo: str, *, public: bool = False, i_have_permission: bool = False, dry_run: bool = False
) -> list[str]:
    """Upload what may be shared to a dataset repository; returns lines that say what was done.

    Args:
        output: the dataset's folder.
        repo: "owner/name".
        public: visible to everyone; without it the repository must be private.
        i_have_permission: that whoever pushes may make it public.
        dry_run: only say what would be uploaded.

    Raises:
        AgirError: public without permission, a repository that is public already, or nothing to upload.
    """
    if public and not i_have_permission:
        raise AgirError(
            "expected --i-have-permission beside --public, found none: whoever publishes must have the right to, for "
            "every person and source in the data"
        )
    publication = plan_publication(output)
    names = sorted({*publication.copied, *publication.written})
    lines = [f"{name}: with its data" for name in publication.shared]
    lines += [f"{name}: recipe, ids and hashes only; its licence forbids more" for name in publication.withheld]
    if dry_run:
        return [*lines, *names]
    with tempfile.TemporaryDirectory(dir=output, prefix=".push-") as made:
        folder = Path(made)
        publication.write(folder)
        card = folder / "README.md"
        card.write_text(card.read_text(encoding="utf-8").replace(REPOSITORY, repo), encoding="utf-8")
        check_model_card(card, sections=SECTIONS)
        address = push_folder(
            folder,
            repo,
            repo_type="dataset",
            public=public,
            message=f"{', '.join(publication.shared) or 'recipes'}: built from recipe",
            # What an earlier upload had and this one has not must not stay.
            replaces=_OURS,
        )
    return [*lines, f"{len(names)} files uploaded to {repo}: {address}"]
