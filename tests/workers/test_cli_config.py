"""`emostream config`, and the configuration that comes with emostream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from stream.config import Config, config_folder, load_config
from tests.workers.command_line import emostream
from workers.cli.config_example import example_config
from workers.cli.main import main

PACKAGED = config_folder() / "emostream.yaml"


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["config", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_packaged_configuration_is_what_config_example_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(capsys, "example") == (0, PACKAGED.read_text(encoding="utf-8"), "")
    assert example_config() == PACKAGED.read_text(encoding="utf-8")


def _dotted(value: object) -> str:
    return ".".join(value) if isinstance(value, tuple) else ""


def options(model: type[BaseModel]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every option below `model` and its default; those of sources at `sources`."""
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        sections = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if sections:
            yield from (((name, *path), default) for path, default in options(sections[0]))
        else:
            yield (name,), field.get_default()


@pytest.mark.parametrize(("path", "default"), list(options(Config)), ids=_dotted)
def test_the_packaged_configuration_shows_every_option_with_its_default(
    path: tuple[str, ...], default: Any
) -> None:
    tree = YAML(typ="safe").load(PACKAGED)
    text = PACKAGED.read_text(encoding="utf-8")
    if path[0] == "sources" and len(path) > 1:
        tree, path = tree["sources"][0], path[1:]
        if path[0] in ("file", "remote"):
            assert f"# {' ' * 4}{path[1]}: " in text
            return
    for key in path:
        tree = tree[key]
    if path not in (("name",), ("camera", "device"), ("sources",)):
        assert tree == (list(default) if isinstance(default, tuple) else default)


def test_check_says_what_will_run(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = command(capsys, "check", str(PACKAGED))
    assert status == 0
    assert "camera-desk" in out
    assert "joy, sadness, anger, fear, disgust, surprise" in out
    assert "tcp://127.0.0.1:5557" in out


def test_check_names_every_mistake_with_file_line_key_and_what_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "door.yaml"
    path.write_text("sources:\n  - name: door\n    camra: {device: 0}\npace: fast\nwindow: {hop_s: 90}\n")
    outcome = emostream("config", "check", str(path))
    assert outcome.status == 2
    assert f"{path}:3: sources[0].camra = {{…}}: unknown key; did you mean `camera`? " in outcome.err
    assert "allowed here: camera, file, microphone, name" in outcome.err
    assert f"{path}:4: pace = 'fast': input should be 'realtime' or 'lossless'" in outcome.err
    assert f"{path}:5: window.hop_s = 90: input should be less than or equal to 10" in outcome.err
    assert "Traceback" not in outcome.err


def test_check_looks_into_the_vocabulary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.yaml").write_text("name: words\nemotions: []\n")
    (tmp_path / "door.yaml").write_text(
        "sources: [{name: door, camera: {device: 0}}]\nvocabulary: words.yaml\n"
    )
    status, _, err = command(capsys, "check", str(tmp_path / "door.yaml"))
    assert status == 2
    assert f"{tmp_path / 'words.yaml'}:2: emotions" in err


def test_the_schema_describes_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = command(capsys, "schema")
    schema = json.loads(out)
    assert status == 0
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    sections = [schema, *schema["$defs"].values()]
    for section in sections:
        assert section["additionalProperties"] is False
        for name, option in section["properties"].items():
            described = (
                "description" in option or "description" in schema["$defs"][option["$ref"].split("/")[-1]]
            )
            assert described, name
    hop = schema["$defs"]["WindowSection"]["properties"]["hop_s"]
    assert (hop["default"], hop["minimum"], hop["maximum"]) == (0.1, 0.02, 10)


def test_what_show_prints_is_the_same_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = command(capsys, "show", "--config", str(PACKAGED))
    (tmp_path / "shown.yaml").write_text(out)
    assert status == 0
    assert load_config(tmp_path / "shown.yaml") == load_config(PACKAGED)


def test_a_configuration_here_comes_before_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "emostream.yaml").write_text("sources: [{name: door, camera: {device: 0}}]\n")
    assert "name: door" in emostream("config", "show", folder=tmp_path).out
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shown = emostream("config", "show", folder=elsewhere, environment={"HOME": str(elsewhere)}).out
    assert shown.startswith(f"# {PACKAGED}")
