"""Text to sentences, and a sentence to tokens: numbers with units, measures, sides, and words that compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .lexicon import (
    HINT_PHRASES,
    INVERTED_PHRASES,
    MEASURE_PHRASES,
    NUMBER_WORDS,
    PREDICATES,
    ROLES,
    UNITS,
    UNMEASURED_PHRASES,
    Predicate,
)

MAX_SENTENCE = 1000  # characters; longer runs without a full stop are cut, so that checking stays linear

_END = re.compile(r"(?<=[.!?])\s+|[\r\n]+")
_ABBREVIATION = re.compile(r"\b(?:approx|e\.g|i\.e|vs|deg|sec|min|ca|cf|al|no|resp)\.$", re.IGNORECASE)
_WORD = re.compile(
    r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?|[a-z]+|[%°/;:,()±~=.!?−–+\[\]-]", re.IGNORECASE
)
_MARKS = {",": "comma", ";": "semicolon", ":": "colon", "(": "open", "[": "open", ")": "close", "]": "close"}


@dataclass(frozen=True)
class Token:
    """A word or phrase with its role.

    Attributes:
        kind: ``number``, ``measure``, ``unmeasured``, ``predicate``, ``word``, a mark, or a key of ``lexicon.ROLES``.
        text: lower-case words of the token, single spaces.
        group: the measure, of measure tokens.
        hint: the word only hints at the measure.
        inverted: more of it means less of the measure ("turning speed").
        predicate: what it says, of predicate tokens.
        value, decimals: of number tokens, as stated.
        dimension, factor: of number tokens with a unit: its dimension and the factor to the base unit.
    """

    kind: str
    text: str
    group: str = ""
    hint: bool = False
    inverted: bool = False
    predicate: Predicate | None = None
    value: float = 0.0
    decimals: int = 0
    dimension: str | None = None
    factor: float = 1.0


_Index = dict[str, list[tuple[tuple[str, ...], Token]]]


def _build_index() -> _Index:
    """Phrases by first word, longest first."""
    index: dict[str, dict[tuple[str, ...], Token]] = {}

    def add(phrases: str, kind: str, **fields: object) -> None:
        for phrase in phrases.split("|"):
            words = tuple(phrase.split())
            index.setdefault(words[0], {})[words] = Token(kind, phrase, **fields)  # type: ignore[arg-type]

    for word, predicate in PREDICATES.items():
        add(word, "predicate", predicate=predicate)
    for kind, phrases in ROLES.items():
        add(phrases, kind)
    add(UNMEASURED_PHRASES, "unmeasured")
    for group, phrases in HINT_PHRASES.items():
        add(phrases, "measure", group=group, hint=True)
    for group, phrases in MEASURE_PHRASES.items():
        add(phrases, "measure", group=group)
    for group, phrases in INVERTED_PHRASES.items():
        add(phrases, "measure", group=group, inverted=True)
    return {
        first: sorted(phrases.items(), key=lambda item: len(item[0]), reverse=True) for first, phrases in index.items()
    }


_PHRASES = _build_index()
_UNIT_WORDS: dict[str, list[tuple[tuple[str, ...], tuple[str, float]]]] = {}
for _phrase, _unit in sorted(UNITS.items(), key=lambda item: len(item[0].split()), reverse=True):
    _UNIT_WORDS.setdefault(_phrase.split()[0], []).append((tuple(_phrase.split()), _unit))
# What may follow a number word that counts; "one arm" and "two sides" count nothing that is checked.
_COUNTED = frozenset(
    "of rated measured gait aspects aspect criteria domains components freezing episodes episode strides are is".split()
)


def split_sentences(text: str) -> Iterator[str]:
    """Sentences of a text, in order, without surrounding space; overlong ones in pieces."""
    start = 0
    for match in _END.finditer(text):
        goes_on = not text[match.end() : match.end() + 1].isupper() and "\n" not in match.group()
        if goes_on and _ABBREVIATION.search(text, max(start, match.start() - 8), match.start()):
            continue
        yield from _pieces(text[start : match.start()])
        start = match.end()
    yield from _pieces(text[start:])


def _pieces(sentence: str) -> Iterator[str]:
    sentence = sentence.strip()
    while len(sentence) > MAX_SENTENCE:
        cut = sentence.rfind(" ", 1, MAX_SENTENCE)
        cut = cut if cut > 0 else MAX_SENTENCE
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence


def _words(sentence: str) -> list[str]:
    """Lower-case words, numbers and marks; hyphens inside words are dropped and minus signs joined to their number."""
    text = sentence.lower().replace("n't", " not").replace("\u2019", "'")
    words: list[str] = []
    previous_end = 0
    sign = False
    for match in _WORD.finditer(text):
        word = match.group()
        spaced = match.start() == 0 or text[match.start() - 1] in " (\t=:~[/"
        if word in "-−–":
            after = text[match.end() : match.end() + 1]
            sign = spaced and after.isdigit()
            if not sign and words and words[-1][-1:].isdigit() and after.isdigit():
                words.append("to")
        elif word[0].isdigit():
            words.append(f"-{word}" if sign and match.start() == previous_end else word)
            sign = False
        else:
            words.append(word)
        previous_end = match.end()
    return words


def _match(index: list[tuple[tuple[str, ...], Token]], words: list[str], at: int) -> tuple[int, Token] | None:
    for phrase, token in index:
        if tuple(words[at : at + len(phrase)]) == phrase:
            return len(phrase), token
    return None


def _number(words: list[str], at: int) -> tuple[int, Token] | None:
    """The number starting here and how many words it takes with its unit."""
    word = words[at]
    if word.lstrip("-")[:1].isdigit():
        plain = word.replace(",", "")
        value = float(plain)
        decimals = len(plain.partition(".")[2]) if "e" not in plain else 0
        used = 1
    elif word in NUMBER_WORDS:
        value, decimals, used = float(NUMBER_WORDS[word]), 0, 1
        following = words[at + 1] if at + 1 < len(words) else ""
        if value >= 20 and 0 < NUMBER_WORDS.get(following, 0) < 10:
            value, used = value + NUMBER_WORDS[following], 2
    else:
        return None
    after = at + used
    for unit_words, (dimension, factor) in _UNIT_WORDS.get(words[after], ()) if after < len(words) else ():
        if tuple(words[after : after + len(unit_words)]) == unit_words:
            text = " ".join(words[at : after + len(unit_words)]).replace(" / ", "/")
            return used + len(unit_words), Token(
                "number", text, value=value, decimals=decimals, dimension=dimension, factor=factor
            )
    if word in NUMBER_WORDS and not (after < len(words) and words[after] in _COUNTED):
        return None
    return used, Token("number", " ".join(words[at:after]), value=value, decimals=decimals)


def tokenize(sentence: str) -> list[Token]:
    """Tokens of one sentence. Time is linear in its length."""
    words = _words(sentence)
    tokens: list[Token] = []
    last_side: Literal["left", "right"] | None = None
    at = 0
    while at < len(words):
        found = _number(words, at) or _match(_PHRASES.get(words[at], []), words, at)
        if found is None:
            found = 1, Token(_MARKS.get(words[at], "word"), words[at])
        used, token = found
        if token.kind == "other" and last_side is not None:
            token = Token("right" if last_side == "left" else "left", token.text)
        if token.kind in ("left", "right"):
            last_side = token.kind  # type: ignore[assignment]
        tokens.append(token)
        at += used
    return tokens
