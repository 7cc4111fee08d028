"""Rows, loss weights and the text tokenizer of the training."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("trl", reason="needs the train extra")

from agir_hf.gait import PARAMETER_NAMES  # noqa: E402
from agir_hf.motion_vocabulary import MotionVocabulary  # noqa: E402
from agir_hf.rationale import check_grounding, evidence_block, write_rationale  # noqa: E402
from agir_hf.training.mixed_measurements import mixed_measurements  # noqa: E402
from agir_hf.training.optimizer import MuonFactory  # noqa: E402
from agir_hf.training.sft import (  # noqa: E402
    CLAIM_WEIGHT,
    IGNORED,
    assess_rows,
    claim_weights,
    describe_rows,
    label_weights,
    quote_rows,
    told_rows,
)
from agir_hf.training.text_tokenizer import number_texts, start_number_embeddings, train_text_tokenizer  # noqa: E402

MOTION = "<motion_start><motion_3><motion_end>"
EVIDENCE = "\n".join(f"measure {name} {value}" for name, value in zip("abcdefghijkl", range(12), strict=True))


def row(score: int = 2) -> dict:
    return {
        "evidence": EVIDENCE,
        "parameters": {name: 10.0 + score + place for place, name in enumerate(PARAMETER_NAMES)},
        "low_confidence": ["stride_time_cv_percent"],
        "score": score,
        "descriptions": ["One walks.", "Another walks."],
        "rationales": ["First reason.", "Second reason."],
        "rationale_words": "In words.",
    }


def test_score_labels_and_claims_are_weighted() -> None:
    end, scores, weights = 1, torch.tensor([10, 11]), torch.ones(12)
    weights[5] = 4.0
    labels = torch.tensor([[IGNORED, 10, 5, 11, end], [IGNORED, IGNORED, 10, end, IGNORED]])
    assert label_weights(labels, weights, scores, end).tolist() == [[1, 1, 4, 20, 1], [1, 1, 20, 1, 1]]


def test_numbers_sides_and_relations_are_claims() -> None:
    texts = ["left arm swing is 12 degrees, more than on the right (8 degrees), and less", " left right more less"]
    tokenizer = train_text_tokenizer(texts * 20, vocabulary=320)
    MotionVocabulary.add_to_tokenizer(tokenizer, 8)
    weights = claim_weights(tokenizer)
    for token in (" 12", "0.78", " left", " more"):
        (index,) = tokenizer.encode(token, add_special_tokens=False)
        assert weights[index] == CLAIM_WEIGHT, token
    for token in ("<motion_5>", "<eos>", ","):
        (index,) = tokenizer.encode(token, add_special_tokens=False)
        assert weights[index] == 1.0, token


def test_rows_of_both_stages() -> None:
    described = describe_rows([row()], [MOTION], seed=0)
    assert {one["completion"] for one in described} == {"One walks.", MOTION}
    assessed = assess_rows([row(3)] * 40, [MOTION] * 40, seed=0)
    told = [one for one in assessed if one["prompt"].startswith("Task: tell")]
    assert len(told) == 12 and all("Score" not in one["completion"] for one in told)
    assessed = [one for one in assessed if one not in told]
    assert len(assessed) == 80
    assert all(one["completion"].endswith("\nScore:3") for one in assessed)
    # The score stands in no prompt, and motion alone gets words without numbers.
    assert all("Score" not in one["prompt"] for one in assessed)
    motion_only = [one for one in assessed if "measure" not in one["prompt"]]
    assert motion_only and all(one["completion"].startswith("In words.") for one in motion_only)
    assert any(MOTION not in one["prompt"] for one in assessed)


def test_quoting_repeats_the_lines_shown_in_another_order() -> None:
    (one,) = quote_rows([row()], seed=1)
    shown = one["prompt"].splitlines()[2:-1]
    assert sorted(shown) == sorted(one["completion"].splitlines())
    assert len(set(shown)) == 6 and set(shown) <= set(EVIDENCE.splitlines())


def test_mixed_measurements_come_from_several_walks_and_agree_with_themselves() -> None:
    rows = [row(score) for score in range(4)]
    rows[0]["parameters"]["turn_duration_180_s"] = None
    rng = random.Random(3)
    mixtures = [mixed_measurements(rows, rng) for _ in range(60)]
    for mixed in mixtures:
        for name, value in mixed.values.items():
            if "asymmetry" not in name:
                assert value in {one["parameters"][name] for one in rows}
        left, right = mixed.values["arm_swing_left_deg"], mixed.values["arm_swing_right_deg"]
        assert mixed.values["arm_swing_asymmetry_percent"] == pytest.approx(100 * abs(left - right) / max(left, right))
        assert set(mixed.reasons) == {name for name, value in mixed.values.items() if value is None}
    assert len({mixed.values["walking_speed_mps"] for mixed in mixtures}) == 4
    assert any(m.values["arm_swing_right_deg"] - m.values["arm_swing_left_deg"] not in (0, 1) for m in mixtures)


def test_what_is_told_of_mixtures_is_what_their_evidence_says() -> None:
    rows = [row(score) for score in range(4)]
    told, rng = told_rows(rows, 20, seed=2), random.Random(3)
    for one in told:
        mixed = mixed_measurements(rows, rng)
        assert write_rationale(mixed, rng) == one["completion"]
        assert evidence_block(mixed) in one["prompt"]
        report = check_grounding(one["completion"], mixed)
        assert report.claims > 10 and not report.unsupported


def test_numbers_are_single_tokens_and_texts_come_back() -> None:
    tokenizer = train_text_tokenizer(["walking speed 0.74 m/s\nScore:2"] * 3, vocabulary=300)
    text = "left (0.62 m), 12.5 percent, -3 degrees\nspeed 1.24 m/s at 101 steps, 7.345\nScore:2"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    tokens = tokenizer.convert_ids_to_tokens(ids)
    assert {"0.62", " 12.5", " 1.24", " 101", "2"} <= set(tokens)
    assert number_texts(1)[:3] == ["0.0", "0.1", "0.2"]


def test_both_tokens_of_a_number_start_alike_and_numbers_distinct() -> None:
    tokenizer = train_text_tokenizer(["text"], vocabulary=300)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2
    )
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config)
    start_number_embeddings(model, tokenizer)
    table = model.get_input_embeddings().weight

    def likeness(a: str, b: str) -> float:
        one, other = (table[tokenizer.convert_tokens_to_ids(text)] for text in (a, b))
        return torch.cosine_similarity(one, other, dim=0).item()

    assert likeness("0.76", " 0.76") > 0.7
    assert likeness("0.76", "0.77") < 0.6
    assert likeness("100", "101") < 0.6


def test_muon_takes_the_matrices_and_adamw_the_rest() -> None:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    model = transformers.LlamaForCausalLM(config)
    optimizer = MuonFactory()(model, matrix_lr=0.01, other_lr=0.002)
    assert [group["lr"] for group in optimizer.param_groups] == [0.01, 0.002]
    grouped = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    assert {id(p) for p in grouped} == {id(p) for p in model.parameters()} and len(grouped) == len(
        set(map(id, grouped))
    )
    assert all(p.ndim == 2 and p.shape[0] != 40 for p in optimizer.param_groups[0]["params"])

    ids = torch.arange(40).view(4, 10)
    first = model(input_ids=ids, labels=ids).loss
    for _ in range(20):
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert model(input_ids=ids, labels=ids).loss < first - 0.5

    other = MuonFactory()(model, matrix_lr=0.01, other_lr=0.002)
    other.load_state_dict(optimizer.state_dict())
    weight = model.model.layers[0].mlp.up_proj.weight
    kept = other.parts[0].state[weight]["momentum_buffer"]
    assert torch.equal(kept, optimizer.parts[0].state[weight]["momentum_buffer"])
    assert other.param_groups[0] is other.parts[0].param_groups[0]
