from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from store import CLIENT_SECRET, Handler, Store, revocation
from test_verify import BOTH, HMAC_ALONE, says
from tokens import EXPIRY, GOLDEN, KEY_THREE, STICKER, issue, key_file

from sticker_token import RingError, Updater, follow_store, watch_file
from sticker_token._source import Pace

QUICK = Pace(file=0.005, ring=0.005, answer=5, retry=0.002, max_retry=0.01, poll=1)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.end()


class Problems(list[Exception]):
    """What an Updater reports."""

    def have(self, part: str) -> Callable[[], bool]:
        return lambda: any(part in str(problem) for problem in self)


@pytest.fixture
def problems() -> Problems:
    return Problems()


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)


def follow(
    store: Store, problems: Problems, secret: str = CLIENT_SECRET, start_timeout: float = 20, pace: Pace = QUICK
) -> Updater:
    return follow_store(store.address, secret, start_timeout=start_timeout, on_problem=problems.append, _pace=pace)


def refuses(updater: Updater, sticker: int) -> Callable[[], bool]:
    text = issue(sticker=sticker)
    return lambda: says(updater, text, sticker) == "revoked"


def background() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sticker-token"]


def test_at_the_start_the_whole_feed_is_read_before_anything_is_accepted(store: Store, problems: Problems) -> None:
    store.entries = [revocation(number, number) for number in range(1, 8)]
    with follow(store, problems) as updater:
        assert [number for number in range(1, 9) if refuses(updater, number)()] == [1, 2, 3, 4, 5, 6, 7]
        assert says(updater, GOLDEN) == "ok"
    assert background() == []
    assert problems == []


def test_a_revocation_arrives_through_the_long_poll_which_the_start_does_not_wait_for(store: Store, problems: Problems) -> None:
    with follow(store, problems) as updater:
        feed = [request for request in store.requests if "revocations" in request]
        assert feed[0] == "/v1/revocations?after=0&wait=0"
        eventually(lambda: any("after=0&wait=1" in request for request in store.requests))
        store.entries.append(revocation(1, STICKER))
        eventually(refuses(updater, STICKER))


def test_a_new_ring_is_taken_and_an_unchanged_one_is_not_sent_again(store: Store, problems: Problems) -> None:
    with follow(store, problems) as updater:
        eventually(lambda: store.count("/v1/keyring", 304) >= 2)
        assert store.count("/v1/keyring", 200) == 1
        text = issue(version=2, key=4)
        assert says(updater, text) == "unsupported_version"
        store.ring, store.version = BOTH, 1
        eventually(lambda: says(updater, text) == "ok")


def test_a_bad_ring_neither_replaces_the_last_good_one_nor_counts_as_unchanged(store: Store, problems: Problems) -> None:
    with follow(store, problems) as updater:
        store.ring, store.version = key_file(KEY_THREE, KEY_THREE), 1
        eventually(problems.have("duplicate_id: key 2 of the file (GET /v1/keyring)"))
        before = updater.status
        eventually(lambda: updater.status.ring_failures > before.ring_failures + 2)
        assert says(updater, GOLDEN) == "ok"
        eventually(lambda: updater.status.ring_age > before.ring_age + 0.02)
        assert len([problem for problem in problems if isinstance(problem, RingError)]) == 1
        store.ring, store.version = BOTH, 2
        eventually(lambda: updater.ring.ids == [3, 4])


def test_while_the_store_is_down_all_goes_on_and_ages(store: Store, problems: Problems) -> None:
    def down(request: Handler) -> bool:
        request.answer(503)
        return True

    store.entries = [revocation(1, 7)]
    with follow(store, problems) as updater:
        store.instead = down
        eventually(problems.have("GET /v1/keyring: the store answered 503"))
        eventually(problems.have("GET /v1/revocations?after=1&wait=0: the store answered 503"))
        before = updater.status
        eventually(lambda: updater.status.ring_age > before.ring_age + 0.02)
        eventually(lambda: updater.status.feed_age > before.feed_age + 0.02)
        assert says(updater, GOLDEN) == "ok"
        assert refuses(updater, 7)()
        store.entries.append(revocation(2, STICKER))
        store.instead = None
        eventually(refuses(updater, STICKER))


def test_a_store_that_never_finishes_its_answer_is_a_failure_and_stops_nobody(store: Store, problems: Problems) -> None:
    def drip(request: Handler) -> bool:
        request.send_response(200)
        request.end_headers()
        while not store.closing.wait(0.01):
            request.wfile.write(b" ")
        return True

    with follow(store, problems, pace=QUICK._replace(answer=0.3)) as updater:
        store.instead = drip
        eventually(problems.have("GET /v1/keyring: no whole answer in time"))
        assert says(updater, GOLDEN) == "ok"


def test_a_store_that_is_silent_is_a_failure_and_closing_does_not_wait_for_it(store: Store, problems: Problems) -> None:
    def silent(_request: Handler) -> bool:
        store.closing.wait()
        return True

    with follow(store, problems, pace=QUICK._replace(answer=0.3)):
        store.instead = silent
        eventually(problems.have(": no whole answer in time"))
    slow = QUICK._replace(answer=3600)
    store.instead = None
    updater = follow_store(store.address, CLIENT_SECRET, on_problem=problems.append, _pace=slow)
    store.instead = silent
    asked = len(store.requests)
    eventually(lambda: len(store.requests) >= asked + 2)
    updater.close()
    assert background() == []


@pytest.mark.parametrize(
    ("begin", "piece"),
    [(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")],
    ids=["a header that never ends", "interim answers for ever"],
)
def test_the_time_for_an_answer_is_for_its_headers_too(store: Store, problems: Problems, begin: bytes, piece: bytes) -> None:
    def drip(request: Handler) -> bool:
        request.wfile.write(begin)
        while not store.closing.wait(0.01):
            request.wfile.write(piece)
        return True

    with follow(store, problems, pace=QUICK._replace(answer=0.3)):
        store.instead = drip
        eventually(problems.have("GET /v1/keyring: no whole answer in time"))
    updater = follow_while_it_is_up(store, problems, drip)
    updater.close()
    assert background() == []


def follow_while_it_is_up(store: Store, problems: Problems, later: Callable[[Handler], bool]) -> Updater:
    store.instead = None
    updater = follow(store, problems, pace=QUICK._replace(answer=3600))
    store.instead = later
    asked = len(store.requests)
    eventually(lambda: len(store.requests) >= asked + 2)
    return updater


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("full", [True, False], ids=["no connection", "no first byte"])
def test_a_start_ends_in_time_whatever_it_waits_for(problems: Problems, scheme: str, full: bool) -> None:
    with socket.socket() as silent, contextlib.ExitStack() as others:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0 if full else 50)
        address = silent.getsockname()
        for _ in range(4 if full else 0):
            waiting = others.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        with pytest.raises(TimeoutError):
            follow_store(
                f"{scheme}://127.0.0.1:{address[1]}",
                CLIENT_SECRET,
                start_timeout=0.3,
                on_problem=problems.append,
                _pace=QUICK._replace(answer=3600),
            )
    assert background() == []


def test_an_answer_of_more_than_8_mib_is_not_read_to_its_end(store: Store, problems: Problems) -> None:
    def endless(request: Handler) -> bool:
        request.send_response(200)
        request.end_headers()
        while not store.closing.is_set():
            request.wfile.write(b" " * (1 << 20))
        return True

    with follow(store, problems):
        store.instead = endless
        eventually(problems.have("GET /v1/keyring: the answer is larger than 8 MiB"))


def test_a_feed_that_has_more_for_ever_is_read_with_pauses(store: Store, problems: Problems) -> None:
    def more(request: Handler) -> bool:
        if not request.path.startswith("/v1/revocations"):
            return False
        after = int(request.path.split("=")[1].split("&")[0])
        request.answer(200, f'{{"revocations":[],"cursor":{after + 1},"more":true}}')
        return True

    store.instead = more
    with pytest.raises(TimeoutError):
        follow(store, problems, start_timeout=2, pace=QUICK._replace(retry=3600))
    assert 0 < store.count("/v1/revocations", 200) <= 100
    assert background() == []


def test_a_clock_that_is_set_back_brings_back_what_was_forgotten(store: Store, problems: Problems) -> None:
    now = [float(EXPIRY)]
    store.entries = [revocation(1, STICKER).replace("4294967295", str(EXPIRY))]
    with follow(store, problems, pace=QUICK._replace(forget=0, clock=lambda: now[0])) as updater:
        assert len(updater.denied) == 1
        now[0] = EXPIRY + 300
        eventually(lambda: len(updater.denied) == 0)
        now[0] = EXPIRY - 1
        eventually(refuses(updater, STICKER))
        eventually(lambda: store.requests[-1].endswith("after=1&wait=1"))
        assert problems == []


def test_entries_are_not_looked_through_at_each_page(store: Store, problems: Problems) -> None:
    now = [float(EXPIRY)]
    store.entries = [revocation(1, 1).replace("4294967295", str(EXPIRY))]
    with follow(store, problems, pace=QUICK._replace(forget=3600, clock=lambda: now[0])) as updater:
        now[0] = EXPIRY + 300
        store.entries.append(revocation(2, 2))
        eventually(refuses(updater, 2))
        eventually(lambda: store.requests[-1].endswith("after=2&wait=1"))
        assert len(updater.denied) == 2


def test_what_hears_of_a_problem_may_close(store: Store) -> None:
    updaters: list[Updater] = []
    closed = threading.Event()

    def close(_problem: Exception) -> None:
        updaters[0].close()
        closed.set()

    updaters.append(follow_store(store.address, CLIENT_SECRET, on_problem=close, _pace=QUICK))
    store.ring, store.version = "{", 1
    assert closed.wait(20)
    updaters[0].close()
    assert background() == []


@pytest.mark.parametrize("host", ["store.example", "10.0.0.1", "127.0.0.1.example", "[::2]", "0.0.0.0"])
def test_plain_http_is_for_this_machine_alone(host: str) -> None:
    with pytest.raises(ValueError, match="use https://host"):
        follow_store(f"http://{host}:1", CLIENT_SECRET)


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.9.9.9", "[::1]"])
def test_plain_http_to_this_machine_is_tried(host: str, problems: Problems) -> None:
    with pytest.raises(TimeoutError):
        follow_store(f"http://{host}:1", CLIENT_SECRET, start_timeout=0.05, on_problem=problems.append, _pace=QUICK)


@pytest.mark.parametrize(
    "page",
    [
        f'{{"revocations":[{revocation(1, 7)},{{"cursor":2,"sticker_ids":[1],"refuse_until":1}}],"cursor":2,"more":false}}',
        '{"revocations":[],"cursor":1,"more":true}',
        '{"revocations":[],"cursor":0,"more":false}',
        "<html>",
    ],
    ids=["an entry without its user", "no progress", "a step back", "no JSON"],
)
def test_a_bad_page_is_refused_as_a_whole_and_the_cursor_stays(store: Store, problems: Problems, page: str) -> None:
    def bad(request: Handler) -> bool:
        if not request.path.startswith("/v1/revocations"):
            return False
        request.answer(200, page)
        return True

    store.entries = [revocation(1, 1)]
    with follow(store, problems) as updater:
        store.instead = bad
        eventually(problems.have("after=1&wait=1: bad_page"))
        assert len(updater.denied) == 1
        store.entries.append(revocation(2, STICKER))
        store.instead = None
        eventually(refuses(updater, STICKER))


def test_an_unchanged_ring_that_nobody_asked_for_is_a_failure(store: Store, problems: Problems) -> None:
    def unchanged(request: Handler) -> bool:
        if request.path != "/v1/keyring":
            return False
        request.answer(304)
        return True

    store.instead = unchanged
    with pytest.raises(TimeoutError, match="bad_json"):
        follow(store, problems, start_timeout=1)


def test_an_entry_that_nothing_needs_is_forgotten(store: Store, problems: Problems) -> None:
    store.entries = [revocation(1, 1).replace("4294967295", "1000000000"), revocation(2, 2)]
    with follow(store, problems) as updater:
        assert len(updater.denied) == 1
        assert refuses(updater, 2)()


def test_a_store_restored_from_a_backup_is_read_from_the_beginning_and_the_entries_stay(store: Store, problems: Problems) -> None:
    store.entries = [revocation(1, 1), revocation(2, 2), revocation(3, 3)]
    with follow(store, problems) as updater:
        store.entries = [revocation(1, 9)]
        eventually(refuses(updater, 9))
        assert refuses(updater, 3)()
        assert store.count("/v1/revocations", 409) > 0
        assert problems == []


def test_a_start_with_a_wrong_secret_says_why_and_leaves_nothing_running(store: Store, problems: Problems) -> None:
    with pytest.raises(TimeoutError, match="the store answered 401"):
        follow(store, problems, secret="sk_wrong", start_timeout=1)
    assert background() == []


def test_a_start_without_a_store_says_why(problems: Problems) -> None:
    with pytest.raises(TimeoutError, match="ConnectionRefusedError"):
        follow_store("http://127.0.0.1:1", CLIENT_SECRET, start_timeout=1, on_problem=problems.append, _pace=QUICK)


def test_the_secret_does_not_follow_a_redirect(store: Store, problems: Problems) -> None:
    def elsewhere(request: Handler) -> bool:
        if request.path.startswith("/elsewhere"):
            return False
        request.send_response(302)
        request.send_header("Location", "/elsewhere")
        request.end_headers()
        return True

    store.instead = elsewhere
    with pytest.raises(TimeoutError, match="the store answered 302"):
        follow(store, problems, start_timeout=1)
    assert not any("elsewhere" in request for request in store.requests)


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("store.example", CLIENT_SECRET),
        ("ftp://store.example", CLIENT_SECRET),
        ("https://me:hunter2@store.example", CLIENT_SECRET),
        ("http://127.0.0.1", CLIENT_SECRET + "\n"),
        ("http://127.0.0.1", ""),
    ],
)
def test_an_address_or_a_secret_of_the_wrong_form_is_refused_without_showing_it(address: str, secret: str) -> None:
    with pytest.raises(ValueError, match=r"https://host|client secret") as refused:
        follow_store(address, secret)
    assert "5ecre7" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_callback_that_fails_does_not_end_the_work(store: Store) -> None:
    def fail(_problem: Exception) -> None:
        raise RuntimeError

    with follow_store(store.address, CLIENT_SECRET, on_problem=fail, _pace=QUICK) as updater:
        store.ring, store.version = "{", 1
        eventually(lambda: updater.status.ring_failures > 2)
        store.ring, store.version = BOTH, 2
        eventually(lambda: updater.ring.ids == [3, 4])


def test_nothing_that_is_printed_shows_the_secret(store: Store, problems: Problems) -> None:
    with follow(store, problems) as updater:
        shown = f"{updater!r} {updater} {vars(updater)} {updater._clients} {updater.ring!r}"
    assert CLIENT_SECRET not in shown


def test_many_verify_while_ring_and_entries_change(store: Store, problems: Problems) -> None:
    with follow(store, problems) as updater:
        wrong: list[str] = []
        last = refuses(updater, 20)

        def work() -> None:
            while not last():
                code = says(updater, GOLDEN)
                if code != "ok":
                    wrong.append(code)
                    return

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1, 21):
            store.version = number
            store.entries.append(revocation(number, number))
        eventually(last)
        for thread in threads:
            thread.join()
        assert wrong == []


def write(path: Path, text: str, mode: int = 0o600) -> None:
    following = path.with_suffix(".next")
    following.write_text(text)
    following.chmod(mode)
    following.replace(path)


def test_a_key_file_is_read_again_and_a_bad_one_is_reported(tmp_path: Path, problems: Problems) -> None:
    path = tmp_path / "keys.json"
    write(path, HMAC_ALONE)
    with watch_file(path, on_problem=problems.append, _pace=QUICK) as updater:
        write(path, BOTH)
        eventually(lambda: updater.ring.ids == [3, 4])
        write(path, "{\n]")
        eventually(problems.have("bad_json: line 2"))
        write(path, HMAC_ALONE, 0o640)
        eventually(problems.have("mode 0640"))
        path.unlink()
        eventually(problems.have("No such file"))
        before = updater.status
        assert (updater.ring.ids, before.ring_failures >= 3, before.feed_age) == ([3, 4], True, 0)
        eventually(lambda: updater.status.ring_age > before.ring_age + 0.02)
        write(path, HMAC_ALONE)
        eventually(lambda: updater.ring.ids == [3])
    assert background() == []


def test_a_bad_key_file_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write(path, '{"keys":[\n{}]}')
    with pytest.raises(RingError, match=r"^bad_id: key 1 of the file \(" + str(path)):
        watch_file(path)
    write(path, HMAC_ALONE, 0o604)
    with pytest.raises(PermissionError, match="mode 0604"):
        watch_file(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        watch_file(path)
    with pytest.raises(IsADirectoryError):
        watch_file(tmp_path)
    os.mkfifo(path, 0o600)
    with pytest.raises(OSError, match="not a regular file"):
        watch_file(path)
    path.unlink()
    write(path, HMAC_ALONE)
    os.truncate(path, (16 << 20) + 1)
    with pytest.raises(OSError, match="larger than 16 MiB"):
        watch_file(path)
    assert background() == []
