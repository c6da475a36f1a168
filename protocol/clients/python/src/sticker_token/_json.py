"""JSON from outside, stricter than the standard library's reader is by itself."""

from __future__ import annotations

import binascii
import json
from itertools import accumulate
from typing import Any

_MAX_DEPTH = 64  # section 1.4
_MAX_VALUES = 500_000  # the largest page has 240,003 in fields that are known, the largest ring 327,681
_BLOCK = 1 << 16
_DEPTH = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_DEPTH))
_NO_WHOLE = -1  # below every bound


class NotJSON(Exception):
    """Says where the text stops being JSON and shows nothing of it."""


def read_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object in UTF-8. What it would build is counted before anything is built."""
    if _is_too_much(text):
        raise NotJSON("nested too deep, or too many values")
    problem = "no object"
    try:
        value = json.loads(text.decode("utf-8"), parse_int=_integer, parse_constant=_refuse)
        if isinstance(value, dict):
            return value
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}"
    except (ValueError, RecursionError):
        problem = "no JSON in UTF-8"
    # Raised out here, since an exception that was raised while another was handled keeps that one, and with it the text.
    raise NotJSON(problem)


def is_whole(value: object, most: int, least: int = 0) -> bool:
    """Whether it is a number written with digits alone, from `least` to `most`; True is none."""
    return type(value) is int and least <= value <= most


def hex_bytes(value: object, least: int, most: int) -> bytes | None:
    """Read hexadecimal digits of either case, unless there are others or too few or too many."""
    if not isinstance(value, str) or not 2 * least <= len(value) <= 2 * most:
        return None
    try:
        return binascii.unhexlify(value)  # bytes.fromhex would skip spaces
    except ValueError:
        return None


def _is_too_much(text: bytes) -> bool:
    """Says anything of a text that is no JSON."""
    plain = _without_strings(text)
    brackets = plain.translate(None, _NO_BRACKETS)
    # Each value comes after a comma, or as the first of what an opening bracket begins.
    if plain.count(b",") + len(brackets) > 2 * _MAX_VALUES or plain.count(b",") + len(brackets) // 2 >= _MAX_VALUES:
        return True
    return max(accumulate(map(_DEPTH.__getitem__, brackets)), default=0) > _MAX_DEPTH


def _without_strings(text: bytes) -> bytes:
    # Without escapes a string ends at the next quote.
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    plain, quotes = bytearray(), 0
    for start in range(0, len(text), _BLOCK):
        parts = text[start : start + _BLOCK].split(b'"')
        plain += b"".join(parts[quotes % 2 :: 2])
        quotes += len(parts) - 1
    return bytes(plain)


def _integer(digits: str) -> int:
    # Nothing here has 20 digits, and converting thousands of them is slow where it is not an error.
    return int(digits) if len(digits) < 20 and digits != "-0" else _NO_WHOLE


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
