"""What the tests push in one process and load in another; each part prints what it saw as one line of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

MODEL, AGIR, WALKS, FOLDER, PRIVATE = (
    "tester/tiny-llama",
    "lab/agir-test",
    "tester/walks",
    "tester/folder",
    "tester/private-walks",
)
TEXT = "walking speed 0.8 m/s"
PROMPT = "Task: assess gait\nMotion: <motion>\nRationale:"
LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "bos_token_id": None,
}


def walks() -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    motions = [rng.normal(size=(frames, 22, 3)).astype(np.float32) for frames in (3, 7, 5)]
    return {"clip_id": ["a", "b", "c"], "joints_m": motions, "score": [0, 2, 1]}


def _seen_model(model: Any, tokenizer: Any) -> dict[str, Any]:
    import torch

    inputs = tokenizer(TEXT, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits[0, -1]
    return {"ids": inputs["input_ids"].tolist(), "logits": logits.tolist()}


def _seen_agir(model: Any, processor: Any) -> dict[str, Any]:
    import torch
    from tiny_models import make_walk

    walk = make_walk()
    inputs = processor(motion=walk, text=PROMPT)
    with torch.no_grad():
        logits = model(**inputs).logits[0, -1]
    return {
        "ids": inputs["input_ids"].tolist(),
        "features": float(inputs["motion_features"].sum()),
        "codes": np.asarray(processor.encode_motion(walk)).ravel().tolist(),
        "logits": logits.tolist(),
    }


def push(folder: str) -> None:
    """Make all of it, push it, and print what a user sees of it before."""
    import torch
    from datasets import Array3D, Dataset, Features, Value
    from huggingface_hub import HfApi
    from tiny_models import CODES, make_text_tokenizer, make_walk, motion_config
    from transformers import LlamaConfig, LlamaForCausalLM

    from agir_hf.configuration_agir import AgirConfig
    from agir_hf.feature_extraction_agir import AgirFeatureExtractor
    from agir_hf.modeling_agir import AgirForGaitAssessment
    from agir_hf.motion_vocabulary import MotionVocabulary
    from agir_hf.processing_agir import AgirProcessor

    torch.manual_seed(0)
    tokenizer = make_text_tokenizer()
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **LLAMA)).eval()
    seen = {"model": _seen_model(model, tokenizer)}
    model.push_to_hub(MODEL)
    tokenizer.push_to_hub(MODEL)

    MotionVocabulary.add_to_tokenizer(tokenizer, CODES)
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AgirConfig(
        motion_config=motion_config().to_dict(),
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), **LLAMA, **ends},
        trained_on="nothing, random weights",
        **MotionVocabulary.from_tokenizer(tokenizer).config_fields(),
    )
    agir = AgirForGaitAssessment(config).eval()
    extractor = AgirFeatureExtractor()
    extractor.fit([extractor.raw_features(make_walk())])
    processor = AgirProcessor(feature_extractor=extractor, tokenizer=tokenizer)
    processor.attach(agir)
    seen["agir"] = _seen_agir(agir, processor)
    agir.push_to_hub(AGIR)
    processor.push_to_hub(AGIR)

    features = Features(
        {"clip_id": Value("string"), "joints_m": Array3D((None, 22, 3), "float32"), "score": Value("int32")}
    )
    dataset = Dataset.from_dict(walks(), features=features)
    dataset.push_to_hub(WALKS)
    dataset.select([0]).push_to_hub(PRIVATE, private=True)

    api = HfApi()
    Path(folder, "notes").mkdir()
    Path(folder, "README.md").write_bytes(b"first\n")
    Path(folder, "notes", "größe.txt").write_bytes("μ = 1\n".encode())
    Path(folder, "weights.npz").write_bytes(bytes(range(256)) * 8)
    api.create_repo(FOLDER)
    seen["folder"] = {"first": api.upload_folder(repo_id=FOLDER, folder_path=folder).oid}
    api.create_tag(FOLDER, tag="v1")
    Path(folder, "README.md").write_bytes(b"second\n")
    Path(folder, "weights.npz").unlink()
    api.create_branch(FOLDER, branch="next/try")
    api.upload_folder(repo_id=FOLDER, folder_path=folder, revision="next/try", delete_patterns="*.npz")
    print(json.dumps(seen))


def load() -> None:
    """Load all of it in a process that never saw it, and print what a user sees of it."""
    from datasets import load_dataset
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import RevisionNotFoundError
    from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

    from agir_hf.processing_agir import AgirProcessor

    seen: dict[str, Any] = {
        "model": _seen_model(AutoModelForCausalLM.from_pretrained(MODEL), AutoTokenizer.from_pretrained(MODEL)),
        "agir": _seen_agir(AutoModel.from_pretrained(AGIR), AgirProcessor.from_pretrained(AGIR)),
        "walks": {},
    }
    for streaming in (False, True):
        dataset = load_dataset(WALKS, split="train", streaming=streaming)
        expected = zip(dataset.with_format("numpy"), zip(*walks().values(), strict=True), strict=True)
        equal = [row["clip_id"] == i and np.array_equal(row["joints_m"], m) for row, (i, m, _) in expected]
        seen["walks"]["streamed" if streaming else "loaded"] = [all(equal), str(dataset.features["joints_m"])]
    seen["walks"]["private"] = len(load_dataset(PRIVATE, split="train"))

    texts = {}
    for revision in ("main", "v1", "next/try"):
        path = hf_hub_download(FOLDER, "README.md", revision=revision)
        texts[revision] = Path(path).read_text(encoding="utf-8")
    whole = Path(snapshot_download(FOLDER, revision="v1"))
    files = {path.relative_to(whole).as_posix(): path.stat().st_size for path in whole.rglob("*") if path.is_file()}
    seen["folder"] = {"texts": texts, "files": files}
    for name, repository in (("no revision", FOLDER), ("no repository", "tester/nothing")):
        try:
            AutoTokenizer.from_pretrained(repository, revision="v2")
        except OSError as error:
            seen[name] = [isinstance(error.__cause__, RevisionNotFoundError), str(error)]
    print(json.dumps(seen))


if __name__ == "__main__":
    load() if len(sys.argv) == 1 else push(sys.argv[1])
