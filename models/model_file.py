"""What to say of a model file that cannot be loaded."""

from __future__ import annotations

from stream.errors import UserError


class ModelFileError(UserError, ValueError):
    """A file that is not the model it should be; the message names it and the remedy."""
