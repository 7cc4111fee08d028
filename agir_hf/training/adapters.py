"""Low-rank adapters under which new tokens learn too.

LoRA on the linear layers leaves the embeddings as they are, so that new motion tokens would stay what they were at
random, as input and as output. Here the rows of the new tokens are trained beside it, in the input embeddings and in
the output layer, and no other row of theirs. Where a model ties the two, one set of rows serves both, and they are
still tied after saving, loading and merging.

What PEFT does not say aloud is checked here: a tie that came apart, a row that would not be trained, an adapter that
was loaded for inference only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftConfig, PeftModel, PeftModelForCausalLM, TaskType, get_peft_model
from peft.utils.other import TrainableTokensWrapper
from transformers import PreTrainedModel

from ..errors import AgirError
from .recipe import LoraRecipe

# Every linear layer but the output layer, in whatever architecture.
TARGETS = "all-linear"


class AdaptedModel(PeftModelForCausalLM):
    """A model with an adapter that is saved without the embeddings of its base.

    PEFT would add them whole wherever the base was given new rows, and ask the Hub whether it was; the rows that were
    trained are in the adapter anyway.
    """

    def save_pretrained(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("save_embedding_layers", False)
        super().save_pretrained(*args, **kwargs)


def add_adapter(model: PreTrainedModel, recipe: LoraRecipe, new_token_ids: Iterable[int]) -> PeftModel:
    """A model whose linear layers have low-rank adapters and whose rows of new tokens are trained; all else is frozen.

    Args:
        model: a causal language model whose embeddings already have rows for the new tokens; it is changed in place.
        recipe: rank, alpha and dropout.
        new_token_ids: ids of the tokens that the base has never seen; may be empty.

    Raises:
        AgirError: an id has no row, or the output layer cannot be trained row by row.
    """
    if recipe.rank < 1:
        raise AgirError(f"expected an adapter of rank 1 or more, found {recipe.rank}")
    ids = sorted({int(index) for index in new_token_ids})
    rows = len(_weight(model.get_input_embeddings()))
    if ids and not 0 <= ids[0] <= ids[-1] < rows:
        raise AgirError(
            f"expected ids of new tokens in [0, {rows}), found {ids[0]} to {ids[-1]}: call "
            "model.resize_token_embeddings(len(tokenizer)) first"
        )
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=TARGETS,
        trainable_token_indices=_rows_to_train(model, ids) if ids else None,
        task_type=TaskType.CAUSAL_LM,
    )
    return _ready(get_peft_model(model, config))


def load_adapter_for_training(base: PreTrainedModel, folder: str | Path) -> PeftModel:
    """An adapter that `add_adapter` made, on its base and trainable: a second stage goes on from it.

    Args:
        base: the model that the adapter was made for, with rows for the new tokens; it is changed in place.
        folder: what ``PeftModel.save_pretrained`` wrote.

    Raises:
        AgirError: there is no such adapter, or it does not fit the base.
    """
    return _loaded(base, folder, is_trainable=True)


def load_adapter(base: PreTrainedModel, folder: str | Path) -> PeftModel:
    """An adapter on its base for inference; else as `load_adapter_for_training`."""
    return _loaded(base, folder, is_trainable=False)


def base_of_adapter(folder: str | Path) -> str:
    """Name or folder of the model that an adapter was made for, as its config says; empty where it does not.

    Raises:
        AgirError: there is no adapter.
    """
    return str(_config(folder).base_model_name_or_path or "")


def new_tokens_of_adapter(folder: str | Path) -> list[int]:
    """Ids of the tokens whose rows an adapter brings.

    Raises:
        AgirError: there is no adapter.
    """
    rows = getattr(_config(folder), "trainable_token_indices", None) or {}
    return sorted(set().union(*rows.values())) if isinstance(rows, dict) else sorted(rows)


def merge_adapter(model: PeftModel) -> PreTrainedModel:
    """The plain model with the adapter in its weights, its ties as they were; the adapter is used up.

    Raises:
        AgirError: the merged weights hold something that is no number.
    """
    try:
        merged = model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise AgirError(f"expected an adapter that can be merged, found another: {error}") from error
    # Merging writes to each end on its own, and what moves a model (FSDP) may have parted frozen ends that are tied.
    merged.tie_weights()
    # TRL leaves a forward of its own on the instance, through which a copy would go on using the old weights.
    merged.__dict__.pop("forward", None)
    merged.requires_grad_(True)
    return merged


def _rows_to_train(model: PreTrainedModel, ids: list[int]) -> dict[str, list[int]]:
    """Names of the layers whose rows are trained; the output layer only where it has weights of its own."""
    names = {id(module): name for name, module in model.named_modules()}
    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    if getattr(head, "bias", None) is not None:
        raise AgirError(
            f"expected an output layer without bias, found one in {type(model).__name__}: its rows cannot be trained "
            "alone; use a base without it, or train all weights (rank 0)"
        )
    tied = _is_tied(model)
    if tied != bool(model.config.get_text_config().tie_word_embeddings):
        raise AgirError(
            "expected tie_word_embeddings in the config to say whether embeddings and output layer share weights, "
            f"found {not tied} where they {'do' if tied else 'do not'}"
        )
    trained = [embeddings] if tied else [embeddings, head]
    return {names[id(module)]: ids for module in trained}


def _loaded(base: PreTrainedModel, folder: str | Path, *, is_trainable: bool) -> PeftModel:
    config = _config(folder)
    try:
        model = PeftModel.from_pretrained(base, str(folder), is_trainable=is_trainable, config=config)
    except (ValueError, RuntimeError, KeyError, IndexError) as error:
        reason = next((line.strip() for line in str(error).splitlines()[1:] if line.strip()), str(error))
        raise AgirError(f"expected an adapter for {type(base).__name__}, found {folder}: {reason}") from error
    return _ready(model, trainable=is_trainable)


def _config(folder: str | Path) -> PeftConfig:
    try:
        return PeftConfig.from_pretrained(str(folder))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AgirError(f"expected an adapter (adapter_config.json and its weights) in {folder}, found none") from error


def _ready(model: PeftModel, *, trainable: bool = True) -> PeftModel:
    """Make the rows of new tokens work in TRL's trainer, and check that what is to be trained will be."""
    # PEFT chooses the class itself, when it makes a model and when it loads one.
    model.__class__ = AdaptedModel
    base: Any = model.get_base_model()
    embeddings: Any = base.get_input_embeddings()
    head: Any = base.get_output_embeddings()
    if isinstance(head, TrainableTokensWrapper):
        # TRL reads it; the wrapper, which passes on the weight only, would raise.
        head.bias = None  # type: ignore[assignment]
    wrapped = [isinstance(layer, TrainableTokensWrapper) for layer in (embeddings, head)]
    if wrapped[0] != wrapped[1]:
        raise AgirError(
            "expected the rows of new tokens to be trained as input and as output, found only "
            f"{'input' if wrapped[0] else 'output'}: the architecture {type(base).__name__} is not supported"
        )
    if all(wrapped) and _is_tied(base) != (
        embeddings.token_adapter.trainable_tokens_delta is head.token_adapter.trainable_tokens_delta
    ):
        raise AgirError(f"embeddings and output layer of {type(base).__name__} came apart under the adapter")
    if trainable:
        for parameter in model.parameters():
            if parameter.requires_grad:
                # A base in bfloat16 hands its type on to the rows, where a small update would be rounded away.
                parameter.data = parameter.data.float()
        if not any(parameter.requires_grad for parameter in model.parameters()):
            raise AgirError("expected weights to train in the adapter, found all of them frozen")
    return model


def _is_tied(model: Any) -> bool:
    return _weight(model.get_input_embeddings()) is _weight(model.get_output_embeddings())


def _weight(layer: Any) -> Any:
    """The weight itself: that of a wrapped layer is computed anew at each look."""
    return layer.original_module.weight if isinstance(layer, TrainableTokensWrapper) else layer.weight
