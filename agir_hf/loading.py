"""An AGIR model by its name: packaged, in a folder, or on the Hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import AgirError
from .repositories import checkpoint_folder, why_not

if TYPE_CHECKING:
    from .pipeline_agir import GaitAssessmentPipeline

DEFAULT_MODEL = "agir-tiny"


def load_pipeline(
    model: str | os.PathLike = DEFAULT_MODEL, *, revision: str | None = None, **kwargs: Any
) -> GaitAssessmentPipeline:
    """The ``gait-assessment`` pipeline of a model.

    Its results name the model, and the commit of one from the Hub, so that a figure can be had again.

    Args:
        model: name of a packaged checkpoint, a folder, or a Hub repository.
        revision: branch, tag or commit of a Hub repository.
        kwargs: as for ``transformers.pipeline``.

    Raises:
        AgirError: there is no such model, it is no AGIR model, or its files are damaged.
    """
    from safetensors import SafetensorError

    name = str(home) if (home := checkpoint_folder(model)) else str(model)
    if home and revision:
        raise AgirError(f"expected a repository on the Hub beside revision {revision!r}, found the folder {home}")
    where = {"token": kwargs["token"]} if "token" in kwargs else {}
    try:
        commit = (
            None if home else _commit(name, revision or None, **where)
        )  # first: a mistyped name is answered at once
        from transformers import AutoConfig, pipeline

        from .configuration_agir import AgirConfig

        kind = AutoConfig.from_pretrained(name, revision=commit, **where).model_type
        if kind != AgirConfig.model_type:
            raise AgirError(f"expected an AGIR model at {name!r}, found model type {kind!r}")
        kwargs["model_kwargs"] = {"use_safetensors": True, **kwargs.get("model_kwargs", {})}
        loaded = pipeline("gait-assessment", model=name, revision=commit, **kwargs)  # type: ignore[call-overload]
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        if isinstance(error, AgirError):
            raise
        raise AgirError(
            f"expected a packaged checkpoint (agir-tiny), a folder or a Hub repository with an AGIR model, found "
            f"{name!r}, which cannot be loaded: {why_not(error, name, revision=revision)}"
        ) from error
    if commit is not None:
        loaded.model_name = f"{name}@{commit}"
    return loaded


def _commit(name: str, revision: str | None, **where: Any) -> str:
    """The commit that a revision is now, or was when it was downloaded."""
    from huggingface_hub import hf_hub_download

    # .../snapshots/COMMIT/config.json
    return Path(hf_hub_download(name, "config.json", revision=revision, **where)).parent.name


__all__ = ["load_pipeline"]
