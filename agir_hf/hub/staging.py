"""What of a folder goes to the Hub: its weights, configurations and card, and the code to run them, in a new folder."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..errors import AgirError
from ..repositories import checkpoint_folder
from .card import write_assessor_card, write_motion_tokenizer_card
from .card_check import SECTIONS, check_model_card, read_card
from .json_files import read_json, write_json
from .publishing import check_name, push_folder
from .remote_code import add_remote_code

# What a repository holds beside the weights, by name: a folder may hold anything else, secrets too.
SENT = (
    *("config.json", "generation_config.json", "adapter_config.json"),
    *("processor_config.json", "preprocessor_config.json", "chat_template.jinja", "chat_template.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"),
    *("run_record.json", "*_log.json", "*_log.jsonl"),
    *("README.md", "LICENSE*", "NOTICE*", "USE_POLICY.md", "CITATION.cff"),
)
TEMPLATES = "additional_chat_templates"
# What an earlier upload left at the top of a repository and a later one takes away.
REPLACED = ("*.safetensors", "*.json", "*.jsonl", "*.jinja", "*.py")
REPOSITORY = "PATH_OF_THIS_REPOSITORY"
_WHOLE = ("model.safetensors", "adapter_model.safetensors")
# Where somebody's folders may stand in a configuration.
_PLACES = ("_name_or_path", "name_or_path", "tokenizer_file", "vocab_file")
_IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s:]+)\)")


def push_staged(
    stage: Callable[..., list[str]],
    source: str,
    repo: str,
    *,
    public: bool = False,
    message: str,
    base_models: Sequence[str] = (),
    datasets: Sequence[str] = (),
) -> tuple[str, list[str]]:
    """Lay out with `stage_model` or `stage_tokenizer` and upload.

    Returns:
        The commit's address, and the names of what stayed behind.

    Raises:
        AgirError: as these and `push_folder`.
    """
    with tempfile.TemporaryDirectory(prefix="agir-push-", ignore_cleanup_errors=True) as made:
        left = stage(source, Path(made), repo, base_models=base_models, datasets=datasets)
        return push_folder(Path(made), repo, public=public, message=message, replaces=REPLACED), left


def stage_model(
    source: str, folder: Path, repo: str, *, base_models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> list[str]:
    """Lay out an assessor, an adapter or an exported language model; returns the names of what stays behind.

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
    adapter, config = _read(home / "adapter_config.json"), _read(home / "config.json")
    kind = "adapter" if adapter else config.get("model_type")
    if not isinstance(kind, str):
        raise AgirError(f"expected a model in {home} (config.json with a model_type), found none")
    if kind == "agir_motion_tokenizer":
        raise AgirError(f"expected an assessor in {home}, found a motion tokenizer: push it with 'agir push tokenizer'")
    if kind == "agir":
        _expect(home, config, "text_config", "motion_config")
        _expect(home, _read(home / "processor_config.json"), "feature_extractor", of="processor_config.json")
        _expect_file(home, "tokenizer.json")
    left = _copy(home, folder)
    if adapter:
        _name_base(home, folder, adapter, base_models)
    if kind == "agir":
        if not (folder / "README.md").is_file():
            _card_of_record(write_assessor_card, home, folder)
        add_remote_code(folder)
    sections = SECTIONS if kind in ("agir", "adapter") else ()
    _finish(folder, repo, base_models, datasets, sections=sections, needs_figures=kind == "agir")
    return left


def stage_tokenizer(
    source: str, folder: Path, repo: str, *, base_models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> list[str]:
    """Lay out a motion tokenizer with its feature extractor; from a whole assessor, those of it.

    Raises:
        AgirError: as `stage_model`.
    """
    home = _home(source)
    kind = _read(home / "config.json").get("model_type")
    left: list[str] = []
    if kind == "agir":
        _take_out(home, folder)
    elif kind == "agir_motion_tokenizer":
        _expect_file(home, "preprocessor_config.json")
        left = _copy(home, folder)
    else:
        raise AgirError(f"expected a motion tokenizer or an assessor in {home}, found model type {kind!r}")
    if not (folder / "README.md").is_file():
        _card_of_record(write_motion_tokenizer_card, home, folder)
    add_remote_code(folder)
    _finish(folder, repo, base_models, datasets)
    return left


def _home(source: str) -> Path:
    home = checkpoint_folder(source) if source else None
    if home is None:
        raise AgirError(f"expected a folder or a packaged checkpoint (agir-tiny) to push, found {source!r}")
    return home


def _take_out(home: Path, folder: Path) -> None:
    """The motion tokenizer of an assessor, as a repository of its own."""
    from safetensors import SafetensorError

    from ..feature_extraction_agir import AgirFeatureExtractor
    from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer

    _weights(home)
    try:
        AgirMotionTokenizer.from_pretrained(home, use_safetensors=True).save_pretrained(folder)
        extractor = AgirFeatureExtractor.from_pretrained(home)
        extractor.max_frames = None  # which is the language model's limit
        extractor.save_pretrained(folder)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, AgirError):
            raise
        reason = " ".join(str(error).split())
        raise AgirError(
            f"expected a motion tokenizer in {home} that loads and can be saved, found: {reason}"
        ) from error
    for name in ("run_record.json", "motion_tokenizer_log.jsonl"):
        if (home / name).is_file():
            shutil.copyfile(home / name, folder / name)


def _copy(home: Path, folder: Path) -> list[str]:
    """Copies of small files, which are changed here; links to the weights, which are not; what is neither stays."""
    weights = _weights(home)
    sent = {name for name in os.listdir(home) if any(fnmatch(name, pattern) for pattern in SENT)} | set(weights)
    sent |= {f"{name}.index.json" for name in _WHOLE if (home / f"{name}.index.json").is_file() and name not in weights}
    sent = {name for name in sent if (home / name).is_file()}
    sent |= {f"{TEMPLATES}/{path.name}" for path in (home / TEMPLATES).glob("*.jinja")}
    if (home / "README.md").is_file():
        sent |= {name for name in _IMAGE.findall(read_card(home / "README.md")) if _is_inside(home, name)}
    for name in sorted(sent):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if name not in weights:
                raise OSError("is changed")
            os.link((home / name).resolve(), target)
        except OSError:
            try:
                shutil.copyfile(home / name, target)
            except OSError as error:
                raise AgirError(
                    f"expected room for a copy of {name} in {folder.parent}, found: {error.strerror}; set TMPDIR to "
                    "another place"
                ) from error
    for path in folder.glob("*.json"):
        if not path.name.endswith((".index.json", "_log.json", "tokenizer.json", "vocab.json")):
            _clean(path)
    return sorted(name for name in os.listdir(home) if name not in sent and name != TEMPLATES)


def _is_inside(home: Path, name: str) -> bool:
    path = (home / name).resolve()
    return path.is_file() and path.is_relative_to(home.resolve())


def _weights(home: Path) -> list[str]:
    """Names of the files of weights, each looked at.

    Raises:
        AgirError: there are none, or parts of them are missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    wanted: dict[str, set[str]] = {}
    for name in _WHOLE:
        index = _read(home / f"{name}.index.json")
        if index:
            weight_map = index.get("weight_map")
            if not isinstance(weight_map, dict) or not weight_map or not isinstance(index.get("metadata"), dict):
                raise AgirError(f"expected metadata and a weight_map in {home / name}.index.json, found none")
            for tensor, part in weight_map.items():
                if not isinstance(part, str) or Path(part).name != part:
                    raise AgirError(f"expected names of files beside {home / name}.index.json in it, found {part!r}")
                wanted.setdefault(part, set()).add(tensor)
        elif (home / name).is_file():
            wanted[name] = set()
    if not wanted:
        raise AgirError(f"expected weights as safetensors in {home}, found none: save them with save_pretrained")
    for part, tensors in sorted(wanted.items()):
        if not (home / part).is_file():
            raise AgirError(f"expected all parts of the weights in {home}, found no {part}")
        try:
            with safe_open(home / part, framework="np") as opened:
                found = set(opened.keys())
        except SafetensorError as error:
            raise AgirError(f"expected whole weights in {home / part}, found: {error}") from error
        if missing := sorted(tensors - found):
            raise AgirError(f"expected {missing[0]} in {home / part}, as the index says, found it missing")
    return sorted(wanted)


def _clean(path: Path) -> None:
    """Take out of a configuration where it lay on somebody's machine, and code of other repositories."""
    content = _read(path)

    def cleaned(value: Any, top: bool = False) -> Any:
        if isinstance(value, dict):
            drop = _PLACES if top and path.name == "adapter_config.json" else (*_PLACES, "auto_map")
            return {name: cleaned(inner) for name, inner in value.items() if name not in drop}
        return [cleaned(inner) for inner in value] if isinstance(value, list) else value

    write_json(path, cleaned(content, True))


def _name_base(home: Path, folder: Path, adapter: dict[str, Any], base_models: Sequence[str]) -> None:
    """An adapter names its base by a repository, never by a folder of this machine."""
    base = str(adapter.get("base_model_name_or_path") or "")
    is_name = re.fullmatch(r"[\w.-]+(/[\w.-]+)?", base) and not base.startswith(".") and not Path(base).exists()
    if is_name:
        return
    if len(base_models) != 1:
        raise AgirError(f"expected an adapter of a base on the Hub, found the base {base!r}: say it with --base-model")
    path = folder / "adapter_config.json"
    write_json(path, {**read_json(path), "base_model_name_or_path": base_models[0]})


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
        raise AgirError("expected a card (README.md) beside the weights, found none: a repository says what it holds")
    card.write_text(read_card(card).replace(REPOSITORY, repo), encoding="utf-8", newline="\n")
    added = {"base_model": list(base_models), "datasets": list(datasets)}
    for name in (*base_models, *datasets):
        check_name(name)
    check_model_card(card, sections=sections, needs_figures=needs_figures)
    if any(added.values()):
        _add_lineage(card, added)


def _add_lineage(card: Path, added: dict[str, list[str]]) -> None:
    from huggingface_hub import ModelCard

    try:
        loaded = ModelCard.load(card)
        for name, values in added.items():
            known = getattr(loaded.data, name, None) or []
            known = [known] if isinstance(known, str) else list(known)
            if values:
                setattr(loaded.data, name, [*known, *(value for value in values if value not in known)])
        loaded.save(card)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise AgirError(f"expected metadata in the card that the Hub takes, found: {reason}") from error


def _card_of_record(write: Callable[[Path, dict[str, Any]], Path], home: Path, folder: Path) -> None:
    record = _read(home / "run_record.json")
    if not record:
        raise AgirError(
            f"expected a card (README.md) or the record of a training (run_record.json), found none in {home}"
        )
    try:
        write(folder, record)
    except (KeyError, TypeError) as error:
        raise AgirError(f"expected the record of a whole training in {home}, found none: {error}") from error


def _expect(home: Path, content: dict[str, Any], *names: str, of: str = "config.json") -> None:
    for name in names:
        if not isinstance(content.get(name), dict):
            raise AgirError(f"expected {name} in {of} of {home}, found none: save model and processor there")


def _expect_file(home: Path, name: str) -> None:
    if not (home / name).is_file():
        raise AgirError(f"expected {name} in {home}, found none: save the processor there too")


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; {} where there is no file."""
    return read_json(path) if path.is_file() else {}
