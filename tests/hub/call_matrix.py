"""The calls that users make on an AGIR repository and on a tokenizer's, and what must come of them.

    python tests/hub/call_matrix.py            # all of them, each in a process of its own, as a table

Each call is Python that runs in a clean process with the stand-in for the Hub, once with the package and once without
it; ``trust`` is then ``{"trust_remote_code": True}``, and empty with the package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_stand_in import HubStandIn

MODEL, TOKENIZER, ADAPTER = "lab/agir", "lab/agir-motion-tokenizer", "lab/agir-adapter"
WITH, WITHOUT = "with the package", "without the package"


@dataclass(frozen=True)
class Call:
    """A call and the checks on what it gives.

    Attributes:
        name: what a user would say that they do.
        code: run after `PREAMBLE`.
        where: with the package, without it, or both.
        needs: a package that may be missing.
        quick: among those that every test run makes.
    """

    name: str
    code: str
    where: tuple[str, ...] = (WITH, WITHOUT)
    needs: str = ""
    quick: bool = False


PREAMBLE = """
import sys, json, os
WITH = sys.argv[1] == "with the package"
if WITH:
    import agir_hf
else:
    sys.modules["agir_hf"] = None
    sys.modules["dataset_builder"] = None
trust = {} if WITH else {"trust_remote_code": True}
MODEL, TOKENIZER, ADAPTER, FOLDER = "lab/agir", "lab/agir-motion-tokenizer", "lab/agir-adapter", sys.argv[2]
import numpy as np, torch
from transformers import (AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForCausalLM, AutoProcessor,
    AutoTokenizer, GenerationConfig, pipeline)

def expect(what, found=True):
    if what != found:
        sys.exit(f"expected {found!r}, found {what!r}")

def name(thing):
    return type(thing).__name__

def home(thing):
    module = type(thing).__module__
    expect(module.startswith("agir_hf" if WITH else "transformers_modules."))
    return name(thing)

def joints(seconds=4.0, rate=60.0):
    return np.load(os.path.join(FOLDER, "walk.npy"))[: int(seconds * rate)]

def load(**kwargs):
    model = AutoModelForCausalLM.from_pretrained(MODEL, **trust, **kwargs).eval()
    processor = AutoProcessor.from_pretrained(MODEL, **trust)
    processor.attach(model)
    return model, processor

def prompt(processor):
    return processor(motion=joints(), frame_rate_hz=60.0, text="Task: assess\\nMotion: <motion>\\n")

def ids(model, inputs, **kwargs):
    torch.manual_seed(0)
    kwargs = {"max_new_tokens": 8, "min_new_tokens": 8, **kwargs}
    return model.generate(**inputs, **kwargs)
"""

CALLS = (
    Call("AutoConfig", "expect(home(AutoConfig.from_pretrained(MODEL, **trust)), 'AgirConfig')"),
    Call("AutoModel", "expect(home(AutoModel.from_pretrained(MODEL, **trust)), 'AgirForGaitAssessment')"),
    Call(
        "AutoModelForCausalLM",
        "expect(home(AutoModelForCausalLM.from_pretrained(MODEL, **trust)), 'AgirForGaitAssessment')",
    ),
    Call(
        "AutoProcessor: codes of an array and back",
        """
processor = AutoProcessor.from_pretrained(MODEL, **trust)
expect(home(processor), "AgirProcessor")
codes = processor.encode_motion(joints(), frame_rate_hz=60.0)
expect(len(codes) > 40)
expect(processor.decode_motion(codes).joints_m.shape[1:], (22, 3))
""",
    ),
    Call(
        "AutoFeatureExtractor",
        """
extractor = AutoFeatureExtractor.from_pretrained(MODEL, **trust)
expect(home(extractor), "AgirFeatureExtractor")
expect(extractor(joints(), frame_rate_hz=60.0)["motion_features"].shape[2], 263)
""",
    ),
    Call(
        "AutoTokenizer",
        "expect(AutoTokenizer.from_pretrained(MODEL, **trust).convert_tokens_to_ids('<motion_5>') > 0)",
    ),
    Call(
        "AutoModel.from_config",
        """
config = AutoConfig.from_pretrained(MODEL, **trust)
expect(home(AutoModel.from_config(config, **trust)), "AgirForGaitAssessment")
""",
    ),
    Call(
        "tokenizer repository: AutoConfig",
        "expect(home(AutoConfig.from_pretrained(TOKENIZER, **trust)), 'AgirMotionTokenizerConfig')",
    ),
    Call(
        "tokenizer repository: AutoModel, AutoFeatureExtractor, AutoProcessor",
        """
tokenizer = AutoModel.from_pretrained(TOKENIZER, **trust)
expect(home(tokenizer), "AgirMotionTokenizer")
for kind in (AutoFeatureExtractor, AutoProcessor):
    extractor = kind.from_pretrained(TOKENIZER, **trust)
    expect(home(extractor), "AgirFeatureExtractor")
codes = tokenizer.encode(**extractor(joints(), frame_rate_hz=60.0))
expect(tokenizer.decode(codes).shape[2], 263)
whole = AutoProcessor.from_pretrained(MODEL, **trust)
expect(codes[0].tolist(), whole.encode_motion(joints(), frame_rate_hz=60.0))
""",
    ),
    Call(
        "tokenizer repository: no language model and no text tokenizer, said so",
        """
for kind, said in ((AutoModelForCausalLM, "AgirMotionTokenizerConfig"), (AutoTokenizer, "tokenizer")):
    try:
        kind.from_pretrained(TOKENIZER, **trust)
    except (ValueError, OSError) as error:
        expect(said in str(error))
    else:
        sys.exit(f"{kind.__name__} gave something")
""",
    ),
    Call(
        "dtype: bfloat16, float16, auto; the motion tokenizer stays float32",
        """
for dtype, found in ((torch.bfloat16, torch.bfloat16), ("float16", torch.float16), ("auto", torch.float32)):
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=dtype, **trust)
    expect(model.language_model.get_input_embeddings().weight.dtype, found)
    expect({tensor.dtype for tensor in model.motion_tokenizer.state_dict().values()}, {torch.float32})
""",
    ),
    Call(
        "device_map: auto, cpu, a place for each part",
        """
for place in ("auto", "cpu", {"": "cpu"}, {"language_model": "cpu", "motion_tokenizer": "cpu"}):
    model, processor = load(device_map=place)
    expect(model(**prompt(processor)).logits.shape[0], 1)
""",
    ),
    Call(
        "attn_implementation: eager and sdpa agree",
        """
logits = []
for kind in ("eager", "sdpa"):
    model, processor = load(attn_implementation=kind)
    expect(model.language_model.config._attn_implementation, kind)
    logits.append(model(**prompt(processor)).logits)
expect(torch.allclose(*logits, atol=1e-4))
""",
    ),
    Call(
        "quantised: bitsandbytes, 8 bit",
        """
from transformers import BitsAndBytesConfig
model, processor = load(quantization_config=BitsAndBytesConfig(load_in_8bit=True))
expect(any("8bit" in type(part).__name__ for part in model.language_model.modules()))
expect(bool(torch.isfinite(model(**prompt(processor)).logits).all()))
""",
        needs="bitsandbytes",
    ),
    Call(
        "quantised: torchao, 8 bit weights",
        """
from torchao.quantization import Int8WeightOnlyConfig
from transformers import TorchAoConfig
model, processor = load(quantization_config=TorchAoConfig(Int8WeightOnlyConfig()))
expect(any(type(part.data) is not torch.Tensor for part in model.language_model.parameters()))
expect(all(type(part.data) is torch.Tensor for part in model.motion_tokenizer.parameters()))
expect(bool(torch.isfinite(model(**prompt(processor)).logits).all()))
""",
        needs="torchao",
    ),
    Call(
        "gradient checkpointing: the same gradients",
        """
model, processor = load()
inputs = prompt(processor)
found = []
for on in (False, True):
    if on:
        model.gradient_checkpointing_enable()
        expect(model.is_gradient_checkpointing)
    model.train()
    model.zero_grad()
    model(**inputs, labels=inputs["input_ids"], use_cache=False).loss.backward()
    found.append(model.get_input_embeddings().weight.grad.clone())
expect(torch.allclose(*found, atol=1e-5))
expect(all(part.grad is None for part in model.motion_tokenizer.parameters()))
""",
    ),
    Call(
        "generate: greedy, sampling, beams, assisted, streamed, stop strings, scores",
        """
from transformers import TextStreamer
model, processor = load()
inputs = prompt(processor)
length = inputs["input_ids"].shape[1]
greedy = ids(model, inputs, do_sample=False)
expect(greedy.shape[1], length + 8)
expect(torch.equal(greedy, ids(model, inputs, do_sample=False, use_cache=False)))
expect(torch.equal(greedy, ids(model, inputs, do_sample=False, prompt_lookup_num_tokens=3)))
expect(torch.equal(greedy, ids(model, inputs, do_sample=False, assistant_model=model)))
sampled = dict(do_sample=True, top_k=20, top_p=0.9, temperature=0.8, repetition_penalty=1.1)
expect(torch.equal(ids(model, inputs, **sampled), ids(model, inputs, **sampled)))
expect(ids(model, inputs, num_beams=3, num_return_sequences=2).shape[0], 2)
told = ids(model, inputs, do_sample=False, return_dict_in_generate=True, output_scores=True)
expect(len(told.scores), 8)
streamer = TextStreamer(processor.tokenizer, skip_prompt=True)
expect(torch.equal(greedy, ids(model, inputs, do_sample=False, streamer=streamer)))
ids(model, inputs, do_sample=False, stop_strings=["the"], tokenizer=processor.tokenizer)
ids(model, inputs, generation_config=GenerationConfig(max_new_tokens=4, min_new_tokens=1))
""",
    ),
    Call(
        "generate: a left-padded batch as one by one",
        """
model, processor = load()
texts = ["Task: assess gait", "Task: assess gait\\nMeasured: walking speed 0.8 m/s"]
batch = processor.tokenizer(texts, return_tensors="pt", padding=True, padding_side="left")
together = ids(model, batch, do_sample=False)
for row, text in enumerate(texts):
    alone = ids(model, processor.tokenizer(text, return_tensors="pt"), do_sample=False)
    expect(together[row, -8:].tolist(), alone[0, -8:].tolist())
""",
    ),
    Call(
        "save_pretrained with sharding, and back",
        """
model, processor = load()
place = os.path.join(FOLDER, "sharded-" + str(WITH))
model.save_pretrained(place, max_shard_size="5MB")
processor.save_pretrained(place)
expect(len([file for file in os.listdir(place) if file.endswith(".safetensors")]) > 1)
again = AutoModelForCausalLM.from_pretrained(place, **trust).eval()
inputs = prompt(processor)
expect(torch.equal(model(**inputs).logits, again(**inputs).logits))
""",
    ),
    Call(
        "push_to_hub of model and processor, and back",
        """
model, processor = load()
repo = "lab/pushed-" + ("with" if WITH else "without")
model.push_to_hub(repo, private=True)
processor.push_to_hub(repo, private=True)
again = AutoModelForCausalLM.from_pretrained(repo, **trust).eval()
inputs = AutoProcessor.from_pretrained(repo, **trust)(motion=joints(), frame_rate_hz=60.0, text="Motion: <motion>")
expect(torch.equal(model(**inputs).logits, again(**inputs).logits))
""",
    ),
    Call(
        "raw path and token path give the same logits",
        """
model, processor = load()
text = "Task: assess\\nMotion: <motion>\\n"
raw = processor(motion=joints(), frame_rate_hz=60.0, text=text)
codes = processor(codes=processor.encode_motion(joints(), frame_rate_hz=60.0), text=text)
expect(torch.equal(model(**raw).logits, model(**codes).logits))
""",
    ),
    Call(
        "PEFT adapter by load_adapter and a repository id",
        """
model, processor = load()
inputs = prompt(processor)
before = model(**inputs).logits
model.load_adapter(ADAPTER)
after = model(**inputs).logits
expect(not torch.equal(before, after))
model.disable_adapters()
expect(torch.equal(before, model(**inputs).logits))
""",
        needs="peft",
    ),
    Call(
        "PEFT adapter: from_pretrained of its repository",
        """
plain, processor = load()
plain.load_adapter(ADAPTER)
model = AutoModelForCausalLM.from_pretrained(ADAPTER, **trust).eval()
expect(home(model), "AgirForGaitAssessment")
inputs = prompt(processor)
expect(torch.equal(plain(**inputs).logits, model(**inputs).logits))
""",
        needs="peft",
    ),
    Call(
        "pipeline('gait-assessment', model=...) on an array (T, 22, 3), one and several",
        """
assessor = pipeline("gait-assessment", model=MODEL, **trust)
expect(home(assessor), "GaitAssessmentPipeline")
result = assessor(joints(), frame_rate_hz=60.0)
expect(result["abstained"], False)
expect(abs(sum(result["probabilities"].values()) - 1.0) < 1e-3)
expect(result["grounding"]["claims"] > 3)
expect(result["gait_parameters"]["walking_speed_mps"] > 0.3)
rows = [{"joints_m": joints(), "frame_rate_hz": 60.0}, {"joints_m": joints(3.5), "frame_rate_hz": 60.0}]
expect([one["score"] is not None for one in assessor(rows, batch_size=2)], [True, True])
print(json.dumps(result))
""",
        quick=True,
    ),
    Call(
        "pipeline(model=...): the repository names the task",
        "expect(name(pipeline(model=MODEL, **trust)), 'GaitAssessmentPipeline')",
        where=(WITHOUT,),
    ),
    Call(
        "pipeline with a model and a processor at hand",
        """
model, processor = load()
assessor = pipeline("gait-assessment", model=model, processor=processor)
expect(assessor(joints(), frame_rate_hz=60.0)["abstained"], False)
""",
        where=(WITH,),
    ),
    Call(
        "a motion file needs the package, which is said",
        """
assessor = pipeline("gait-assessment", model=MODEL, **trust)
try:
    assessor("walk.bvh")
except ImportError as error:
    expect("pip install agir-hf" in str(error))
else:
    sys.exit("a file was read")
""",
        where=(WITHOUT,),
    ),
    Call(
        "a revision: branch, tag, commit",
        """
from huggingface_hub import HfApi
commit = HfApi().model_info(MODEL).sha
for revision in ("main", "v1", commit):
    expect(home(AutoConfig.from_pretrained(MODEL, revision=revision, **trust)), "AgirConfig")
""",
    ),
)


@contextmanager
def repositories(hub: HubStandIn, folder: Path) -> Iterator[None]:
    """The packaged checkpoint, its motion tokenizer and an adapter on the stand-in, and a walk in a folder."""
    import numpy as np

    from agir_hf.simulation import simulate_person, simulate_walk

    walk = simulate_walk(simulate_person(3, score=2), seed=3, frame_rate_hz=60.0, duration_s=6.0, turn="none")
    np.save(folder / "walk.npy", walk.clip.joints_m)
    push = "import sys; from agir_hf.cli import main; sys.exit(main(['push', *sys.argv[1:]]))"
    adapter = """
import agir_hf, torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained("lab/agir")
model = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
torch.manual_seed(0)
for name, weights in model.named_parameters():
    if "lora_B" in name:
        torch.nn.init.normal_(weights, std=0.05)
model.push_to_hub("lab/agir-adapter", private=True)
from huggingface_hub import HfApi
HfApi().create_tag("lab/agir", tag="v1")
"""
    for code, arguments in (
        (push, ("model", "agir-tiny", MODEL)),
        (push, ("tokenizer", "agir-tiny", TOKENIZER)),
        (adapter, ()),
    ):
        done = hub.run(code, *arguments)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
    yield


def run_call(hub: HubStandIn, call: Call, where: str, folder: Path) -> str:
    """Run a call in a process of its own; "" if all holds, else what was found."""
    # What was downloaded stays for the next call; each is otherwise as on a machine of its own.
    cache = folder / f"home-{'with' if where == WITH else 'without'}"
    done = hub.run(PREAMBLE + call.code, where, str(folder), variables={"HF_HOME": str(cache)})
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]


def main() -> int:
    import importlib.util
    import tempfile

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from hub_stand_in import HubStandIn

    failed = 0
    print(f"| call | {WITH} | {WITHOUT} |")
    print("|---|---|---|")
    with HubStandIn() as hub, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        with repositories(hub, Path(made)):
            for call in CALLS:
                cells = []
                for where in (WITH, WITHOUT):
                    if where not in call.where:
                        cells.append("does not apply")
                    elif call.needs and importlib.util.find_spec(call.needs) is None:
                        cells.append(f"not run: no {call.needs}")
                    else:
                        found = run_call(hub, call, where, Path(made))
                        failed += bool(found)
                        cells.append(found or "holds")
                print(f"| {call.name} | {' | '.join(cells)} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
