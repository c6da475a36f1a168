"""Measures the complete verification of a token beside its lower bound: HMAC-SHA256 of the same bytes, and decoding the text.

Both as the standard library does them fastest in one call each, in turns in one run, medians of the rounds; shared machines are
noisy, so what counts is the ratio.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64decode
from statistics import median
from typing import Callable

from sticker_token import Revocation, Verifier, parse_ring

GOLDEN = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC"
SECRET = bytes(range(32))
ROUNDS, REPEATS = 201, 500


def main() -> None:
    """Print the figures."""
    key = {"id": 3, "secret": SECRET.hex(), "state": "signing"}
    verifier = Verifier(parse_ring(json.dumps({"keys": [key]}).encode()))
    verifier.denied.apply([Revocation(b"another", (1, 2, 3), 1800086400)])
    owner, signed = bytes.fromhex("018f3c9a1122733384445566778899aa"), bytes(16 + 15 + 16)
    prepared = hmac.new(SECRET, b"", "sha256")

    def verify() -> None:
        verifier.verify(GOLDEN, 8675309, owner, 1800000000)

    def one_call() -> None:
        urlsafe_b64decode(GOLDEN)
        hmac.digest(SECRET, signed, "sha256")

    def with_prepared_key() -> None:
        urlsafe_b64decode(GOLDEN)
        mac = prepared.copy()
        mac.update(signed)
        mac.digest()

    work = (verify, one_call, with_prepared_key)
    rounds = [[each(do) for do in work] for _ in range(ROUNDS)]
    whole, least, least_prepared = (median(times) for times in zip(*rounds))
    print(
        f"verify {whole:.0f} ns; HMAC-SHA256 and base64 {least:.0f} ns: ratio {whole / least:.2f}; "
        f"with a prepared key {least_prepared:.0f} ns: ratio {whole / least_prepared:.2f}"
    )


def each(do: Callable[[], None]) -> float:
    """Nanoseconds for one call."""
    start = time.perf_counter_ns()
    for _ in range(REPEATS):
        do()
    return (time.perf_counter_ns() - start) / REPEATS


if __name__ == "__main__":
    main()
