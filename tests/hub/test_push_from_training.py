"""``push_to=`` in a recipe: what a training made is on the Hub as it goes, private, with code and filled cards."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_stand_in import HubStandIn

RUN = "import sys; from agir_hf.cli import main; sys.exit(main(sys.argv[1:]))"
LOAD = """
import sys
sys.modules["agir_hf"] = None
from transformers import AutoModel, AutoModelForCausalLM
for kind, repo in ((AutoModelForCausalLM, "lab/gait"), (AutoModel, "lab/gait-motion-tokenizer")):
    print(type(kind.from_pretrained(repo, trust_remote_code=True)).__name__)
"""


@pytest.mark.slow
def test_a_training_pushes_what_it_made(gait_dataset: Path, tmp_path: Path) -> None:
    with HubStandIn() as hub:
        changes = (f"data.dataset={gait_dataset}", "push_to=lab/gait")
        done = hub.run(RUN, "train", "tiny", "--smoke", "--output", str(tmp_path / "run"), *changes, timeout_s=900.0)
        assert done.returncode == 0, done.stderr
        assert "not uploaded" not in done.stderr, done.stderr
        loaded = hub.run(LOAD)
        assert loaded.stdout.split() == ["AgirForGaitAssessment", "AgirMotionTokenizer"], loaded.stderr
        for repo in ("lab/gait", "lab/gait-motion-tokenizer"):
            assert not hub.is_public(repo)
            card = hub.files(repo)["README.md"].decode()
            assert "model-index" in card and repo in card and str(tmp_path) not in card
