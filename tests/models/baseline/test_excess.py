"""What of a neutral point is taken out: what is nearer than it should be, and what neutral words lack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.baseline.excess import Excess
from models.bundle import Bundle, load_bundle
from models.bundle_manifest import BundleError
from stream.messages import Float32Array
from tests.models.baseline.conftest import LIVE

BUNDLE = load_bundle(LIVE)
NEUTRAL = np.isin(BUNDLE.phrases, BUNDLE.words["neutral"])
POINTS = arrays(np.float32, len(BUNDLE.phrases), elements=st.floats(-1, 1, width=32))


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_a_point_at_which_nothing_stands_out_has_none(modality: str) -> None:
    everybody = BUNDLE.neutral[modality].cosines
    flat = np.where(NEUTRAL, everybody, everybody[~NEUTRAL].min())
    assert not Excess(BUNDLE, modality).of(np.asarray(flat, np.float32)).any()


@given(POINTS)
def test_emotions_have_too_much_or_nothing_and_neutral_words_too_little_or_nothing(
    point: Float32Array,
) -> None:
    excess = Excess(BUNDLE, "voice").of(point)
    assert (excess[~NEUTRAL] >= 0).all()
    assert (excess[NEUTRAL] <= 0).all()


@given(POINTS)
def test_what_is_left_without_it_has_none(point: Float32Array) -> None:
    excess = Excess(BUNDLE, "face")
    assert excess.of(point - excess.of(point)) == pytest.approx(0, abs=1e-6)


def test_a_face_that_looks_sad_at_rest_has_its_sadness_taken_out() -> None:
    point = BUNDLE.neutral["face"].cosines.copy()
    sad = BUNDLE.phrases.index("sadness")
    point[sad] += 0.4
    excess = Excess(BUNDLE, "face").of(point)
    assert excess[sad] >= 0.4
    assert excess.argmax() == sad


def unmeasured(bundle: Bundle) -> Bundle:
    return replace(bundle, neutral={})


def without_neutral_words(bundle: Bundle) -> Bundle:
    return replace(bundle, words={"joy": ["joy"]})


@pytest.mark.parametrize("broken", [unmeasured, without_neutral_words])
def test_a_bundle_that_says_nothing_of_neutral_evidence_is_refused(broken) -> None:
    with pytest.raises(BundleError, match=r"nothing for face.* models.training.neutral BUNDLE"):
        Excess(broken(BUNDLE), "face")
