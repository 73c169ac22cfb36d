"""`emostream evaluate --zero-shot` and `--few-shot`: a tiny bundle beside fits that leave a word out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.models.training.sequence_training import run

Evaluate = Callable[..., int]


@pytest.fixture(scope="module")
def evaluate(trained: tuple[Path, Path], corpora: Path, recipe: Path) -> Evaluate:
    """Give `emostream evaluate BUNDLE ...` on the tiny corpora, with the recipe of the tiny bundle."""
    given = ("--data", corpora, "--cache", trained[1], "--recipe", recipe)
    return lambda bundle, *options: run("evaluate", bundle, *given, *options)


@pytest.fixture(scope="module")
def bundle(trained: tuple[Path, Path]) -> Path:
    return trained[0]


@pytest.fixture(scope="module")
def measured(evaluate: Evaluate, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle that knows what it scores for words of voices left out of its training."""
    copy = tmp_path_factory.mktemp("measured") / "tiny"
    shutil.copytree(bundle, copy)
    assert evaluate(copy, "--modalities", "voice", "--zero-shot", "all", "--write") == 0
    return copy


def metrics(bundle: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bundle / "metrics.json").read_text())
    return found


def test_each_word_is_told_from_the_rest_wherever_it_is_tested(measured: Path) -> None:
    part = metrics(measured)["zero_shot"]["voice"]
    assert {word: set(each) for word, each in part["words"].items()} == {
        "neutral": {"nemo", "ravdess"},
        "joy": {"crema_d", "nemo", "ravdess"},
        "anger": {"crema_d", "nemo", "ravdess"},
        "sadness": {"meld-voice"},
        "surprise": {"meld-voice"},
    }
    joy = part["words"]["joy"]["nemo"]
    assert (joy["examples"], joy["of"]) == (1, 3)
    assert 0 <= joy["interval"][0] <= joy["auc"] <= joy["interval"][1] <= 1
    assert (part["chance"], part["learned_from"]) == (0.5, ["ravdess", "nemo"])


def test_the_mean_is_over_the_words_of_the_corpora_it_learned_from(measured: Path) -> None:
    part = metrics(measured)["zero_shot"]["voice"]
    for mean, figure in (("auc", "auc"), ("seen_auc", "seen_auc")):
        pairs = [
            part["words"][word][name][figure]
            for word in ("neutral", "joy", "anger")
            for name in ("ravdess", "nemo")
        ]
        assert part[mean] == pytest.approx(sum(pairs) / 6, abs=2e-4)
    assert part["elsewhere_auc"] is not None


def test_results_come_with_a_headline_and_a_section_of_the_card(measured: Path) -> None:
    found = metrics(measured)
    part = found["zero_shot"]["voice"]
    assert found["zero_shot_auc.voice"] == {
        "value": part["auc"],
        "interval": part["interval"],
        "command": "emostream evaluate models/bundles/tiny --data DIR --zero-shot all --modalities voice",
    }
    assert "## Words it was not trained on\n" in (measured / "card.md").read_text()
    assert "fer2013" in found["corpora"], "what was not measured now stays"


def test_fits_are_kept_and_one_word_alone_is_not_stored(
    measured: Path, evaluate: Evaluate, capfd: pytest.CaptureFixture[str]
) -> None:
    before = metrics(measured)
    options = ("--modalities", "voice", "--zero-shot", "joy", "--write", "--json")
    assert evaluate(measured, *options) == 0
    printed = capfd.readouterr()
    assert "epoch" not in printed.err
    found = json.loads(printed.out)["zero_shot"]["voice"]
    assert found["words"] == {"joy": before["zero_shot"]["voice"]["words"]["joy"]}
    assert metrics(measured) == before


def test_few_shot_keeps_a_share_of_the_examples(
    evaluate: Evaluate, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--corpus", "ravdess", "--few-shot", "joy", "--fraction", "0.3", "--json")
    assert evaluate(bundle, *options) == 0
    found = json.loads(capfd.readouterr().out)["few_shot"]["voice"]
    assert (found["share"], set(found["words"])) == (0.3, {"joy"})


def test_words_left_out_are_printed_beside_what_was_seen(
    evaluate: Evaluate, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(bundle, "--corpus", "nemo", "--zero-shot", "joy,anger") == 0
    printed = capsys.readouterr().out
    assert "Words left out of training" in printed
    assert all(word in printed for word in ("joy", "anger", "mean", "seen"))
    assert "neutral" not in printed


def test_a_word_that_was_never_in_training_needs_no_fit(
    evaluate: Evaluate, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--corpus", "xed", "--zero-shot", "anticipation", "--json")
    assert evaluate(bundle, *options) == 0
    found = json.loads(capfd.readouterr().out)
    each = found["zero_shot"]["text"]["words"]["anticipation"]["xed"]
    assert each["auc"] == found["corpora"]["xed"]["emotions"]["anticipation"]["auc"]
    assert each["seen_auc"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--zero-shot", "happy"), "no corpus of voice here has the emotion 'happy'; it is a word of joy; there are "),
        (("--zero-shot", "boredom"), "no corpus of voice here has the emotion 'boredom'; there are neutral, calm"),
        (("--recipe", "configs/training/live.yaml", "--zero-shot", "joy"), "the recipe is that of live@1, but the bundle is tiny@3"),
        (("--modalities", "smell"), "--modalities: there is no 'smell'; choose among face, voice, text"),
        (("--modalities", "text"), "nothing to measure on is of text; name others with --modalities"),
    ],
)  # fmt: skip
def test_what_cannot_be_left_out_ends_with_a_message(
    evaluate: Evaluate, bundle: Path, capsys: pytest.CaptureFixture[str], options, said: str
) -> None:
    root = Path(__file__).resolve().parents[3]
    given = [str(root / option) if option.endswith(".yaml") else option for option in options]
    wanted = ("--corpus", "ravdess", "--modalities", "voice")
    assert evaluate(bundle, *wanted, *given) == 2
    assert said in capsys.readouterr().err


def test_without_a_recipe_of_its_name_one_must_be_given(
    trained: tuple[Path, Path], corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--data", corpora, "--cache", trained[1], "--corpus", "ravdess", "--zero-shot", "joy")
    assert run("evaluate", trained[0], *options) == 2
    assert (
        "no recipe called tiny comes with emostream; name the bundle's own with --recipe"
        in capsys.readouterr().err
    )


def test_leaving_out_needs_the_corpora_that_were_trained_on(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("evaluate", bundle, "--manifest", "mine.csv", "--zero-shot", "joy") == 2
    assert (
        "name the folder of the corpora that the bundle was trained on with --data" in capsys.readouterr().err
    )
