"""What ``agir export`` writes runs without this package and says what the package's model says."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import torch
from jinja2 import TemplateError
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from agir_hf import packaged_checkpoint
from agir_hf.cli import main
from agir_hf.errors import AgirError
from agir_hf.hub.export import chat_template, export_language_model
from agir_hf.modeling_agir import AgirForGaitAssessment
from agir_hf.motion_vocabulary import MotionVocabulary
from agir_hf.rationale import render_prompt

MOTION = "<motion_start>" + "".join(f"<motion_{code}>" for code in (299, 364, 133, 318, 227, 361)) + "<motion_end>"
EVIDENCE = "walking speed 0.78 m/s\nleft arm swing 12 degrees, less"
NEW_TOKENS = 40
CODES = 6

# Stands in the way of this package, as if it were not installed.
WITHOUT_PACKAGE = """
import json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "agir_hf":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker())
try:
    import agir_hf
except ModuleNotFoundError:
    pass
else:
    sys.exit("agir_hf can be imported")

from transformers import AutoModelForCausalLM, AutoTokenizer, AutoProcessor

folder, prompt, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
AutoProcessor.from_pretrained(folder)  # as `transformers serve` does
inputs = tokenizer.apply_chat_template(
    [{"role": "user", "content": prompt}], return_tensors="pt", return_dict=True, add_generation_prompt=True
)
written = model.generate(**inputs, max_new_tokens=count)[0, inputs["input_ids"].shape[1] :]
print(json.dumps({"ids": inputs["input_ids"][0].tolist(), "written": written.tolist()}))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_language_model("agir-tiny", tmp_path_factory.mktemp("export") / "model")


def test_the_export_writes_the_same_without_the_package(exported: Path) -> None:
    prompt = render_prompt("assess", motion=MOTION, evidence=EVIDENCE)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGE, str(exported), prompt, str(NEW_TOKENS)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    tokenizer = AutoTokenizer.from_pretrained(packaged_checkpoint("agir-tiny"))
    model = AgirForGaitAssessment.from_pretrained(packaged_checkpoint("agir-tiny"))
    inputs = tokenizer(prompt, return_tensors="pt")
    assert found["ids"] == inputs["input_ids"][0].tolist()
    assert sum(MotionVocabulary.from_tokenizer(tokenizer).first_motion_token_id <= i for i in found["ids"]) == 8
    written = model.generate(
        inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        do_sample=False,
        max_new_tokens=NEW_TOKENS,
        use_cache=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    assert found["written"] == written[0, inputs["input_ids"].shape[1] :].tolist()


@pytest.mark.parametrize(
    "inputs", [{"motion": MOTION}, {"evidence": EVIDENCE}, {"motion": MOTION, "evidence": EVIDENCE}]
)
def test_the_chat_template_gives_the_text_of_training(exported: Path, inputs: dict[str, str]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(exported)
    prompt = render_prompt("assess", **inputs)
    parts = [{"type": "text", "text": prompt}]
    # As it is, without the blank space that clients cut off, and in parts, as the OpenAI format has it.
    for content in (prompt, prompt.strip(), parts):
        chat = [{"role": "user", "content": content}]
        assert tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) == prompt
        assert tokenizer.apply_chat_template(chat, return_dict=False) == tokenizer(prompt)["input_ids"]


@pytest.mark.parametrize("roles", [("system", "user"), ("user", "assistant"), ("assistant",)])
def test_any_other_chat_is_refused(exported: Path, roles: tuple[str, ...]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(exported)
    with pytest.raises(TemplateError, match="one user message"):
        tokenizer.apply_chat_template([{"role": role, "content": "Task: x"} for role in roles], tokenize=False)


def test_the_folder_holds_a_plain_model_and_no_trace_of_where_it_came_from(exported: Path) -> None:
    names = {path.name for path in exported.iterdir()}
    assert names == {
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    texts = {path.name: path.read_text(encoding="utf-8") for path in exported.glob("*.json*")}
    assert not [name for name, text in texts.items() if str(packaged_checkpoint("agir-tiny").parent) in text]
    assert "Agir" not in texts["tokenizer_config.json"] + texts["config.json"]
    generation = json.loads(texts["generation_config.json"])
    assert generation["do_sample"] is False and generation["max_new_tokens"] > 384
    assert json.loads(texts["config.json"])["use_cache"] is True


def test_the_card_says_what_it_is(exported: Path) -> None:
    card = (exported / "README.md").read_text(encoding="utf-8")
    for part in (
        "license: apache-2.0",
        "Trained on simulated people only",
        "not for diagnosis",
        "Here nothing is checked",
    ):
        assert part in card
    assert str(exported) not in card
    assert "\n\n\n" not in card


def test_it_does_not_write_over_what_is_there(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "notes"
    other.mkdir()
    (other / "diary.txt").write_text("dear", encoding="utf-8")
    assert main(["export", "agir-tiny", str(other)]) == 2
    assert main(["export", "agir-tiny", str(other), "--overwrite"]) == 2  # no model: not ours to remove
    assert (other / "diary.txt").is_file()
    assert main(["export", "agir-tiny", str(other / "diary.txt")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and all(line.startswith("agir: expected ") for line in lines)
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for name in ("config.json", "model-00001-of-00002.safetensors"):
        (earlier / name).write_text("{}", encoding="utf-8")
    assert main(["export", "agir-tiny", str(earlier), "--overwrite"]) == 0
    assert not (earlier / "model-00001-of-00002.safetensors").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"notes", "earlier"}  # nothing half-made stays


def test_it_can_be_written_where_the_user_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main(["export", "agir-tiny", "."]) == 0
    assert Path("model.safetensors").is_file()


def test_a_checkpoint_is_never_overwritten_by_its_own_export(tmp_path: Path) -> None:
    for output in (tmp_path / "model", tmp_path):
        (tmp_path / "model").mkdir(exist_ok=True)
        for folder in (tmp_path, tmp_path / "model"):
            (folder / "config.json").write_text("{}", encoding="utf-8")
        with pytest.raises(AgirError, match="another folder"):
            export_language_model(tmp_path / "model", output, overwrite=True)


@pytest.mark.parametrize(
    ("checkpoint", "base", "message"),
    [
        ("no-such-name", None, "packaged checkpoint"),
        ("EMPTY", None, "cannot be loaded"),
        ("EXPORT", None, "model type 'lfm2'"),
        ("agir-tiny", "some/base", "--base"),
    ],
)
def test_what_cannot_be_exported_is_named_in_one_line(
    exported: Path, tmp_path: Path, checkpoint: str, base: str | None, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    checkpoint = {"EMPTY": str(tmp_path / "empty"), "EXPORT": str(exported)}.get(checkpoint, checkpoint)
    with pytest.raises(AgirError, match=message) as caught:
        export_language_model(checkpoint, tmp_path / "out", base=base)
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"empty"}


def word_tokenizer(template: str | None) -> Any:
    text = render_prompt("assess", motion="<motion>", evidence=EVIDENCE).split()
    words = ["<pad>", "<eos>", "<bos>", "<unk>", *dict.fromkeys([*text, "walking speed 0.78 m/s"])]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if template:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=[("<bos>", 2), ("<eos>", 1)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>"
    )


def test_a_first_token_is_part_of_the_template_and_a_last_one_is_refused() -> None:
    with_first = word_tokenizer("<bos> $A")
    MotionVocabulary.add_to_tokenizer(with_first, CODES)
    prompt = render_prompt("assess", evidence=EVIDENCE)
    ids = with_first.apply_chat_template(
        [{"role": "user", "content": prompt}], chat_template=chat_template(with_first), return_dict=False
    )
    assert ids == with_first(prompt)["input_ids"] and ids[0] == 2 and ids.count(2) == 1
    with pytest.raises(AgirError, match="no chat template"):
        chat_template(word_tokenizer("$A <eos>"))


@pytest.mark.parametrize("tied", [True, False])
def test_an_adapter_is_merged_into_its_base(tied: bool, tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="needs the train extra")
    from agir_hf.training.adapters import add_adapter
    from agir_hf.training.recipe import LoraRecipe

    tokenizer = word_tokenizer(None)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=3,
        pad_token_id=0,
    )
    base = LlamaForCausalLM(config)
    base.save_pretrained(tmp_path / "base")
    (tmp_path / "base" / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    vocabulary = MotionVocabulary.add_to_tokenizer(tokenizer, CODES)
    base = LlamaForCausalLM.from_pretrained(tmp_path / "base")
    base.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    new = range(vocabulary.first_motion_token_id, len(tokenizer))
    model = add_adapter(base, LoraRecipe(rank=2), new)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.normal_(std=0.3)
    model.save_pretrained(tmp_path / "run" / "assess")
    tokenizer.save_pretrained(tmp_path / "run" / "assess")
    record = {"recipe": {"data": {"config": "simulated"}}}
    (tmp_path / "run" / "run_record.json").write_text(json.dumps(record), encoding="utf-8")

    out = export_language_model(tmp_path / "run" / "assess", tmp_path / "out")
    loaded = AutoModelForCausalLM.from_pretrained(out)
    ids = torch.arange(len(tokenizer))[None]
    with torch.no_grad():
        assert torch.allclose(loaded(ids).logits, model.eval()(ids).logits, atol=1e-4)
    shared = loaded.get_input_embeddings().weight.data_ptr() == loaded.get_output_embeddings().weight.data_ptr()
    assert shared == tied
    assert loaded.generation_config.eos_token_id == [1, 3]  # what the base ends with, and what training appended
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "license: mit" in card and "Trained on simulated people only" in card and "merged" in card

    (tmp_path / "run" / "run_record.json").unlink()
    card = (export_language_model(tmp_path / "run" / "assess", out, overwrite=True) / "README.md").read_text(
        encoding="utf-8"
    )
    assert "is not recorded with it" in card
    frozen = add_adapter(LlamaForCausalLM.from_pretrained(tmp_path / "base"), LoraRecipe(rank=2), [])
    frozen.save_pretrained(tmp_path / "frozen")
    tokenizer.save_pretrained(tmp_path / "frozen")
    with pytest.raises(AgirError, match="rows of all tokens"):
        export_language_model(tmp_path / "frozen", tmp_path / "other")


@pytest.mark.slow
def test_transformers_serve_answers_a_chat(exported: Path) -> None:
    pytest.importorskip("uvicorn", reason="needs transformers[serving]")
    pytest.importorskip("fastapi", reason="needs transformers[serving]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(exported), "--port", str(port)]
    server = subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(240):
            time.sleep(0.5)
            assert server.poll() is None, "the server stopped"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                continue
        prompt = render_prompt("assess", motion=MOTION, evidence=EVIDENCE)
        body = {"model": str(exported), "messages": [{"role": "user", "content": prompt}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = json.load(answer)["choices"][0]["message"]["content"]
    finally:
        server.terminate()
        server.wait(timeout=30)
    tokenizer, model = AutoTokenizer.from_pretrained(exported), AutoModelForCausalLM.from_pretrained(exported)
    inputs = tokenizer(prompt, return_tensors="pt")
    written = model.generate(**inputs)[0, inputs["input_ids"].shape[1] :]
    assert text == tokenizer.decode(written, skip_special_tokens=True)
