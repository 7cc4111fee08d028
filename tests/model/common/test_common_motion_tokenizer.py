"""The common behaviours as far as they concern a codec: no text, no attention, no generation."""

from __future__ import annotations

import copy
import inspect
import pickle
from pathlib import Path

import pytest
import torch
from common_models import differing, dtypes, load, some_motion
from safetensors.torch import load_file, save_file
from tiny_models import motion_config
from transformers import AutoModel

from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer, AgirMotionTokenizerOutput

# Its name in transformers 5.20; later versions warn of a newer one.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")


@pytest.fixture
def folder(motion_tokenizer: AgirMotionTokenizer, tmp_path: Path) -> Path:
    motion_tokenizer.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def test_the_tokenizer_saves_and_loads_with_every_bit(motion_tokenizer: AgirMotionTokenizer, folder: Path) -> None:
    for kind in (AgirMotionTokenizer, AutoModel):
        loaded, info = kind.from_pretrained(folder, output_loading_info=True)
        assert not any(info[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        assert not differing(motion_tokenizer, loaded) and not loaded.training
        assert loaded.encode(some_motion()).equal(motion_tokenizer.encode(some_motion()))


def test_the_tokenizer_is_saved_in_shards_and_variants(motion_tokenizer: AgirMotionTokenizer, tmp_path: Path) -> None:
    motion_tokenizer.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 2
    assert not differing(motion_tokenizer, AgirMotionTokenizer.from_pretrained(tmp_path / "shards"))
    motion_tokenizer.save_pretrained(tmp_path / "variant", variant="v")
    assert not differing(motion_tokenizer, AgirMotionTokenizer.from_pretrained(tmp_path / "variant", variant="v"))


def test_the_tokenizer_takes_its_weights_from_anywhere(
    motion_tokenizer: AgirMotionTokenizer, folder: Path, tmp_path: Path
) -> None:
    assert [path.name for path in folder.iterdir() if path.suffix != ".json"] == ["model.safetensors"]
    config = copy.deepcopy(motion_tokenizer.config)
    given = AgirMotionTokenizer.from_pretrained(None, config=config, state_dict=dict(motion_tokenizer.state_dict()))
    assert not differing(motion_tokenizer, given)
    config.save_pretrained(tmp_path)
    torch.save(motion_tokenizer.state_dict(), tmp_path / "pytorch_model.bin")
    assert not differing(motion_tokenizer, AgirMotionTokenizer.from_pretrained(tmp_path, use_safetensors=False))
    with torch.device("meta"):
        empty = AgirMotionTokenizer(motion_config())
    assert {tensor.device.type for tensor in empty.state_dict().values()} == {"meta"}
    empty.to_empty(device="cpu").load_state_dict(motion_tokenizer.state_dict())
    assert not differing(motion_tokenizer, empty)


@pytest.mark.parametrize("options", [{}, {"max_shard_size": "20KB"}], ids=["whole", "sharded"])
def test_the_tokenizer_is_read_out_of_a_whole_repository(
    options: dict[str, str], assessor: AgirForGaitAssessment, tmp_path: Path
) -> None:
    assessor.save_pretrained(tmp_path, **options)
    loaded, info = AgirMotionTokenizer.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert not differing(assessor.motion_tokenizer, loaded)


def test_the_tokenizer_stays_in_float32(motion_tokenizer: AgirMotionTokenizer, folder: Path) -> None:
    others = [AgirMotionTokenizer.from_pretrained(folder, dtype=d) for d in (torch.bfloat16, torch.float16, "auto")]
    others += [getattr(copy.deepcopy(motion_tokenizer), cast)() for cast in ("half", "bfloat16", "float", "double")]
    others += [copy.deepcopy(motion_tokenizer).to("cpu", torch.float16)]
    for other in others:
        assert dtypes(other) == {torch.float32}
        assert not differing(motion_tokenizer, other)


def test_a_device_map_and_disk_give_the_same_codes(
    motion_tokenizer: AgirMotionTokenizer, folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("accelerate")
    expected = motion_tokenizer.encode(some_motion())
    for device_map in ("cpu", "auto", {"": "cpu"}):
        loaded = AgirMotionTokenizer.from_pretrained(folder, device_map=device_map)
        assert not differing(motion_tokenizer, loaded)
    places = {"motion_encoder": "disk", "motion_decoder": "disk", "motion_codebook": "cpu"}
    loaded = AgirMotionTokenizer.from_pretrained(folder, device_map=places, offload_folder=tmp_path / "offload")
    assert {p.device.type for p in loaded.parameters()} == {"meta"} and loaded.device.type == "cpu"
    assert loaded.encode(some_motion()).equal(expected)
    torch.testing.assert_close(loaded.decode(expected), motion_tokenizer.decode(expected), atol=1e-5, rtol=0)


def test_every_tensor_of_the_tokenizer_is_initialised(
    motion_tokenizer: AgirMotionTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    one = AgirMotionTokenizer(motion_config())
    torch.manual_seed(0)
    assert not differing(one, AgirMotionTokenizer(motion_config()))
    one.config.save_pretrained(tmp_path)
    save_file({}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    empty_like = torch.empty_like
    monkeypatch.setattr(torch, "empty_like", lambda *args, **kwargs: empty_like(*args, **kwargs).fill_(7e7))
    loaded = AgirMotionTokenizer.from_pretrained(tmp_path)
    for name, value in loaded.state_dict().items():
        made = one.state_dict()[name]
        assert value.isfinite().all() and value.abs().max() <= 10 * made.abs().max(), name
        if len(made.unique()) == 1:
            assert value.equal(made), name


def test_a_missing_tensor_of_the_tokenizer_leaves_the_others_alone(
    motion_tokenizer: AgirMotionTokenizer, folder: Path, tmp_path: Path
) -> None:
    tensors = load_file(folder / "model.safetensors")
    for gone in ("motion_codebook.usage", "motion_encoder.blocks.0.norm.weight", "motion_decoder.conv_in.bias"):
        kept = {name: tensor for name, tensor in tensors.items() if name != gone}
        save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
        motion_tokenizer.config.save_pretrained(tmp_path)
        loaded, info = AgirMotionTokenizer.from_pretrained(tmp_path, output_loading_info=True)
        assert set(info["missing_keys"]) == {gone}
        assert set(differing(motion_tokenizer, loaded)) <= {gone}


def test_another_size_of_the_tokenizer_is_refused(motion_tokenizer: AgirMotionTokenizer, folder: Path) -> None:
    other = motion_config(hidden_size=24)
    with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
        AgirMotionTokenizer.from_pretrained(folder, config=other)
    loaded = AgirMotionTokenizer.from_pretrained(
        folder, config=motion_config(hidden_size=24), ignore_mismatched_sizes=True
    )
    assert loaded.motion_codebook.codebook.equal(motion_tokenizer.motion_codebook.codebook)


def test_the_tokenizer_takes_features_first(motion_tokenizer: AgirMotionTokenizer) -> None:
    names = list(inspect.signature(motion_tokenizer.forward).parameters)
    assert names[:2] == ["motion_features", "motion_attention_mask"]
    assert motion_tokenizer.main_input_name == "motion_features"


def test_two_passes_of_the_tokenizer_are_identical(motion_tokenizer: AgirMotionTokenizer) -> None:
    for one, other in zip(
        motion_tokenizer(some_motion()).values(), motion_tokenizer(some_motion()).values(), strict=True
    ):
        assert one.equal(other)


def test_a_batch_through_the_tokenizer_is_each_motion_alone(motion_tokenizer: AgirMotionTokenizer) -> None:
    motion = some_motion(3, 20)
    together = motion_tokenizer(motion)
    for row in range(3):
        alone = motion_tokenizer(motion[row : row + 1])
        assert alone.motion_codes[0].equal(together.motion_codes[row])
        torch.testing.assert_close(
            alone.reconstructed_features[0], together.reconstructed_features[row], atol=1e-5, rtol=0
        )


def test_no_motion_gives_no_codes(motion_tokenizer: AgirMotionTokenizer) -> None:
    nothing = torch.zeros(2, 16)
    assert (motion_tokenizer.encode(some_motion(), nothing) == -1).all()
    assert (motion_tokenizer(some_motion(), nothing).motion_codes == -1).all()


def test_the_tokenizer_gives_a_tuple_where_asked(motion_tokenizer: AgirMotionTokenizer) -> None:
    model = copy.deepcopy(motion_tokenizer)
    named = model(some_motion())
    assert isinstance(named, AgirMotionTokenizerOutput)
    by_call = model(some_motion(), return_dict=False)
    model.config.return_dict = False
    for given in (by_call, model(some_motion())):
        assert isinstance(given, tuple)
        assert all(one.equal(other) for one, other in zip(given, named.to_tuple(), strict=True))


def test_every_parameter_of_the_tokenizer_learns(motion_tokenizer: AgirMotionTokenizer) -> None:
    model = copy.deepcopy(motion_tokenizer).train().requires_grad_(True)
    with torch.no_grad():  # blocks start as the identity, where what precedes the zeros has no gradient yet
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    model(some_motion()).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name


def test_the_tokenizer_is_copied_and_pickled(motion_tokenizer: AgirMotionTokenizer) -> None:
    for other in (copy.deepcopy(motion_tokenizer), pickle.loads(pickle.dumps(motion_tokenizer))):
        assert not differing(motion_tokenizer, other)
        assert other.encode(some_motion()).equal(motion_tokenizer.encode(some_motion()))


def test_the_tokenizer_is_exported(motion_tokenizer: AgirMotionTokenizer) -> None:
    program = torch.export.export(copy.deepcopy(motion_tokenizer), (some_motion(),), strict=False)
    given, expected = program.module()(some_motion(seed=1)), motion_tokenizer(some_motion(seed=1))
    assert given.motion_codes.equal(expected.motion_codes)
    torch.testing.assert_close(given.reconstructed_features, expected.reconstructed_features, atol=1e-5, rtol=0)


def test_the_tokenizer_exports_with_several_codes_a_step() -> None:
    torch.manual_seed(0)
    model = AgirMotionTokenizer(motion_config(num_quantizers=4)).eval()
    program = torch.export.export(copy.deepcopy(model), (some_motion(),), strict=False)
    assert program.module()(some_motion(seed=1)).motion_codes.equal(model(some_motion(seed=1)).motion_codes)


@pytest.mark.slow
def test_a_compiled_tokenizer_gives_the_same_codes(motion_tokenizer: AgirMotionTokenizer) -> None:
    torch._dynamo.reset()
    with torch.no_grad():
        given = torch.compile(copy.deepcopy(motion_tokenizer))(some_motion())
    assert given.motion_codes.equal(motion_tokenizer(some_motion()).motion_codes)


def test_what_a_codec_has_not_is_refused(motion_tokenizer: AgirMotionTokenizer) -> None:
    assert not motion_tokenizer.can_generate() and not motion_tokenizer.is_gradient_checkpointing
    with pytest.raises(NotImplementedError, match="get_input_embeddings"):
        motion_tokenizer.get_input_embeddings()
    with pytest.raises(ValueError, match="checkpointing"):
        motion_tokenizer.gradient_checkpointing_enable()


def test_any_attention_implementation_suits_the_tokenizer(motion_tokenizer: AgirMotionTokenizer) -> None:
    model = copy.deepcopy(motion_tokenizer)
    for name in ("eager", "sdpa", "flex_attention"):
        model.set_attn_implementation(name)
        assert model.encode(some_motion()).equal(motion_tokenizer.encode(some_motion()))


def test_the_composite_loads_nothing_of_another_tokenizer(assessor: AgirForGaitAssessment, tmp_path: Path) -> None:
    model = copy.deepcopy(assessor)
    torch.manual_seed(5)
    model.motion_tokenizer = AgirMotionTokenizer(motion_config()).eval()
    model.save_pretrained(tmp_path)
    assert not differing(model, load(tmp_path))
