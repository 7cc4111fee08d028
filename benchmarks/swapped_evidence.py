"""Does a rationale follow its evidence? Each walk is assessed once more with the measurements of another person.

    python benchmarks/swapped_evidence.py FILE...

Files are paired with the one half the list away. Printed: how many rationales changed, and the share of claims that the
check supports against the walk's own measurements, before and after the swap. A model that reads its evidence changes
every rationale, and the check then finds most of its claims wrong.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from agir_hf import read_motion
from agir_hf.gait import GaitParameters, measure_gait
from agir_hf.loading import load_pipeline
from agir_hf.pipeline_agir import GaitAssessmentPipeline
from agir_hf.rationale import check_grounding, evidence_block, render_prompt


def rationale(assessor: GaitAssessmentPipeline, codes: list[int], parameters: GaitParameters) -> tuple[str, int]:
    """What the model writes for these motion codes beside these measurements, and the score it gives."""
    evidence = evidence_block(parameters)
    motion = assessor.processor.vocabulary.codes_to_text(codes)
    prompt = assessor.tokenizer.encode(render_prompt("assess", motion=motion, evidence=evidence))
    texts, probabilities = assessor.answer([prompt], [evidence])
    return texts[0], int(probabilities[0].argmax())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="agir-tiny")
    options = parser.parse_args()
    assessor = load_pipeline(options.model)
    cases: list[dict[str, Any]] = []
    for path in options.files:
        clip = read_motion(path)
        parameters = measure_gait(clip)
        if parameters.quality.walking:
            cases.append({"file": path, "codes": assessor.processor.encode_motion(clip), "measured": parameters})
    changed, shares = 0, {"own": [0, 0], "swapped": [0, 0]}
    for index, case in enumerate(cases):
        other = cases[(index + len(cases) // 2) % len(cases)]
        texts = {}
        for name, shown in (("own", case), ("swapped", other)):
            text, score = rationale(assessor, case["codes"], shown["measured"])
            report = check_grounding(text, case["measured"], score=score)
            texts[name] = text
            shares[name][0] += report.supported
            shares[name][1] += report.claims
        changed += texts["own"] != texts["swapped"]
    supported = {name: round(right / max(claims, 1), 4) for name, (right, claims) in shares.items()}
    print(json.dumps({"walks": len(cases), "rationales_changed": changed, "claims_supported_share": supported}))


if __name__ == "__main__":
    main()
