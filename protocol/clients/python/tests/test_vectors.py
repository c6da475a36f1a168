from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sticker_token import BadPage, Refused, RingError, Verifier, parse_page, parse_ring

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "tokens.json").read_text(encoding="utf-8")
)


def named(kind: str) -> list[Any]:
    assert VECTORS[kind]
    return [pytest.param(case, id=case["name"]) for case in VECTORS[kind]]


@pytest.mark.parametrize("case", named("tokens"))
def test_token(case: dict[str, Any]) -> None:
    verifier = Verifier(parse_ring(json.dumps({"keys": case["keys"]}).encode()))
    page = json.dumps({"revocations": case["revocations"], "cursor": 2**53 - 1, "more": False})
    verifier.denied.apply(parse_page(page.encode()).revocations)
    try:
        expires = verifier.verify(case["text"], case["sticker"], bytes.fromhex(case["user_hex"]), case["now"])
        answer: tuple[str, int | None] = ("ok", expires)
    except Refused as refused:
        answer = (refused.code.value, None)
    assert answer == (case["result"], case.get("expires"))


@pytest.mark.parametrize("case", named("rings"))
def test_ring(case: dict[str, Any]) -> None:
    try:
        answer: tuple[str, list[int] | None] = ("ok", parse_ring(case["file"].encode()).ids)
    except RingError as error:
        answer = (error.code.value, None)
    assert answer == (case["result"], case.get("ids"))


@pytest.mark.parametrize("case", named("feeds"))
def test_feed(case: dict[str, Any]) -> None:
    try:
        page = parse_page(case["page"].encode(), case.get("after", 0))
    except BadPage as error:
        assert str(error) == case["result"]
        return
    assert case["result"] == "ok"
    assert (page.cursor, page.more, len(page.revocations)) == (case["cursor"], case["more"], case["entries"])
