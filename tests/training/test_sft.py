"""Loss weights, the optimiser and the text tokenizer of the training."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("trl", reason="needs the train extra")

from agir_hf.motion_vocabulary import MotionVocabulary  # noqa: E402
from agir_hf.training.optimizer import MuonFactory  # noqa: E402
from agir_hf.training.sft import CLAIM_WEIGHT, IGNORED, claim_weights, code_weights, label_weights  # noqa: E402
from agir_hf.training.text_tokenizer import number_texts, start_number_embeddings, train_text_tokenizer  # noqa: E402


def test_score_labels_and_claims_are_weighted() -> None:
    end, scores, weights = 1, torch.tensor([10, 11]), torch.ones(12)
    weights[5] = 4.0
    labels = torch.tensor([[IGNORED, 10, 5, 11, end], [IGNORED, IGNORED, 10, end, IGNORED]])
    assert label_weights(labels, weights, scores, end).tolist() == [[1, 1, 4, 20, 1], [1, 1, 20, 1, 1]]


def test_numbers_sides_and_relations_are_claims() -> None:
    texts = ["left arm swing is 8 degrees, less than on the right (12 degrees), and lower", " left right less lower"]
    tokenizer = train_text_tokenizer(texts * 20, vocabulary=320)
    MotionVocabulary.add_to_tokenizer(tokenizer, 8)
    weights = claim_weights(tokenizer)
    for token in (" 12", "0.78", " left", " less"):
        (index,) = tokenizer.encode(token, add_special_tokens=False)
        assert weights[index] == CLAIM_WEIGHT, token
    for token in ("<motion_5>", "<eos>", ","):
        (index,) = tokenizer.encode(token, add_special_tokens=False)
        assert weights[index] == 1.0, token


def test_the_first_code_of_a_step_weighs_most() -> None:
    tokenizer = train_text_tokenizer(["text"], vocabulary=300)
    vocabulary = MotionVocabulary.add_to_tokenizer(tokenizer, 8)
    weights = code_weights(vocabulary, len(tokenizer), num_quantizers=4)
    first = vocabulary.first_motion_token_id
    assert weights[first : first + 8].tolist() == pytest.approx([3.0, 3.0, 2.1, 2.1, 1.47, 1.47, 1.029, 1.029])
    assert weights[:first].eq(1).all() and weights[vocabulary.motion_end_token_id] == 1
    assert code_weights(vocabulary, len(tokenizer), num_quantizers=1).eq(1).all()


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
