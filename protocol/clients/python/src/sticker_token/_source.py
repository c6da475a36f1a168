"""Where rings and revocations come from: a key file, or the store."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import stat
import threading
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Callable, NamedTuple
from urllib.parse import urlsplit

from ._feed import BadPage, parse_page
from ._verify import Ring, RingError, Verifier, parse_ring

_MAX_ANSWER = 8 << 20  # beyond any answer of the store (section 1.6)
_MAX_FILE = 16 << 20  # beyond any key file
_CLOCK_STEP = 300  # seconds that a clock may go back without anything that was forgotten being needed again (section 1.6)
_PAGES_AT_ONCE = 100  # without a pause: a feed may have more for ever


class Pace(NamedTuple):
    """The waiting times in seconds, which tests shorten."""

    file: float = 3
    ring: float = 30
    answer: float = 10
    retry: float = 1
    max_retry: float = 30
    forget: float = 60
    poll: int = 25
    clock: Callable[[], float] = time.time


class StoreError(Exception):
    """The store gave no answer that can be used."""


class FileSource:
    """A key file on this machine."""

    def __init__(self, path: Path, verifier: Verifier) -> None:
        self._path, self._verifier = path, verifier
        self._text: bytes | None = None

    def load(self) -> None:
        """Read the whole file: the time of change misses the second of two changes within one tick of the clock."""
        with open(self._path, "rb", opener=_open_at_once) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise OSError(f"{self._path}: not a regular file")
            if mode & 0o077:
                raise PermissionError(f"{self._path}: others than its owner may use the key file (mode {mode & 0o777:04o})")
            text = file.read(_MAX_FILE + 1)
        if len(text) > _MAX_FILE:
            raise OSError(f"{self._path}: larger than {_MAX_FILE >> 20} MiB")
        if text != self._text:
            self._verifier.ring = _ring(str(self._path), text)
            self._text = text


class StoreClient:
    """Asks one store with one secret, in one thread; another thread may interrupt it."""

    def __init__(self, address: str, secret: str, ssl_context: ssl.SSLContext | None, stop: threading.Event) -> None:
        parts = urlsplit(address)
        host = parts.hostname
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("the store's address is not of the form https://host")
        if parts.scheme == "http" and not _is_this_machine(host):
            raise ValueError(
                "the store's address is http://, which only a store on this machine may have: "
                "its answer holds keys; use https://host"
            )
        # http.client would show a header's value that it refuses.
        if not secret or not all("!" <= character <= "~" for character in secret):
            raise ValueError("the client secret is empty or has characters that no secret has")
        self._ssl_context = (ssl_context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._host, self._port = host, parts.port or (443 if self._ssl_context else 80)
        self._path, self._host_header = parts.path.rstrip("/"), parts.netloc
        self._authorization = f"Bearer {secret}"
        self._stop = stop
        self._request: _Request | None = None

    def interrupt(self) -> None:
        """End what the other thread waits for; `stop` is set before."""
        request = self._request
        if request is not None:
            request.cut("closed")

    def pause(self, seconds: float) -> None:
        """Leave the store in peace for a while."""
        if self._stop.wait(seconds):
            raise StoreError("closed")

    def get(self, path: str, timeout: float, wait: int = 0, etag: str | None = None) -> tuple[int, str | None, bytes]:
        """Answer with status, ETag and body. No redirect is followed: the secret is for this store alone."""
        headers = {"Host": self._host_header, "Authorization": self._authorization, "Connection": "close"}
        if etag is not None:
            headers["If-None-Match"] = etag
        self._request = request = _Request(timeout + wait)
        # The socket's own timeout is for each piece that is sent or comes, and not for the whole.
        limit = threading.Timer(timeout + wait, request.cut, ("no whole answer in time",))
        limit.daemon = True
        limit.start()
        connection = http.client.HTTPConnection(self._host, self._port)
        try:
            if self._stop.is_set():
                raise StoreError("closed")
            connection.sock = request.connect(self._host, self._port, self._ssl_context)
            connection.request("GET", self._path + path, headers=headers)
            with connection.getresponse() as answer:
                status, tag, body = answer.status, answer.getheader("ETag"), self._body(answer, path)
            # A connection that was shut down can look like one at its end.
            request.go_on()
        except (OSError, http.client.HTTPException, _CutError) as error:
            why = request.why or f"{type(error).__name__}: {error}"
            raise StoreError(f"GET {path}: {why}") from error
        else:
            return status, tag, body
        finally:
            limit.cancel()
            request.close()
            connection.close()
            self._request = None

    def _body(self, answer: http.client.HTTPResponse, path: str) -> bytes:
        if answer.status not in (200, 304, 409):
            raise StoreError(f"GET {path}: the store answered {answer.status}")
        body = bytearray()
        while piece := answer.read1(1 << 16):
            body += piece
            if len(body) > _MAX_ANSWER:
                raise StoreError(f"GET {path}: the answer is larger than {_MAX_ANSWER >> 20} MiB")
        return bytes(body)


class _CutError(Exception):
    """Another thread ended the request."""


class _Request:
    """One request, which another thread may end whatever it waits for: a name, a connection, a handshake or an answer."""

    def __init__(self, timeout: float) -> None:
        self.why: str | None = None
        self._timeout = timeout
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._named = threading.Event()

    def cut(self, why: str) -> None:
        """End it; the first reason counts."""
        with self._lock:
            self.why = self.why or why
            self._named.set()
            if self._socket is not None:
                try:
                    # The socket's own method: that of a TLS socket would take the session away under the other thread.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    return  # it had ended by itself

    def go_on(self) -> None:
        """Raise if it was ended."""
        if self.why is not None:
            raise _CutError(self.why)

    def connect(self, host: str, port: int, context: ssl.SSLContext | None) -> socket.socket:
        """Try one address after the other."""
        problem: OSError | None = None
        for family, kind, protocol, _, address in self._addresses(host, port):
            try:
                connected = self._hold(socket.socket(family, kind, protocol))
                connected.connect(address)
                break
            except OSError as error:
                self.go_on()
                problem = error
        else:
            raise problem or OSError("the host has no address")
        with self._lock:
            if context is None:
                return connected
            # It takes the connection over, so that there must be no moment in which nobody could shut it down.
            tls = self._socket = context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
        self.go_on()
        tls.do_handshake()
        return tls

    def close(self) -> None:
        """Let go of the socket."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None

    def _addresses(self, host: str, port: int) -> list[Any]:
        """Look the name up in a thread that nobody waits for longer than for the request: nothing ends a look-up."""
        found: list[Any] = []

        def look_up() -> None:
            try:
                found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                found.append(error)
            self._named.set()

        threading.Thread(target=look_up, name="sticker-token-name", daemon=True).start()
        self._named.wait()
        self.go_on()
        if found and isinstance(found[0], Exception):
            raise OSError(f"{host}: {found[0]}")
        return found

    def _hold(self, opened: socket.socket) -> socket.socket:
        self.close()
        with self._lock:
            self._socket = opened
        self.go_on()
        # Being shut down before it connects ends nothing.
        opened.settimeout(self._timeout)
        return opened


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _open_at_once(path: str, flags: int) -> int:
    # Opening a pipe would otherwise wait for who writes into it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


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
        # When entries were last looked through, by the clock that no one sets, and the latest time at which.
        self._looked: float | None = None
        self._forgot = 0.0

    def load(self) -> None:
        """Read the feed to its end. Waits for news where the end was reached before and nothing failed since."""
        now = self._pace.clock()
        if self._looked is not None and now < self._forgot - _CLOCK_STEP:
            # What was forgotten may be needed again, and the store still has it.
            self._cursor, self._caught_up, self._forgot = 0, False, now
        wait, restarted, pages = (self._pace.poll if self._caught_up else 0), False, 0
        self._caught_up = False
        while not self._caught_up:
            if pages == _PAGES_AT_ONCE:
                self._forget()
                self._client.pause(self._pace.retry)
                pages = 0
            path = f"/v1/revocations?after={self._cursor}&wait={wait}"
            status, _, body = self._client.get(path, self._pace.answer, wait)
            if status == 409 and self._cursor > 0 and not restarted:
                self._cursor, restarted = 0, True
                continue
            try:
                page = parse_page(body, self._cursor)
            except BadPage as error:
                raise StoreError(f"GET {path}: {error} (status {status})") from error
            if status != 200:
                raise StoreError(f"GET {path}: bad_page (status {status})")
            self._verifier.denied.apply(page.revocations)
            self._cursor, self._caught_up, wait = page.cursor, not page.more, 0
            pages += 1
        self._forget()

    def _forget(self) -> None:
        """Look through the entries, which takes a while, and therefore seldom."""
        if self._looked is not None and time.monotonic() - self._looked < self._pace.forget:
            return
        now = self._pace.clock()
        self._verifier.denied.forget(now)
        self._looked, self._forgot = time.monotonic(), max(self._forgot, now)


def _ring(source: str, text: bytes) -> Ring:
    try:
        return parse_ring(text)
    except RingError as error:
        refused = RingError(error.code, f"{error.where} ({source})")
    raise refused
