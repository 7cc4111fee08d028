"""A tiny trained-looking assessor, with the card that a training leaves."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "model"))  # tiny_models

CARD = """---
license: apache-2.0
library_name: agir-hf
model-index:
- name: tiny
  results:
  - task: {type: gait-assessment}
    dataset: {type: nothing, name: nothing}
    metrics:
    - {type: macro_f1, value: 0.25, name: macro-F1 (nothing)}
---
# tiny

Random weights.

## Intended use

Tests. `from_pretrained("PATH_OF_THIS_REPOSITORY")` reads it.

## Out-of-scope use

All else: not a medical device.

## Limits

It knows nothing.

## Citation

None.
"""


@pytest.fixture(scope="session")
def tiny_assessor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole repository's content: a random model in several files of weights, its processor, and a card."""
    import torch
    from tiny_models import CODES, make_config, make_text_tokenizer, make_walk

    from agir_hf.feature_extraction_agir import AgirFeatureExtractor
    from agir_hf.modeling_agir import AgirForGaitAssessment
    from agir_hf.motion_vocabulary import MotionVocabulary
    from agir_hf.processing_agir import AgirProcessor

    torch.manual_seed(0)
    tokenizer = make_text_tokenizer()
    MotionVocabulary.add_to_tokenizer(tokenizer, CODES)
    model = AgirForGaitAssessment(make_config(tokenizer)).eval()
    extractor = AgirFeatureExtractor()
    extractor.fit([extractor.raw_features(make_walk())])
    processor = AgirProcessor(feature_extractor=extractor, tokenizer=tokenizer)
    processor.attach(model)
    folder = tmp_path_factory.mktemp("tiny") / "tiny"
    model.save_pretrained(folder, max_shard_size="60KB")
    processor.save_pretrained(folder)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    return folder


@pytest.fixture
def assessor_copy(tiny_assessor: Path, tmp_path: Path) -> Path:
    """One to change."""
    return Path(shutil.copytree(tiny_assessor, tmp_path / "tiny"))
