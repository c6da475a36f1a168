"""JSON from outside, stricter than the standard library's reader is by itself."""

from __future__ import annotations

import binascii
import json
from typing import Any


class NotJSON(Exception):
    """Says where the text stops being JSON and shows nothing of it."""


def read_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object in UTF-8."""
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


def _integer(digits: str) -> int | None:
    # Nothing here has 20 digits, and converting thousands of them is slow where it is not an error.
    return int(digits) if len(digits) < 20 and digits != "-0" else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
