"""Errors a user can act on: what was expected, what was found, what to do."""

from __future__ import annotations

from types import ModuleType


class AgirError(Exception):
    """Base of every error this package raises on bad input. The message is one clear line."""


class MotionFormatError(AgirError, ValueError):
    """A motion file or array cannot be read as human motion."""


class MissingDependencyError(AgirError, ImportError):
    """An optional package is needed; the message names the exact command that installs it."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional package, or say how to install it.

    Args:
        module: import name, such as ``"trl"``.
        extra: the extra of this package that brings it, such as ``"train"``.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{module} is needed here and cannot be imported ({error}); run: pip install 'agir-hf[{extra}]'"
        ) from error
