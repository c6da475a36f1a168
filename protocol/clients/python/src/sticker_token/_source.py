"""Where rings and revocations come from: a key file, or the store."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from pathlib import Path
from ssl import SSLContext
from typing import NamedTuple
from urllib.parse import urlsplit

from ._feed import BadPage, parse_page
from ._verify import Ring, RingError, Verifier, parse_ring

_MAX_BODY = 64 << 20  # beyond any answer of the store and any key file


class Pace(NamedTuple):
    """The waiting times in seconds, which tests shorten."""

    file: float = 3
    ring: float = 30
    answer: float = 10
    retry: float = 1
    max_retry: float = 30
    poll: int = 25


class StoreError(Exception):
    """The store gave no answer that can be used."""


class FileSource:
    """A key file on this machine."""

    def __init__(self, path: Path, verifier: Verifier) -> None:
        self._path, self._verifier = path, verifier
        self._text: bytes | None = None

    def load(self) -> None:
        """Read the whole file: the time of change misses the second of two changes within one tick of the clock."""
        with self._path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise PermissionError(f"{self._path}: others than its owner may use the key file (mode {mode & 0o777:04o})")
            text = file.read(_MAX_BODY)
        if text != self._text:
            self._verifier.ring = _ring(str(self._path), text)
            self._text = text


class StoreClient:
    """Asks one store with one secret, in one thread; another thread may interrupt it."""

    def __init__(self, address: str, secret: str, ssl_context: SSLContext | None, stop: threading.Event) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
            raise ValueError("the store's address is not of the form https://host")
        # http.client would show a header's value that it refuses.
        if not secret or not all("!" <= character <= "~" for character in secret):
            raise ValueError("the client secret is empty or has characters that no secret has")
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._tls, self._ssl_context = parts.scheme == "https", ssl_context
        self._authorization = f"Bearer {secret}"
        self._stop = stop
        self._socket: socket.socket | None = None

    def interrupt(self) -> None:
        """End what the other thread waits for; `stop` is set before."""
        waiting = self._socket
        if waiting is not None:
            try:
                waiting.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it had ended by itself

    def get(self, path: str, timeout: float, wait: int = 0, etag: str | None = None) -> tuple[int, str | None, bytes]:
        """Answer with status, ETag and body. No redirect is followed: the secret is for this store alone."""
        end = time.monotonic() + timeout + wait
        connection = self._connection(timeout)
        headers = {"Authorization": self._authorization, "Connection": "close"}
        if etag is not None:
            headers["If-None-Match"] = etag
        try:
            connection.connect()
            connection.sock.settimeout(timeout + wait)
            self._socket = connection.sock
            if self._stop.is_set():
                raise StoreError("closed")
            connection.request("GET", self._path + path, headers=headers)
            with connection.getresponse() as answer:
                return answer.status, answer.getheader("ETag"), self._body(answer, path, end)
        except (OSError, http.client.HTTPException) as error:
            raise StoreError(f"GET {path}: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
            self._socket = None

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._ssl_context)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)

    def _body(self, answer: http.client.HTTPResponse, path: str, end: float) -> bytes:
        if answer.status not in (200, 304, 409):
            raise StoreError(f"GET {path}: the store answered {answer.status}")
        body = bytearray()
        # Piece by piece, since the socket's timeout is for each piece and not for the whole.
        while piece := answer.read1(1 << 16):
            body += piece
            if time.monotonic() > end or len(body) > _MAX_BODY or self._stop.is_set():
                raise StoreError(f"GET {path}: the answer is too long or takes too long")
        return bytes(body)


class RingSource:
    """The store's keyring."""

    _PATH = "/v1/keyring"

    def __init__(self, client: StoreClient, verifier: Verifier, pace: Pace) -> None:
        self._client, self._verifier, self._pace = client, verifier, pace
        self._etag: str | None = None

    def load(self) -> None:
        """Take the ring if it is another one."""
        status, etag, body = self._client.get(self._PATH, self._pace.answer, etag=self._etag)
        if status == 304 and self._etag is not None:
            return
        self._verifier.ring = _ring(f"GET {self._PATH}", body)
        # Only now: a ring that was refused must not turn into one that has not changed.
        self._etag = etag


class FeedSource:
    """The store's deny feed."""

    def __init__(self, client: StoreClient, verifier: Verifier, pace: Pace) -> None:
        self._client, self._verifier, self._pace = client, verifier, pace
        self._cursor = 0
        self._caught_up = False

    def load(self) -> None:
        """Read the feed to its end. Waits for news where the end was reached before and nothing failed since."""
        wait, restarted = (self._pace.poll if self._caught_up else 0), False
        self._caught_up = False
        while not self._caught_up:
            path = f"/v1/revocations?after={self._cursor}&wait={wait}"
            status, _, body = self._client.get(path, self._pace.answer, wait)
            if status == 409 and self._cursor > 0 and not restarted:
                self._cursor, restarted = 0, True
                continue
            try:
                page = parse_page(body)
            except BadPage as error:
                raise StoreError(f"GET {path}: {error} (status {status})") from error
            # A cursor that does not move on would have the loop ask for ever.
            if status != 200 or page.cursor < self._cursor or (page.more and page.cursor == self._cursor):
                raise StoreError(f"GET {path}: bad_page (status {status}, cursor {page.cursor})")
            self._verifier.denied.apply(page.revocations)
            self._cursor, self._caught_up, wait = page.cursor, not page.more, 0
        self._verifier.denied.forget(time.time())


def _ring(source: str, text: bytes) -> Ring:
    try:
        return parse_ring(text)
    except RingError as error:
        refused = RingError(error.code, f"{error.where} ({source})")
    raise refused
