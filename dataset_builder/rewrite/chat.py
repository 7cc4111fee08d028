"""What a rewriting step needs of a chat model, whichever answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypedDict

from agir_hf.errors import AgirError

TEMPERATURE = 0.7  # wording is to vary; what must not is checked afterwards


class Message(TypedDict):
    """One turn of a chat: ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


class ChatError(AgirError):
    """No answer could be had to this text; another text may fare better."""


class ChatSetupError(ChatError):
    """No text would be answered: the address, the key or the model is wrong."""


class ChatModel(Protocol):
    """A chat model."""

    @property
    def name(self) -> str:
        """What records call it."""

    @property
    def is_local(self) -> bool:
        """Whether what it is given stays on this machine."""

    def complete(self, messages: Sequence[Message], *, seed: int, max_tokens: int) -> str:
        """The next turn of a chat, as the model wrote it; empty where it said nothing.

        Args:
            messages: the turns so far.
            seed: equal seeds give equal answers as far as the model can.
            max_tokens: of the answer.

        Raises:
            ChatError: there is no answer.
            ChatSetupError: there never will be one.
        """
