"""What the tests verify, issued by a second reading of the specification."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
from base64 import urlsafe_b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GOLDEN = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC"
EXPIRY = 1800086400
EARLY = EXPIRY - 1
STICKER = 8675309
OWNER = bytes.fromhex("018f3c9a1122733384445566778899aa")
SECRET = bytes(range(32))
SEED = Ed25519PrivateKey.from_private_bytes(SECRET)

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
"""For another Python that shall find the package."""

KEY_THREE = {"id": 3, "secret": SECRET.hex(), "state": "signing"}
KEY_FOUR = {"id": 4, "algorithm": "ed25519", "public": SEED.public_key().public_bytes_raw().hex(), "state": "signing"}


def key_file(*keys: dict[str, object]) -> str:
    return json.dumps({"keys": keys})


def issue(version: int = 1, key: int = 3, expires: int = EXPIRY, sticker: int = STICKER, user: bytes = OWNER) -> str:
    body = struct.pack(">BHIQ", version, key, expires, sticker) + user
    signed = b"sticker-token-v%d" % version + body
    signature = SEED.sign(signed) if version == 2 else hmac.digest(SECRET, signed, hashlib.sha256)
    return urlsafe_b64encode(body + signature).rstrip(b"=").decode()
