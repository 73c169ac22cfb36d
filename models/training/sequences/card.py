"""The model card of a bundle for a sequence corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.training.sequences.bundle import SequenceBundle, SequenceManifest
from models.training.sequences.fitting import Fitted
from models.training.sequences.protocol import PROTOCOLS
from models.training.sequences.recipe import EmotionEmbeddings, SequenceRecipe, Weights
from models.training.sequences.table import paper_table

_SCORED_BY = {
    "accuracy": "accuracy",
    "weighted_accuracy": "weighted accuracy",
    "auc": "area under the ROC curve",
}

_WEIGHTS: dict[Weights, str] = {
    "float32": "",
    "int8": "The weights of its LSTMs have 8 bits; it was fitted, and its thresholds chosen, with 32.\n",
}

_LIMITS = """\
- It does not know what anybody feels. It says how near a short clip is to words that people labelled it with.
- It reads word vectors, COVAREP and Facet features as the corpus has them. Nothing here extracts those, so it
  does not run on a camera, a microphone or a file.
- Its distances are negative sums of dot products, or negative logits: unbounded, and comparable only with
  others of the same network.
- Its probabilities come from a loss that weighs rare emotions up: they say which emotion is likelier than
  another, not how likely it is.
- It has not been tested for differences between people by age, sex, skin or culture.
- Not for decisions about people: not for hiring, policing, schooling, medicine or insurance. The EU forbids
  inferring emotions at work and in education (AI Act, Article 5).
"""


def card_text(bundle: SequenceBundle, *, fitted: Fitted, metrics: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        bundle: What the card is of.
        fitted: How it was fitted.
        metrics: What was measured.
    """
    manifest = bundle.manifest
    sections = [
        (manifest.version, _what(manifest)),
        ("How good it is", _results(manifest, metrics)),
        ("What it learned from", _source(fitted)),
        ("How it was trained", _training(manifest.recipe, fitted)),
        ("What it is not", _LIMITS),
    ]
    if manifest.recipe.notes:
        sections.append(("What was tried", "".join(f"- {note}\n" for note in manifest.recipe.notes)))
    return "\n".join(
        f"{'#' if i == 0 else '##'} {title}\n\n{text}" for i, (title, text) in enumerate(sections)
    )


def _what(manifest: SequenceManifest) -> str:
    network = manifest.recipe.network
    inputs = ", ".join(f"{name} ({section.features})" for name, section in manifest.in_order().items())
    if isinstance(network, EmotionEmbeddings):
        how = (
            "The network of Dai et al. 2020 (arXiv 2009.09629): the similarity of each sequence's encoding\n"
            "with the word embedding of an emotion, summed with learned weights. Words are vectors of\n"
            f"`{network.space}`, so any word can be scored."
        )
    else:
        how = f"A network to measure the paper's against: {network.type}. It scores only the emotions below."
    return f"""\
Scores clips of {PROTOCOLS[manifest.recipe.corpus].title} by {inputs}.

{how}

Licence of the weights: {manifest.licence}.
"""


def _results(manifest: SequenceManifest, metrics: Mapping[str, Any]) -> str:
    own = metrics["corpora"][manifest.recipe.corpus]
    thresholds = (
        "from the threshold with the best F1 on the validation part on"
        if manifest.thresholds
        else "from a probability of 0.5 on"
    )
    return f"""\
Measured with ONNX Runtime on the graph as it is here, on the test part:

    emostream evaluate models/bundles/{manifest.name} --data DIR

{paper_table(metrics)}
{_WEIGHTS[manifest.recipe.weights]}\
The accuracy of an emotion is the {_SCORED_BY[own["accuracy"]]}; its F1 is the mean of the F1 of its presence
and its absence, by their number. It is predicted {thresholds}.
The test part decided nothing.
"""


def _source(fitted: Fitted) -> str:
    part = fitted.validation
    return f"""\
{part.about}. Licence: {part.licence}. Emotions: {", ".join(part.emotions)}.
"""


def _training(recipe: SequenceRecipe, fitted: Fitted) -> str:
    rows = "".join(
        f"| {fit.name} | {fit.examples} | {fit.best_epoch} of {fit.epochs} | {fit.best_score:.3f} |\n"
        for fit in fitted.stages
    )
    return f"""\
    emostream train configs/training/{recipe.name}.yaml

with seed {recipe.seed}: Adam, binary cross-entropy with the presence of an emotion weighed by how rare it is.
{_unseen(recipe)}The epoch with the best {_SCORED_BY[recipe.chosen_by]} on the validation part, averaged over
emotions, was kept.

| | examples | epoch kept | validation score |
|---|---|---|---|
{rows}"""


def _unseen(recipe: SequenceRecipe) -> str:
    unseen = recipe.unseen
    if unseen is None:
        return ""
    if not unseen.fraction:
        return f"No example of {unseen.emotion} was learned from. "
    when = ", after all other emotions" if unseen.fine_tuning else ""
    return f"Of the examples of {unseen.emotion}, {100 * unseen.fraction:g} % were learned from{when}. "
