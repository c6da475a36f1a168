"""Lets a chat server check, in its own process, that the sender of a sticker may send it.

Section 1 of the sticker protocol. `follow_store` and `watch_file` give an `Updater`: a `Verifier` that is kept fresh in the
background. The `Verifier` alone does no I/O.
"""

from ._feed import BadPage, Page, Revocation, parse_page
from ._refresh import Status, Updater, follow_store, watch_file
from ._verify import (
    ED25519_KNOWN,
    DenyList,
    Refusal,
    Refused,
    Ring,
    RingCode,
    RingError,
    Verifier,
    parse_ring,
)

__all__ = [
    "ED25519_KNOWN",
    "BadPage",
    "DenyList",
    "Page",
    "Refusal",
    "Refused",
    "Revocation",
    "Ring",
    "RingCode",
    "RingError",
    "Status",
    "Updater",
    "Verifier",
    "follow_store",
    "parse_page",
    "parse_ring",
    "watch_file",
]
