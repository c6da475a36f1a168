from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
import traceback
import tracemalloc
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from tokens import EARLY, ENVIRONMENT, EXPIRY, GOLDEN, KEY_FOUR, KEY_THREE, OWNER, SECRET, STICKER, issue, key_file

from sticker_token import BadPage, Refused, Revocation, RingCode, RingError, Verifier, parse_page, parse_ring

HMAC_ALONE = key_file(KEY_THREE)
BOTH = key_file(KEY_THREE, KEY_FOUR)


def verifier(file: str) -> Verifier:
    return Verifier(parse_ring(file.encode()))


def says(verifier: Verifier, text: str, sticker: int = STICKER, user: bytes = OWNER, now: float = EARLY) -> str:
    try:
        verifier.verify(text, sticker, user, now)
    except Refused as refused:
        assert str(refused) == refused.code.value
        return refused.code.value
    return "ok"


def test_the_golden_case_is_accepted_until_the_moment_of_its_expiry() -> None:
    ring = verifier(HMAC_ALONE)
    assert issue() == GOLDEN
    assert ring.verify(GOLDEN, STICKER, OWNER, EARLY) == EXPIRY
    assert says(ring, GOLDEN, now=EXPIRY - 0.001) == "ok"
    assert says(ring, GOLDEN, now=EXPIRY) == "expired"


def test_without_a_time_the_system_clock_counts() -> None:
    ring, now = verifier(HMAC_ALONE), int(time.time())
    assert ring.verify(issue(expires=now + 3600), STICKER, OWNER) == now + 3600
    with pytest.raises(Refused, match="expired"):
        ring.verify(issue(expires=now - 3600), STICKER, OWNER)


@pytest.mark.parametrize("text", [GOLDEN, issue(version=2, key=4)], ids=["version 1", "version 2"])
def test_no_single_flipped_bit_is_accepted(text: str) -> None:
    ring = verifier(BOTH)
    assert says(ring, text) == "ok"
    token = urlsafe_b64decode(text + "==")
    for bit in range(8 * len(token)):
        flipped = bytearray(token)
        flipped[bit // 8] ^= 1 << bit % 8
        want = "unsupported_version" if bit < 8 else "unknown_key" if bit < 24 else "bad_signature"
        assert says(ring, urlsafe_b64encode(flipped).rstrip(b"=").decode()) == want, bit


@pytest.mark.parametrize("length", range(1, 129))
def test_only_the_canonical_text_is_accepted(length: int) -> None:
    ring, user = verifier(HMAC_ALONE), bytes(length)
    text = issue(user=user)
    assert says(ring, text, user=user) == "ok"
    others = [
        text + "=",
        text + "==",
        " " + text,
        text + "\0",
        text + "é",
        text + "\ud800",
        text[:9] + "*" + text[10:],
        5 * text,
    ]
    if free := len(text) * 6 % 8:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        others += [text[:-1] + alphabet[alphabet.index(text[-1]) + stray] for stray in range(1, 1 << free)]
    for gap in ("\n", "\r", "\r\n", " ", "=", "\n\n\n\n"):
        others += [text[:at] + gap + text[at:] for at in range(0, len(text) + 1, 7)]
    assert {other for other in others if says(ring, other, user=user) != "malformed"} == set()


def test_the_other_alphabet_is_refused() -> None:
    ring = verifier(HMAC_ALONE)
    assert "_" in GOLDEN
    assert says(ring, GOLDEN.replace("_", "/")) == "malformed"
    with_minus = next(text for text in map(issue_for, range(1, 99)) if "-" in text)
    assert says(ring, with_minus, sticker=0) == "wrong_sticker"
    assert says(ring, with_minus.replace("-", "+"), sticker=0) == "malformed"


def issue_for(sticker: int) -> str:
    return issue(sticker=sticker)


def test_a_revoked_right_is_refused_and_an_entry_is_forgotten_once_nothing_needs_it() -> None:
    ring = verifier(HMAC_ALONE)
    ring.denied.apply([Revocation(OWNER, (STICKER,), EXPIRY), Revocation(OWNER, (STICKER,), EXPIRY - 10)])
    assert says(ring, GOLDEN) == "revoked"
    assert says(ring, issue(expires=EXPIRY + 1)) == "ok"
    assert says(ring, issue(user=b"a"), user=b"a") == "ok"
    ring.denied.apply([Revocation(None, (7,), EXPIRY)])
    assert says(ring, issue(user=b"a", sticker=7), sticker=7, user=b"a") == "revoked"
    ring.denied.forget(EXPIRY - 1)
    assert len(ring.denied) == 2
    ring.denied.forget(EXPIRY + 299)
    assert len(ring.denied) == 2
    ring.denied.forget(EXPIRY + 300)
    assert len(ring.denied) == 0


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (key_file(KEY_THREE, KEY_THREE), RingCode.DUPLICATE_ID),
        (HMAC_ALONE.replace(SECRET.hex(), SECRET.hex()[2:]), RingCode.BAD_KEY),
        (HMAC_ALONE.replace(SECRET.hex(), SECRET.hex()[2:] + "  "), RingCode.BAD_KEY),
        (HMAC_ALONE.replace('", "state', ', "state'), RingCode.BAD_JSON),
        (HMAC_ALONE.replace("signing", SECRET.hex()), RingCode.BAD_STATE),
        (HMAC_ALONE.replace('"id": 3', '"id": ' + "1" * 5000), RingCode.BAD_ID),
        (HMAC_ALONE.replace('"id": 3', '"id": true'), RingCode.BAD_ID),
        (HMAC_ALONE.replace('"id": 3', '"id": -0'), RingCode.BAD_ID),
        (HMAC_ALONE.replace('"id": 3', '"ID": 3'), RingCode.BAD_ID),
        (HMAC_ALONE.replace('"id": 3', '"id": 3, "x": NaN'), RingCode.BAD_JSON),
        (HMAC_ALONE[:-1] + ', "x": ' + 100_000 * "[", RingCode.BAD_JSON),
        ("\ufeff" + HMAC_ALONE, RingCode.BAD_JSON),
    ],
)
def test_a_bad_key_file_is_refused_and_no_part_of_the_error_shows_a_key(file: str, code: RingCode) -> None:
    with pytest.raises(RingError) as refused:
        parse_ring(file.encode())
    assert refused.value.code is code
    error: BaseException | None = refused.value
    while error is not None:
        assert "0102" not in f"{error!r} {error} {vars(error)}"
        error = error.__context__
    assert "0102" not in "".join(traceback.format_exception_only(RingError, refused.value))


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(RingError, match="bad_json"):
        parse_ring(HMAC_ALONE.encode("utf-16"))


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(RingError, match=r"^bad_json: line 3$"):
        parse_ring(b'{\n"keys":[\n{"id" 3}]}')


def test_a_ring_is_printed_without_keys_and_cannot_be_pickled() -> None:
    ring = parse_ring(BOTH.encode())
    assert repr(ring) == str(ring) == "Ring(ids=[3, 4])"
    with pytest.raises(TypeError):
        pickle.dumps(ring)


def test_a_point_that_is_on_no_curve_verifies_nothing() -> None:
    for first in range(256):
        key = {**KEY_FOUR, "public": bytes([first, *range(1, 32)]).hex()}
        assert says(verifier(key_file(key)), issue(version=2, key=4)) == "bad_signature"


@pytest.mark.parametrize(
    ("entries", "stickers", "good"), [(10_000, 1, True), (10_001, 1, False), (1, 10_000, True), (1, 10_001, False)]
)
def test_a_page_has_its_bounds(entries: int, stickers: int, good: bool) -> None:
    entry = {"cursor": 1, "user_hex": None, "sticker_ids": [7] * stickers, "refuse_until": 1}
    page = json.dumps({"revocations": [entry] * entries, "cursor": 1, "more": False}).encode()
    if good:
        assert len(parse_page(page).revocations) == entries
    else:
        with pytest.raises(BadPage):
            parse_page(page)


def test_a_page_holds_200_000_stickers_in_all() -> None:
    entry = {"cursor": 1, "user_hex": None, "sticker_ids": [7] * 10_000, "refuse_until": 1}
    one_more = {**entry, "sticker_ids": [7]}
    for entries, good in (([entry] * 20, True), ([entry] * 20 + [one_more], False)):
        page = json.dumps({"revocations": entries, "cursor": 1, "more": False}).encode()
        if good:
            assert len(parse_page(page).revocations) == 20
        else:
            with pytest.raises(BadPage):
                parse_page(page)


def test_a_key_file_has_65_536_keys_at_most() -> None:
    unknown = {"id": 1, "algorithm": "another", "secret": "", "public": "", "state": "signing"}
    assert parse_ring(key_file(*[unknown] * 65_536).encode()).ids == []
    with pytest.raises(RingError, match="bad_json"):
        parse_ring(key_file(*[unknown] * 65_537).encode())


@pytest.mark.parametrize("piece", ["{},", "[],", '{"a":0},', '"\\\\\\"",', "1,"])
def test_a_page_of_many_values_is_refused_before_they_are_built(piece: str) -> None:
    page = f'{{"revocations":[{piece * ((8 << 20) // len(piece))}0],"cursor":1,"more":false}}'.encode()
    tracemalloc.start()
    try:
        with pytest.raises(BadPage):
            parse_page(page)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(page)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ['"' * 4_000_001, '"' + '\\"' * 2_000_000, "[" * 4_000_000, "]" * 4_000_000, '"a' * 2_000_000])
def test_what_is_no_json_is_refused_without_going_back_in_it(text: str) -> None:
    with pytest.raises(RingError, match="bad_json"):
        parse_ring(text.encode())


def test_brackets_and_escapes_in_a_text_are_no_depth() -> None:
    for text in ("[" * 100, '\\"' + "[" * 100, "\\\\", '\\\\\\"' + "{" * 100):
        assert parse_ring(f'{{"a":"{text}",{HMAC_ALONE[1:]}'.encode()).ids == [3]
    with pytest.raises(RingError, match="bad_json"):
        parse_ring(('{"a":"\\\\",' + '"b":' + "[" * 64 + "]" * 64 + "," + HMAC_ALONE[1:]).encode())


@pytest.mark.parametrize("now", [float("nan"), float("inf"), float("-inf")])
def test_a_time_that_is_no_number_is_an_error(now: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        verifier(HMAC_ALONE).verify(GOLDEN, STICKER, OWNER, now)


def test_a_sender_that_is_text_is_an_error() -> None:
    with pytest.raises(TypeError, match="bytes"):
        verifier(HMAC_ALONE).verify(issue(user=b"alice"), STICKER, "alice", EARLY)  # type: ignore[arg-type]


WITHOUT = """
import sys
sys.modules["cryptography"] = None
from sticker_token import *
assert not ED25519_KNOWN
verifier = Verifier(parse_ring(sys.argv[1].encode()))
assert verifier.ring.ids == [3]
for text in sys.argv[2:]:
    try:
        verifier.verify(text, 8675309, bytes.fromhex("018f3c9a1122733384445566778899aa"), 0)
        print("ok")
    except Refused as refused:
        print(refused)
"""


def test_without_the_extra_an_ed25519_key_is_of_an_unknown_algorithm() -> None:
    texts = [GOLDEN, issue(version=2, key=4), issue(version=2, key=4, user=bytes(128))]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, BOTH, *texts], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["ok", "unsupported_version", "malformed"]
