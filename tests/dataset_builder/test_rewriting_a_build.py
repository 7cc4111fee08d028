"""Rewriting inside a build: what is accepted is used, what is not is listed, and a guarded source stays here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from care_pd_files import nine_cohorts
from chat_server import ChatServer, says
from datasets import load_dataset
from folders import contents

from dataset_builder.build import report_of
from dataset_builder.cli import main
from dataset_builder.rewriting import RewriteSettings


def reworded(text: str) -> str:
    """The text with its first two sentences joined, which changes no claim."""
    first, _, rest = text.partition(". ")
    return f"{first}; {rest[:1].lower()}{rest[1:]}"


def original(handler: Any) -> str:
    """The text that a request asks to reword: the line after its heading."""
    asked = json.loads(handler.server.chat.requests[-1][2])
    return str(asked["messages"][1]["content"]).split("Text:\n")[1].splitlines()[0]


def build(output: Path, server: ChatServer, *options: str) -> int:
    return main(
        [
            *("build", "--source", "simulated", "--people", "2", "--walks", "1", "--output", str(output)),
            *("--rewrite-endpoint", server.url, "--rewrite-model", "tiny-chat", "--endpoint-is-local", *options),
        ]
    )


def test_what_the_checks_accept_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ChatServer(lambda handler: says(reworded(original(handler)))(handler)) as server:
        assert build(tmp_path / "out", server) == 0
        sent = b"".join(body for _, _, body in server.requests).decode()
    assert server.url in capsys.readouterr().err and "simulated-" not in sent and "train" not in sent
    rows = [row for split in load_dataset(str(tmp_path / "out")).values() for row in split]
    assert {row["metadata"]["rationale_by"] for row in rows} == {"tiny-chat"}
    assert all("; " in row["description"] for row in rows) and "tiny-chat" in report_text(tmp_path / "out")
    assert server.url not in report_text(tmp_path / "out")
    assert main(["validate", str(tmp_path / "out")]) == 0


def report_text(output: Path) -> str:
    return (output / "reports" / "simulated.json").read_text(encoding="utf-8")


def test_what_they_refuse_stays_as_it_was_and_is_listed(tmp_path: Path) -> None:
    with ChatServer(says("The person walks at 9.99 m/s.")) as server:
        assert build(tmp_path / "out", server, "--rewrite-attempts", "2") == 0
    rows = [row for split in load_dataset(str(tmp_path / "out")).values() for row in split]
    assert {row["metadata"][f"{text}_by"] for row in rows for text in ("description", "rationale")} == {"templates"}
    noted = [f for f in report_of(tmp_path / "out", "simulated")["failures"] if f["kind"] == "not_rewritten"]
    assert len(noted) == 2 * len(rows) and all(f["consequence"] == "noted" for f in noted)
    # But for the wording's origin and the list, it is the build without a model.
    assert (
        main(["build", "--source", "simulated", "--people", "2", "--walks", "1", "--output", str(tmp_path / "b")]) == 0
    )
    data = "data/simulated/train-00000-of-00001.parquet"
    assert contents(tmp_path / "out")[data] == contents(tmp_path / "b")[data]


def test_an_endpoint_without_a_model_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = ["build", "--source", "simulated", "--people", "4", "--walks", "3", "--output", str(tmp_path / "out")]
    assert main([*request, "--rewrite-endpoint", "http://127.0.0.1:9/v1"]) == 2
    assert "--rewrite-model" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_guarded_source_is_refused_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = nine_cohorts(tmp_path / "care", subjects=1)
    request = ["build", "--source", "care_pd", "--path", str(data), "--output", str(tmp_path / "out")]
    assert main([*request, "--rewrite-endpoint", "https://example.org/v1", "--rewrite-model", "large"]) == 2
    assert "may not be passed on" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_the_recipe_names_the_model_and_not_the_way_to_it() -> None:
    options = {"rewrite_model": "m", "rewrite_attempts": 2, "rewrite_max_lost_share": 0.1}
    private = {"rewrite_endpoint": "http://127.0.0.1:1/v1", "rewrite_key_variable": "K", "rewrite_at_a_time": 4}
    settings = RewriteSettings(tuple((options | private).items()))
    assert set(settings.to_dict()) == {*options, "prompt_version"}
