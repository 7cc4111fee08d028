"""Folds: nobody is on both sides, everybody is tested on, and what a protocol cannot do it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agir_hf.errors import AgirError
from agir_hf.evaluation.protocols import PROTOCOLS, Fold, Walks, folds, per_subject


@st.composite
def cohorts(draw: st.DrawFn) -> Walks:
    """Two or three datasets whose people have the same ids, 6 to 10 people each, 1 to 3 walks a person."""
    rows = []
    for dataset in range(draw(st.integers(2, 3))):
        for person in range(draw(st.integers(6, 10))):
            split = draw(st.sampled_from(["train", "test"])) if person > 1 else ("train", "test")[person]
            rows += [(f"d{dataset}", f"p{person}", split)] * draw(st.integers(1, 3))
    rows = draw(st.permutations(rows))
    return Walks(*(tuple(column) for column in zip(*rows, strict=True)))


@settings(max_examples=40, deadline=None)
@given(cohorts(), st.sampled_from(PROTOCOLS), st.integers(0, 3))
def test_nobody_is_on_both_sides_and_everybody_is_tested_on(walks: Walks, protocol: str, seed: int) -> None:
    made, people = folds(protocol, walks, seed=seed), walks.people()
    for fold in made:
        assert not set(people[fold.train]) & set(people[fold.test])
        assert not set(fold.train.tolist()) & set(fold.test.tolist())
    tested = np.concatenate([fold.test for fold in made])
    if protocol == "split":
        assert set(tested.tolist()) == set(np.flatnonzero(np.array(walks.splits) == "test").tolist())
    elif protocol == "cross":
        times = len(set(walks.datasets)) - 1
        assert np.array_equal(np.bincount(tested, minlength=len(people)), np.full(len(people), times))
    else:
        assert sorted(tested.tolist()) == list(range(len(people)))


@settings(max_examples=20, deadline=None)
@given(cohorts(), st.randoms(use_true_random=False))
def test_six_folds_do_not_hang_on_the_order_of_walks(walks: Walks, shuffle) -> None:  # type: ignore[no-untyped-def]
    order = list(range(len(walks.subjects)))
    shuffle.shuffle(order)
    other = Walks(tuple(walks.datasets[i] for i in order), tuple(walks.subjects[i] for i in order))
    for one, again in zip(folds("six-fold", walks), folds("six-fold", other), strict=True):
        assert one.name == again.name
        assert set(walks.people()[one.test]) == set(other.people()[again.test])


def test_in_domain_learns_from_the_others_and_its_own() -> None:
    walks = Walks(("a",) * 6 + ("b",) * 7, tuple("123456") + tuple("1234567"))
    first = folds("in-domain", walks)[0]
    learned = {walks.datasets[i] for i in first.train}
    assert learned == {"a", "b"} and {walks.datasets[i] for i in first.test} == {"a"}
    assert len(first.train) == 5 + 7  # five of the own six people, all of the other dataset


def test_a_leak_cannot_be_built() -> None:
    walks = Walks(("a", "a", "a"), ("p", "q", "p"), ("train", "train", "test"))
    with pytest.raises(
        AgirError, match="nobody on both sides of fold 'split', found 1 people, first dataset a, subject p"
    ):
        folds("split", walks)
    with pytest.raises(AgirError, match="found 0 and 1"):
        Fold("none", np.array([], dtype=np.int64), np.array([0]), walks)


def test_what_a_protocol_cannot_do_it_says() -> None:
    walks = Walks(("a",) * 4, tuple("1234"))
    with pytest.raises(AgirError, match=r"expected a protocol of split, .* found 'lodo'"):
        folds("lodo", walks)
    with pytest.raises(AgirError, match="at least two datasets for protocol 'cross', found 1"):
        folds("cross", walks)
    with pytest.raises(AgirError, match="at least 6 subjects in a for six folds, found 4"):
        folds("six-fold", walks)


def test_means_of_subjects() -> None:
    names, means = per_subject([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], ["q", "p", "q"])
    assert names == ["p", "q"] and means.tolist() == [[0.0, 1.0], [0.75, 0.25]]
