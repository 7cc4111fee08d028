"""Models by name: packaged, in a folder or on the Hub; and what to do where the Hub does not give one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SIGN_IN = "sign in with 'hf auth login' (or set HF_TOKEN)"


def checkpoint_folder(model: str | os.PathLike) -> Path | None:
    """The folder of a model that is on this machine or in the package; None for one on the Hub."""
    folder = Path(model)
    packaged = Path(__file__).parent / "checkpoints" / str(model)
    if not (folder / "config.json").is_file() and (packaged / "config.json").is_file():
        return packaged
    return folder if folder.is_dir() else None


def why_not(error: BaseException, name: str, *, revision: str | None = None, repo_type: str = "model") -> str:
    """In one line, what an error that a library raised while it read a repository comes down to, and what to do.

    Args:
        error: as raised; what it was raised from counts too.
        name: the repository, "owner/name", or a folder.
        revision: branch, tag or commit that was asked for.
        repo_type: ``"model"`` or ``"dataset"``.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if Path(name).exists():
        return first
    causes = list(_chain(error))

    def is_any(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    page = f"{constants.ENDPOINT}/{'datasets/' if repo_type == 'dataset' else ''}{name}"
    if is_any(GatedRepoError):
        return f"{name} is gated: ask for access at {page}, then {SIGN_IN} and run this again"
    if is_any(RevisionNotFoundError):
        known = _revisions(name, repo_type)
        return f"{name} has no revision {revision or 'main'!r}" + (f": it has {', '.join(known)}" if known else "")
    # `datasets` has an error of its own for this.
    if is_any(RepositoryNotFoundError) or "doesn't exist on the Hub or cannot be accessed" in first:
        return f"the Hub shows no {repo_type} {name}: check the name; if it is private, {SIGN_IN}"
    if constants.HF_HUB_OFFLINE and not is_any(HFValidationError):
        at = f"the revision {revision!r} of {name}" if revision else name
        return f"{at} was not downloaded yet and HF_HUB_OFFLINE is set: run this once without it"
    if is_any(LocalEntryNotFoundError, OfflineModeIsEnabled):
        return f"{name} was not downloaded yet and the Hub cannot be reached: check the connection and run this again"
    return first


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _revisions(name: str, repo_type: str) -> list[str]:
    """Branches and tags, where the Hub tells them."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        references = HfApi().list_repo_refs(name, repo_type=repo_type)
    except (HfHubHTTPError, OSError):
        return []
    return [reference.name for reference in (*references.branches, *references.tags)]
