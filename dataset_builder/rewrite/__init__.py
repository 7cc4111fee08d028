"""Optional rewriting of descriptions and rationales by a chat model, checked claim by claim against the measurements.

Off unless a model is given. An answer is used only where every claim in it is measured, no more than a stated share of
the original's claims is lost, and no word tells the score; else the model is told what is wrong and asked again, and
where that does not help the original stays and the record says why.
"""

from __future__ import annotations

from .acceptance import Fault, Limits, find_faults
from .chat import ChatError, ChatModel, ChatSetupError, Message
from .endpoint import OpenAIEndpoint
from .local import LocalChatModel
from .options import add_rewrite_options, rewriter_from
from .rewriter import GuardedSourceError, Rewriter, RewriteRecord, RewriteTask, prompt_version

__all__ = [
    "ChatError",
    "ChatModel",
    "ChatSetupError",
    "Fault",
    "GuardedSourceError",
    "Limits",
    "LocalChatModel",
    "Message",
    "OpenAIEndpoint",
    "RewriteRecord",
    "RewriteTask",
    "Rewriter",
    "add_rewrite_options",
    "find_faults",
    "prompt_version",
    "rewriter_from",
]
