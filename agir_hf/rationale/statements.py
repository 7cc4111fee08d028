"""What a sentence claims in words: reduced, less than the other side, below the norm, not measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .lexer import Token
from .lexicon import Predicate
from .measures import SIDED_GROUPS

Object = Literal["", "norm", "range", "other side"]


@dataclass(frozen=True)
class Mention:
    """A measure as a sentence names it, with the side it names."""

    group: str
    side: str | None = None
    inverted: bool = False


@dataclass(frozen=True)
class WordClaim:
    """A statement without a number.

    Attributes:
        text: the words that make it.
        kind: a ``lexicon.Predicate`` kind, or ``missing``, ``no_norm``, ``freezing_none``, ``freezing_some``,
            ``unmeasured``, ``list`` (a list of reduced aspects, ``count`` long), ``rest_usual`` or ``rest_out``
            (what is said of the aspects not listed).
        target: the measure it is about.
        against: what it is compared with.
        negated, strong: "not" or "very" before it.
        count: number of aspects listed.
    """

    text: str
    kind: str
    target: Mention = Mention("")
    against: Object = ""
    negated: bool = False
    strong: bool = False
    count: int = 0


_CARRY = ("on", "at", "in", "the", "for", "of", "than", "his", "her", "side", "both", "here", "clearly", "that")


def _side_near(tokens: Sequence[Token], at: int) -> str | None:
    """The side named with a mention: right before it, or "on the left" right after it."""
    for step in (1, 2):
        if at - step >= 0 and tokens[at - step].kind in ("left", "right"):
            return tokens[at - step].kind
        if at - step >= 0 and tokens[at - step].kind != "word":
            break
    return _side_after(tokens, at)


def _side_after(tokens: Sequence[Token], at: int) -> str | None:
    for token in tokens[at + 1 : at + 4]:
        if token.kind in ("left", "right"):
            return token.kind
        if token.text not in ("on", "at", "in", "the", "of", "his", "her"):
            return None
    return None


def _object_after(tokens: Sequence[Token], at: int, direct: bool) -> tuple[Object, str | None, int]:
    """What a comparison is made with, the side named in it, and where it begins; ``direct`` needs no "than"."""
    begin = at + 1
    if not direct:
        for i in range(at + 1, min(at + 8, len(tokens))):
            if tokens[i].kind == "than":
                begin = i + 1
                break
            if tokens[i].kind in ("semicolon", "boundary", "comma", "predicate"):
                return "", None, at
            if tokens[i].kind == "range":  # "than usual" is one phrase
                return "range", None, i
        else:
            return "", None, at
    for i in range(begin, min(begin + 6, len(tokens))):
        token = tokens[i]
        if token.kind in ("norm", "weak_norm", "range"):
            return ("range" if token.kind == "range" else "norm"), None, begin
        if token.kind in ("left", "right"):
            return "other side", token.kind, begin
        if token.kind == "pronoun" and direct:
            return "range", None, begin
        if token.kind == "number":
            tail = tokens[i + 1 : i + 6]
            for later in tail:
                if later.kind in ("norm", "range"):
                    return "norm", None, begin
                if later.kind in ("left", "right"):
                    return "other side", later.kind, begin
            return "", None, at
        if token.kind in ("semicolon", "boundary", "comma"):
            break
    return "", None, at


def _opening_object(tokens: Sequence[Token]) -> tuple[Object, str | None]:
    """What a sentence compares with before it says what: "Compared with the right, ..."."""
    for i, token in enumerate(tokens[:6]):
        if token.kind == "than":
            against, side, _ = _object_after(tokens, i, direct=True)
            return against, side
    return "", None


class _Reader:
    """Reads the statements of one sentence from left to right."""

    def __init__(self, tokens: Sequence[Token], topic: str) -> None:
        self.tokens = tokens
        self.topic: Mention | None = Mention(topic) if topic else None
        self.pending: list[Mention] = []
        self.carry = False  # a pronoun since the last statement lets it speak of the topic
        self.rest = False  # "the others" since the last semicolon
        self.sides: list[str] = []  # named since the last semicolon
        self.opening = _opening_object(tokens)
        self.taken: set[int] = set()  # mentions that an adjective before them has already spoken of

    def claims(self) -> Iterator[WordClaim]:
        for at, token in enumerate(self.tokens):
            if token.kind == "measure":
                yield from self._mention(at, token)
            elif token.kind in ("left", "right"):
                self.sides.append(token.kind)
            elif token.kind in ("semicolon", "boundary"):
                self.pending, self.sides, self.carry, self.rest = [], [], False, False
            elif token.kind == "pronoun":
                self.carry = True
            elif token.kind == "rest":
                self.carry, self.topic, self.rest = False, None, True
            elif token.kind == "missing":
                yield from self._missing(token)
            elif token.kind == "no_norm":
                yield from self._no_norm(at)
            elif token.kind == "unmeasured" and not any(t.kind == "missing" for t in self.tokens):
                yield WordClaim(token.text, "unmeasured")
            elif token.predicate is not None:
                yield from self._predicate(at, token, token.predicate)

    def _mention(self, at: int, token: Token) -> Iterator[WordClaim]:
        mention = Mention(token.group, _side_near(self.tokens, at), token.inverted)
        self.topic = mention
        if at not in self.taken and not (token.hint and any(m.group == token.group for m in self.pending)):
            self.pending.append(mention)
        if token.group == "freezing" and at:
            before = [t.kind for t in self.tokens[max(0, at - 2) : at]]
            if "not" in before or "none" in before:
                yield WordClaim(f"no {token.text}", "freezing_none", mention)
            elif "some" in before:
                yield WordClaim(f"some {token.text}", "freezing_some", mention)

    def _missing(self, token: Token) -> Iterator[WordClaim]:
        targets = self.pending
        if not targets and self.topic is not None:
            targets = [Mention(self.topic.group, self.sides[-1] if self.sides else None)]
        for target in targets:
            yield WordClaim(token.text, "missing", target)
        self.pending = []

    def _no_norm(self, at: int) -> Iterator[WordClaim]:
        if self.pending:
            yield WordClaim(self.tokens[at].text, "no_norm", self.pending[-1])
            return
        for token in self.tokens[at + 1 :]:
            if token.kind == "measure":
                yield WordClaim(self.tokens[at].text, "no_norm", Mention(token.group))
                return

    def _predicate(self, at: int, token: Token, said: Predicate) -> Iterator[WordClaim]:
        previous = self.tokens[at - 1] if at else None
        if previous is not None and previous.kind == "number" and not said.comparative:
            return  # "0.45 m long" measures, it does not judge
        if self.rest and said.kind in ("usual", "low", "out"):
            self.rest = False
            yield WordClaim(f"the others {token.text}", "rest_usual" if said.kind == "usual" else "rest_out")
            return
        before = self.tokens[max(0, at - 2) : at]
        negated = any(t.kind == "not" for t in before)
        strong = bool(before) and before[-1].text == "very"
        if said.comparative:
            direct = said.groups is None
            against, side, begin = _object_after(self.tokens, at, direct)
            if not against and (said.needs_object or self.opening[0] == "other side"):
                against, side = self.opening
            if against == "other side" and not direct:
                yield from self._sides_compared(at, begin, token, said, side, negated)
                return
            if against == "other side":
                yield from self._sides_compared(at, at, token, said, side, negated)
                return
            if not against and said.needs_object:
                mention = self._adjective_target(at)
                if mention is None or direct:
                    return
                yield WordClaim(token.text, said.kind, mention, negated=negated, strong=strong)
                return
        else:
            against = ""
        for target in self._targets(at, said):
            if said.groups is None or target.group in said.groups or (said.kind in ("low", "high") and against):
                yield WordClaim(token.text, said.kind, target, against, negated, strong)

    def _adjective_target(self, at: int) -> Mention | None:
        """The measure an adjective stands before: "short strides", "reduced left arm swing"."""
        for i in range(at + 1, min(at + 4, len(self.tokens))):
            token = self.tokens[i]
            if token.kind == "measure":
                self.taken.add(i)
                return Mention(token.group, _side_near(self.tokens, i), token.inverted)
            if token.kind not in ("left", "right", "predicate"):
                return None
        return None

    def _targets(self, at: int, said: Predicate) -> list[Mention]:
        adjective = self._adjective_target(at)
        if adjective is not None:
            return [adjective]
        if self.pending and not (said.kind == "uneven" and not any(m.group in SIDED_GROUPS for m in self.pending)):
            targets, self.pending, self.carry = self.pending, [], False
            side = _side_after(self.tokens, at)
            return [Mention(m.group, m.side or side, m.inverted) for m in targets]
        if said.kind == "uneven":
            return self._listed(at, stop_at_predicate=False)
        following = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if following is not None and following.kind == "colon":
            return self._listed(at, stop_at_predicate=True)
        if self.carry and self.topic is not None:
            self.carry = False
            return [Mention(self.topic.group, self.topic.side or _side_after(self.tokens, at), self.topic.inverted)]
        return []

    def _listed(self, at: int, *, stop_at_predicate: bool) -> list[Mention]:
        """Measures listed after a statement, up to the next clause."""
        found = []
        for i in range(at + 1, len(self.tokens)):
            token = self.tokens[i]
            if token.kind in ("semicolon", "boundary") or (stop_at_predicate and token.predicate is not None):
                break
            if token.kind == "measure":
                self.taken.add(i)
                found.append(Mention(token.group, _side_near(self.tokens, i), token.inverted))
        return found

    def _sides_compared(
        self, at: int, begin: int, token: Token, said: Predicate, object_side: str | None, negated: bool
    ) -> Iterator[WordClaim]:
        between = [t.kind for t in self.tokens[at + 1 : begin] if t.kind in ("left", "right")]
        subject = between[-1] if between else (self.sides[-1] if self.sides else None)
        if subject is None or subject == object_side:
            subject = "left" if object_side == "right" else "right"
        mention = self._adjective_target(at) or (self.pending[-1] if self.pending else self.topic)
        self.pending = []
        if mention is None or mention.group not in SIDED_GROUPS:
            return
        target = Mention(mention.group, subject, mention.inverted)
        yield WordClaim(token.text, said.kind, target, "other side", negated)


def word_claims(tokens: Sequence[Token], topic: str) -> list[WordClaim]:
    """The statements of one sentence.

    Args:
        tokens: of one sentence.
        topic: the measure the sentence before ended on; empty for none.
    """
    claims = list(_Reader(tokens, topic).claims())
    listed = _listed_reduced(tokens)
    return [*claims, *([WordClaim("list of reduced aspects", "list", count=listed)] if listed else [])]


def _listed_reduced(tokens: Sequence[Token]) -> int:
    """How many measures follow "reduced:" in a sentence that counts aspects; 0 for no such list."""
    if not any(token.kind == "count_noun" for token in tokens):
        return 0
    for at, token in enumerate(tokens[:-1]):
        if token.predicate is not None and token.predicate.kind in ("low", "out") and tokens[at + 1].kind == "colon":
            groups = []
            for later in tokens[at + 2 :]:
                if later.kind in ("semicolon", "boundary"):
                    break
                if later.kind == "measure":
                    groups.append(later.group)
            return len(set(groups))
    return 0
