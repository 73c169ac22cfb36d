"""One source of the view: a bar an emotion, what each modality says, its evidence, and the words heard."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.cells import cell_len

from stream.public import BaselineState, EmotionScore, Evidence
from workers.live_view.marks import DIM, MARK, Line, bar, boxed, curve, left, piece, right, spread, width_of
from workers.live_view.palette import Palette
from workers.live_view.state import SourceView, ViewState

MODALITIES = {"face": "face", "voice": "voice", "text": "words"}
"""What each modality is called here."""
_PERCENT_WIDTH, _DISTANCE_WIDTH = 6, 10
_ROOMY_REMARK = 37
_SHORTEST_BAR, _LEAST_BAR_BESIDE_CURVE, _LONGEST_BAR = 8, 20, 44
_SHORTEST_CURVE, _LONGEST_CURVE = 16, 50
_NAME_WIDTH = 16
_WIDE = 110
_STATE_STYLES = {"running": "green", "lost": "bold yellow", "ended": DIM, "waiting": DIM}
_MODALITY_WIDTH = 7


def draw_source(
    state: ViewState, source: SourceView, palette: Palette, width: int, height: int | None
) -> list[Line]:
    """Return the box of one source, `width` cells wide and at most `height` lines high."""
    inside = width - 4
    evidence = list(_evidence(source, inside))
    words = _words(source, inside)
    room = None if height is None else height - 2 - len(evidence) - 1 - 1
    spaced = room is None or room >= len(source.emotion_names) + 3
    emotions = list(_emotions(source, palette, inside, room and room - 2 * spaced))
    blank: list[Line] = [[]] if spaced else []
    lines = [*emotions, *blank, *evidence, *blank, words]
    return boxed(lines, width, [piece(source.name, "bold")], _status(state, source))


def draw_source_line(state: ViewState, source: SourceView, palette: Palette, width: int) -> Line:
    """Return one source in one line: its strongest emotions and the state of its evidence."""
    line = [left(f" {source.name}", 14, "bold")]
    strongest = sorted(source.scores.values(), key=lambda score: -score.smoothed)
    for score in strongest[: 2 if width < _WIDE else 4]:
        colour = palette.colour(source.vocabulary, score.name, source.emotion_names.index(score.name))
        line += [piece(f"{score.name} ", colour), piece(f"{score.smoothed:.0%}  ")]
    if not source.scores:
        line.append(piece("no evidence  ", DIM))
    marks = [
        piece(f"{'●' if item.used else '○'} {MODALITIES.get(name, name)} ", "green" if item.used else DIM)
        for name, item in (source.newest.evidence.items() if source.newest else ())
    ]
    status = _status(state, source) if width >= _WIDE or not source.scores else []
    return spread(line, [*marks, *status, piece(" ")], width)


def _status(state: ViewState, source: SourceView) -> Line:
    status = state.source_state(source.name)
    return [piece(status, _STATE_STYLES.get(status, DIM))] if status else []


def _emotions(source: SourceView, palette: Palette, width: int, room: int | None) -> Iterator[Line]:
    if source.newest is None:
        yield [piece("waiting for the first window", DIM)]
        return
    names = list(source.emotion_names)
    name_width = min(_NAME_WIDTH, max((cell_len(name) for name in names), default=8)) + 3
    bar_width, curve_width = _bar_and_curve(width - name_width)
    scores = source.scores
    corrected = any(score.uncorrected for score in scores.values())
    yield _titles(name_width, bar_width, curve_width, corrected=corrected)
    if not scores:
        yield [piece("no evidence: nothing is scored", "yellow")]
        names = names[: len(names) - 1] if room is not None else names
    shown = _strongest(names, scores, room - 1) if room is not None else names
    nearest = {modality: _nearest(scores, modality) for modality in MODALITIES}
    for name in shown:
        colour = palette.colour(source.vocabulary, name, names.index(name))
        line = [
            *_name(name, scores.get(name), name_width, colour),
            *_score(scores.get(name), bar_width, colour),
        ]
        line += _distances(scores.get(name), nearest)
        if curve_width:
            line += [piece("   "), *curve([past.get(name) for past in source.history], curve_width, colour)]
        yield line
    if len(shown) < len(names):
        yield [piece(f"and {len(names) - len(shown)} more, all lower", DIM)]


def _nearest(scores: dict[str, EmotionScore], modality: str) -> float | None:
    """Return the distance of the emotion that a modality finds nearest."""
    distances = (score.by_modality.get(modality) for score in scores.values())
    return min((distance for distance in distances if distance is not None), default=None)


def _bar_and_curve(room: int) -> tuple[int, int]:
    """Return how wide the bar and the curve are, 0 where there is no room for a curve."""
    spare = room - _PERCENT_WIDTH - _DISTANCE_WIDTH - _MODALITY_WIDTH * len(MODALITIES)
    if spare < _LEAST_BAR_BESIDE_CURVE + _SHORTEST_CURVE + 3:
        return max(_SHORTEST_BAR, min(_LONGEST_BAR, spare)), 0
    bar_width = min(_LONGEST_BAR, spare - _SHORTEST_CURVE - 3)
    return bar_width, min(_LONGEST_CURVE, spare - bar_width - 3)


def _titles(name_width: int, bar_width: int, curve_width: int, *, corrected: bool) -> Line:
    title = f"probability   {MARK} uncorrected" if corrected else "probability"
    line = [piece(" " * name_width), left(title, bar_width + _PERCENT_WIDTH, DIM)]
    line.append(right("distance", _DISTANCE_WIDTH, DIM))
    line += [right(title, _MODALITY_WIDTH, DIM) for title in MODALITIES.values()]
    return [*line, piece("   "), left("the last 10 s", curve_width, DIM)] if curve_width else line


def _strongest(names: list[str], scores: dict[str, EmotionScore], room: int) -> list[str]:
    """Return as many of `names` as there is room for, the most probable, in their own order."""
    if len(names) <= room:
        return names
    strongest = sorted(names, key=lambda name: -scores[name].smoothed if name in scores else 0)
    chosen = set(strongest[: max(1, room - 1)])
    return [name for name in names if name in chosen]


def _name(name: str, score: EmotionScore | None, width: int, colour: str) -> Line:
    active = score is not None and score.active
    return [
        piece("◆ " if active else "  ", colour),
        left(name, width - 3, f"bold {colour}" if score else DIM),
        piece(" "),
    ]


def _score(score: EmotionScore | None, width: int, colour: str) -> Line:
    if score is None:
        return [*bar(0, width, colour), right("–", _PERCENT_WIDTH, DIM), right("–", _DISTANCE_WIDTH, DIM)]
    percent = right(f"{score.smoothed:.0%}", _PERCENT_WIDTH, "bold" if score.smoothed >= 0.5 else "")
    before = score.uncorrected.smoothed if score.uncorrected else None
    return [
        *bar(score.smoothed, width, colour, before),
        percent,
        right(f"{score.distance:.2f}", _DISTANCE_WIDTH),
    ]


def _distances(score: EmotionScore | None, nearest: dict[str, float | None]) -> Line:
    line = []
    for modality, best in nearest.items():
        distance = score.by_modality.get(modality) if score else None
        text = "·" if distance is None else f"{distance:.2f}"
        line.append(
            right(text, _MODALITY_WIDTH, "bold" if distance is not None and distance == best else DIM)
        )
    return line


def _evidence(source: SourceView, width: int) -> Iterator[Line]:
    given = source.newest.evidence if source.newest else {}
    for modality, title in MODALITIES.items():
        item = given.get(modality)
        if item is None:
            yield [
                piece("○ ", DIM),
                left(title, 8, DIM),
                piece("not expected of this source" if given else "–", DIM),
            ]
            continue
        mark = piece("● ", "green") if item.used else piece("○ ", DIM)
        cover = max(8, min(24, width - 63))
        line = [mark, left(title, 8), *bar(item.coverage, cover, "cyan" if item.used else DIM)]
        line.append(right(f"{item.coverage:.0%}", 6))
        if item.used:
            line.append(right(_age(item.age_ms), 13, DIM))
        baseline = _baseline(source, modality, width - width_of(line) - 3)
        yield [*line, piece("   "), *(baseline if item.used else []), *_remarks(item)]


def _age(age_ms: float | None) -> str:
    if age_ms is None:
        return ""
    return f"{age_ms:.0f} ms old" if age_ms < 1000 else f"{age_ms / 1000:.1f} s old"


def _remarks(item: Evidence) -> Line:
    remarks = [] if item.used else [piece(f"{item.why or 'not used'}  ", "yellow")]
    if item.dropped:
        remarks.append(piece(f"{item.dropped} dropped  ", "yellow"))
    if item.used and item.pending_ms:
        remarks.append(piece(f"{item.pending_ms} ms pending", DIM))
    return remarks


def _baseline(source: SourceView, modality: str, room: int) -> Line:
    """Return how far the personal baseline of a modality is, in full where there is room."""
    states: dict[str, BaselineState] = (source.newest.baseline if source.newest else None) or {}
    state = states.get(modality)
    if state is None:
        return []
    roomy = room >= _ROOMY_REMARK
    if state.seconds_left is not None:
        left_s = math.ceil(state.seconds_left)
        text = f"learning your neutral {modality}: {left_s} s left" if roomy else f"neutral in {left_s} s"
        return [piece(f"{text}  ", "cyan")]
    learned = "calibrated" if state.calibrated else "learned"
    return [piece(f"less your neutral {modality}, {learned}  " if roomy else "neutral set  ", DIM)]


def _words(source: SourceView, width: int) -> Line:
    quote = piece("“ ", DIM)
    if not source.transcribed:
        hidden = source.text_used
        return [
            quote,
            piece("hidden (stream.publish_transcript is off)" if hidden else "nothing said yet", DIM),
        ]
    line: Line = []
    room = width - 2
    for word in reversed(source.words):
        room -= cell_len(word.text) + 1
        if room < 0:
            break
        look = "italic" if not word.final else ""
        line.insert(0, piece(f"{word.text} ", look if word.counts else f"{look} {DIM}".strip()))
    return [quote, *line]
