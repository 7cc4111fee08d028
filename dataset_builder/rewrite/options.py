"""The options of a command that rewrites; without them nothing is rewritten and nothing is sent."""

from __future__ import annotations

import argparse

from agir_hf.errors import AgirError

from .acceptance import Limits
from .chat import ChatModel
from .endpoint import OpenAIEndpoint
from .local import LocalChatModel
from .rewriter import Rewriter


def add_rewrite_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--rewrite-...`` and ``--endpoint-is-local``."""
    group = parser.add_argument_group("rewriting", "have a chat model vary the wording; off unless a model is given")
    group.add_argument("--rewrite-endpoint", metavar="URL", help="OpenAI-compatible, such as http://127.0.0.1:8000/v1")
    group.add_argument("--rewrite-model", metavar="NAME", help="at the endpoint, or the folder of a local model")
    group.add_argument("--rewrite-key-variable", metavar="VARIABLE", help="environment variable that holds the key")
    group.add_argument(
        "--endpoint-is-local",
        action="store_true",
        help="the server at 127.0.0.1 or localhost answers by itself and passes nothing on",
    )
    group.add_argument("--rewrite-device", default="cpu", metavar="DEVICE", help="of a local model (%(default)s)")
    group.add_argument("--rewrite-attempts", type=int, default=3, metavar="N", help="for one text (%(default)s)")
    group.add_argument("--rewrite-at-a-time", type=int, default=1, metavar="N", help="requests at once (%(default)s)")
    group.add_argument(
        "--rewrite-max-lost-share",
        type=float,
        default=Limits.max_lost_share,
        metavar="SHARE",
        help="of the statements of a text that may be lost (%(default)s)",
    )


def rewriter_from(arguments: argparse.Namespace, *, source: str, may_be_shared: bool) -> Rewriter | None:
    """The rewriter that the options ask for; None where they ask for none.

    Args:
        arguments: parsed with ``add_rewrite_options``.
        source: name of the source.
        may_be_shared: whether what is derived from it may be passed on.

    Raises:
        AgirError: options that do not go together.
        GuardedSourceError: the source may not be passed on and the model is not local.
        ChatSetupError: the model cannot be used.
    """
    if arguments.rewrite_model is None:
        given = {
            "--rewrite-endpoint": arguments.rewrite_endpoint,
            "--rewrite-key-variable": arguments.rewrite_key_variable,
            "--endpoint-is-local": arguments.endpoint_is_local,
        }
        found = [name for name, value in given.items() if value]
        if found:
            raise AgirError(f"expected --rewrite-model beside {' and '.join(found)}, found none: name the model")
        return None
    model: ChatModel
    if arguments.rewrite_endpoint is not None:
        model = OpenAIEndpoint(
            arguments.rewrite_endpoint,
            arguments.rewrite_model,
            key_variable=arguments.rewrite_key_variable,
            is_local=arguments.endpoint_is_local,
        )
    elif arguments.rewrite_key_variable is not None or arguments.endpoint_is_local:
        raise AgirError(
            "expected --rewrite-endpoint beside --rewrite-key-variable or --endpoint-is-local, found none: "
            "a model without an endpoint runs here and needs neither"
        )
    else:
        model = LocalChatModel(arguments.rewrite_model, device=arguments.rewrite_device)
    return Rewriter(
        model,
        source=source,
        may_be_shared=may_be_shared,
        attempts=arguments.rewrite_attempts,
        limits=Limits(max_lost_share=arguments.rewrite_max_lost_share),
    )
