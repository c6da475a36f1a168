"""Keeps ring and deny list fresh in background threads."""

from __future__ import annotations

import logging
import random
import threading
import time
from pathlib import Path
from ssl import SSLContext
from types import TracebackType
from typing import Callable, NamedTuple

from ._source import FeedSource, FileSource, Pace, RingSource, StoreClient
from ._verify import Ring, Verifier

_log = logging.getLogger("sticker_token")
_START_TIMEOUT = 30.0
_USUAL_PACE = Pace()

OnProblem = Callable[[Exception], None]


class Status(NamedTuple):
    """How fresh an `Updater`'s knowledge is: what to alarm on."""

    ring_age: float
    """Seconds since the ring was last known to be up to date."""
    feed_age: float
    """The same of the deny feed; 0 with a key file."""
    ring_failures: int
    """All failed attempts so far."""
    feed_failures: int


class Updater(Verifier):
    """A `Verifier` that is kept fresh until it is closed, at the latest by the end of its `with` block.

    Whatever fails, it goes on with the last good ring and the entries it has; `status` tells how old they are. Verification
    never waits for the network. Threads don't survive a fork: make it in the process that verifies.
    """

    def __init__(self, on_problem: OnProblem | None = None, pace: Pace = _USUAL_PACE) -> None:
        super().__init__(Ring())
        self._ring_part, self._feed_part = _Part(), _Part()
        self._on_problem = on_problem or _warn
        self._pace = pace
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._clients: list[StoreClient] = []

    @property
    def status(self) -> Status:
        """How fresh the ring and the deny list are now."""
        ring, feed = self._ring_part, self._feed_part
        return Status(ring.age(), feed.age(), ring.failures, feed.failures)

    def close(self) -> None:
        """End the background work and wait for it. The `Verifier` goes on with what it has.

        From within `on_problem` it does not wait, since the work is then waiting for it.
        """
        self._stop.set()
        for client in self._clients:
            client.interrupt()
        if threading.current_thread() in self._threads:
            return
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Updater:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _keep(self, part: _Part, load: Callable[[], None], pause: float, max_retry: float) -> None:
        thread = threading.Thread(target=self._loop, args=(part, load, pause, max_retry), name="sticker-token", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _loop(self, part: _Part, load: Callable[[], None], pause: float, max_retry: float) -> None:
        """Load again and again: after a pause when it went well, else after a growing and random one."""
        retry = self._pace.retry
        while not self._stop.is_set():
            try:
                load()
            except Exception as problem:  # whatever it is, the loop must go on, and says what it was
                if self._stop.is_set():
                    return
                self._failed(part, problem)
                wait = random.uniform(retry / 2, retry)  # noqa: S311 - no secret
                retry = min(2 * retry, max_retry)
            else:
                part.succeeded()
                wait, retry = pause, self._pace.retry
            self._stop.wait(wait)

    def _failed(self, part: _Part, problem: Exception) -> None:
        if not part.failed(problem):
            return
        try:
            self._on_problem(problem)
        except Exception:
            _log.exception("the callback for problems failed")


class _Part:
    """What is known of one thing that is kept up to date. One thread writes."""

    def __init__(self) -> None:
        self.first = threading.Event()
        self.failures = 0
        self.problem: str | None = None
        self._last = 0.0

    def succeeded(self) -> None:
        self._last, self.problem = time.monotonic(), None
        self.first.set()

    def failed(self, problem: Exception) -> bool:
        """Count, and say whether this is another problem than the one before."""
        said, self.problem = self.problem, f"{type(problem).__name__}: {problem}"
        self.failures += 1
        return said != self.problem

    def age(self) -> float:
        return time.monotonic() - self._last if self.first.is_set() else 0.0


def watch_file(path: str | Path, *, on_problem: OnProblem | None = None, _pace: Pace = _USUAL_PACE) -> Updater:
    """Read a key file, and again every few seconds.

    At the start, raises `RingError` for a bad file, and `OSError` for one that cannot be read or that others than its owner
    may read. Later such a file is told to `on_problem` (or logged), and the last good ring stays.
    """
    updater = Updater(on_problem, _pace)
    source = FileSource(Path(path), updater)
    source.load()
    updater._ring_part.succeeded()
    updater._keep(updater._ring_part, source.load, _pace.file, _pace.file)
    return updater


def follow_store(
    address: str,
    secret: str,
    *,
    start_timeout: float = _START_TIMEOUT,
    on_problem: OnProblem | None = None,
    ssl_context: SSLContext | None = None,
    _pace: Pace = _USUAL_PACE,
) -> Updater:
    """Keep ring and deny list as the store at the address says; the secret is an API client's that may verify.

    Returns when the first ring is there and the deny feed was read to its end, or raises `TimeoutError`, which says why not.
    """
    updater = Updater(on_problem, _pace)
    # One client for each thread, so that closing can interrupt what each waits for.
    ring_client, feed_client = (StoreClient(address, secret, ssl_context, updater._stop) for _ in range(2))
    updater._clients = [ring_client, feed_client]
    ring, feed = RingSource(ring_client, updater, _pace), FeedSource(feed_client, updater, _pace)
    updater._keep(updater._ring_part, ring.load, _pace.ring, _pace.max_retry)
    # The poll itself waits; the pause spares a store that answers at once.
    updater._keep(updater._feed_part, feed.load, _pace.retry, _pace.max_retry)
    end = time.monotonic() + start_timeout
    try:
        for part in (updater._ring_part, updater._feed_part):
            if not part.first.wait(max(0.0, end - time.monotonic())):
                raise TimeoutError(f"the store did not give ring and deny feed in time: {part.problem or 'no answer yet'}")
    except BaseException:
        updater.close()
        raise
    return updater


def _warn(problem: Exception) -> None:
    _log.warning("%s: %s", type(problem).__name__, problem)
