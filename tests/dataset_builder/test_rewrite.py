"""Rewriting against a real server that misbehaves, and against a local model that knows nothing."""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from chat_server import Answer, ChatServer, drips, hangs, hangs_up, raw, says, status

from agir_hf.errors import AgirError
from agir_hf.gait import PARAMETER_NAMES, GaitParameters, GaitQuality
from agir_hf.rationale import check_grounding, describe, evidence_block, write_rationale
from dataset_builder.rewrite import (
    ChatError,
    ChatSetupError,
    GuardedSourceError,
    Limits,
    LocalChatModel,
    Message,
    OpenAIEndpoint,
    Rewriter,
    RewriteRecord,
    RewriteTask,
    add_rewrite_options,
    find_faults,
    prompt_version,
    rewriter_from,
)
from dataset_builder.rewrite.acceptance import cleaned

VALUES: dict[str, float] = {
    "walking_speed_mps": 0.78,
    "cadence_spm": 98.0,
    "stride_length_m": 0.95,
    "step_length_left_m": 0.45,
    "step_length_right_m": 0.50,
    "arm_swing_left_deg": 12.0,
    "arm_swing_right_deg": 31.0,
    "arm_swing_asymmetry_percent": 61.0,
    "foot_clearance_left_m": 0.041,
    "foot_clearance_right_m": 0.058,
    "foot_strike_angle_left_deg": 11.0,
    "foot_strike_angle_right_deg": 19.0,
    "turn_duration_180_s": 3.4,
    "trunk_flexion_deg": 12.0,
    "freezing_episodes": 0.0,
}
PERSON = GaitParameters(
    values={name: VALUES.get(name) for name in PARAMETER_NAMES},
    reasons={name: "made up" for name in PARAMETER_NAMES if name not in VALUES},
    low_confidence={},
    events=(),
    quality=GaitQuality(True, 9, 7, 100.0, (), None),
    warnings=("P042/walk_3.bvh: a file name that must not be sent",),
)
TEXT = write_rationale(PERSON, random.Random(1))
GOOD = write_rationale(PERSON, random.Random(2))  # another wording of the same facts
TASK = RewriteTask("rationale", TEXT, PERSON, seed=7)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the client meant to wait; it does not."""
    asked: list[float] = []
    monkeypatch.setattr("dataset_builder.rewrite.endpoint.time.sleep", asked.append)
    return asked


def _endpoint(server: ChatServer, **options: Any) -> OpenAIEndpoint:
    return OpenAIEndpoint(server.url, "tiny-chat", **{"timeout_s": 5.0, **options})


def _rewrite(*answers: Answer, attempts: int = 3, **options: Any) -> tuple[RewriteRecord, ChatServer]:
    with ChatServer(*answers) as server:
        rewriter = Rewriter(_endpoint(server, **options), source="simulated", may_be_shared=True, attempts=attempts)
        return rewriter.rewrite(TASK), server


def test_a_good_answer_is_used_and_recorded() -> None:
    record, server = _rewrite(says("<think>Hm.\nLeft is less.</think>\n" + GOOD.replace(". ", ".\n", 1)))
    assert record.to_dict() == {
        "kind": "rationale",
        "original": TEXT,
        "rewritten": GOOD,
        "attempts": 1,
        "failure": None,
        "model": "tiny-chat",
        "prompt_version": prompt_version(),
    }
    assert record.text == GOOD and prompt_version().startswith("1-")
    asked = server.asked(0)
    assert (server.requests[0][0], asked["model"], asked["seed"]) == ("/v1/chat/completions", "tiny-chat", 7)
    assert "Authorization" not in server.requests[0][1]


def test_only_derived_text_is_sent_after_the_endpoint_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    def answer(handler: Any) -> None:
        told.append(capsys.readouterr().err)
        says(GOOD)(handler)

    with ChatServer(answer) as server:
        rewriter = Rewriter(_endpoint(server), source="simulated", may_be_shared=True)
        assert capsys.readouterr().err == ""
        rewriter.rewrite(TASK)
        rewriter.rewrite(TASK)
    assert server.url in told[0] and "tiny-chat" in told[0] and told[1] == ""
    asked = server.asked(0)
    assert set(asked) == {"model", "messages", "seed", "max_tokens", "temperature", "stream"}
    system, user = (message["content"] for message in asked["messages"])
    for part in (evidence_block(PERSON), TEXT):
        user = user.replace(part, "")
    sent = (system + user).lower()
    assert "p042" not in sent and "bvh" not in sent and not any(character.isdigit() for character in sent)


def test_the_key_is_read_from_the_named_variable_and_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1")
    record, server = _rewrite(says(GOOD), key_variable="MY_KEY")
    assert record.rewritten and server.requests[0][1]["Authorization"] == "Bearer sk-secret-1"
    with pytest.raises(ChatSetupError, match="401") as caught:
        _rewrite(status(401, b"wrong key sk-secret-1"), key_variable="MY_KEY")
    assert "sk-secret" not in str(caught.value)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ChatSetupError, match="MY_KEY"):
        _rewrite(says(GOOD), key_variable="MY_KEY")


@pytest.mark.parametrize(
    "bad",
    [
        status(500),
        status(503),
        hangs_up,
        raw(b'{"choices": [{"message": {"content": "The per'),
        raw(json.dumps({"choices": [{"message": {"content": GOOD}}]}).encode(), length=100_000),
        raw(b"<html>busy</html>"),
    ],
    ids=["500", "503", "hangs up", "cut-off JSON", "cut-off body", "no JSON"],
)
def test_what_may_pass_is_tried_again(bad: Answer, waits: list[float]) -> None:
    record, server = _rewrite(bad, bad, says(GOOD))
    assert (record.rewritten, record.attempts, len(server.requests)) == (GOOD, 1, 3)
    assert waits == [1.0, 2.0]
    record, server = _rewrite(bad, max_tries=2)
    assert record.rewritten is None and record.text == TEXT and len(server.requests) == 2
    assert record.failure is not None and record.failure.startswith("no_answer: no answer from 127.0.0.1 in 2 tries")


def test_a_busy_server_says_when_to_come_back(waits: list[float]) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    record, _ = _rewrite(
        status(429, Retry_After="7"), status(429, Retry_After=later), status(429, Retry_After="soon"), says(GOOD)
    )
    assert record.rewritten == GOOD
    assert waits[0] == 7.0 and 25 < waits[1] <= 30 and waits[2] == 4.0
    waits.clear()
    record, server = _rewrite(status(429, Retry_After="3600"))
    assert waits == [] and len(server.requests) == 1
    assert record.failure is not None and "wait 3600 s" in record.failure


@pytest.mark.parametrize("slow", [hangs, drips])
def test_waiting_ends(slow: Answer) -> None:
    start = time.monotonic()
    record, server = _rewrite(slow, timeout_s=0.3, max_tries=2)
    assert time.monotonic() - start < 5 and len(server.requests) == 2
    assert record.failure is not None and "no whole answer within 0.3 s" in record.failure


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raw(b'{"choices": []}'), "expected choices"),
        (raw(b"[]"), "expected choices"),
        (raw(b'{"error": {"message": "no"}}'), "found error"),
        (says(["a part"]), "expected a text"),
        (raw(b"x" * 3_000_000), "at most 1000000 bytes"),
        (raw(b"[" * 200_000), "expected JSON"),
        (status(400, b'{"error": "too\x1b[1m long"}'), "answered 400: .*too.*long"),
    ],
    ids=["no choices", "a list", "an error", "parts", "huge", "deep", "400"],
)
def test_a_wrong_answer_is_a_recorded_failure(answer: Answer, reason: str) -> None:
    record, _ = _rewrite(answer)
    assert record.rewritten is None and record.text == TEXT
    assert record.failure is not None and re.search(reason, record.failure) and record.failure.isprintable()


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_no_redirect_is_followed(code: int) -> None:
    with ChatServer(says(GOOD)) as elsewhere, pytest.raises(ChatSetupError, match="redirect") as caught:
        _rewrite(status(code, Location=elsewhere.url + "/chat/completions"))
    assert elsewhere.requests == [] and "127.0.0.1" in str(caught.value)
    with pytest.raises(ChatSetupError, match="an unnamed place"):
        _rewrite(status(code, Location="http://["))


def test_a_proxy_is_not_told_what_goes_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(says("caught")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert _rewrite(says(GOOD))[0].rewritten == GOOD
    assert proxy.requests == []


def test_a_proxy_on_the_way_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ChatServer(says(GOOD)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        endpoint = OpenAIEndpoint("http://chat.example.invalid/v1", "m")
        assert Rewriter(endpoint, source="simulated", may_be_shared=True).rewrite(TASK).rewritten == GOOD
    assert proxy.requests[0][0] == "http://chat.example.invalid/v1/chat/completions"
    assert "through the proxy 127.0.0.1" in capsys.readouterr().err


def test_a_dead_endpoint_stops_the_work() -> None:
    with ChatServer(says(GOOD)) as server:
        url = server.url
    rewriter = Rewriter(OpenAIEndpoint(url, "m", max_tries=2), source="simulated", may_be_shared=True)
    records = [rewriter.rewrite(TASK) for _ in range(4)]
    assert all(record.failure and "cannot be reached" in record.failure for record in records)
    with pytest.raises(ChatSetupError, match="5 texts one after another"):
        rewriter.rewrite(TASK)


FAULTY = {
    "empty": ("", "empty"),
    "nothing": (None, "empty"),
    "invented number": (GOOD + " Knee flexion is 55 degrees.", "grounding"),
    "wrong number": (GOOD.replace("0.78 m/s", "0.98 m/s"), "grounding"),
    "wrong unit": (GOOD.replace("0.78 m/s", "0.78 km/h"), "grounding"),
    "wrong side": (GOOD.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right"), "grounding"),
    "one side twice": (GOOD + " The left arm swings 12 degrees and the left arm 12 degrees.", "sides"),
    "wrong comparison": (GOOD.replace("below the usual range", "above the usual range"), "grounding"),
    "score": (GOOD + " Score: 2.", "score_leak"),
    "score word": (GOOD.replace("reduced", "mildly reduced", 1), "score_leak"),
    "score in words": (GOOD + " On the scale this is a two out of four.", "score_leak"),
    "diagnosis": (GOOD + " Arm swing is reduced as in Parkinson's disease.", "score_leak"),
    "opinion": (GOOD + " Family support would help.", "unchecked"),
    "cause": (GOOD.replace(".", ", which suggests stiffness.", 1), "inference"),
    "half of it": (" ".join(GOOD.split(". ")[:5]) + ".", "claims_lost"),
    "cut off": (GOOD[:-12], "format"),
    "remark": ("Sure, here is the new text: " + GOOD, "format"),
    "markdown": ("- " + GOOD.replace(". ", ".\n- "), "format"),
    "hidden signs": (GOOD.replace(". ", ".\u202e\ud83d ", 1), "format"),
    "the same": (TEXT, "unchanged"),
    "far too long": (" ".join([GOOD] * 3), "length"),
    "another language": ("Der Mann geht langsam. " * 30, "claims_lost"),
}


@pytest.mark.parametrize(("answer", "kind"), FAULTY.values(), ids=FAULTY)
def test_a_faulty_answer_is_asked_for_again_then_recorded(answer: str | None, kind: str) -> None:
    record, server = _rewrite(says(answer), says(GOOD))
    assert (record.rewritten, record.attempts) == (GOOD, 2)
    again = server.asked(1)
    assert [turn["role"] for turn in again["messages"]] == ["system", "user", "assistant", "user"]
    faults = find_faults(cleaned(answer or ""), TEXT, PERSON, Limits())
    assert kind in {fault.kind for fault in faults}
    assert all(fault.text in again["messages"][3]["content"] for fault in faults)
    assert again["seed"] == 8

    record, server = _rewrite(says(answer), attempts=2)
    assert (record.rewritten, record.attempts, record.text, len(server.requests)) == (None, 2, TEXT, 2)
    assert record.failure is not None and f"{kind}: " in record.failure


def test_the_faults_above_are_faults_of_their_own() -> None:
    assert find_faults(GOOD, TEXT, PERSON, Limits()) == []
    assert check_grounding(GOOD, PERSON).unsupported == ()
    for answer, _ in FAULTY.values():
        assert answer != GOOD


def test_rewordings_pass_and_lost_sentences_are_noticed() -> None:
    for seed in range(8):
        for numbers in (True, False):
            one, two = (write_rationale(PERSON, random.Random(s), numbers=numbers) for s in (seed, seed + 100))
            found = {fault.kind for fault in find_faults(two, one, PERSON, Limits())}
            assert found <= {"unchanged"}, (one, two)
    text = describe(PERSON, random.Random(1))
    sentences = text.split(". ")
    shorter = ". ".join(sentences[:-1]) + "."
    assert "claims_lost" in {fault.kind for fault in find_faults(shorter, text, PERSON, Limits())}
    assert "claims_lost" not in {fault.kind for fault in find_faults(shorter, text, PERSON, Limits(max_lost_share=1))}


FLIPS = "less more|below above|left right|right left|reduced preserved|shorter longer|m/s cm/s|degrees cm"


@pytest.mark.parametrize("flip", FLIPS.split("|"))
def test_one_word_is_enough_to_refuse_a_good_answer(flip: str) -> None:
    word, other = flip.split()
    tried = 0
    for seed in range(2, 6):
        answer = write_rationale(PERSON, random.Random(seed))
        for place in re.finditer(rf"(?<![\w/]){word}(?!\w)", answer):
            changed = answer[: place.start()] + other + answer[place.end() :]
            assert find_faults(changed, TEXT, PERSON, Limits()), changed
            tried += 1
    assert tried


def test_a_caution_is_kept() -> None:
    doubtful = replace(
        PERSON, low_confidence={"walking_speed_mps": "made up"}, quality=replace(PERSON.quality, steady_strides=0)
    )
    one, two = (write_rationale(doubtful, random.Random(seed)) for seed in (1, 2))
    assert "about 0.78 m/s" in two and "read with care" in two
    assert find_faults(two, one, doubtful, Limits()) == []
    for changed in (two.replace("about 0.78", "0.78"), two.replace("so this is to be read with care", "and it shows")):
        assert find_faults(changed, one, doubtful, Limits()) != []
    _, rest = two.split(". ", 1)
    assert {fault.kind for fault in find_faults(rest, one, doubtful, Limits())} == {"unchecked"}


def test_a_text_that_states_nothing_is_left_alone() -> None:
    nobody = replace(PERSON, quality=replace(PERSON.quality, walking=False))
    text = describe(nobody, random.Random(0))
    rewriter = Rewriter(_Scripted(["Anything at all. One may say what one likes."]), source="s", may_be_shared=True)
    record = rewriter.rewrite(RewriteTask("description", text, nobody, 0))
    assert (record.rewritten, record.attempts, record.text) == (None, 0, text)
    assert record.failure is not None and record.failure.startswith("not_checkable")


def test_a_text_without_numbers_gets_none() -> None:
    words = write_rationale(PERSON, random.Random(1), numbers=False)
    answer = words + " Walking speed is 0.78 m/s."
    assert [fault.kind for fault in find_faults(answer, words, PERSON, Limits())] == ["numbers_added"]


class _Scripted:
    """A chat model in this process."""

    name = "scripted"

    def __init__(self, answers: Sequence[str], *, is_local: bool = True) -> None:
        self.is_local = is_local
        self._answers = answers

    def complete(self, messages: Sequence[Message], *, seed: int, max_tokens: int) -> str:
        return self._answers[seed % len(self._answers)]


def test_whatever_comes_back_there_is_a_record() -> None:
    rng = random.Random(0)
    letters = "".join(map(chr, range(32, 127))) + "\n\t\0é漢\u202e\ud83d"
    garbage = ["".join(rng.choices(letters, k=rng.randrange(400))) for _ in range(50)]
    garbage += [
        "12 degrees. " * 80_000,
        "So it is. " * 250,
        "9" * 500,
        "left right " * 200,
        "." * 500,
        "(" * 300,
        "-1e999 m/s " * 50,
    ]
    rewriter = Rewriter(_Scripted(garbage), source="simulated", may_be_shared=True, attempts=1)
    tasks = [RewriteTask("rationale", TEXT, PERSON, seed) for seed in range(len(garbage))]
    records = list(rewriter.rewrite_all(tasks, at_a_time=3))
    assert len(records) == len(garbage)
    assert all(record.rewritten is None and record.failure and record.text == TEXT for record in records)
    assert all(len(record.failure or "") < 3000 for record in records)


def test_records_come_in_the_order_of_the_tasks() -> None:
    texts = [write_rationale(PERSON, random.Random(seed)) for seed in range(12)]
    rewriter = Rewriter(_Scripted([GOOD]), source="simulated", may_be_shared=True)
    tasks = (RewriteTask("rationale", text, PERSON, 0) for text in texts)
    assert [record.original for record in rewriter.rewrite_all(tasks, at_a_time=2)] == texts
    with pytest.raises(AgirError, match="at least 1"):
        next(rewriter.rewrite_all([], at_a_time=0))
    with pytest.raises(AgirError, match="at least 1 attempt"):
        Rewriter(_Scripted([GOOD]), source="simulated", may_be_shared=True, attempts=0)


def test_a_guarded_source_stays_on_this_machine() -> None:
    with ChatServer(says(GOOD)) as server:
        with pytest.raises(GuardedSourceError, match="care_pd"):
            Rewriter(_endpoint(server), source="care_pd", may_be_shared=False)
        assert server.requests == []
        local = Rewriter(_endpoint(server, is_local=True), source="care_pd", may_be_shared=False)
        assert local.rewrite(TASK).rewritten == GOOD
    with pytest.raises(ChatSetupError, match="address of this machine"):
        OpenAIEndpoint("https://chat.example.org/v1", "m", is_local=True)
    with pytest.raises(GuardedSourceError):
        Rewriter(OpenAIEndpoint("https://chat.example.org/v1", "m"), source="care_pd", may_be_shared=False)
    Rewriter(_Scripted([GOOD]), source="care_pd", may_be_shared=False)


@pytest.mark.parametrize(
    "url", ["chat.example.org/v1", "file:///etc/passwd", "ftp://a/v1", "http://", "http://u:p@a/v1", "http://a:x/v1"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ChatSetupError, match="expected an address"):
        OpenAIEndpoint(url, "m")


@pytest.mark.parametrize("url", ["http://a..b/v1", "http://127.0.0.1:1/v 1"])
def test_addresses_that_cannot_be_asked(url: str) -> None:
    with pytest.raises(ChatSetupError, match="can be asked"):
        OpenAIEndpoint(url, "m").complete([], seed=0, max_tokens=1)


def _from_options(*words: str, may_be_shared: bool = True) -> Rewriter | None:
    parser = argparse.ArgumentParser()
    add_rewrite_options(parser)
    return rewriter_from(parser.parse_args(words), source="care_pd", may_be_shared=may_be_shared)


def test_options_are_off_by_default_and_must_go_together(tmp_path: Path) -> None:
    assert _from_options() is None and _from_options(may_be_shared=False) is None
    endpoint = ("--rewrite-endpoint", "http://127.0.0.1:9/v1", "--rewrite-model", "m")
    assert _from_options(*endpoint) is not None
    with pytest.raises(GuardedSourceError):
        _from_options(*endpoint, may_be_shared=False)
    assert _from_options(*endpoint, "--endpoint-is-local", may_be_shared=False) is not None
    with pytest.raises(AgirError, match="--rewrite-model"):
        _from_options(*endpoint[:2])
    with pytest.raises(AgirError, match="--rewrite-endpoint"):
        _from_options(*endpoint[2:], "--endpoint-is-local")
    with pytest.raises(ChatSetupError, match="on this machine"):
        _from_options("--rewrite-model", str(tmp_path / "none"))


@pytest.fixture(scope="module")
def chat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama with a tokenizer of bytes and a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<eos>", *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")
    whole.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(vocabulary), max_position_embeddings=8192, **sizes))
    folder = tmp_path_factory.mktemp("chat")
    model.save_pretrained(folder)
    whole.save_pretrained(folder)
    return folder


def test_a_local_model_that_knows_nothing(chat_folder: Path) -> None:
    model = LocalChatModel(str(chat_folder))
    messages: list[Message] = [{"role": "user", "content": "Say hello."}]
    one, two, other = (model.complete(messages, seed=seed, max_tokens=20) for seed in (1, 1, 2))
    assert one == two != other and "Say hello" not in one
    text = describe(PERSON, random.Random(1))
    record = Rewriter(model, source="care_pd", may_be_shared=False, attempts=2, limits=Limits(max_length=0.6)).rewrite(
        RewriteTask("description", text, PERSON, seed=3)
    )
    assert (record.rewritten, record.attempts, record.model) == (None, 2, str(chat_folder))
    assert record.failure is not None and "claims_lost" in record.failure
    with pytest.raises(ChatError, match="8192 tokens"):
        model.complete([{"role": "user", "content": "a" * 9000}], seed=1, max_tokens=20)


def test_a_local_model_without_a_chat_template(chat_folder: Path, tmp_path: Path) -> None:
    for file in chat_folder.iterdir():
        if file.suffix != ".jinja":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ChatSetupError, match="chat template"):
        LocalChatModel(str(tmp_path))
