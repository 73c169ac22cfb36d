"""The live view: what the stream says, drawn in a terminal."""

from __future__ import annotations

from workers.live_view.drawing import View, draw
from workers.live_view.feed import Feed
from workers.live_view.lines import LineReport
from workers.live_view.palette import Palette
from workers.live_view.picture import Picture
from workers.live_view.screen import LiveScreen
from workers.live_view.source_box import MODALITIES
from workers.live_view.state import ViewState

__all__ = [
    "MODALITIES",
    "Feed",
    "LineReport",
    "LiveScreen",
    "Palette",
    "Picture",
    "View",
    "ViewState",
    "draw",
]
