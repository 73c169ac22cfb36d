"""The sections of a card that follow from what was measured."""

from __future__ import annotations

from models.training.measured import measured_sections, with_sections
from models.training.metrics_file import together
from models.training.results import results
from tests.models.training.test_results import part

CARD = "# live@1\n\nWhat it is.\n\n## How good it is\n\nVery.\n\n## What it learned from\n\nEverything.\n"


def test_sections_are_replaced_and_new_ones_come_in_their_order() -> None:
    sections = {"How good it is": "Hardly.\n", "Known failures": "Many.\n", "What it learned from": "Little."}
    found = with_sections(CARD, sections)
    assert found == (
        "# live@1\n\nWhat it is.\n\n## How good it is\n\nHardly.\n\n## Known failures\n\nMany.\n\n"
        "## What it learned from\n\nLittle.\n"
    )
    assert with_sections(found, sections) == found


def test_sections_that_are_not_given_stay() -> None:
    assert with_sections(CARD, {"How good it is": "Very."}) == CARD


def sections_of(corpora: dict[str, object]) -> dict[str, str]:
    return measured_sections(together({}, {"bundle": "live@1", "sha256": "ab", "corpora": corpora}))


def test_every_headline_comes_with_its_interval_and_command() -> None:
    found = {"modality": "voice", **results(part(240, several=False))}
    text = sections_of({"nemo": found})["How good it is"]
    low, high = found["intervals"]["uar"]
    assert f"| {found['uar']:.3f} ({low:.3f}–{high:.3f}) |" in text
    assert "`emostream evaluate models/bundles/live --data DIR --corpus nemo`" in text


def test_emotions_that_are_rarely_found_are_named_with_what_they_are_taken_for() -> None:
    scored = part(120, several=False)
    scored.probability[scored.truth[:, 2]] = [0.9, 0.1, 0.2]
    text = sections_of({"nemo": {"modality": "voice", **results(scored)}})["Known failures"]
    assert "- nemo: fear, in 0%; most often taken for joy (100%)" in text
    assert "joy, in" not in text


def test_women_and_men_stand_side_by_side() -> None:
    scored = part(120, several=False, sexes=("female", "male"))
    scored.probability[1::2] = scored.truth[1::2]  # men are always understood
    text = sections_of({"nemo": {"modality": "voice", **results(scored)}})["Known failures"]
    assert "| nemo | female | 4 | 60 | 0." in text
    assert "| nemo | male | 4 | 60 | 1.000 (1.000–1.000) | – |" in text


def test_a_card_says_what_the_law_forbids() -> None:
    scored = part(30, several=False)
    limits = sections_of({"nemo": {"modality": "voice", **results(scored)}})["What it is not"]
    assert "Article 5(1)(f)" in limits
    assert all(each in limits for each in ("at work", "schools", "medical or safety reasons"))
