"""What of a folder goes to the Hub: its weights, configurations and card, and the code to run them, in a new folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..errors import AgirError
from ..repositories import checkpoint_folder
from .card import write_assessor_card, write_motion_tokenizer_card
from .card_check import SECTIONS, check_card
from .publishing import push_folder
from .remote_code import add_remote_code

# What a repository holds beside the weights. Trainers leave more behind: their state, their logs, their checkpoints.
SENT = ("*.json", "*.jsonl", "*.jinja", "*.txt", "README.md", "LICENSE*")
WEIGHTS = "*.safetensors"
# What an earlier upload left in a repository and a later one takes away.
REPLACED = (WEIGHTS, "*.json", "*.jsonl", "*.jinja", "*.py")
REPOSITORY = "PATH_OF_THIS_REPOSITORY"


def push_staged(
    stage: Callable[..., None],
    source: str,
    repo: str,
    *,
    public: bool = False,
    message: str,
    base_models: Sequence[str] = (),
    datasets: Sequence[str] = (),
) -> str:
    """Lay out with `stage_model` or `stage_tokenizer` and upload; returns the commit's address.

    Raises:
        AgirError: as these and `push_folder`.
    """
    with tempfile.TemporaryDirectory(prefix="agir-push-", ignore_cleanup_errors=True) as made:
        stage(source, Path(made), repo, base_models=base_models, datasets=datasets)
        return push_folder(Path(made), repo, public=public, message=message, replaces=REPLACED)


def stage_model(
    source: str, folder: Path, repo: str, *, base_models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> None:
    """Lay out an assessor, an adapter or an exported language model.

    Args:
        source: name of a packaged checkpoint, or a folder.
        folder: empty; what is uploaded.
        repo: "owner/name" that it will have, for the code in its card.
        base_models: repositories of models that it was made from, beside those that its card names.
        datasets: those of data that it was trained on, likewise.

    Raises:
        AgirError: no such model, weights missing or damaged, or a card with blanks.
    """
    home = _home(source)
    _copy(home, folder)
    config = _read(folder / "adapter_config.json") or _read(folder / "config.json")
    kind = config.get("model_type", "adapter" if "peft_type" in config else None)
    if kind is None:
        raise AgirError(f"expected a model in {home} (config.json with a model_type), found none")
    if kind == "agir_motion_tokenizer":
        raise AgirError(f"expected an assessor in {home}, found a motion tokenizer: push it with 'agir push tokenizer'")
    if kind == "agir":
        if not (folder / "README.md").is_file():
            _card_of_record(write_assessor_card, home, folder)
        add_remote_code(folder)
    own = kind in ("agir", "adapter")
    _finish(folder, repo, base_models, datasets, sections=SECTIONS if own else (), needs_figures=kind == "agir")


def stage_tokenizer(
    source: str, folder: Path, repo: str, *, base_models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> None:
    """Lay out a motion tokenizer with its feature extractor; from a whole assessor, those of it.

    Raises:
        AgirError: as `stage_model`.
    """
    home = _home(source)
    if _read(home / "config.json").get("model_type") == "agir":
        from ..feature_extraction_agir import AgirFeatureExtractor
        from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer

        AgirMotionTokenizer.from_pretrained(home, use_safetensors=True).save_pretrained(folder)
        extractor = AgirFeatureExtractor.from_pretrained(home)
        extractor.max_frames = None  # which is the language model's limit
        extractor.save_pretrained(folder)
        for name in ("run_record.json", "motion_tokenizer_log.jsonl"):
            if (home / name).is_file():
                shutil.copyfile(home / name, folder / name)
    else:
        _copy(home, folder)
    if not (folder / "README.md").is_file():
        _card_of_record(write_motion_tokenizer_card, home, folder)
    add_remote_code(folder)
    _finish(folder, repo, base_models, datasets)


def _home(source: str) -> Path:
    home = checkpoint_folder(source)
    if home is None:
        raise AgirError(f"expected a folder or a packaged checkpoint (agir-tiny) to push, found {source!r}")
    return home


def _copy(home: Path, folder: Path) -> None:
    """Copies of small files, which are changed here; links to the weights, which are not."""
    for path in sorted(home.iterdir()):
        if not path.is_file():
            continue
        if fnmatch(path.name, WEIGHTS):
            try:
                os.link(path.resolve(), folder / path.name)
            except OSError:
                shutil.copyfile(path, folder / path.name)
        elif any(fnmatch(path.name, pattern) for pattern in SENT):
            shutil.copyfile(path, folder / path.name)
    _check_weights(home, folder)


def _check_weights(home: Path, folder: Path) -> None:
    from safetensors import SafetensorError, safe_open

    found = {path.name for path in folder.glob(WEIGHTS)}
    wanted = {name for index in folder.glob(f"{WEIGHTS}.index.json") for name in _read(index)["weight_map"].values()}
    if missing := sorted(wanted - found):
        raise AgirError(f"expected all parts of the weights in {home}, found no {missing[0]}")
    if not found:
        raise AgirError(f"expected weights as safetensors in {home}, found none: save them with save_pretrained")
    for name in sorted(found):
        try:
            with safe_open(folder / name, framework="np") as weights:
                weights.keys()
        except SafetensorError as error:
            raise AgirError(f"expected whole weights in {home / name}, found: {error}") from error


def _finish(
    folder: Path,
    repo: str,
    base_models: Sequence[str],
    datasets: Sequence[str],
    *,
    sections: tuple[str, ...] = SECTIONS,
    needs_figures: bool = True,
) -> None:
    """The card with the repository's name and where it comes from, checked."""
    card = folder / "README.md"
    if not card.is_file():
        raise AgirError(
            "expected a card (README.md) beside the weights, found none: every repository says what it holds"
        )
    card.write_text(card.read_text(encoding="utf-8").replace(REPOSITORY, repo), encoding="utf-8")
    added = {"base_model": list(base_models), "datasets": list(datasets)}
    if any(added.values()):
        from huggingface_hub import ModelCard

        loaded = ModelCard.load(card)
        for name, values in added.items():
            known = getattr(loaded.data, name, None) or []
            known = [known] if isinstance(known, str) else list(known)
            if values:
                setattr(loaded.data, name, [*known, *(value for value in values if value not in known)])
        loaded.save(card)
    metadata = check_card(card, sections=sections)
    if needs_figures and "model-index" not in metadata:
        raise AgirError("expected figures (model-index) in the card, found none: fill it with 'agir evaluate --card'")


def _card_of_record(write: Callable[[Path, dict[str, Any]], Path], home: Path, folder: Path) -> None:
    record = _read(home / "run_record.json")
    if not record:
        raise AgirError(
            f"expected a card (README.md) or the record of a training (run_record.json) in {home}, found none"
        )
    try:
        write(folder, record)
    except KeyError as error:
        raise AgirError(f"expected the record of a whole training in {home}, found none of {error}") from error


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; {} where there is no file.

    Raises:
        AgirError: the file holds something else.
    """
    if not path.is_file():
        return {}
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AgirError(f"expected JSON in {path}, found: {error}") from error
    if not isinstance(loaded, dict):
        raise AgirError(f"expected a JSON object in {path}, found {type(loaded).__name__}")
    return loaded
