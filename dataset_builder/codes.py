"""Motion codes as a configuration of their own, keyed by the hash of the tokenizer's weights.

Codes decode back to motion, so they stand under the licence of the motion they were made from, and they belong to one
tokenizer: with other weights, other normalisation or other motion they are made anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agir_hf.clip import MotionClip
from agir_hf.errors import AgirError

from .card import write_card
from .checks import Failure
from .manifest import Manifest, file_entry, manifest_path, read_manifest, read_manifests
from .shards import is_whole, read_json_lines, write_json_lines, write_table, write_text

if TYPE_CHECKING:
    from datasets import Features

    from agir_hf.feature_extraction_agir import AgirFeatureExtractor
    from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer

SUFFIX = "_motion_codes"
_BATCH = 50


def code_features() -> Features:
    """The columns of a configuration of codes; ``start_s`` and ``end_s`` are null where the whole clip is encoded."""
    from datasets import Features, List, Value

    text, seconds = Value("string"), Value("float64")
    return Features(
        {
            "clip_id": text,
            "subject_id": text,
            "split": text,
            "motion_codes": List(Value("int32")),
            "start_s": seconds,
            "end_s": seconds,
            "clip_sha256": text,
            "tokenizer_sha256": text,
        }
    )


def tokenizer_sha256(model: AgirMotionTokenizer) -> str:
    """Hash of names, shapes and values of all weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().contiguous().numpy()
        digest.update(f"{name} {values.dtype} {values.shape}\0".encode() + values.tobytes())
    return digest.hexdigest()


def features_sha256(extractor: AgirFeatureExtractor) -> str:
    """Hash of what turns a clip into the features that are encoded."""
    numbers = [extractor.feature_mean, extractor.feature_std, extractor.frame_rate_hz, extractor.max_frames]
    return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()


def build_codes(output: Path, source: str, model: str) -> str:
    """Encode the motion of a built source; returns one line that says what was done.

    Args:
        output: the dataset's folder.
        source: the configuration that has the motion.
        model: repository or folder of a motion tokenizer, or of a whole AGIR model, with its feature extractor.

    Raises:
        AgirError: no such source, or no tokenizer there.
    """
    motion = read_manifest(output, source)
    if motion is None or motion.codes_of:
        known = ", ".join(m.name for m in read_manifests(output) if not m.codes_of)
        raise AgirError(f"expected a built source of {output} ({known}), found {source!r}")
    extractor, tokenizer = _load(model)
    weights = tokenizer_sha256(tokenizer)
    recipe = {
        "codes_of": source,
        "motion_sha256": motion.recipe_sha256,
        "tokenizer_sha256": weights,
        "features_sha256": features_sha256(extractor),
    }
    digest, name = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest(), f"{source}{SUFFIX}"
    old = read_manifest(output, name)
    if old is not None and old.recipe_sha256 == digest and old.is_whole(output):
        write_card(output)
        return f"{name}: already there for tokenizer weights {weights[:16]}"
    work = output / f".build-{digest[:16]}"
    final = work / "final"
    final.mkdir(parents=True, exist_ok=True)
    failures: list[dict[str, Any]] = []
    for file in motion.files:
        path = final / Path(file).name
        failed = path.with_suffix(".failures.jsonl")
        if not is_whole(path):
            table, found = _encode(output / file, extractor, tokenizer, weights)
            write_json_lines([failure.to_dict() for failure in found], failed)
            write_table(table, path)
        failures += read_json_lines(failed)
    for failed in final.glob("*.failures.jsonl"):
        failed.unlink()
    place = output / "data" / name
    manifest_path(output, name).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    final.rename(place)
    files = {
        f"data/{name}/{Path(file).name}": file_entry(place / Path(file).name, entry["split"])
        for file, entry in motion.files.items()
    }
    report = {"recipe": recipe, "examples": sum(e["examples"] for e in files.values()), "failures": failures}
    write_text(json.dumps(report, indent=1) + "\n", output / "reports" / f"{name}.json")
    Manifest(
        name, recipe, digest, motion.licence_name, motion.licence_note, motion.may_be_shared, files, codes_of=source
    ).write(output)
    write_card(output)
    shutil.rmtree(work, ignore_errors=True)
    return f"{name}: {report['examples']} clips encoded, {len(failures)} failures, tokenizer weights {weights[:16]}"


def drop_stale_codes(output: Path, source: str, recipe_sha256: str) -> None:
    """Remove codes of a source whose motion is no longer the one they were made from."""
    name = f"{source}{SUFFIX}"
    manifest = read_manifest(output, name)
    if manifest is not None and manifest.recipe["motion_sha256"] != recipe_sha256:
        manifest_path(output, name).unlink()
        shutil.rmtree(output / "data" / name, ignore_errors=True)
        (output / "reports" / f"{name}.json").unlink(missing_ok=True)


def _load(model: str) -> tuple[AgirFeatureExtractor, AgirMotionTokenizer]:
    from agir_hf.feature_extraction_agir import AgirFeatureExtractor
    from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer

    try:
        tokenizer = AgirMotionTokenizer.from_pretrained(model).eval()
        return AgirFeatureExtractor.from_pretrained(model), tokenizer
    except OSError as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise AgirError(
            f"expected a motion tokenizer with its feature extractor in {model}, found: {reason}"
        ) from error


def _encode(
    path: Path, extractor: AgirFeatureExtractor, tokenizer: AgirMotionTokenizer, weights: str
) -> tuple[pa.Table, list[Failure]]:
    columns = ["clip_id", "subject_id", "split", "clip_sha256", "frame_rate_hz", "joints_m"]
    rows: list[dict[str, Any]] = []
    failures: list[Failure] = []
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH, columns=columns):
        motions = batch.column("joints_m").to_numpy(zero_copy_only=False)
        for row, joints in zip(batch.drop_columns(["joints_m"]).to_pylist(), motions, strict=True):
            clip = MotionClip(np.asarray(joints, dtype=np.float32), row.pop("frame_rate_hz"), source=row["clip_id"])
            try:
                start_s, end_s = extractor.middle_window_s(clip) or (None, None)
                with warnings.catch_warnings():  # that a long clip is cut stands in start_s and end_s
                    warnings.simplefilter("ignore")
                    features = extractor(clip)
            except AgirError as error:
                failures.append(Failure(row["clip_id"], "not_encoded", "motion_codes", str(error)))
                continue
            codes = tokenizer.encode(features["motion_features"])[0].tolist()
            rows.append({**row, "motion_codes": codes, "start_s": start_s, "end_s": end_s, "tokenizer_sha256": weights})
    schema = code_features().arrow_schema
    arrays = [pa.array([row[field.name] for row in rows], type=field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema), failures
