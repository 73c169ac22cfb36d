"""`emostream subscribe` and `emostream watch` on a real public stream."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator

import msgspec
import pytest

from stream.public import EmotionMessage
from tests.workers.command_line import EMOSTREAM, PublicStream, emostream, finish, start_emostream
from tests.workers.public_messages import emotion_message, health_message, transcript_message


@pytest.fixture
def public() -> Iterator[PublicStream]:
    stream = PublicStream()
    yield stream
    stream.close()


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_subscribe_prints_each_message_as_a_json_line(public: PublicStream, encoding: str) -> None:
    sent = [emotion_message(seq) for seq in range(3)]
    process = start_emostream("subscribe", "--endpoint", public.endpoint, "--count", "3")
    public.wait_for_subscriber()
    public.publish(sent, encoding)
    outcome = finish(process)
    assert outcome.status == 0
    assert outcome.err == ""
    lines = outcome.out.splitlines()
    assert [msgspec.json.decode(line, type=EmotionMessage) for line in lines] == sent


def test_subscribe_reports_gaps_on_standard_error(public: PublicStream) -> None:
    process = start_emostream("subscribe", "--endpoint", public.endpoint, "--count", "3")
    public.wait_for_subscriber()
    public.publish([emotion_message(seq) for seq in (0, 1, 5)])
    outcome = finish(process)
    assert outcome.err == "gap: 3 messages of emotion.desk missed after seq 1\n"
    assert len(outcome.out.splitlines()) == 3


def test_subscribe_takes_only_the_source_asked_for(public: PublicStream) -> None:
    process = start_emostream("subscribe", "--endpoint", public.endpoint, "--source", "door", "--count", "1")
    public.wait_for_subscriber()
    public.publish([emotion_message(source="desk"), emotion_message(source="door")])
    assert json.loads(finish(process).out)["source"] == "door"


def test_subscribe_to_all_kinds_names_the_topic(public: PublicStream) -> None:
    process = start_emostream("subscribe", "--endpoint", public.endpoint, "--kind", "all", "--count", "3")
    public.wait_for_subscriber(topics=3)
    public.publish([emotion_message(), transcript_message("good morning"), health_message()])
    lines = [json.loads(line) for line in finish(process).out.splitlines()]
    assert [line["topic"] for line in lines] == ["emotion.desk", "transcript.desk", "health"]
    assert [word["text"] for word in lines[1]["message"]["words"]] == ["good", "morning"]


def test_subscribe_says_how_to_mend_it_when_nothing_comes() -> None:
    outcome = emostream("subscribe", "--endpoint", "tcp://127.0.0.1:1", "--timeout", "0.2")
    assert outcome.status == 1
    assert outcome.err.startswith("error: nothing came from tcp://127.0.0.1:1 for 0.2 s: is `emostream run`")


@pytest.mark.parametrize("command", ["subscribe", "watch"])
def test_an_endpoint_that_is_none_is_an_error(command: str) -> None:
    outcome = emostream(command, "--endpoint", "localhost:5557")
    assert outcome.status == 2
    assert outcome.err.startswith("error: localhost:5557: not an endpoint")
    assert "Traceback" not in outcome.err


def test_subscribe_ends_quietly_when_its_reader_goes_away(public: PublicStream) -> None:
    command = " ".join([*EMOSTREAM, "subscribe", "--endpoint", public.endpoint])
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", f"{command} | head -1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    public.wait_for_subscriber()
    public.publish([emotion_message(0)])
    assert process.stdout is not None
    process.stdout.readline()
    while process.poll() is None:
        public.publish([emotion_message(1)])
    assert finish(process).err == ""
    assert process.returncode == 0


@pytest.mark.parametrize("command", ["subscribe", "watch"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_quietly(public: PublicStream, command: str, number: int) -> None:
    process = start_emostream(command, "--endpoint", public.endpoint)
    public.wait_for_subscriber()
    process.send_signal(number)
    outcome = finish(process)
    assert outcome.status == 130
    assert outcome.err == ""


def test_watch_without_a_terminal_prints_a_line_a_second(public: PublicStream) -> None:
    process = start_emostream("watch", "--endpoint", public.endpoint)
    public.wait_for_subscriber(topics=3)
    public.publish([health_message(), *(emotion_message(seq) for seq in range(5))])
    assert process.stdout is not None
    line = next(line for line in process.stdout if "nothing has come" not in line)
    assert "desk: joy 72% (distance 0.64)" in line
    assert "face 98%" in line
    process.terminate()
    finish(process)


def test_watch_says_when_nothing_comes() -> None:
    process = start_emostream("watch", "--endpoint", "tcp://127.0.0.1:1")
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "nothing has come from tcp://127.0.0.1:1" in line
    assert "is `emostream run` running" in line
    process.terminate()
    finish(process)
