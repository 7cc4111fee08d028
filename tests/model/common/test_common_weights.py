"""Initial weights, tied and resized embeddings, casts and moves."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from common_models import LANGUAGE_MODELS, differing, dtypes, is_tied, load, make_assessor, make_config, some_ids
from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedTokenizerFast

from agir_hf.modeling_agir import AgirForGaitAssessment


@pytest.fixture(params=sorted(LANGUAGE_MODELS))
def any_assessor(request: pytest.FixtureRequest, text_tokenizer: PreTrainedTokenizerFast) -> AgirForGaitAssessment:
    return make_assessor(request.param, text_tokenizer)


def test_a_seed_gives_the_same_weights(text_tokenizer: PreTrainedTokenizerFast) -> None:
    for kind in LANGUAGE_MODELS:
        assert not differing(make_assessor(kind, text_tokenizer), make_assessor(kind, text_tokenizer))


def test_every_tensor_missing_from_a_checkpoint_is_initialised(
    assessor: AgirForGaitAssessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assessor.config.save_pretrained(tmp_path)
    save_file({}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    # Memory that nobody has written yet holds what shows: 7e7.
    empty_like = torch.empty_like
    monkeypatch.setattr(torch, "empty_like", lambda *args, **kwargs: empty_like(*args, **kwargs).fill_(7e7))
    loaded = load(tmp_path)
    for name, value in loaded.state_dict().items():
        made = assessor.state_dict()[name]
        assert value.isfinite().all() and value.abs().max() <= 10 * made.abs().max(), name
        if len(made.unique()) == 1:  # ones and zeros
            assert value.equal(made), name
    # Weights tied to another are not among the missing.
    assert is_tied(loaded) == is_tied(assessor)


def test_every_tensor_is_a_parameter_or_a_buffer(assessor: AgirForGaitAssessment) -> None:
    known = {id(tensor) for tensor in [*assessor.parameters(), *assessor.buffers()]}
    for name, module in assessor.named_modules():
        loose = [
            key for key, value in vars(module).items() if isinstance(value, torch.Tensor) and id(value) not in known
        ]
        # Copies of the rotary frequencies, which transformers itself keeps so.
        assert set(loose) <= {"original_inv_freq"}, (name, loose)


def test_tied_weights_stay_tied(any_assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    tied = any_assessor.config.text_config.tie_word_embeddings
    assert is_tied(any_assessor) == tied
    assert bool(any_assessor.all_tied_weights_keys) == tied
    any_assessor.save_pretrained(tmp_path)
    loaded = load(tmp_path)
    others = [loaded, copy.deepcopy(any_assessor), load(tmp_path, dtype=torch.bfloat16), load(tmp_path).half()]
    assert [is_tied(other) for other in others] == [tied] * 4
    if tied:
        with torch.no_grad():
            loaded.get_input_embeddings().weight.zero_()
        assert loaded(input_ids=some_ids()).logits.abs().max() == 0


def test_a_tied_weight_is_stored_once(any_assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    from safetensors import safe_open

    any_assessor.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as stored:
        assert ("language_model.lm_head.weight" in stored.keys()) is not is_tied(any_assessor)


@pytest.mark.parametrize(
    ("change", "multiple_of", "expected"), [(9, None, 9), (-20, None, -20), (1, 64, None)], ids=["up", "down", "to 64s"]
)
def test_resized_embeddings_say_so_and_reload(
    change: int, multiple_of: int | None, expected: int | None, any_assessor: AgirForGaitAssessment, tmp_path: Path
) -> None:
    model, before = any_assessor, any_assessor.get_input_embeddings().weight.clone()
    old, tied = len(before), is_tied(any_assessor)
    returned = model.resize_token_embeddings(old + change, pad_to_multiple_of=multiple_of, mean_resizing=False)
    size = returned.num_embeddings
    assert size == old + expected if expected else size % 64 == 0 and size > old
    assert model.config.text_config.vocab_size == model.language_model.config.vocab_size == size
    assert model.get_output_embeddings().weight.shape[0] == size and is_tied(model) == tied
    kept = min(size, old)
    assert model.get_input_embeddings().weight[:kept].equal(before[:kept])
    assert model(input_ids=some_ids()).logits.shape[-1] == size
    model.save_pretrained(tmp_path)
    loaded = load(tmp_path)
    assert not differing(model, loaded)
    assert is_tied(loaded) == tied and loaded.config.text_config.vocab_size == size


def test_resizing_to_the_same_size_changes_nothing(assessor: AgirForGaitAssessment) -> None:
    model = copy.deepcopy(assessor)
    model.resize_token_embeddings(assessor.config.text_config.vocab_size)
    model.resize_token_embeddings()
    assert not differing(assessor, model)


def test_embeddings_are_got_and_set(assessor: AgirForGaitAssessment) -> None:
    model = copy.deepcopy(assessor)
    assert model.get_input_embeddings() is model.language_model.get_input_embeddings()
    assert model.get_output_embeddings() is model.language_model.get_output_embeddings()
    size, width = model.get_input_embeddings().weight.shape
    embeddings, head = nn.Embedding(size, width), nn.Linear(width, size, bias=False)
    model.set_input_embeddings(embeddings)
    model.set_output_embeddings(head)
    assert model.get_input_embeddings() is embeddings and model.get_output_embeddings() is head
    expected = model.language_model(input_ids=some_ids()).logits
    assert model(input_ids=some_ids()).logits.equal(expected)


@pytest.mark.parametrize("cast", ["half", "bfloat16", "float", "double"])
def test_casts_leave_the_motion_tokenizer_in_float32(cast: str, assessor: AgirForGaitAssessment) -> None:
    model = getattr(copy.deepcopy(assessor), cast)()
    expected = {"half": torch.float16, "bfloat16": torch.bfloat16, "float": torch.float32, "double": torch.float64}[
        cast
    ]
    assert {p.dtype for p in model.language_model.parameters()} == {expected} == {model.dtype}
    assert not differing(assessor.motion_tokenizer, model.motion_tokenizer)
    assert is_tied(model) == is_tied(assessor)
    assert model(input_ids=some_ids()).logits.dtype == expected
    moved = copy.deepcopy(assessor).to("cpu", expected)
    assert not differing(model, moved)


def test_moving_to_no_device_and_back_keeps_the_places(assessor: AgirForGaitAssessment) -> None:
    model = copy.deepcopy(assessor).to("meta")
    assert {tensor.device.type for tensor in model.state_dict().values()} == {"meta"}
    assert dtypes(model.motion_tokenizer) == {torch.float32}
    model.to_empty(device="cpu")
    model.tie_weights()  # torch gives each place a tensor of its own on the way through "meta"
    assert is_tied(model) == is_tied(assessor)
    model.load_state_dict(assessor.state_dict())
    assert not differing(assessor, model)


def test_the_composite_knows_what_its_parts_declare(assessor: AgirForGaitAssessment) -> None:
    assert assessor._no_split_modules == assessor.language_model._no_split_modules | {"AgirMotionTokenizer"}
    assert assessor._skip_keys_device_placement >= assessor.language_model._skip_keys_device_placement
    assert set(assessor._keep_in_fp32_modules_strict) == {"motion_encoder", "motion_decoder", "motion_codebook"}
    assert assessor._can_compile_fullgraph == assessor.language_model._can_compile_fullgraph
    plan = assessor.language_model._tp_plan or {}
    assert set(assessor._tp_plan or {}) == {f"language_model.{name}" for name in plan}


def test_a_device_map_keeps_the_motion_tokenizer_whole(assessor: AgirForGaitAssessment) -> None:
    accelerate = pytest.importorskip("accelerate")
    size = sum(tensor.nbytes for tensor in assessor.state_dict().values())
    whole, split = list(assessor._no_split_modules), list(assessor.language_model._no_split_modules)

    def pieces(share: float, unsplit: list[str]) -> int:
        places = accelerate.infer_auto_device_map(
            assessor, {"cpu": int(size * share), "disk": 10**9}, no_split_module_classes=unsplit
        )
        return sum(name.startswith("motion_tokenizer.") for name in places)

    shares = [hundredths / 100 for hundredths in range(40, 110, 2)]
    assert not any(pieces(share, whole) for share in shares)
    assert any(pieces(share, split) for share in shares)  # it would be, else


def test_motions_are_encoded_where_the_motion_tokenizer_is(
    assessor: AgirForGaitAssessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = copy.deepcopy(assessor)
    model.motion_tokenizer.to("meta")
    places = []

    def encode(features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        places.append((features.device.type, mask.device.type))
        return torch.zeros(1, 2, dtype=torch.long)

    monkeypatch.setattr(model.motion_tokenizer, "encode", encode)
    ids = torch.full((1, 2), model.config.motion_token_id)
    filled = model.fill_motion(ids, torch.zeros(1, 8, 263), torch.ones(1, 8))
    assert places == [("meta", "meta")]
    assert filled.tolist() == [[model.config.first_motion_token_id] * 2]


def test_a_test_model_is_small(text_tokenizer: PreTrainedTokenizerFast) -> None:
    for kind in LANGUAGE_MODELS:
        assert make_assessor(kind, text_tokenizer).num_parameters() < 100_000
        assert make_config(kind, text_tokenizer).text_config.num_hidden_layers == 2
