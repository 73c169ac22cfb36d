"""What an inference worker leaves to its successor about a device."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from workers import device_record
from workers.device_record import DeviceRecordFile

NOW_S = 1_795_000_000.0


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here takes any time."""
    monkeypatch.setattr(device_record, "time", SimpleNamespace(time=lambda: NOW_S))


@pytest.fixture
def file(tmp_path: Path) -> DeviceRecordFile:
    return DeviceRecordFile(tmp_path)


def waits_s(file: DeviceRecordFile, failures: int) -> list[float]:
    """Return how long the device is left alone after each of several failures in a row."""
    waits = []
    for _ in range(failures):
        record = file.read()
        record.fail("it broke")
        waits.append(record.retry_at - NOW_S)
        file.write(record)
    return waits


def test_a_first_worker_knows_of_nothing(file: DeviceRecordFile) -> None:
    record = file.read()
    assert (record.failures, record.retry_at, record.in_use) == (0, 0, "")


def test_each_failure_doubles_the_wait_up_to_ten_minutes(file: DeviceRecordFile) -> None:
    assert waits_s(file, 8) == [10, 20, 40, 80, 160, 320, 600, 600]


def test_a_worker_that_died_on_the_device_has_lost_it(file: DeviceRecordFile) -> None:
    record = file.read()
    record.serve("tensorrt-fp16")
    file.write(record)
    found = file.read()
    assert found.why == "the worker died while it ran on tensorrt-fp16"
    assert found.retry_at == NOW_S + 10


def test_a_worker_that_gave_the_device_back_has_not(file: DeviceRecordFile) -> None:
    record = file.read()
    record.serve("tensorrt-fp16")
    record.serve("")
    file.write(record)
    assert file.read().retry_at == 0


@pytest.mark.parametrize(("worked_s", "wait_s"), [(10, 40), (400, 10)])
def test_a_device_that_has_worked_for_long_starts_anew(
    file: DeviceRecordFile, worked_s: float, wait_s: float
) -> None:
    waits_s(file, 2)
    record = file.read()
    record.serve("tensorrt-fp16")
    record.since -= worked_s
    record.fail("it broke again")
    assert record.retry_at == NOW_S + wait_s


def test_what_another_daemon_left_is_of_no_interest(file: DeviceRecordFile) -> None:
    waits_s(file, 3)
    record = file.read()
    record.supervisor += 1
    file.write(record)
    assert file.read().failures == 0


def test_a_file_that_makes_no_sense_is_no_file(file: DeviceRecordFile, tmp_path: Path) -> None:
    (tmp_path / "device.json").write_text("{")
    assert file.read().failures == 0
