from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from store import CLIENT_SECRET, Store, revocation
from tokens import ENVIRONMENT, KEY_THREE, issue, key_file

EXAMPLE = Path(__file__).parents[1] / "examples" / "chat_server.py"


def lines() -> str:
    expires = int(time.time()) + 3600
    messages: list[object] = [
        {"user": "alice", "sticker_id": 5, "token": issue(user=b"alice", sticker=5, expires=expires)},
        {"user": "bob", "sticker_id": 5, "token": issue(user=b"alice", sticker=5, expires=expires)},
        {"user": "018f3c9a", "sticker_id": 6, "token": "AQAD"},
        {"user": "\ud800", "sticker_id": 6, "token": "AQAD"},
        [1],
    ]
    others = ["[" * 60_000, '{"a":' * 10_000, "[" * 200_000, " " * 65_536 + json.dumps(messages[0])]
    return "".join(line + "\n" for line in [*map(json.dumps, messages), *others, json.dumps(messages[0])])


def serve(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), *arguments]
    return subprocess.run(command, input=lines(), env=ENVIRONMENT | environment, capture_output=True, text=True)


ANSWERS = [
    '{"accepted":true}',
    '{"accepted":false,"code":"wrong_user"}',
    '{"accepted":false,"code":"malformed"}',
    *['{"accepted":false,"code":"bad_message"}'] * 6,
    '{"accepted":true}',
]


def test_the_example_serves_with_a_key_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.touch(mode=0o600)
    path.write_text(key_file(KEY_THREE))
    done = serve("--keys", str(path))
    assert (done.returncode, done.stderr, done.stdout.splitlines()) == (0, "ready\n", ANSWERS)


def test_the_example_serves_with_a_store() -> None:
    store = Store()
    try:
        store.entries.append(revocation(1, 9))
        done = serve("--store", store.address, STICKER_STORE_SECRET=CLIENT_SECRET)
    finally:
        store.end()
    assert (done.returncode, done.stderr, done.stdout.splitlines()) == (0, "ready\n", ANSWERS)


def test_the_example_says_what_is_wrong_with_its_key_file(tmp_path: Path) -> None:
    done = serve("--keys", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "No such file" in done.stderr


def test_the_example_wants_one_source() -> None:
    assert serve().returncode == 2
