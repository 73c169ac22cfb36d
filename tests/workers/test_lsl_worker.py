"""The outlets of the Lab Streaming Layer, read by a real inlet as LabRecorder would."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream.config import Config
from stream.run_folder import make_private
from stream.windows import NS_PER_S
from tests.workers.outlet import RunningOutlet, running_outlet
from tests.workers.public_messages import EKMAN, emotion_message, evidence
from workers.lsl import LslError, open_outlets

WINDOWS = 15


@pytest.fixture(scope="module")
def lsl(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give `pylsl`, which asks nobody beyond this machine; skip the test where there is no liblsl."""
    settings = tmp_path_factory.mktemp("lsl") / "lsl.cfg"
    settings.write_text(
        "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n[lab]\nKnownPeers = {127.0.0.1}\n"
    )
    os.environ.setdefault("LSLAPICFG", str(settings))
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"no liblsl: {error}")
    return pylsl


@pytest.fixture(scope="module")
def outlet(make_short_folder: Any) -> Iterator[RunningOutlet]:
    folder: Path = make_short_folder()
    with running_outlet("lsl", folder, lsl={"enabled": True}) as outlet:
        yield outlet


def inlet_of(lsl: Any, outlet: RunningOutlet, said: Any) -> Any:
    outlet.say([said])
    found = lsl.resolve_byprop("source_id", "emostream-emostream-desk", timeout=60)
    assert found, outlet.log
    return lsl.StreamInlet(found[-1], recover=False)


def labels(info: Any) -> list[tuple[str, str]]:
    channel = info.desc().child("channels").child("channel")
    found = []
    for _ in range(info.channel_count()):
        found.append((channel.child_value("label"), channel.child_value("unit")))
        channel = channel.next_sibling("channel")
    return found


def test_a_source_is_a_stream_with_named_channels_and_units(lsl: Any, outlet: RunningOutlet) -> None:
    inlet = inlet_of(lsl, outlet, emotion_message())
    info = inlet.info(timeout=60)
    assert (info.name(), info.type(), info.nominal_srate()) == ("emostream desk", "Emotion", 10.0)
    assert info.channel_count() == 5 * len(EKMAN)
    assert labels(info)[:5] == [
        ("joy", "distance"),
        ("joy probability", "probability"),
        ("joy face", "distance"),
        ("joy voice", "distance"),
        ("joy text", "distance"),
    ]
    assert info.desc().child_value("vocabulary") == "ekman@d3a8"
    assert info.desc().child_value("window_s") == "5"
    inlet.close_stream()


def test_samples_are_the_scores_and_their_time_is_the_end_of_the_window(
    lsl: Any, outlet: RunningOutlet
) -> None:
    inlet = inlet_of(lsl, outlet, emotion_message())
    deadline = time.monotonic() + 120
    # Both run on this machine's clock; on a busy one the first answers to how late it is there may be late.
    while abs(correction_s := inlet.time_correction(timeout=60)) >= 0.01:
        assert time.monotonic() < deadline, correction_s
        time.sleep(1)
    pulled = [inlet.pull_sample(timeout=60) for _ in range(WINDOWS)]
    values = np.array([sample for sample, _ in pulled])
    stamps = np.array([stamp for _, stamp in pulled]) + correction_s
    np.testing.assert_allclose(values[-1][:3], [0.64, 0.72, 0.64], atol=1e-6)
    assert (np.diff(stamps) > 0).all()
    ends = np.array(outlet.ends_ns) / NS_PER_S + (lsl.local_clock() - time.monotonic())
    assert np.median(np.abs(stamps[:, None] - ends).min(axis=1)) < 0.01
    inlet.close_stream()


def test_without_evidence_samples_are_nan(lsl: Any, outlet: RunningOutlet) -> None:
    inlet = inlet_of(lsl, outlet, emotion_message(given=evidence(face=False)))
    sample, _ = inlet.pull_sample(timeout=60)
    while not np.isnan(sample[2]):
        sample, _ = inlet.pull_sample(timeout=60)
    assert np.isfinite([sample[0], sample[1], sample[3]]).all()
    outlet.say([emotion_message(given=evidence(face=False, voice=False, text=False))])
    while not np.isnan(sample).all():
        sample, _ = inlet.pull_sample(timeout=60)
    inlet.close_stream()


def test_another_vocabulary_is_another_stream_of_the_same_source(lsl: Any, outlet: RunningOutlet) -> None:
    inlet_of(lsl, outlet, emotion_message())
    outlet.say([emotion_message(smoothed={"pride": 0.5}, vocabulary="mine@0000")])
    count = 0
    while count != 5:
        found = lsl.resolve_byprop("source_id", "emostream-emostream-desk", timeout=60)
        count = min(info.channel_count() for info in found)
    outlet.say([])


def test_without_the_library_one_error_says_how_to_get_it(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "workers.lsl.outlets", None)
    config = Config.model_validate({"sources": [{"name": "desk", "camera": {"device": 0}}]})
    make_private(config.run_folder)
    with pytest.raises(LslError, match="PYLSL_LIB="):
        open_outlets(config)
