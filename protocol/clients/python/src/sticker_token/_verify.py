"""Rings, tokens and the deny list (sections 1.1 to 1.6). No I/O; the clock is an argument."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from enum import Enum
from math import isfinite
from struct import Struct
from typing import Any

from ._feed import MAX_SAFE_INT, Revocation
from ._json import NotJSON, hex_bytes, is_whole, read_object

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    ED25519_KNOWN = False
else:
    ED25519_KNOWN = True
    """Whether the extra `ed25519` is installed. Without it, its keys are of an algorithm that the reader does not know."""

_FIELDS = Struct(">BHIQ")  # version, key id, expiry, sticker; the user follows
_MIN_TEXT, _MAX_TEXT_V1, _MAX_TEXT_V2 = 64, 234, 276
_MAC_SIZE, _SIGNATURE_SIZE = 32, 64
_MIN_V2 = _FIELDS.size + 1 + _SIGNATURE_SIZE
_DOMAIN_V1, _DOMAIN_V2 = b"sticker-token-v1", b"sticker-token-v2"
_TO_STANDARD, _TO_URL = bytes.maketrans(b"-_", b"+/"), bytes.maketrans(b"+/", b"-_")
_MAX_KEYS = 0x1_0000  # as many as there are ids
_KEPT_FOR = 300  # seconds that an entry outlives its tokens, for clocks that are set (section 1.6)
_EVERYBODY = b""  # a user id has at least one byte


class Refusal(str, Enum):
    """Why a token is not accepted, in the order of the checks; the values are the stable codes."""

    MALFORMED = "malformed"
    UNSUPPORTED_VERSION = "unsupported_version"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "expired"
    WRONG_STICKER = "wrong_sticker"
    WRONG_USER = "wrong_user"
    REVOKED = "revoked"


class Refused(Exception):
    """A token is not accepted. The code is for servers and their logs: tell a user no more than accepted or refused."""

    def __init__(self, code: Refusal) -> None:
        super().__init__(code.value)
        self.code = code


class RingCode(str, Enum):
    """What is wrong with a key file; the values are the stable codes of section 1.4."""

    BAD_JSON = "bad_json"
    BAD_ID = "bad_id"
    BAD_STATE = "bad_state"
    BAD_KEY = "bad_key"
    DUPLICATE_ID = "duplicate_id"
    TWO_SIGNING = "two_signing"


class RingError(ValueError):
    """A key file is refused as a whole. It says where, and shows nothing of the file's content."""

    def __init__(self, code: RingCode, where: str) -> None:
        super().__init__(f"{code.value}: {where}")
        self.code, self.where = code, where


class Ring:
    """Keys by id, ready to verify. It does not change, and shows no key when it is printed."""

    __slots__ = ("_public", "_secret")

    def __init__(self) -> None:
        self._secret: dict[int, hmac.HMAC] = {}
        self._public: dict[int, Ed25519PublicKey] = {}

    @property
    def ids(self) -> list[int]:
        """The keys' ids, ascending."""
        return sorted([*self._secret, *self._public])

    def __repr__(self) -> str:
        return f"Ring(ids={self.ids})"

    def _add(self, key: dict[str, Any], seen: set[int], signing: set[str]) -> RingCode | None:
        algorithm = key.get("algorithm", "hmac-sha256")
        if algorithm != "hmac-sha256" and not (algorithm == "ed25519" and ED25519_KNOWN):
            return None
        number, state = key.get("id"), key.get("state")
        if not is_whole(number, 0xFFFF):
            return RingCode.BAD_ID
        if key["id"] in seen:
            return RingCode.DUPLICATE_ID
        seen.add(key["id"])
        if state not in ("published", "signing", "verify"):
            return RingCode.BAD_STATE
        if state == "signing" and algorithm in signing:
            return RingCode.TWO_SIGNING
        if state == "signing":
            signing.add(algorithm)
        secret, public = hex_bytes(key.get("secret"), 32, 32), hex_bytes(key.get("public"), 32, 32)
        if algorithm == "hmac-sha256" and secret:
            # Prepared once with the domain; each token goes on with a copy.
            self._secret[key["id"]] = hmac.new(secret, _DOMAIN_V1, hashlib.sha256)
        elif algorithm == "ed25519" and public and (secret or "secret" not in key):
            # A verifier has no use for a seed, but a damaged file is refused everywhere.
            self._public[key["id"]] = Ed25519PublicKey.from_public_bytes(public)
        else:
            return RingCode.BAD_KEY
        return None

    def _signature_size(self, token: bytes, version: int, key_id: int) -> int:
        """Check version, length, key and signature."""
        if version == 1:
            prepared = self._secret.get(key_id)
            if prepared is None:
                raise Refused(Refusal.UNKNOWN_KEY)
            mac = prepared.copy()
            mac.update(token[:-_MAC_SIZE])
            if not hmac.compare_digest(mac.digest(), token[-_MAC_SIZE:]):
                raise Refused(Refusal.BAD_SIGNATURE)
            return _MAC_SIZE
        if version != 2 or not self._public:
            raise Refused(Refusal.UNSUPPORTED_VERSION)
        if len(token) < _MIN_V2:
            raise Refused(Refusal.MALFORMED)
        public = self._public.get(key_id)
        if public is None:
            raise Refused(Refusal.UNKNOWN_KEY)
        try:
            # OpenSSL refuses an S that is not below the group's order.
            public.verify(token[-_SIGNATURE_SIZE:], _DOMAIN_V2 + token[:-_SIGNATURE_SIZE])
        except InvalidSignature:
            raise Refused(Refusal.BAD_SIGNATURE) from None
        return _SIGNATURE_SIZE


def parse_ring(file: bytes) -> Ring:
    """Read a key file, or raise `RingError`. Keys of algorithms that are not known here are left out."""
    try:
        keys, problem = read_object(file).get("keys"), "no array `keys` of objects, or too many"
    except NotJSON as error:
        keys, problem = None, str(error)
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS or not all(isinstance(key, dict) for key in keys):
        raise RingError(RingCode.BAD_JSON, problem)
    ring, seen, signing = Ring(), set[int](), set[str]()
    for at, key in enumerate(keys, 1):
        code = ring._add(key, seen, signing)
        if code is not None:
            raise RingError(code, f"key {at} of the file")
    return ring


class DenyList:
    """The rights that were taken back while tokens for them may still live. Threads may share it."""

    __slots__ = ("_lock", "_until")

    def __init__(self) -> None:
        self._until: dict[tuple[int, bytes], int] = {}
        self._lock = threading.Lock()  # for writers; a reader looks up one key at a time

    def apply(self, revocations: Iterable[Revocation]) -> None:
        """Add entries. Of two for one user and sticker the later end counts."""
        with self._lock:
            for user, stickers, refuse_until in revocations:
                for sticker in stickers:
                    right = (sticker, _EVERYBODY if user is None else user)
                    self._until[right] = max(refuse_until, self._until.get(right, 0))

    def forget(self, now: float) -> None:
        """Drop the entries whose tokens had all expired 300 s before now. Verification goes on while it looks for them."""
        with self._lock:
            for right in [right for right, until in self._until.items() if until + _KEPT_FOR <= now]:
                del self._until[right]

    def refuses(self, sticker: int, user: bytes, expiry: int) -> bool:
        """Whether such a token was issued before the right was taken back."""
        until = self._until
        return bool(until) and (expiry <= until.get((sticker, user), -1) or expiry <= until.get((sticker, _EVERYBODY), -1))

    def __len__(self) -> int:
        """Count the pairs of sticker and user."""
        return len(self._until)


class Verifier:
    """Checks tokens against a ring and a deny list. Threads may share it, and `ring` may be replaced at any time."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.denied = DenyList()

    def verify(self, text: str, sticker: int, sender: bytes, now: float | None = None) -> int:
        """Make all checks of section 1.3, in that order, and return when the token expires in Unix seconds.

        `sticker` is the one in the message, `sender` the user id that the server authenticated; `now` is the system clock's
        time unless given. Raises `Refused` with the first code that applies, `TypeError` for a sender that is no bytes, and
        `ValueError` for a time that is no finite number.
        """
        if not isinstance(sender, (bytes, bytearray, memoryview)):
            raise TypeError("the sender is a user id in bytes")
        if now is None:
            now = time.time()
        elif not isfinite(now):
            raise ValueError("now is no finite number")
        ring, token = self.ring, _decode(text)
        if token is None or (len(text) > _MAX_TEXT_V1 and (token[0] != 2 or not ring._public)):
            raise Refused(Refusal.MALFORMED)
        version, key_id, expiry, signed_sticker = _FIELDS.unpack_from(token)
        user = token[_FIELDS.size : -ring._signature_size(token, version, key_id)]
        if now >= expiry:
            raise Refused(Refusal.EXPIRED)
        if not 1 <= signed_sticker <= MAX_SAFE_INT:
            raise Refused(Refusal.MALFORMED)
        if signed_sticker != sticker:
            raise Refused(Refusal.WRONG_STICKER)
        if user != sender:
            raise Refused(Refusal.WRONG_USER)
        if self.denied.refuses(sticker, user, expiry):
            raise Refused(Refusal.REVOKED)
        return int(expiry)


def _decode(text: str) -> bytes | None:
    if not _MIN_TEXT <= len(text) <= _MAX_TEXT_V2:
        return None
    try:
        characters = text.encode("ascii")
        # The decoder skips what it does not know and ignores padding beyond need; encoding again shows both.
        token = a2b_base64(characters.translate(_TO_STANDARD) + b"==")
    except (UnicodeEncodeError, Base64Error):
        return None
    return token if b2a_base64(token, newline=False).translate(_TO_URL).rstrip(b"=") == characters else None
