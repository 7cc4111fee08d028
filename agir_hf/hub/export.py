"""The language model of an assessor on its own, for stock ``transformers`` and whatever serves its architecture."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from model_cards import fill_card

from ..errors import AgirError, require
from ..rationale import SCORE_PREFIX, render_prompt
from ..repositories import checkpoint_folder, why_not

# Longer than any score with what stands before it and the end token.
_SCORE_TOKENS = 16
_SHOWN_CODES = (5, 17, 17, 301, 42)


@dataclass(frozen=True)
class _Source:
    """What is exported, and what its card says of it."""

    model: Any
    tokenizer: Any
    name: str
    trained_on: str
    license: dict[str, str]
    adapter: bool = False
    labels: tuple[str, ...] = ()
    temperature: float | None = None


def export_language_model(
    checkpoint: str | os.PathLike, output: str | os.PathLike, *, base: str | None = None, overwrite: bool = False
) -> Path:
    """Write the plain causal language model of an assessor, with tokenizer, generation config, chat template and card.

    The weights are stored as safetensors in the type that the model runs in. A chat of one user message with a prompt
    of `agir_hf.rationale.render_prompt` becomes exactly the text the model was trained on.

    Args:
        checkpoint: a packaged checkpoint (``"agir-tiny"``), an AGIR repository (folder or Hub), or an adapter with its
            tokenizer as ``agir train sft`` keeps it; an adapter is merged.
        output: folder to write; nothing is written to it before all is there.
        base: model that the adapter was made for, if not the one that its config names.
        overwrite: replace ``output`` where it holds a model already.

    Returns:
        the folder.

    Raises:
        AgirError: there is nothing to export at ``checkpoint``, or ``output`` may not be written.
    """
    output = Path(output)
    _check_free(output, checkpoint, overwrite)
    source = _read(str(checkpoint), base)
    home = output.resolve()
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _write(source, partial)
        # The folder itself stays: it may be where the user is, or where a volume is mounted.
        home.mkdir(exist_ok=True)
        for path in home.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for path in partial.iterdir():
            shutil.move(path, home / path.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return output


def _check_free(output: Path, checkpoint: str | os.PathLike, overwrite: bool) -> None:
    if output.exists() and not output.is_dir():
        raise AgirError(f"expected a folder to write to, found the file {output}")
    if not output.is_dir() or not any(output.iterdir()):
        return
    if not overwrite:
        raise AgirError(f"expected an empty or a new folder, found {output} with files: add --overwrite to replace it")
    if not (output / "config.json").is_file():
        raise AgirError(f"expected a model to overwrite (with a config.json), found other files in {output}")
    if Path(checkpoint).exists() and output.resolve() in (
        Path(checkpoint).resolve(),
        *Path(checkpoint).resolve().parents,
    ):
        raise AgirError(f"expected another folder than that of the checkpoint to write to, found {output}")


def _read(checkpoint: str, base: str | None) -> _Source:
    from safetensors import SafetensorError
    from transformers.utils import find_adapter_config_file

    if home := checkpoint_folder(checkpoint):
        checkpoint = str(home)
    elif not Path(checkpoint).exists() and "/" not in checkpoint:
        raise AgirError(
            f"expected a packaged checkpoint (agir-tiny), a folder or a Hub repository, found {checkpoint!r}"
        )
    try:
        if find_adapter_config_file(checkpoint) is not None:
            return _read_adapter(checkpoint, base)
        if base is not None:
            raise AgirError(f"expected an adapter beside --base, found {checkpoint}, which is none")
        return _read_assessor(checkpoint)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, AgirError):
            raise
        raise AgirError(
            f"expected an AGIR model or an adapter of one to export, found {checkpoint!r}, which cannot be loaded: "
            f"{why_not(error, checkpoint)}"
        ) from error


def _read_assessor(checkpoint: str) -> _Source:
    from transformers import AutoConfig, AutoTokenizer

    from ..configuration_agir import AgirConfig
    from ..modeling_agir import AgirForGaitAssessment

    config = AutoConfig.from_pretrained(checkpoint)
    if not isinstance(config, AgirConfig):
        raise AgirError(
            f"expected an AGIR model or an adapter of one to export, found model type {config.model_type!r} at "
            f"{checkpoint!r}"
        )
    return _Source(
        model=AgirForGaitAssessment.from_pretrained(checkpoint, use_safetensors=True).language_model,
        tokenizer=AutoTokenizer.from_pretrained(checkpoint),
        name=_name(checkpoint),
        trained_on=config.trained_on,
        license=_license(checkpoint),
        labels=tuple(config.score_labels or ()),
        temperature=config.score_temperature,
    )


def _read_adapter(checkpoint: str, base: str | None) -> _Source:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    require("peft", "train")
    from ..training.adapters import base_of_adapter, load_adapter, merge_adapter, new_tokens_of_adapter

    base = base or base_of_adapter(checkpoint)
    if not base:
        raise AgirError(f"expected the adapter {checkpoint} to name its base, found no name: say it with --base")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    config = AutoConfig.from_pretrained(base)
    # Merged in float32, where little is lost, then stored as the base is.
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    rows = model.get_input_embeddings().num_embeddings
    if rows < len(tokenizer):
        missing = sorted(set(range(rows, len(tokenizer))) - set(new_tokens_of_adapter(checkpoint)))
        if missing:
            raise AgirError(
                f"expected the adapter to bring the rows of all tokens that {base} has not, found none for "
                f"{len(missing)} of them, such as {tokenizer.convert_ids_to_tokens(missing[0])!r}"
            )
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    merged = merge_adapter(load_adapter(model, checkpoint))
    return _Source(
        model=merged.to(config.dtype or torch.float32),  # type: ignore[arg-type]
        tokenizer=tokenizer,
        name=_name(checkpoint),
        trained_on=_recorded_source(Path(checkpoint)),
        license=_license(base),
        adapter=True,
    )


def _write(source: _Source, folder: Path) -> None:
    from transformers import GenerationConfig
    from transformers.utils import logging

    from ..motion_vocabulary import MotionVocabulary
    from ..pipeline_agir import MAX_NEW_TOKENS

    model, tokenizer = source.model, source.tokenizer
    vocabulary = MotionVocabulary.from_tokenizer(tokenizer)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    # Where it was read from and by what is nothing that stock transformers could use.
    tokenizer._set_processor_class(None)
    for name in ("processor_class", "local_files_only", "is_local", "dtype"):
        tokenizer.init_kwargs.pop(name, None)
    tokenizer.chat_template = chat_template(tokenizer)
    ends = model.generation_config.eos_token_id
    ends = [] if ends is None else ends if isinstance(ends, list) else [ends]
    ends = sorted({*ends, tokenizer.eos_token_id})
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=MAX_NEW_TOKENS + _SCORE_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=ends if len(ends) > 1 else ends[0],
        pad_token_id=tokenizer.pad_token_id,
    )
    model.config.use_cache = True  # a trainer switches it off and leaves it so
    model.config.dtype = model.dtype
    bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model.save_pretrained(folder)
    finally:
        if bar:
            logging.enable_progress_bar()
    tokenizer.save_pretrained(folder)
    example = render_prompt(
        "assess",
        motion=vocabulary.codes_to_text(code for code in _SHOWN_CODES if code < vocabulary.codebook_size),
    )
    _write_card(source, folder, example)


def chat_template(tokenizer: Any) -> str:
    """The template that makes of one user message the text that the language model was trained on.

    Raises:
        AgirError: the tokenizer puts tokens around a text that no template can.
    """
    template = (resources.files("agir_hf") / "hub" / "assess_chat_template.jinja").read_text(encoding="utf-8")
    probe = render_prompt("assess", motion="<motion_start><motion_0><motion_end>", evidence="walking speed 0.78 m/s")
    trained = tokenizer(probe)["input_ids"]
    if tokenizer.bos_token_id is not None and trained[:1] == [tokenizer.bos_token_id]:
        template = "{{- bos_token -}}\n" + template
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": probe}], chat_template=template, return_dict=False, add_generation_prompt=True
    )
    if rendered != trained:
        raise AgirError(
            "expected a tokenizer that puts at most a first token before a text, found "
            f"{tokenizer.decode(trained[:2])!r} ... {tokenizer.decode(trained[-2:])!r}: no chat template can do that"
        )
    return template


def _write_card(source: _Source, folder: Path, example: str) -> None:
    text = fill_card(
        "language_model",
        name=source.name,
        architecture=type(source.model).__name__,
        adapter=source.adapter,
        trained_on=source.trained_on,
        license=source.license,
        labels=" ".join(source.labels),
        temperature=source.temperature,
        score_prefix=SCORE_PREFIX.replace("\n", "\\n"),
        example=example.rstrip("\n"),
        request=json.dumps({"model": "PATH", "messages": [{"role": "user", "content": example.rstrip("\n")}]}),
        dtype=str(source.model.dtype).removeprefix("torch."),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def _name(checkpoint: str) -> str:
    """A folder's own name, never its path; a name on the Hub as it is."""
    return Path(checkpoint).resolve().name if Path(checkpoint).exists() else checkpoint


def _license(source: str) -> dict[str, str]:
    """What the card of a folder or Hub repository says of its licence; empty where it says nothing."""
    from huggingface_hub import ModelCard

    path = Path(source) / "README.md"
    try:
        card = ModelCard.load(path if Path(source).exists() else source)
    except (OSError, ValueError):
        return {}
    stated = card.data.to_dict()
    return {
        key: str(stated[key]) for key in ("license", "license_name", "license_link") if isinstance(stated.get(key), str)
    }


def _recorded_source(adapter: Path) -> str:
    """The dataset configuration in the record of the run that made an adapter; empty where there is none."""
    for folder in (adapter, adapter.parent):
        try:
            record = json.loads((folder / "run_record.json").read_text(encoding="utf-8"))
            return str(record["recipe"]["data"]["config"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""
