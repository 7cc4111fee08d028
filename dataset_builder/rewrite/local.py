"""A chat model that runs here, with transformers, from files that are already on this machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from .chat import TEMPERATURE, ChatError, ChatSetupError, Message


class LocalChatModel:
    """Any ``AutoModelForCausalLM`` with a chat template; nothing leaves the machine and nothing is downloaded.

    Args:
        path: a folder, or the Hub id of a model in the local cache.
        device: where it runs, such as ``"cpu"`` or ``"cuda"``.

    Raises:
        ChatSetupError: it is not on this machine, cannot be read, or has no chat template.
    """

    is_local = True

    def __init__(self, path: str, *, device: str = "cpu") -> None:
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.name = path
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(path, local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(path, local_files_only=True, dtype="auto")
        except (OSError, ValueError, SafetensorError) as error:
            raise ChatSetupError(
                f"expected a chat model on this machine, found none that can be read at {path} ({error}): "
                "give a folder, or download the model first"
            ) from error
        if not self._tokenizer.chat_template:
            raise ChatSetupError(f"expected a model with a chat template, found none at {path}: use an instruct model")
        self._model: Any = model.to(device).eval()
        self._lock = threading.Lock()  # torch has one random state

    def complete(self, messages: Sequence[Message], *, seed: int, max_tokens: int) -> str:
        """See ``ChatModel``.

        Raises:
            ChatError: the chat is longer than the model can read, or its template refuses it.
        """
        import torch
        from jinja2.exceptions import TemplateError

        try:
            inputs = self._tokenizer.apply_chat_template(
                list(messages),
                add_generation_prompt=True,
                return_tensors="pt",
                return_dict=True,
                enable_thinking=False,  # templates that know no thinking ignore it
            ).to(self._model.device)
        except TemplateError as error:
            raise ChatError(f"the chat template of {self.name} refuses the chat: {error}") from error
        length = inputs["input_ids"].shape[1]
        room = getattr(self._model.config, "max_position_embeddings", None)
        if room is not None and length + max_tokens > room:
            raise ChatError(
                f"expected a chat and answer of at most {room} tokens, found {length} + {max_tokens}: "
                "use a model with a longer context"
            )
        with self._lock, torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            output = self._model.generate(
                **inputs, do_sample=True, temperature=TEMPERATURE, top_p=0.95, max_new_tokens=max_tokens
            )
        return str(self._tokenizer.decode(output[0, length:], skip_special_tokens=True))
