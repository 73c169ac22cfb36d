"""Fitting on sequences: it learns, stops early, lowers its rate, goes on where it stopped, and can rehearse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.training.corpora import CorpusError
from models.training.corpora.sequences import SequenceCorpus
from models.training.metrics import roc_aucs
from models.training.paper import LateFusionLstm
from models.training.sequences.fit import (
    Material,
    SequenceFit,
    logits_of,
    positive_weights,
    validation_score,
)
from models.training.sequences.recipe import FineTuning, Schedule
from models.training.sequences.rehearsal import turn_gradients

EMOTIONS = ("happy", "sad", "angry")
USED = ("text", "audio")
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # networks as small as these wait for each other's threads most of the time
    yield
    torch.set_num_threads(threads)


def corpus(count: int, seed: int, emotions: tuple[str, ...] = EMOTIONS) -> SequenceCorpus:
    """Return sequences whose first numbers say which emotions are there."""
    random = np.random.default_rng(seed)
    labels = random.random((count, len(emotions))) < [0.5, 0.3, 0.2][: len(emotions)]
    made = {}
    for name, dim in (("text", 6), ("audio", 5), ("vision", 4)):
        values = 0.5 * random.standard_normal((count, 5, dim))
        if name != "vision":
            values[..., : len(emotions)] += labels[:, None]
        made[name] = values.astype(np.float32)
    return SequenceCorpus(
        name="made", about="", licence="", split="train", emotions=emotions, labels=labels, **made
    )


def network() -> nn.Module:
    torch.manual_seed(0)
    return LateFusionLstm({"text": 6, "audio": 5}, {"text": 8, "audio": 8}, len(EMOTIONS), dropout=0.1)


def schedule(**changes: float) -> Schedule:
    options = {"rate": 0.01, "batch": 16, "epochs": 6, "patience": 6, "plateau": 5, "clip": 5.0, **changes}
    return Schedule.model_validate(options)


def new_fit(
    folder: Path,
    trained: nn.Module,
    *,
    train: SequenceCorpus | None = None,
    identity: str = "made",
    memory: SequenceCorpus | None = None,
    **changes: float,
) -> SequenceFit:
    options: Schedule = schedule(**changes)
    if memory is not None:
        options = FineTuning.model_validate({**options.model_dump(), "rehearse": True})
    learned = train or corpus(160, 1)
    # A validation part as wrong as what is learned, so that the last epoch is the best.
    validation = learned if train else corpus(60, 2)
    material = Material(learned, validation, USED, "auc", memory)
    return SequenceFit(
        trained, material, options, seed=3, device=CPU, checkpoint=folder / "training.pt", identity=identity
    )


def weights(trained: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in trained.state_dict().values()])


def nothing(*_: float) -> None: ...


def test_it_learns(tmp_path: Path) -> None:
    trained, losses = network(), []
    new_fit(tmp_path, trained, epochs=12).run(lambda _, loss, __: losses.append(loss))
    assert losses[-1] < losses[0] / 2
    test = corpus(100, 9)
    assert min(roc_aucs(test.labels, logits_of(trained, test, USED, CPU))) > 0.95


def test_rare_emotions_weigh_more() -> None:
    part = corpus(200, 1)
    present = part.labels.sum(axis=0)
    np.testing.assert_allclose(positive_weights(part).numpy(), (200 - present) / present, rtol=1e-6)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    both = [network(), network()]
    for i, trained in enumerate(both):
        new_fit(tmp_path / str(i), trained).run(nothing)
    torch.testing.assert_close(weights(both[0]), weights(both[1]), rtol=0, atol=0)


def test_a_fit_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, resumed = network(), network()
    new_fit(tmp_path / "whole", whole).run(nothing)

    def stop(epoch: int, *_: float) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        new_fit(tmp_path / "other", network()).run(stop)
    epochs: list[int] = []
    new_fit(tmp_path / "other", resumed).run(lambda epoch, *_: epochs.append(epoch))
    assert epochs == [4, 5, 6]
    torch.testing.assert_close(weights(resumed), weights(whole), rtol=0, atol=0)


def test_a_checkpoint_of_something_else_is_not_gone_on_from(tmp_path: Path) -> None:
    new_fit(tmp_path, network()).run(nothing)
    epochs: list[int] = []
    new_fit(tmp_path, network(), identity="other").run(lambda epoch, *_: epochs.append(epoch))
    assert epochs[0] == 1


def test_it_stops_when_validation_gets_no_better_and_keeps_the_best(tmp_path: Path) -> None:
    scores: list[float] = []
    trained = network()
    fit = new_fit(tmp_path, trained, epochs=60, patience=2)
    fit.run(lambda _, __, score: scores.append(score))
    assert len(scores) == fit.progress.best_epoch + 2 < 60
    logits = logits_of(trained, fit.material.validation, USED, CPU)
    assert validation_score(fit.material.validation, logits, "auc") == pytest.approx(max(scores))


def test_the_rate_falls_where_the_validation_loss_stays(tmp_path: Path) -> None:
    fit = new_fit(tmp_path, network(), epochs=40, patience=40, plateau=1, rate=0.05)
    fit.run(nothing)
    assert fit.optimizer.param_groups[0]["lr"] < 0.05


@pytest.mark.parametrize("kind", ["accuracy", "weighted_accuracy", "auc"])
def test_each_score_of_a_perfect_answer_is_one(kind: str) -> None:
    part = corpus(40, 1)
    assert validation_score(part, np.where(part.labels, 1, -1).astype(np.float32), kind) == 1


def test_a_part_that_tells_nothing_apart_is_refused() -> None:
    part = corpus(40, 1)
    same = SequenceCorpus(**{**vars(part), "labels": np.ones_like(part.labels)})
    with pytest.raises(CorpusError, match="made: the train part tells no emotion apart"):
        validation_score(same, np.zeros(part.labels.shape, np.float32), "auc")


def test_gradients_that_would_worsen_the_memory_are_turned() -> None:
    parameter = nn.Parameter(torch.tensor([1.0, 1.0]))
    for new, turned in (([1.0, -2.0], [1.0, 0.0]), ([1.0, 2.0], [1.0, 2.0])):
        parameter.grad = torch.tensor(new)
        turn_gradients([parameter], parameter[1])  # its gradient is (0, 1)
        torch.testing.assert_close(parameter.grad, torch.tensor(turned))


def test_what_was_learned_before_is_forgotten_less_with_rehearsal(tmp_path: Path) -> None:
    """Fine-tuned on few examples, all labels of which are wrong; the memory knows better."""
    before, memory, few = network(), corpus(160, 1), corpus(40, 5)
    new_fit(tmp_path / "before", before, epochs=12).run(nothing)
    wrong = SequenceCorpus(**{**vars(few), "labels": ~few.labels})
    aucs = {}
    for name, remembered in (("without", None), ("with", memory)):
        trained = network()
        trained.load_state_dict(before.state_dict())
        new_fit(tmp_path / name, trained, train=wrong, memory=remembered, rate=0.01, epochs=15).run(nothing)
        test = corpus(100, 9)
        aucs[name] = float(np.mean(roc_aucs(test.labels, logits_of(trained, test, USED, CPU))))
    assert aucs["with"] > 0.9 > aucs["without"]
