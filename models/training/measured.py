"""The sections of a card that follow from what was measured: figures, failures, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.training.headlines import LABELS

FIGURES = {
    "accuracy": "accuracy",
    "uar": "UAR",
    "weighted_accuracy": "weighted accuracy",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted F1",
    "auc": "AUC",
    "found": "face found",
    "ece": "ECE",
}
"""What the figures of a corpus are called."""
_MAIN = {
    "one": ("accuracy", "uar", "weighted_f1", "auc", "found"),
    "several": ("macro_f1", "weighted_f1", "auc"),
}
TRANSFER_TITLES = {"zero_shot": "Words it was not trained on", "few_shot": "Words with hardly any examples"}
_TRANSFER = {
    "zero_shot": "Each emotion was left out of training in turn: its examples, its word and its synonyms. "
    "Its rating\namong the recipe's emotion words stayed.",
    "few_shot": "Of each emotion in turn a small share of the training examples was kept, and no others.",
}
_WORST = 3
_RARELY = 0.5

_LIMITS = """\
- It does not know what anybody feels. It says how near a face, a voice and words are to what people labelled
  with a word: acted emotions, pictures found on the web, comments judged by readers.
- No corpus has face, voice and words of one moment. Fusion is calibrated on examples put together from
  different corpora because they have the same label; so it takes the modalities to err independently, which
  in one person they do not.
- A word that was not trained on is placed by what it has in common with words that were. It may lie nearer to
  a face or a voice than the word that fits, and deserves less trust.
- Faces were learned from stills: the model judges frames and averages, it knows nothing of movement.
- Voices were learned from actors of two languages. Words were learned from written English; other languages
  were not tried.
- Differences between women and men were measured where a corpus tells who is who, on a few actors (above).
  Those by age, skin, culture, accent or disability were not; the corpora are skewed in all of these.
- Probabilities hold for the label frequencies of the corpora.
- Not for decisions about people: not for hiring, policing, schooling, medicine or insurance.
- Not at work, nor in schools and universities. In the European Union it is forbidden to infer people's
  emotions there from face or voice, unless for medical or safety reasons: Regulation (EU) 2024/1689 (the AI
  Act), Article 5(1)(f). Elsewhere in life emotion recognition counts as high-risk (Annex III, 1(c)), and the
  people it is used on must be told (Article 50(3)).
"""


def measured_sections(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return the sections by their titles.

    Args:
        metrics: What `metrics.json` holds.
    """
    sections = {"How good it is": _figures(metrics)}
    if metrics.get("fusion"):
        sections["Several modalities together"] = _fusion(metrics["fusion"])
    sections["Known failures"] = _failures(metrics["corpora"])
    for kind, title in TRANSFER_TITLES.items():
        if metrics.get(kind):
            sections[title] = _transfer(kind, metrics[kind])
    return sections | {"What it is not": _LIMITS}


def with_sections(card: str, sections: Mapping[str, str]) -> str:
    """Return a card with its sections of these titles replaced, and those added that it lacks.

    Args:
        card: Markdown; its sections have headings of the second level.
        sections: By title, in the order in which they are to come.
    """
    head, *parts = re.split(r"^## ", card, flags=re.MULTILINE)
    held = dict(part.split("\n\n", 1) for part in parts)
    titles, place = list(held), 0
    for title in sections:
        if title not in held:
            titles.insert(place, title)
        place = titles.index(title) + 1
    texts = (f"## {title}\n\n{(held | dict(sections))[title]}" for title in titles)
    return "\n\n".join(text.strip("\n") for text in (head, *texts)) + "\n"


def with_interval(part: Mapping[str, Any], figure: str) -> str:
    """Return a figure with its 95 % interval, such as `0.618 (0.601–0.634)`."""
    return stated(part[figure], part["intervals"][figure])


def stated(value: float | None, interval: Sequence[float | None] | None) -> str:
    """Return a value with its interval; a dash for one that could not be measured."""
    if value is None:
        return "–"
    if interval is None or None in interval:
        return f"{value:.3f}"
    return f"{value:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"


def main_results(found: Mapping[str, Any]) -> list[str]:
    """Return the main results of one corpus, such as `accuracy 0.590 (0.571–0.608)`."""
    lines = [f"{FIGURES[key]} {with_interval(found, key)}" for key in _MAIN[found["labels"]] if key in found]
    return [*lines, f"{found['skipped']} skipped"] if "skipped" in found else lines


def _figures(metrics: Mapping[str, Any]) -> str:
    rows = [
        f"| {label} | {stated(figure['value'], figure['interval'])} | `{figure['command']}` |\n"
        for label, figure in ((label, metrics[name]) for name, label in LABELS.items() if name in metrics)
    ]
    each = [
        f"| {name} | {found['modality']} | {found['examples']} | {', '.join(main_results(found))} "
        f"| {with_interval(found, 'ece')} | {found['resampled']} |\n"
        for name, found in metrics["corpora"].items()
    ]
    return f"""\
Measured with ONNX Runtime on the graph as it is here, on the test parts of the corpora in the folder DIR. In
brackets the middle 95 % of what 1,000 parts drawn anew would give (bootstrap, percentiles).

| figure | value | command |
|---|---|---|
{"".join(rows)}
| corpus | modality | examples | result | calibration error | drawn anew by |
|---|---|---|---|---|---|
{"".join(each)}
`metrics.json` holds every emotion, and the confusions. Epochs, calibration and thresholds come from the
validation parts; what else was decided, and on what, is told below. Faces are measured where one was found.
Each voice is normalised as it is live, with what was heard of the speaker so far. Where examples have several
labels each label has its threshold. UAR, the unweighted average recall, and AUC, the area under the ROC
curve, are means over emotions. The expected calibration error (ECE) is each modality's own, over all labels
of the corpus.
"""


def _fusion(fusion: Mapping[str, Any]) -> str:
    rows = [
        f"| {subset.replace('+', ', ')} | {stated(each['accuracy'], each['interval'])} "
        f"| {stated(each.get('best_single'), None)} "
        f"| {stated(each.get('gain'), each.get('gain_interval'))} |\n"
        for subset, each in fusion["subsets"].items()
    ]
    return f"""\
No corpus has face, voice and words of one moment. So {fusion["examples"]:,} windows were put together from
test parts, an example of each modality with the same label: {", ".join(fusion["concepts"])},
all equally frequent. That takes the modalities to err independently; in one person they do not, and less is
to be gained.

| present | accuracy | best of them alone | gain |
|---|---|---|---|
{"".join(rows)}"""


def _failures(corpora: Mapping[str, Any]) -> str:
    lines = [line for name, found in corpora.items() for line in _rarely_found(name, found)]
    groups = [row for name, found in corpora.items() for row in _group_rows(name, found)]
    text = (
        f"Emotions found in less than half of the examples that have them, the {_WORST} worst of each corpus:"
        f"\n\n{''.join(lines)}"
    )
    if groups:
        text += f"""
Women and men, where a corpus tells who is who. With so few people a difference may be theirs alone.

| corpus | who | people | examples | unweighted average recall | recall lower by 0.1 or more |
|---|---|---|---|---|---|
{"".join(groups)}"""
    return text


def _rarely_found(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    recalls = {
        emotion: each["recall"] for emotion, each in found["emotions"].items() if each["recall"] is not None
    }
    for emotion in sorted(recalls, key=lambda each: recalls[each])[:_WORST]:
        if recalls[emotion] < _RARELY:
            yield f"- {name}: {emotion}, in {recalls[emotion]:.0%}{_taken_for(emotion, found)}\n"


def _taken_for(emotion: str, found: Mapping[str, Any]) -> str:
    names = list(found["emotions"])
    row = found["confusion"][names.index(emotion)]
    others = {name: count for name, count in zip(names, row, strict=True) if name != emotion}
    other = max(others, key=lambda name: others[name])
    return f"; most often taken for {other} ({others[other] / sum(row):.0%})" if others[other] else ""


def _group_rows(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    groups = found.get("groups", {})
    for who, part in groups.items():
        others = [other for key, other in groups.items() if key != who]
        less = [
            f"{emotion} ({each['recall']:.2f}, not {other['emotions'][emotion]['recall']:.2f})"
            for other in others
            for emotion, each in part["emotions"].items()
            if None not in {each["recall"], other["emotions"][emotion]["recall"]}
            and each["recall"] <= other["emotions"][emotion]["recall"] - 0.1
        ]
        yield (
            f"| {name} | {who} | {part['speakers']} | {part['examples']} | {with_interval(part, 'uar')} "
            f"| {', '.join(less) or '–'} |\n"
        )


def _transfer(kind: str, parts: Mapping[str, Any]) -> str:
    rows = [
        f"| {modality} | {stated(part['auc'], part['interval'])} | {stated(part['seen_auc'], None)} "
        f"| {stated(part['elsewhere_auc'], part['elsewhere_interval'])} | {part['chance']:.1f} |\n"
        for modality, part in parts.items()
    ]
    words = [
        f"| {modality} | {word} | {corpus} | {each['examples']} of {each['of']} "
        f"| {stated(each['auc'], each['interval'])} | {stated(each['seen_auc'], None)} |\n"
        for modality, part in parts.items()
        for word, corpora in part["words"].items()
        for corpus, each in corpora.items()
    ]
    return f"""\
{_TRANSFER[kind]} Then its
word was told from the rest on test parts. The figures are areas under the ROC curve, and beside them that of
the same word in the bundle as it is, which has seen it; a word that was never in training has none. A word
that names a group of GoEmotions (joy) stands for the whole group.

| modality | unseen, mean over words | seen | unseen, other corpora | chance |
|---|---|---|---|---|
{"".join(rows)}
| modality | word | corpus | examples | unseen | seen |
|---|---|---|---|---|---|
{"".join(words)}"""
