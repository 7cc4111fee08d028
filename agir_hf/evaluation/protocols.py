"""Who is learned from and who is tested on: a person is never on both sides, and no fold can be built that breaks it.

The names are those of CARE-PD's benchmark: within one dataset (leave one subject out, or six folds of subjects), across
two, all but one, and all of the others together with the training part of the own (multi-dataset in-domain).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import AgirError

PROTOCOLS = ("split", "leave-one-subject-out", "six-fold", "cross", "leave-one-dataset-out", "in-domain")
FOLDS = 6
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Walks:
    """What protocols know of each walk: (N,) dataset, subject and, for "split", the dataset's own split.

    People of two datasets are different people, whatever their ids.
    """

    datasets: tuple[str, ...]
    subjects: tuple[str, ...]
    splits: tuple[str, ...] = ()

    def only(self, places: Places) -> Walks:
        """Some of the walks, in the order of their places."""
        columns = (self.datasets, self.subjects, self.splits)
        return Walks(*(tuple(column[i] for i in places.tolist()) if column else () for column in columns))

    def people(self) -> NDArray[np.str_]:
        return np.array(
            [f"{dataset}\n{subject}" for dataset, subject in zip(self.datasets, self.subjects, strict=True)]
        )


@dataclass(frozen=True)
class Fold:
    """Places of walks to learn from and to test on.

    Raises:
        AgirError: a person is on both sides, or a side is empty.
    """

    name: str
    train: Places
    test: Places
    walks: Walks

    def __post_init__(self) -> None:
        if not len(self.train) or not len(self.test):
            raise AgirError(
                f"expected walks to learn from and to test on in fold '{self.name}', found {len(self.train)} and "
                f"{len(self.test)}"
            )
        people = self.walks.people()
        both = sorted(set(people[self.train]) & set(people[self.test]))
        if both:
            name = both[0].replace("\n", ", subject ")
            raise AgirError(
                f"expected nobody on both sides of fold '{self.name}', found {len(both)} people, first dataset {name}"
            )


def folds(protocol: str, walks: Walks, *, seed: int = 0) -> list[Fold]:
    """The folds of a protocol; every walk is tested on at most once a training side.

    Args:
        protocol: one of ``PROTOCOLS``. "cross" learns from each dataset and tests on each other one.
        seed: of the draw of subjects into six folds; the same for the same people in any order of their walks.

    Raises:
        AgirError: an unknown protocol, too few datasets or subjects for it, or a person in two splits.
    """
    if protocol not in PROTOCOLS:
        raise AgirError(f"expected a protocol of {', '.join(PROTOCOLS)}, found '{protocol}'")
    datasets = np.array(walks.datasets)
    names = sorted(set(walks.datasets))
    if protocol in {"cross", "leave-one-dataset-out", "in-domain"} and len(names) < 2:
        raise AgirError(f"expected at least two datasets for protocol '{protocol}', found {len(names)}")

    def fold(name: str, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> Fold:
        return Fold(name, np.flatnonzero(train), np.flatnonzero(test), walks)

    if protocol == "split":
        splits = np.array(walks.splits)
        if "train" not in walks.splits or "test" not in walks.splits:
            raise AgirError(
                "expected walks of the splits 'train' and 'test', found "
                f"{', '.join(sorted(set(walks.splits))) or 'none'}: choose another protocol, such as six-fold"
            )
        return [fold("split", splits == "train", splits == "test")]
    if protocol == "cross":
        return [
            fold(f"{one} to {other}", datasets == one, datasets == other)
            for one in names
            for other in names
            if one != other
        ]
    if protocol == "leave-one-dataset-out":
        return [fold(f"all but {name}", datasets != name, datasets == name) for name in names]
    found = []
    for name in names:
        parts = _subject_parts(walks, name, protocol, seed)
        for label, test in parts:
            own = (datasets == name) & ~test
            train = (datasets != name) | own if protocol == "in-domain" else own
            found.append(fold(f"{name}: {label}", train, test))
    return found


def _subject_parts(walks: Walks, dataset: str, protocol: str, seed: int) -> list[tuple[str, NDArray[np.bool_]]]:
    """Test sides within a dataset: each subject, or six groups of subjects of nearly one size."""
    datasets, people = np.array(walks.datasets), walks.people()
    subjects = sorted(set(people[datasets == dataset]))
    if protocol == "leave-one-subject-out":
        return [(subject.split("\n")[1], people == subject) for subject in subjects]
    if len(subjects) < FOLDS:
        raise AgirError(f"expected at least {FOLDS} subjects in {dataset} for six folds, found {len(subjects)}")
    order = np.random.default_rng(seed).permutation(len(subjects))
    groups = [[subjects[i] for i in order[k::FOLDS]] for k in range(FOLDS)]
    return [(f"fold {k + 1}", np.isin(people, group)) for k, group in enumerate(groups)]


def per_subject(values: ArrayLike, subjects: ArrayLike) -> tuple[list[str], NDArray[np.float64]]:
    """Subjects in sorted order and the mean of each one's values; values may be rows (N, C)."""
    table = np.asarray(values, dtype=float)
    who = np.asarray(subjects)
    names = sorted(set(who.tolist()))
    return names, np.array([table[who == name].mean(axis=0) for name in names])
