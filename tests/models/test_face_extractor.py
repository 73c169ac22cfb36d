"""Face vectors: their layout and meaning, on real faces; which face is which, and which one is scored."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.extractors.face import FaceExtractor, StillFaceExtractor
from models.extractors.face_geometry import BLENDSHAPES, LANDMARKS, SPEC, eye_aligned
from models.extractors.face_tracks import Box, FaceTracker, choose_scored
from models.media import VideoFrame, read_media
from stream.messages import Face, Float32Array, Uint8Array

FRAME_NS = 40_000_000
GREY = (127, 127, 127)


@pytest.fixture(scope="module")
def model(asset: Callable[[str], Path]) -> Path:
    return asset("face_landmarker")


@pytest.fixture(scope="module")
def still(model: Path) -> Iterator[StillFaceExtractor]:
    with closing(StillFaceExtractor(model)) as extractor:
        yield extractor


@pytest.fixture(scope="module")
def portrait(asset: Callable[[str], Path]) -> Uint8Array:
    return read_image(asset("single-face") / "single_face.jpg")


@pytest.fixture(scope="module")
def frames(asset: Callable[[str], Path]) -> list[VideoFrame]:
    items = read_media(asset("demo-face"))
    return list(islice((item for item in items if isinstance(item, VideoFrame)), 25))


def read_image(path: Path) -> Uint8Array:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def number(face: Face, name: str) -> float:
    return float(face.vector[SPEC.names.index(name)])


def landmarks(face: Face) -> Float32Array:
    return face.vector[SPEC.names.index("landmark_0_x") :].reshape(-1, 2)


def the_face(extractor: StillFaceExtractor, image: Uint8Array) -> Face:
    [face] = extractor.extract(np.ascontiguousarray(image))
    return face


def face(track: int, box: Box) -> Face:
    return Face(track=track, box=box, vector=np.zeros(SPEC.dim, np.float32))


# -- the vector -------------------------------------------------------------------------------------


def test_the_layout_names_what_mediapipe_gives(still: StillFaceExtractor, portrait: Uint8Array) -> None:
    vector = the_face(still, portrait).vector
    assert vector.shape == (SPEC.dim,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()
    assert SPEC.names[: len(BLENDSHAPES)] == tuple(f"blendshape_{name}" for name in BLENDSHAPES)
    assert vector[: len(BLENDSHAPES)].min() >= 0
    assert vector[: len(BLENDSHAPES)].max() <= 1
    assert np.abs(vector).max() < 3


def test_the_box_lies_on_the_face(still: StillFaceExtractor, portrait: Uint8Array) -> None:
    left, top, width, height = the_face(still, portrait).box
    assert 0.2 < left + width / 2 < 0.8
    assert 0.2 < top + height / 2 < 0.8
    assert 0.1 < width < 1
    assert 0.1 < height < 1


def test_a_smile_shows_in_its_blendshapes(still: StillFaceExtractor, asset: Callable[[str], Path]) -> None:
    stills = asset("expression-stills")
    joy = the_face(still, read_image(stills / "0-f15-hao-ph.jpg"))
    surprise = the_face(still, read_image(stills / "0-f1-su-ph.jpg"))
    assert number(joy, "blendshape_mouthSmileLeft") > number(surprise, "blendshape_mouthSmileLeft") + 0.3
    assert number(surprise, "blendshape_jawOpen") > number(joy, "blendshape_jawOpen")


def test_mirroring_the_image_turns_the_head_the_other_way(
    still: StillFaceExtractor, portrait: Uint8Array
) -> None:
    seen, mirrored = the_face(still, portrait), the_face(still, portrait[:, ::-1])
    for name in ("head_yaw", "head_roll", "head_x"):
        assert number(mirrored, name) == pytest.approx(-number(seen, name), abs=0.05)
    assert number(mirrored, "head_pitch") == pytest.approx(number(seen, "head_pitch"), abs=0.05)


@pytest.mark.parametrize("degrees", [-20, 20])
def test_a_tilted_head_changes_its_roll_and_not_its_shape(
    still: StillFaceExtractor, portrait: Uint8Array, degrees: int
) -> None:
    height, width = portrait.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    tilted = cv2.warpAffine(portrait, turn, (width, height), borderValue=GREY)
    upright, turned = the_face(still, portrait), the_face(still, np.asarray(tilted, np.uint8))
    rolled = number(turned, "head_roll") - number(upright, "head_roll")
    assert rolled == pytest.approx(np.radians(degrees), abs=0.05)
    assert np.abs(landmarks(turned) - landmarks(upright)).mean() < 0.03


def test_the_shape_of_the_frame_does_not_stretch_the_face(
    still: StillFaceExtractor, portrait: Uint8Array
) -> None:
    wide = cv2.copyMakeBorder(portrait, 0, 0, 200, 200, cv2.BORDER_CONSTANT, value=GREY)
    seen, in_wide = the_face(still, portrait), the_face(still, np.asarray(wide, np.uint8))
    assert np.abs(landmarks(in_wide) - landmarks(seen)).mean() < 0.03


@pytest.mark.parametrize("size", [(64, 64), (320, 240), (1920, 1080), (3840, 2160)])
def test_images_of_any_size(still: StillFaceExtractor, portrait: Uint8Array, size: tuple[int, int]) -> None:
    width, height = size
    side = min(size)
    image = np.full((height, width, 3), 127, np.uint8)
    left = (width - side) // 2
    image[:, left : left + side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    seen = the_face(still, image)
    assert np.abs(landmarks(seen) - landmarks(the_face(still, portrait))).mean() < 0.1


@given(
    angle=st.floats(-3, 3),
    scale=st.floats(0.1, 1000),
    shift=st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
    seed=st.integers(0, 1000),
)
def test_eye_alignment_undoes_every_move_turn_and_zoom(
    angle: float, scale: float, shift: tuple[float, float], seed: int
) -> None:
    points = np.random.default_rng(seed).normal(size=(LANDMARKS, 2))
    points[[33, 133]] += (-3, 0)
    points[[263, 362]] += (3, 0)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    aligned = eye_aligned((points @ turn * scale + shift).astype(np.float32))
    right, left = aligned[[33, 133]].mean(axis=0), aligned[[263, 362]].mean(axis=0)
    tolerance = 1e-4 + 1e-3 / scale  # float32 coordinates far from the origin
    assert right == pytest.approx([-0.5, 0], abs=tolerance)
    assert left == pytest.approx([0.5, 0], abs=tolerance)
    assert aligned == pytest.approx(eye_aligned(points.astype(np.float32)), abs=10 * tolerance)


def test_eyes_in_one_place_give_finite_numbers() -> None:
    assert np.isfinite(eye_aligned(np.zeros((LANDMARKS, 2), np.float32))).all()


# -- a camera ---------------------------------------------------------------------------------------


def test_a_face_in_every_frame_keeps_one_track(model: Path, frames: list[VideoFrame]) -> None:
    with closing(FaceExtractor(model)) as extractor:
        seen = [extractor.extract(frame.image, round(frame.pts_s * 1e9)) for frame in frames]
    assert [len(faces) for faces in seen] == [1] * len(frames)
    assert {faces[0].track for faces in seen} == {0}


def test_the_same_frames_give_the_same_vectors(model: Path, frames: list[VideoFrame]) -> None:
    runs = []
    for _ in range(2):
        with closing(FaceExtractor(model)) as extractor:
            found = [extractor.extract(frame.image, round(frame.pts_s * 1e9)) for frame in frames[:8]]
        runs.append(np.stack([faces[0].vector for faces in found]))
    assert np.array_equal(runs[0], runs[1])


def test_a_still_and_the_first_frame_of_a_video_give_the_same_vector(
    model: Path, still: StillFaceExtractor, frames: list[VideoFrame]
) -> None:
    with closing(FaceExtractor(model, max_faces=1)) as extractor:
        [first] = extractor.extract(frames[0].image, 0)
    assert np.allclose(first.vector, the_face(still, frames[0].image).vector, atol=1e-5)


def test_timestamps_that_stand_still_or_go_back_do_no_harm(model: Path, frames: list[VideoFrame]) -> None:
    with closing(FaceExtractor(model)) as extractor:
        for time_ns in (10**9, 10**9, 10**9 + 300, 5, 2 * 10**9):
            assert len(extractor.extract(frames[0].image, time_ns)) == 1


def test_no_face_is_no_evidence(model: Path, asset: Callable[[str], Path]) -> None:
    items = read_media(asset("no-face"))
    with closing(FaceExtractor(model)) as extractor:
        for item in islice((item for item in items if isinstance(item, VideoFrame)), 10):
            assert extractor.extract(item.image, round(item.pts_s * 1e9)) == []


def test_a_face_that_leaves_is_gone(model: Path, asset: Callable[[str], Path]) -> None:
    items = (item for item in read_media(asset("face-noface")) if isinstance(item, VideoFrame))
    with closing(FaceExtractor(model)) as extractor:
        counts = [len(extractor.extract(item.image, round(item.pts_s * 1e9))) for item in items]
    assert set(counts) == {0, 1}
    assert 0.2 < np.mean(counts) < 0.8


def test_several_faces_keep_their_tracks_while_the_camera_pans(model: Path, portrait: Uint8Array) -> None:
    pair = np.ascontiguousarray(np.hstack([portrait, portrait[:, ::-1]]))
    with closing(FaceExtractor(model)) as extractor:
        for i in range(8):
            panned = np.roll(pair, 4 * i, axis=1)
            found = extractor.extract(panned, i * FRAME_NS)
            by_place = [face.track for face in sorted(found, key=lambda face: face.box[0])]
            if i == 0:
                expected = by_place
            assert by_place == expected
    assert sorted(expected) == [0, 1]


def test_no_sound_card_is_opened_and_nothing_said_on_stderr(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    FaceExtractor(model).close()
    assert "sounddevice" not in sys.modules
    assert capfd.readouterr().err == ""


def test_drawing_works_beside_it_though_mediapipe_is_kept_from_importing_it(model: Path) -> None:
    FaceExtractor(model).close()
    assert importlib.import_module("matplotlib.pyplot").get_backend()


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "face.task"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"face\.task is not a Face Landmarker model"):
        FaceExtractor(path)


# -- tracks -----------------------------------------------------------------------------------------

HERE: Box = (0.1, 0.1, 0.2, 0.3)
THERE: Box = (0.6, 0.1, 0.2, 0.3)


def moved(box: Box, by: float) -> Box:
    return (box[0] + by, *box[1:])


def test_tracks_follow_their_faces_in_whatever_order_they_come() -> None:
    tracker = FaceTracker()
    assert tracker.assign([HERE, THERE], 0) == [0, 1]
    assert tracker.assign([moved(THERE, -0.05), moved(HERE, 0.05)], FRAME_NS) == [1, 0]


def test_a_jump_of_less_than_a_width_is_the_same_face() -> None:
    tracker = FaceTracker()
    tracker.assign([HERE], 0)
    assert tracker.assign([moved(HERE, 0.19)], FRAME_NS) == [0]
    assert tracker.assign([moved(HERE, 0.19 + 0.41)], 2 * FRAME_NS) == [1]


def test_a_track_survives_half_a_second_unseen_and_is_never_used_again() -> None:
    tracker = FaceTracker()
    tracker.assign([HERE], 0)
    tracker.assign([], 200_000_000)
    assert tracker.assign([HERE], 500_000_000) == [0]
    assert tracker.assign([HERE], 1_000_000_001) == [1]


@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(0.01, 0.9)] * 4), max_size=4),
        min_size=1,
        max_size=12,
    )
)
def test_no_two_faces_of_a_frame_share_a_track(steps: list[list[Box]]) -> None:
    tracker = FaceTracker()
    highest = -1
    for i, boxes in enumerate(steps):
        ids = tracker.assign(boxes, i * FRAME_NS)
        assert len(set(ids)) == len(boxes)
        new = [track for track in ids if track > highest]
        assert sorted(new) == list(range(highest + 1, highest + 1 + len(new)))
        highest = max([highest, *ids])


# -- which face is scored ---------------------------------------------------------------------------


def test_without_faces_none_is_scored() -> None:
    assert choose_scored([], "largest", previous=3) is None


def test_largest_changes_only_for_a_clearly_larger_face() -> None:
    small, large = face(0, (0, 0, 0.20, 0.2)), face(1, (0.5, 0, 0.24, 0.2))
    assert choose_scored([small, large], "largest") == 1
    assert choose_scored([small, large], "largest", previous=0) == 0
    assert choose_scored([small, face(1, (0.5, 0, 0.3, 0.2))], "largest", previous=0) == 1


def test_of_equal_faces_the_one_longer_in_view_is_scored() -> None:
    assert choose_scored([face(4, THERE), face(2, HERE)], "largest") == 2


def test_first_is_the_one_longest_in_view() -> None:
    assert choose_scored([face(4, (0, 0, 0.9, 0.9)), face(2, HERE)], "first", previous=4) == 2


def test_center_is_the_one_nearest_the_middle() -> None:
    faces = [face(0, HERE), face(1, (0.4, 0.4, 0.1, 0.2))]
    assert choose_scored(faces, "center") == 1
    assert choose_scored(faces, "center", previous=0) == 1
