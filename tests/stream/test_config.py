"""The configuration: every mistake is one line that names file, line, key, value and what is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.config import load_config
from stream.yaml_file import YamlFileError

SOURCE = "sources: [{name: desk, camera: {device: 0}}]\n"
KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
REMOTE = f"sources:\n - name: hall\n   remote: {{endpoint: 'tcp://10.0.0.1:5558', server_key: '{KEY}'}}\n"


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "emostream.yaml"
        path.write_text(text)
        return load_config(path)

    return load


def test_one_source_is_enough(load):
    config = load(SOURCE)
    assert config.sources[0].name == "desk"
    assert config.pace == "realtime"
    assert config.source("desk").has_video
    assert not config.source("desk").has_audio


def test_other_hosts_may_be_reached_with_keys_only(load, tmp_path):
    config = load(SOURCE + "stream: {curve: true, endpoint: 'tcp://0.0.0.0:5557'}\nkeys: mine")
    assert config.keys_folder == tmp_path / "mine"
    assert not config.published_at("ipc:///run/public").stream.curve


def test_a_source_of_another_host_has_what_it_is_said_to_have(load):
    hall = load(REMOTE.replace("server_key", "audio: false, server_key")).source("hall")
    assert (hall.has_video, hall.has_audio) == (True, False)


def test_paths_are_relative_to_the_file(load, tmp_path):
    config = load("sources: [{name: clip, file: {path: a.mp4}}]\nvocabulary: words/mine.yaml")
    assert config.sources[0].file.path == tmp_path / "a.mp4"
    assert config.vocabulary == str(tmp_path / "words/mine.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SOURCE + "windw: {}", r"emostream.yaml:2: windw = \{…\}: unknown key; did you mean `window`\? allowed here: baseline, face, features, gateway, inference"),
        (SOURCE + "window:\n  hop: 1", r"emostream.yaml:3: window.hop = 1: unknown key; did you mean `hop_s`\? allowed here: hop_s, patience_s, smoothing_s$"),
        (SOURCE + "window:\n  hop_s: 0", r"emostream.yaml:3: window.hop_s = 0: .*greater than or equal to 0\.02"),
        (SOURCE + "window:\n  hop_s: .nan", "emostream.yaml:3: window.hop_s = nan"),
        (SOURCE + "pace: fast", "emostream.yaml:2: pace = 'fast': .*'realtime' or 'lossless'"),
        (SOURCE + "pace: lossless", "files; a device does not wait"),
        (SOURCE + "stream: {endpoint: 'tcp://0.0.0.0:5557'}", "emostream.yaml:2: stream.endpoint = .*loopback"),
        (SOURCE + "stream: {endpoint: 'tcp://[::]:5557'}", "emostream.yaml:2: stream.endpoint = .*needs `curve: true` and keys"),
        (SOURCE + "stream: {curve: true, endpoint: 'udp://0.0.0.0:5557'}", "emostream.yaml:2: stream.endpoint = .*pattern"),
        (SOURCE + "features: {endpoint: 'ipc:///tmp/features'}", "emostream.yaml:2: features.endpoint = .*pattern"),
        ("sources: [{name: a, file: {path: a.mp4}}]\npace: lossless\nfeatures: {endpoint: 'tcp://10.0.0.1:5558'}", "at `pace: realtime`"),
        (REMOTE.replace(KEY, "short"), r"sources\[0\].remote.server_key = 'short'"),
        (REMOTE.replace(KEY, "#" * 40), r"sources\[0\].remote.server_key = .*not a public key; `emostream keys list` shows it"),
        (REMOTE + "   camera: {device: 0}", r"sources\[0\].*either devices, or a `file`, or a `remote`"),
        (REMOTE + "features: {endpoint: 'tcp://10.0.0.1:5558'}", "for devices and files of this host"),
        (SOURCE + "stream: {format: xml}", "emostream.yaml:2: stream.format = 'xml': .*'json' or 'msgpack'"),
        ("sources: []", "emostream.yaml:1: sources"),
        ("sources: [{name: desk}]", r"sources\[0\].*a source needs a `camera`, a `microphone`, both, or a `file`"),
        ("sources: [{name: Desk, camera: {device: 0}}]", r"sources\[0\].name = 'Desk'"),
        ("sources:\n - {name: a, camera: {device: 0}}\n - {name: a, camera: {device: 1}}", "must differ: a, a"),
        ("sources:\n - name: a\n   camera: {devise: 0}", r"emostream.yaml:3: sources\[0\].camera.devise = 0: unknown key; did you mean"),
        ("", "sources: missing"),
        ("[1, 2]", "emostream.yaml:1"),
        ("a: b: c", "emostream.yaml:1: not valid YAML"),
        ("a: &x [*x]", "emostream.yaml"),
        ("!!python/object/apply:os.system ['true']", "emostream.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(load, text, message):
    with pytest.raises(YamlFileError, match=message):
        load(text)


def test_all_mistakes_are_named_at_once(load):
    with pytest.raises(YamlFileError) as error:
        load("sources: []\npace: fast\nwindow: {hop: 1}")
    assert len(str(error.value).splitlines()) == 3


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_is_a_clear_error_unless_it_is_a_configuration(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text)
    with pytest.raises(YamlFileError, match=r"any\.yaml"):
        load_config(path)
