"""CARE-PD: nine cohorts of SMPL walks in pickles, on the user's own machine, with the official folds beside them.

Its licence is CC BY-NC-ND in one place and CC BY-NC in another; the stricter counts here, so nothing made from it is
ever pushed. Adeli et al., CARE-PD, NeurIPS Datasets and Benchmarks 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agir_hf.errors import AgirError, MotionFormatError
from agir_hf.motion import care_pd
from agir_hf.motion.unpickle import load_pickle

from .base import ClipReference, Licence, SourceClip, file_sha256, file_stamp, split_of, without_path

COHORTS = ("3DGait", "BMCLab", "DNE", "E-LC", "KUL-DT-T", "PD-GaM", "T-LTC", "T-SDU", "T-SDU-PD")
# What a folds file calls its two sides.
_FOLD_SPLITS = {"train": "train", "eval": "test", "test": "test"}


@dataclass(frozen=True)
class CarePdSource:
    """All cohorts whose pickle lies in a folder.

    Attributes:
        folder: with ``COHORT.pkl`` and, for the official folds, ``folds/`` as it comes with the dataset.
        fold_set: ``fixed`` for ``COHORT_fixed.pkl`` or ``COHORT_authors_fixed.pkl``, else such as ``6fold`` for
            ``COHORT_6fold_participants.pkl``.
        fold: which fold of the file, from 1.
    """

    folder: Path
    fold_set: str = "fixed"
    fold: int = 1

    @property
    def name(self) -> str:
        return "care_pd"

    @property
    def licence(self) -> Licence:
        note = "CARE-PD says CC BY-NC-ND in one place and CC BY-NC in another; taken as the stricter, never passed on."
        return Licence("cc-by-nc-nd-4.0", note, False)

    def cohort_files(self) -> dict[str, Path]:
        """The pickle of each cohort that is there, by cohort.

        Raises:
            AgirError: no such folder, no cohort in it, or a pickle that is none of the cohorts.
        """
        if not self.folder.is_dir():
            raise AgirError(f"expected a folder of CARE-PD pickles, found none at {self.folder}: --path FOLDER")
        files = {path.stem.removesuffix("_canonical"): path for path in sorted(self.folder.glob("*.pkl"))}
        unknown = sorted(set(files) - set(COHORTS))
        if unknown or not files:
            found = f"{unknown[0]}.pkl" if unknown else "no .pkl"
            raise AgirError(
                f"expected pickles named after the cohorts {', '.join(COHORTS)} in {self.folder}, found {found}"
            )
        return files

    def folds_file(self, cohort: str) -> Path | None:
        """The folds file of a cohort; None where none lies beside the data, and splits go by hash."""
        fixed = self.fold_set == "fixed"
        names = [f"{cohort}_fixed.pkl", f"{cohort}_authors_fixed.pkl"] if fixed else []
        names.append(f"{cohort}_{self.fold_set}_participants.pkl")
        found = (path for name in names for path in sorted((self.folder / "folds").rglob(name)))
        return next(found, None)

    def recipe(self) -> dict[str, object]:
        files = self.cohort_files()
        folds = {cohort: path for cohort in files if (path := self.folds_file(cohort)) is not None}
        return {
            "cohorts": {cohort: file_sha256(path) for cohort, path in files.items()},
            "folds": {cohort: {"file": path.name, "sha256": file_sha256(path)} for cohort, path in folds.items()},
            "fold_set": self.fold_set,
            "fold": self.fold,
        }

    def references(self) -> tuple[ClipReference, ...]:
        found = []
        for cohort, path in self.cohort_files().items():
            splits = self._fold_splits(cohort)
            for name, (subject, _) in _records(path).items():
                # Subjects that the official folds leave out are not tested on.
                split = split_of(cohort, subject) if splits is None else splits.get(subject, "train")
                found.append(
                    ClipReference(f"{cohort}/{name}", f"{cohort}/{subject}", cohort, split, f"{cohort}/{name}")
                )
        return tuple(found)

    def read(self, reference: ClipReference) -> SourceClip:
        cohort, _, name = reference.key.partition("/")
        try:
            subject, record = _records(self.cohort_files()[cohort])[name]
            walk = care_pd._walk(subject, name, record)
            clip = care_pd.care_pd_clip(walk, source=f"CARE-PD {cohort}/{name}")
        except MotionFormatError as error:
            raise MotionFormatError(without_path(str(error), self.folder)) from error
        return SourceClip(clip, walk.score, {"medication": walk.medication, "other": walk.other})

    def _fold_splits(self, cohort: str) -> dict[str, str] | None:
        path = self.folds_file(cohort)
        if path is None:
            return None
        content = load_pickle(path)
        folds = content if isinstance(content, dict) else {}
        chosen = folds.get(self.fold, folds.get(str(self.fold)))
        if not isinstance(chosen, dict) or not set(chosen) <= set(_FOLD_SPLITS):
            raise AgirError(
                f'{path}: expected {{fold: {{"train": [...], "eval": [...]}}}} with a fold {self.fold}, found '
                f"{sorted(map(str, folds))[:8] or type(content).__name__}: name another with --fold"
            )
        splits: dict[str, str] = {}
        for side, subjects in chosen.items():
            for subject in subjects:
                if splits.setdefault(str(subject), _FOLD_SPLITS[side]) != _FOLD_SPLITS[side]:
                    raise AgirError(f"{path}: expected each subject on one side of a fold, found {subject} on both")
        return splits


def _records(path: Path) -> dict[str, tuple[str, Mapping[str, object]]]:
    """(subject, record) of each walk by "subject/walk": one that cannot be read does not take the others along."""
    return _read_records(path, file_stamp(path))


# One file at a time is in memory, and the next one while a shard goes from one cohort to another.
@lru_cache(maxsize=2)
def _read_records(path: Path, stamp: tuple[int, int]) -> dict[str, tuple[str, Mapping[str, object]]]:
    try:
        return {name: (subject, record) for subject, name, record in care_pd._records(load_pickle(path))}
    except MotionFormatError as error:
        text = str(error)
        raise MotionFormatError(text if text.startswith(str(path)) else f"{path}: {text}") from error
