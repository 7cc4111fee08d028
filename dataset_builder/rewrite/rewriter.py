"""Rewriting texts with a chat model: ask, check, ask again with the faults named, and keep a record of it all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from agir_hf.errors import AgirError
from agir_hf.rationale import evidence_block
from agir_hf.rationale.measures import Parameters

from .acceptance import Fault, Limits, cleaned, find_faults
from .chat import ChatError, ChatModel, ChatSetupError, Message
from .preservation import read_claims

_FOLDER = Path(__file__).parent / "prompts"
_REVISION = "1"
MAX_ANSWERLESS = 5  # texts without an answer, one after another, after which a model is given up
_TOKENS_A_WORD = 4  # generous: numbers and units take several

Kind = Literal["description", "rationale"]


class GuardedSourceError(AgirError):
    """The source forbids passing on what is derived from it, and the model is not on this machine."""


@dataclass(frozen=True)
class RewriteTask:
    """A text to rewrite. It has no id, so that none can be sent.

    Attributes:
        kind: what the text is.
        text: the original.
        parameters: what was measured; the answer is checked against it.
        seed: decides the answer, as far as the model lets it.
    """

    kind: Kind
    text: str
    parameters: Parameters
    seed: int


@dataclass(frozen=True)
class RewriteRecord:
    """What became of a text.

    Attributes:
        kind: what the text is.
        original: the text before.
        rewritten: the accepted answer; None where there is none.
        attempts: answers asked for; 0 where none could be checked.
        failure: why there is none: the kinds and texts of the last answer's faults, or why no answer came.
        model: name of the model.
        prompt_version: of the prompts.
    """

    kind: str
    original: str
    rewritten: str | None
    attempts: int
    failure: str | None
    model: str
    prompt_version: str

    @property
    def text(self) -> str:
        """The text to use: the rewritten one, or the original where that failed."""
        return self.original if self.rewritten is None else self.rewritten

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


@cache
def prompt_version() -> str:
    """Names the prompts: a number, and the hash of their files."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.txt")):
        digest.update(f"{path.name}\0{path.read_text(encoding='utf-8')}\0".encode())
    return f"{_REVISION}-{digest.hexdigest()[:8]}"


@cache
def _template(name: str) -> Any:
    from jinja2 import Environment, StrictUndefined

    source = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return Environment(undefined=StrictUndefined, autoescape=False).from_string(source)


class Rewriter:
    """Rewrites the texts of one source.

    Args:
        model: answers.
        source: name of the source, for messages.
        may_be_shared: whether what is derived from the source may be passed on; where not, the model must be local.
        attempts: answers asked for, for one text.
        limits: how far an answer may be from the original.

    Raises:
        GuardedSourceError: the source may not be passed on and the model is not local.
        AgirError: ``attempts`` is below 1, or a limit is out of its range.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        source: str,
        may_be_shared: bool,
        attempts: int = 3,
        limits: Limits | None = None,
    ) -> None:
        if not may_be_shared and not model.is_local:
            raise GuardedSourceError(
                f"expected a model on this machine for {source}, which may not be passed on, found {model.name} "
                "elsewhere: use a local model, or a server on this machine with --endpoint-is-local"
            )
        self._limits = limits or Limits()
        if attempts < 1 or not 0 <= self._limits.max_lost_share <= 1:
            raise AgirError(
                f"expected at least 1 attempt and a share of lost claims from 0 to 1, found {attempts} and "
                f"{self._limits.max_lost_share}"
            )
        self._model, self._attempts = model, attempts
        self._answerless = 0

    def rewrite(self, task: RewriteTask) -> RewriteRecord:
        """Rewrite one text. Whatever the model does, there is a record.

        Raises:
            ChatSetupError: no text would be answered, so going on is of no use.
        """
        if not any(sentence.told for sentence in read_claims(task.text, task.parameters)):
            return self._record(task, None, 0, "not_checkable: expected a text that states a measurement, found none")
        messages: list[Message] = [
            {"role": "system", "content": _template("system").render().strip()},
            {"role": "user", "content": self._request(task)},
        ]
        max_tokens = int(_TOKENS_A_WORD * self._limits.max_length * len(task.text.split())) + 64
        turns, faults = messages, list[Fault]()
        for attempt in range(self._attempts):
            try:
                answer = cleaned(self._model.complete(turns, seed=task.seed + attempt, max_tokens=max_tokens))
            except ChatSetupError:
                raise
            except ChatError as error:
                self._no_answer(error)
                return self._record(task, None, attempt + 1, f"no_answer: {error}")
            self._answerless = 0
            faults = find_faults(answer, task.text, task.parameters, self._limits)
            if not faults:
                return self._record(task, answer, attempt + 1, None)
            turns = [*messages, *self._objection(answer[: 4 * len(task.text)], faults)]
        reason = "; ".join(f"{fault.kind}: {fault.text}" for fault in faults)
        return self._record(task, None, self._attempts, reason)

    def rewrite_all(self, tasks: Iterable[RewriteTask], *, at_a_time: int = 1) -> Iterator[RewriteRecord]:
        """One record a task, in the order of the tasks.

        Args:
            tasks: read as they are needed.
            at_a_time: requests under way together; more than 1 pays where a server batches them.

        Raises:
            AgirError: ``at_a_time`` is below 1.
            ChatSetupError: see ``rewrite``.
        """
        if at_a_time < 1:
            raise AgirError(f"expected at least 1 request at a time, found {at_a_time}")
        waiting = iter(tasks)
        with ThreadPoolExecutor(max_workers=at_a_time) as pool:
            while batch := list(islice(waiting, 4 * at_a_time)):
                yield from pool.map(self.rewrite, batch)

    @staticmethod
    def _request(task: RewriteTask) -> str:
        evidence = evidence_block(task.parameters)
        return str(_template(task.kind).render(evidence=evidence, text=task.text)).strip()

    @staticmethod
    def _objection(answer: str, faults: list[Fault]) -> list[Message]:
        """The turns that show a model its answer and what is wrong with it."""
        asked: list[Message] = [
            {"role": "assistant", "content": answer or "(no text)"},
            {"role": "user", "content": _template("retry").render(faults=[fault.text for fault in faults]).strip()},
        ]
        return asked

    def _no_answer(self, error: ChatError) -> None:
        self._answerless += 1
        if self._answerless >= MAX_ANSWERLESS:
            raise ChatSetupError(
                f"expected an answer from {self._model.name}, found none for {self._answerless} texts one after "
                f"another, the last: {error}; see to the endpoint, then go on where this stopped"
            ) from error

    def _record(self, task: RewriteTask, rewritten: str | None, attempts: int, failure: str | None) -> RewriteRecord:
        return RewriteRecord(task.kind, task.text, rewritten, attempts, failure, self._model.name, prompt_version())
