"""Small data sets in IDX files, a web server, and the real torchvision."""

from __future__ import annotations

import gzip
import importlib
import re
import struct
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def idx_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of the four files, with ``count`` images whose first pixel is their number."""

    def make(
        *, count: int = 3, labels: list[int] | None = None, packed: bool = True, under: str = "", side: int = 28
    ) -> Path:
        folder = tmp_path / "root" / under
        folder.mkdir(parents=True)
        images = b"".join(bytes([number]) + bytes(side * side - 1) for number in range(count))
        wanted = list(range(count)) if labels is None else labels
        for split in ("train", "t10k"):
            files = {
                f"{split}-images-idx3-ubyte": struct.pack(">4B3I", 0, 0, 8, 3, count, side, side) + images,
                f"{split}-labels-idx1-ubyte": struct.pack(">4BI", 0, 0, 8, 1, len(wanted)) + bytes(wanted),
            }
            for name, content in files.items():
                if packed:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(content))
                else:
                    (folder / name).write_bytes(content)
        return tmp_path / "root"

    return make


class Site:
    """A web server on this machine: pages by path, and how many bytes of each are sent before the line is cut."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, bytes] = {}
        self.cuts: dict[str, list[int]] = {}
        self.requests: list[tuple[str, str]] = []

    def add(self, name: str, body: bytes, cuts: list[int] | None = None) -> str:
        self.pages[f"/{name}"] = body
        self.cuts[f"/{name}"] = list(cuts or [])
        return f"{self.url}/{name}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.site.requests.append((self.path, wanted))
        body = self.site.pages.get(self.path)
        if body is None:
            self.send_error(404)
            return
        first = int(wanted[6:].rstrip("-")) if wanted else 0
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - first))
        self.send_header("ETag", '"1"')
        self.end_headers()
        cuts = self.site.cuts[self.path]
        self.wfile.write(body[first : first + cuts.pop(0)] if cuts else body[first:])
        self.close_connection = True

    def log_message(self, *message: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(monkeypatch) -> Iterator[Site]:
    from tensorcore.hub import download as downloads

    monkeypatch.setattr(downloads, "PAUSE", 0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", downloads.OFFLINE):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made = Site(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("SiteHandler", (_Handler,), {"site": made})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    """The real torchvision, whose compiled ops may be those of another PyTorch: they are declared and not called."""
    torch = pytest.importorskip("torch")
    library = torch.library.Library("torchvision", "DEF")
    for _ in range(9):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module("torchvision.transforms.v2")
                return importlib.import_module("torchvision")
        except RuntimeError as error:
            missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            library.define(f"{missing[1]}() -> ()")
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
        except ImportError:
            pytest.skip("torchvision is not installed")
    raise AssertionError("torchvision cannot be imported")
