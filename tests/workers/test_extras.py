"""Workers whose libraries are not installed say so in one line, before anything starts."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from stream.config import Config
from workers.doctor.findings import Status
from workers.doctor.system import examine_runtime
from workers.extras import EXTRAS, MissingExtraError, require_extras
from workers.table import WORKERS


def config(**sections: Any) -> Config:
    source = {"name": "desk", "camera": {"device": 0}}
    return Config.model_validate({"name": "extras", "sources": [source], **sections})


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_only_outlets_need_more_than_emostream_brings() -> None:
    assert set(EXTRAS) == {row.name for row in WORKERS.values() if row.outlet}


@pytest.mark.parametrize("name", EXTRAS)
def test_a_missing_library_is_one_error_with_the_remedy(nothing_installed: None, name: str) -> None:
    with pytest.raises(MissingExtraError, match=rf"pip install 'emostream\[{name}\]'"):
        require_extras(config(**{name: {"enabled": True}}))


def test_what_is_not_asked_for_is_not_missed(nothing_installed: None) -> None:
    require_extras(config())


def test_the_doctor_finds_it_too(nothing_installed: None, run_folder: object) -> None:
    findings = [each for each in examine_runtime(config(mqtt={"enabled": True})) if each.name == "mqtt"]
    assert [each.status for each in findings] == [Status.FAIL]
    assert findings[0].remedy == "pip install 'emostream[mqtt]'"
