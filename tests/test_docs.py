"""The documents say what the code does: facts, examples, commands and links are held against it."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main

from stream import public
from stream.public import PublicMessage, decode_public, encode_public, public_topic
from stream.topics import TOPICS
from stream.vocabulary import load_vocabulary
from workers.bench.__main__ import app as benchmarks
from workers.cli.main import COMMANDS, build_app
from workers.table import WORKERS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PROTOCOL = ROOT / "docs" / "protocol.md"
DOCUMENTS = [
    README,
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "node_modules" not in path.parts),
]

FIELD_TABLES: dict[str, type[msgspec.Struct]] = {
    "an emotion message": public.EmotionMessage,
    "`window`": public.WindowSpan,
    "an emotion": public.EmotionScore,
    "`uncorrected`": public.Uncorrected,
    "an evidence": public.Evidence,
    "a baseline": public.BaselineState,
    "`latency_ms`": public.Latency,
    "a transcript message": public.TranscriptMessage,
    "a word": public.TranscriptWord,
    "a health message": public.HealthMessage,
    "a source": public.SourceHealth,
    "a worker": public.WorkerHealth,
    "a topic": public.TopicHealth,
    "a stage": public.StageLatency,
}
"""What follows "Fields of" in a heading of the protocol, and the struct that the table below it is of."""

document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


# -- docs/protocol.md -------------------------------------------------------------------------------


def test_every_public_struct_has_its_table() -> None:
    structs = {
        value
        for value in vars(public).values()
        if isinstance(value, type) and issubclass(value, public.Public) and value is not public.Public
    }
    assert structs == set(FIELD_TABLES.values())


@pytest.mark.parametrize("of", FIELD_TABLES)
def test_every_field_is_documented_with_its_type(of: str) -> None:
    rows = {name.strip("`"): (type_, meaning) for name, type_, meaning in table(PROTOCOL, f"Fields of {of}")}
    fields = {field.name: field for field in msgspec.structs.fields(FIELD_TABLES[of])}
    assert list(rows) == list(fields)
    for name, (type_, meaning) in rows.items():
        kind, nullable, values = described(FIELD_TABLES[of], name)
        assert type_.startswith(kind), name
        assert ("optional" in type_) == (not fields[name].required), name
        assert ("or null" in type_) == (nullable and fields[name].required), name
        assert [value for value in values if f"`{value}`" not in meaning] == [], name


def examples() -> list[PublicMessage]:
    """The messages that the protocol shows, decoded."""
    found = []
    for text in blocks(PROTOCOL, "json"):
        fields = json.loads(text)
        kind = "health" if "workers" in fields else "transcript.x" if "utterance" in fields else "emotion.x"
        found.append(decode_public(kind, text.encode()))
    return found


def test_each_kind_of_message_has_an_example() -> None:
    kinds = {public_topic(message).split(".")[0] for message in examples()}
    assert kinds == {name for name, topic in TOPICS.items() if topic.type is None}


def test_the_examples_are_messages_as_the_daemon_encodes_them() -> None:
    for text, message in zip(blocks(PROTOCOL, "json"), examples(), strict=True):
        assert json.loads(encode_public(message, "json")) == json.loads(text)
        as_msgpack = encode_public(message, "msgpack")
        assert as_msgpack[:1] != b"{"
        assert decode_public(public_topic(message), as_msgpack) == message


def test_fields_that_are_added_later_do_no_harm() -> None:
    for message in examples():
        later = json.loads(encode_public(message, "json")) | {"added_later": {"a": [1]}}
        assert decode_public(public_topic(message), json.dumps(later).encode()) == message


# -- docs/architecture.md ---------------------------------------------------------------------------


def test_the_table_of_workers_is_that_of_the_code() -> None:
    expected = [
        [
            f"`{row.name}`",
            spans(row.reads),
            spans(row.writes),
            "each source" if row.per_source else "all sources",
            "none" if row.isolated else "yes",
        ]
        for row in WORKERS.values()
    ]
    assert [row[:5] for row in table(ARCHITECTURE, "Workers")] == expected


def test_the_table_of_topics_is_that_of_the_code() -> None:
    public_messages = {
        "emotion": "EmotionMessage",
        "transcript": "TranscriptMessage",
        "health": "HealthMessage",
    }
    expected = [
        [
            f"`{topic.name}`",
            f"`{public_messages[topic.name] if topic.type is None else topic.type.__name__}`",
            f"{topic.rate_hz:g}" if topic.rate_hz else "by occasion",
            topic.plane.value,
            topic.slow.value,
            str(topic.high_water_mark),
        ]
        for topic in TOPICS.values()
    ]
    assert table(ARCHITECTURE, "Topics") == expected


def test_the_picture_shows_every_worker_and_every_topic() -> None:
    picture = ARCHITECTURE.read_text().split("```")[1]
    assert [name for name in (*WORKERS, *TOPICS) if not re.search(rf"\b{name}\b", picture)] == []


# -- all documents ----------------------------------------------------------------------------------


@document
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    assert [
        link for link in links if not link.startswith("https://") and not leads_somewhere(path, link)
    ] == []


@document
def test_every_command_exists_with_its_options(path: Path) -> None:
    for arguments in commands(path, "emostream"):
        check_command(arguments)


@document
def test_every_benchmark_exists_with_its_options(path: Path) -> None:
    for arguments in commands(path, "python -m workers.bench"):
        if not arguments[0].isupper():
            check_arguments(typer.main.get_command(benchmarks), arguments)


@document
def test_every_make_target_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {arguments[0] for arguments in commands(path, "make")} <= targets


@document
def test_python_blocks_compile_and_find_what_they_import(path: Path) -> None:
    for source in blocks(path, "python"):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    importlib.import_module(alias.name)


def test_the_vocabulary_in_the_readme_is_one(tmp_path: Path) -> None:
    (text,) = blocks(README, "yaml")
    file = tmp_path / "vocabulary.yaml"
    file.write_text(text)
    assert load_vocabulary(file).emotions[0].name == "joy"


def test_every_command_is_mentioned_in_the_readme() -> None:
    mentioned = {arguments[0] for arguments in commands(README, "emostream")}
    assert {command.name for command in COMMANDS} - {"demo"} <= mentioned, "`make demo` stands for `demo`"


# -- reading Markdown -------------------------------------------------------------------------------


def blocks(path: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def table(path: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    _, found, rest = path.read_text().partition(f"# {heading}\n")
    assert found, f"{path.name} has no heading {heading!r}"
    section = re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def spans(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


def commands(path: Path, program: str) -> Iterator[list[str]]:
    """Yield the arguments of every call of a program in blocks of shell code and in code spans."""
    text = path.read_text()
    outside_blocks = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    code = [line for block in blocks(path, "bash") for line in block.splitlines()]
    code += re.findall(r"`([^`]+)`", outside_blocks)
    for line in code:
        call = re.match(rf"{program} ([^|>#]+)", line)
        if call:
            yield shlex.split(call[1])


def check_command(arguments: list[str]) -> None:
    """Parse a command line as `emostream` would, without running it; words in capitals stand for anything."""
    if arguments[0].isupper():
        return
    check_arguments(typer.main.get_command(build_app(arguments[0])), arguments)


def check_arguments(command: Any, arguments: list[str]) -> None:
    """Parse arguments as a command would, without running it."""
    while getattr(command, "commands", None) and arguments:
        assert arguments[0] in command.commands, f"{command.name} has no command {arguments[0]}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    options, rest, _ = command.make_parser(command.context_class(command)).parse_args(list(arguments))
    assert not rest, f"{command.name} does not take {rest}"
    assert options is not None


def leads_somewhere(path: Path, link: str) -> bool:
    """Return whether a relative link points at a file and, where it names one, at a heading in it."""
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not anchor:
        return target.exists()
    headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
    return anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def described(struct: type[msgspec.Struct], field: str) -> tuple[str, bool, list[str]]:
    """Return how the protocol calls a field's type, whether it can be null, and its values where they are few."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    type_ = next(each.type for each in info.fields if each.name == field)
    members = type_.types if isinstance(type_, msgspec.inspect.UnionType) else (type_,)
    names: dict[type, str] = {
        msgspec.inspect.IntType: "integer",
        msgspec.inspect.FloatType: "number",
        msgspec.inspect.StrType: "string",
        msgspec.inspect.LiteralType: "string",
        msgspec.inspect.BoolType: "boolean",
        msgspec.inspect.ListType: "list",
        msgspec.inspect.DictType: "object",
        msgspec.inspect.StructType: "object",
    }
    (name,) = {names[type(each)] for each in members if not isinstance(each, msgspec.inspect.NoneType)}
    literals = [each for each in members if isinstance(each, msgspec.inspect.LiteralType)]
    nullable = any(isinstance(each, msgspec.inspect.NoneType) for each in members)
    return name, nullable, [str(value) for each in literals for value in each.values]


def test_the_readme_quotes_the_metrics_of_the_bundle() -> None:
    metrics = json.loads((ROOT / "models/bundles/live/metrics.json").read_text())

    def figure(key: str) -> str:
        low, high = metrics[key]["interval"]
        return f"{metrics[key]['value']:.3f} ({low:.3f}–{high:.3f})"

    found = f", over the {100 * metrics['face.fer2013_found']['value']:.0f} % of faces found"
    unseen = (f"{metrics[f'zero_shot_auc.{name}']['value']:.3f}" for name in ("face", "voice", "text"))
    quoted = {
        "FER2013": figure("face.fer2013_test_accuracy") + found,
        "RAVDESS": figure("voice.ravdess_uar"),
        "nEMO": figure("voice.nemo_uar"),
        "28 labels": figure("text.goemotions_macro_f1"),
        "Ekman": figure("text.goemotions_ekman_macro_f1"),
        "MELD": figure("text.meld_weighted_f1"),
        "left out of training": " / ".join(unseen),
    }
    rows = [row for row in table(README, "Numbers") if "evaluate" in row[2] or "zero-shot" in row[2]]
    assert len(rows) == len(quoted)
    for row, (subject, value) in zip(rows, quoted.items(), strict=True):
        assert subject in row[0]
        assert row[1] == value
