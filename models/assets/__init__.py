"""The files emostream runs on but does not ship: fetched once, verified by sha256, kept in the cache.

Nothing is fetched unasked: only the command line calls `fetch`. Workers call `asset_path`, which opens no
connection.
"""

from __future__ import annotations

from models.assets.fetching import Fetched, fetch
from models.assets.state import (
    AssetError,
    Status,
    asset_path,
    asset_status,
    find_asset,
    group_members,
    verify,
)

__all__ = [
    "AssetError",
    "Fetched",
    "Status",
    "asset_path",
    "asset_status",
    "fetch",
    "find_asset",
    "group_members",
    "verify",
]
