"""Words to word vectors."""

from __future__ import annotations

from models.bundle import Bundle
from models.embeddings import open_space
from models.extractors.text import TextExtractor
from stream.messages import AnyMessage, End, MessageError, TextFeatures, Words


class TextStage:
    """Words to word vectors."""

    def __init__(self, extractor: TextExtractor) -> None:
        self._extractor = extractor

    def accept(self, message: AnyMessage, dropped: int) -> list[AnyMessage]:
        """See `Stage.accept`."""
        if isinstance(message, End):
            return [message]
        if not isinstance(message, Words):
            raise MessageError(f"{type(message).__name__} is not Words")
        return [
            TextFeatures(
                source=message.source,
                time_ns=message.time_ns,
                spec=self._extractor.spec.name,
                utterances=self._extractor.extract(message.utterances),
                dropped=message.dropped + dropped,
            )
        ]


def open_text_stage(bundle: Bundle) -> TextStage:
    """Load the embedding space of the bundle as a text extractor.

    Raises:
        AssetError: the space is missing.
        BundleError: the bundle was trained on another layout.
    """
    extractor = TextExtractor(open_space(bundle.space))
    bundle.check_specs([extractor.spec])
    return TextStage(extractor)
