"""Pages of the deny feed (section 1.6)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._json import NotJSON, hex_bytes, is_whole, read_object

MAX_SAFE_INT = 2**53 - 1
MAX_USER = 128
_MAX_TIME = 2**32 - 1
_MAX_LISTED = 10_000  # entries of a page, and stickers of an entry
_MAX_STICKERS = 200_000  # of a page


class BadPage(ValueError):
    """A page of the deny feed that is refused as a whole; its text is the stable code."""

    def __init__(self) -> None:
        super().__init__("bad_page")


class Revocation(NamedTuple):
    """A right that was taken back."""

    user: bytes | None
    """The user's bytes; None is every user."""
    stickers: tuple[int, ...]
    refuse_until: int
    """Tokens that expire at or before this, in Unix seconds, are refused."""


class Page(NamedTuple):
    """One answer of the deny feed."""

    revocations: tuple[Revocation, ...]
    cursor: int
    """What to ask after next time."""
    more: bool
    """There is more to ask for at once."""


def parse_page(body: bytes, after: int = 0) -> Page:
    """Read an answer of the deny feed to who asked after this cursor, or raise `BadPage`.

    A page that goes back, or that has more and does not move on, is refused too.
    """
    try:
        page = read_object(body)
    except NotJSON:
        raise BadPage from None
    entries, cursor, more = page.get("revocations"), page.get("cursor"), page.get("more")
    if not isinstance(entries, list) or len(entries) > _MAX_LISTED or not isinstance(more, bool):
        raise BadPage
    if not is_whole(cursor, MAX_SAFE_INT):
        raise BadPage
    if page["cursor"] < after or (more and page["cursor"] == after):
        raise BadPage
    revocations, stickers = [], 0
    for entry in entries:
        revocations.append(_revocation(entry))
        stickers += len(revocations[-1].stickers)
        if stickers > _MAX_STICKERS:
            raise BadPage
    return Page(tuple(revocations), page["cursor"], more)


def _revocation(entry: Any) -> Revocation:
    if not isinstance(entry, dict) or "user_hex" not in entry:
        raise BadPage
    user = None if entry["user_hex"] is None else hex_bytes(entry["user_hex"], 1, MAX_USER)
    stickers = entry.get("sticker_ids")
    if user is None and entry["user_hex"] is not None:
        raise BadPage
    if not isinstance(stickers, list) or len(stickers) > _MAX_LISTED:
        raise BadPage
    if not all(is_whole(sticker, MAX_SAFE_INT, 1) for sticker in stickers):
        raise BadPage
    if not is_whole(entry.get("cursor"), MAX_SAFE_INT) or not is_whole(entry.get("refuse_until"), _MAX_TIME):
        raise BadPage
    return Revocation(user, tuple(stickers), entry["refuse_until"])
