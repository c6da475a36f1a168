"""A server that answers like the store, over real connections, and breaks down as a test wants."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable
from urllib.parse import parse_qs, urlsplit

from tokens import KEY_THREE, OWNER, key_file

CLIENT_SECRET = "sk_5ecre7"
PAGE_SIZE = 2

Instead = Callable[["Handler"], bool]


def revocation(cursor: int, sticker: int) -> str:
    return f'{{"cursor":{cursor},"user_hex":"{OWNER.hex()}","sticker_ids":[{sticker}],"refuse_until":4294967295}}'


class Store(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ring, self.version = key_file(KEY_THREE), 0
        self.entries: list[str] = []
        self.instead: Instead | None = None
        """Answers in the store's place where it returns true."""
        self.requests: list[str] = []
        self.statuses: list[tuple[str, int]] = []
        self.closing = threading.Event()
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def end(self) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def count(self, path: str, status: int) -> int:
        return self.statuses.count((path, status))

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is what some tests do."""


class Handler(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        store = self.server
        store.requests.append(self.path)
        if store.instead is not None and store.instead(self):
            return
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if self.headers["Authorization"] != f"Bearer {CLIENT_SECRET}":
            self.answer(401)
        elif path == "/v1/keyring":
            etag = f'"{store.version}"'
            if self.headers["If-None-Match"] == etag:
                self.answer(304, etag=etag)
            else:
                self.answer(200, store.ring, etag)
        elif path == "/v1/revocations":
            self.feed(int(query["after"][0]), int(query["wait"][0]))
        else:
            self.answer(404)

    def feed(self, after: int, wait: int) -> None:
        store, end = self.server, time.monotonic() + wait
        while after == len(store.entries) and time.monotonic() < end and not store.closing.is_set():
            time.sleep(0.002)
        entries = list(store.entries)
        if after > len(entries):
            self.answer(409, '{"error":{"code":"cursor_ahead","message":"","request_id":""}}')
            return
        up_to = min(after + PAGE_SIZE, len(entries))
        more = "true" if up_to < len(entries) else "false"
        self.answer(200, f'{{"revocations":[{",".join(entries[after:up_to])}],"cursor":{up_to},"more":{more}}}')

    def answer(self, status: int, body: str = "", etag: str | None = None) -> None:
        self.server.statuses.append((urlsplit(self.path).path, status))
        self.send_response(status)
        if etag is not None:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Nothing."""
