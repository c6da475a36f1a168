"""Stands for a chat server: reads one JSON message a line from stdin and answers each with one JSON line.

STICKER_STORE_SECRET=sk_... python examples/chat_server.py --store http://127.0.0.1:8080
python examples/chat_server.py --keys keys.json
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from sticker_token import Refused, RingError, Updater, Verifier, follow_store, watch_file

MAX_LINE = 1 << 16


def main() -> int:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description="Checks stickers as a chat server would.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--store", metavar="URL", help="the store; the client secret is in STICKER_STORE_SECRET")
    source.add_argument("--keys", metavar="FILE", help="a key file instead of the store")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr)
    try:
        tokens = start(arguments.store, arguments.keys)
    except (OSError, ValueError, RingError) as error:
        print(error, file=sys.stderr)
        return 1
    with tokens:
        print("ready", file=sys.stderr, flush=True)
        for line in lines(sys.stdin.buffer):
            print(json.dumps(check(tokens, line), separators=(",", ":")), flush=True)
    return 0


def lines(source: BinaryIO) -> Iterator[bytes]:
    """Read lines; of one that is too long nothing, which is no message."""
    while line := source.readline(MAX_LINE):
        rest = line
        while not rest.endswith(b"\n") and len(rest) == MAX_LINE:
            rest = source.readline(MAX_LINE)
            line = b""
        yield line


def start(store: str | None, keys: str | None) -> Updater:
    """Wait for the first ring."""
    if keys is not None:
        return watch_file(keys)
    return follow_store(store or "", os.environ.get("STICKER_STORE_SECRET", ""))


def check(tokens: Verifier, line: bytes) -> dict[str, object]:
    """Check one message. The code is for this server's logs; what a user sees is `accepted` alone."""
    try:
        message = json.loads(line)
        user, sticker, token = message["user"], message["sticker_id"], message["token"]
        if not isinstance(user, str) or not isinstance(sticker, int) or not isinstance(token, str):
            raise TypeError
        sender = user.encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"accepted": False, "code": "bad_message"}
    try:
        tokens.verify(token, sticker, sender)
    except Refused as refused:
        return {"accepted": False, "code": refused.code.value}
    return {"accepted": True}


if __name__ == "__main__":
    sys.exit(main())
