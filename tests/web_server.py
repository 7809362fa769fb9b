"""A web server on this machine, which misbehaves as it is told; the fixture ``site`` starts one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tensorcore.hub import download as downloads


@dataclass
class Page:
    """What the server has under a path, and how it gives it away."""

    body: bytes
    etag: str = ""
    #: Bytes after which the connection is cut, one for each request to come.
    cuts: list[int] = field(default_factory=list)
    #: Status codes answered before it is given.
    failures: list[int] = field(default_factory=list)
    ranges: bool = True
    length: bool = True
    kind: str = "application/octet-stream"


@dataclass
class Site:
    """A running server."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    #: (path, Range header) of each request.
    requests: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, body: bytes, **how: object) -> str:
        """Publish ``body``; returns its URL."""
        self.pages[f"/{name}"] = Page(body, **how)
        return f"{self.url}/{name}"

    def page(self, url: str) -> Page:
        return self.pages[url.removeprefix(self.url)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.site.requests.append((self.path, wanted))
        page = self.site.pages.get(self.path)
        if page is None or page.failures:
            self.send_error(404 if page is None else page.failures.pop(0))
            return
        first = int(wanted[6:].rstrip("-")) if wanted and page.ranges else 0
        if self.headers.get("If-Range", page.etag) != page.etag:
            first = 0
        total = len(page.body)
        if first and first >= total:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{total}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = page.body[first:]
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
        if page.etag:
            self.send_header("ETag", page.etag)
        if page.length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", page.kind)
        self.send_header("Connection", "close")
        self.end_headers()
        if page.cuts:
            body = body[: page.cuts.pop(0)]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *message: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(monkeypatch) -> Iterator[Site]:
    monkeypatch.setattr(downloads, "PAUSE", 0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", downloads.OFFLINE):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Site(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("SiteHandler", (Handler,), {"site": made})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
