"""Muon for the matrices of a language model, AdamW for everything else.

A decoder that starts from nothing must learn to carry any of some thousand numbers from the evidence into its answer: a
map close to the identity, of full rank. AdamW finds its strong directions first; Muon's updates, whose singular values
are all alike, find them together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel


class MuonWithAdamW(torch.optim.Optimizer):
    """Two optimisers under one name; both follow the same schedule, as their groups are this one's ``param_groups``.

    Args:
        matrices: weights of linear layers, for Muon; its steps are scaled to the size of AdamW's.
        others: embeddings, norms and convolutions, for AdamW.
        matrix_lr, other_lr: learning rates of the two.
    """

    def __init__(
        self,
        matrices: list[nn.Parameter],
        others: list[nn.Parameter],
        *,
        matrix_lr: float,
        other_lr: float,
        weight_decay: float = 0.01,
    ) -> None:
        muon = torch.optim.Muon(matrices, lr=matrix_lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        adamw = torch.optim.AdamW(others, lr=other_lr, weight_decay=weight_decay)
        self.parts: tuple[torch.optim.Optimizer, ...] = (muon, adamw)
        super().__init__([{"params": [*matrices, *others]}], {"lr": matrix_lr})
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


class MuonFactory:
    """What ``Trainer(optimizer_cls_and_kwargs=(MuonFactory, ...))`` makes and calls with the model."""

    def __call__(self, model: PreTrainedModel, **kwargs: Any) -> MuonWithAdamW:
        ends = {id(layer.weight) for layer in (model.get_input_embeddings(), model.get_output_embeddings())}
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        matrices = [p for p in trained if p.ndim == 2 and id(p) not in ends]
        chosen = {id(p) for p in matrices}
        return MuonWithAdamW(matrices, [p for p in trained if id(p) not in chosen], **kwargs)
