"""Downloads: mirrors, checksums, resumed transfers, and a name that a file gets only when it is whole and right.

The bytes go to a hidden file beside the destination (``.name.<key>.part``), whose key tells what it is a part of:
the checksums asked for, or else what the server calls this version of the file. A transfer that was cut, even by the
end of the process, goes on where it stopped (RFC 9110, section 14: range requests). Processes that want the same
file wait for the first and share what it brings.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from tensorcore.errors import ArgumentError, DownloadError
from tensorcore.hub.progress import ProgressBar, in_units

__all__ = ["download", "download_url_to_file", "offline"]

#: Names the environment variable that forbids downloads.
OFFLINE: Final = "TENSORCORE_OFFLINE"
#: Seconds that a server may be silent.
TIMEOUT: Final = 30
#: Attempts in a row that bring no byte before a mirror is given up, and the seconds before the second (then doubled).
ATTEMPTS: Final = 3
PAUSE: Final = 0.5

_CHUNK: Final = 1 << 18
#: Answers that say "later" (RFC 9110 and 6585): too slow, too many requests, overloaded, behind a broken gateway.
_TRANSIENT: Final = frozenset((408, 425, 429, 500, 502, 503, 504))


def offline() -> bool:
    """Whether downloads are forbidden by ``TENSORCORE_OFFLINE=1``."""
    return os.environ.get(OFFLINE, "").strip().lower() not in ("", "0", "false", "no", "off")


def download(
    urls: str | Sequence[str],
    destination: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    md5: str | None = None,
    progress: bool = True,
) -> Path:
    """Bring a file to ``destination`` unless it is there, and return its path.

    A file that is there is kept if its checksums are right, or none are given; else it is replaced. Each of ``urls``
    is a mirror: they are tried in turn. Nothing partial or wrong ever has the name ``destination``.

    Raises:
        DownloadError: if no mirror has the file with these checksums, or ``TENSORCORE_OFFLINE`` is set; names where
            to put the file by hand.
        ArgumentError: if a checksum is not written in hexadecimal digits, all of them.

    Example:
        >>> import pathlib, tempfile
        >>> from tensorcore.hub.download import download
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "there.txt").write_text("hello")
        >>> download((folder / "there.txt").as_uri(), folder / "here.txt", progress=False).read_text()
        'hello'
    """
    mirrors = [urls] if isinstance(urls, str) else list(urls)
    if not mirrors:
        raise ArgumentError("download: expected at least one URL, got none")
    checks = {
        name: _digits(name, text, count) for name, text, count in (("sha256", sha256, 64), ("md5", md5, 32)) if text
    }
    target = Path(destination).expanduser()
    if target.is_file() and not _wrong(target, checks):
        return target
    _bring(mirrors, target, checks, progress)
    return target


def download_url_to_file(
    url: str, dst: str | os.PathLike[str], hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Bring the file at ``url`` to ``dst``, in place of what is there.

    Raises:
        DownloadError: if it cannot be had, or its SHA-256 does not begin with ``hash_prefix``.

    Example:
        >>> import pathlib, tempfile
        >>> import tensorcore as tc
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "there.txt").write_text("hello")
        >>> tc.hub.download_url_to_file((folder / "there.txt").as_uri(), folder / "here.txt", progress=False)
        >>> (folder / "here.txt").read_text()
        'hello'
    """
    checks = {"sha256": _digits("hash_prefix", hash_prefix)} if hash_prefix else {}
    _bring([url], Path(dst).expanduser(), checks, progress)


def _digits(name: str, text: str, count: int | None = None) -> str:
    expected = f"{count} hexadecimal digits" if count else "at most 64 hexadecimal digits"
    if not isinstance(text, str) or not re.fullmatch("[0-9a-fA-F]{1,64}", text) or count not in (None, len(text)):
        raise ArgumentError(f"download: {name} is {text!r}, expected {expected}")
    return text.lower()


def _wrong(path: Path, checks: dict[str, str]) -> str:
    """What is wrong with a file, or nothing."""
    for name, expected in checks.items():
        with open(path, "rb") as file:
            # Not for security, where md5 would be no use: a build of Python for FIPS forbids it otherwise.
            found = hashlib.file_digest(file, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()  # noqa: B023
        if not found.startswith(expected):
            return f"its {name} is {found}, expected {expected}"
    return ""


def _bring(urls: Sequence[str], target: Path, checks: dict[str, str], progress: bool) -> None:
    if target.is_dir():
        raise DownloadError(f"cannot download to {str(target)!r}: it is a folder, expected the name of a file")
    by_hand = f"put the file there by hand as {str(target)!r}"
    if checks:
        by_hand += ", whose " + " and ".join(f"{name} begins with {digits}" for name, digits in checks.items())
    if offline() and not all(url.startswith("file:") for url in urls):
        places = ", ".join(urls)
        raise DownloadError(
            f"cannot download {target.name!r}: {OFFLINE} is set. Unset it, or get {places} and {by_hand}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    with ProgressBar(target.name, progress) as bar:
        for url in urls:
            try:
                _Transfer(url, target, checks, bar).run()
                return
            except _MirrorError as error:
                failures.append(f"{url}: {error}")
    raise DownloadError(f"could not download {target.name!r}:\n  " + "\n  ".join(failures) + f"\nOr {by_hand}")


class _MirrorError(Exception):
    """Why a mirror is given up; the next one is tried."""


class _RetryError(Exception):
    """An attempt that may succeed if it is made again."""


class _Partial:
    """The file that holds what has come, this process's alone while it is open."""

    def __init__(self, target: Path, key: str) -> None:
        self.path = target.with_name(f".{target.name[:96]}.{key}.part")
        self.waited = False
        while True:
            self.file: IO[bytes] = open(self.path, "ab")  # noqa: SIM115 - closed by `close`
            self._lock()
            # Who had it before may have renamed or removed it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self.file.fileno()), os.stat(self.path)):
                    return
            self.file.close()

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:
            # Windows refuses to rename or remove what another process has open, which is as good.
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.waited = True
            fcntl.flock(self.file, fcntl.LOCK_EX)
        except OSError:
            # A file system without locks.
            pass

    def size(self) -> int:
        """Bytes that have come."""
        return os.fstat(self.file.fileno()).st_size

    def clear(self) -> None:
        """Forget what has come."""
        self.file.truncate(0)

    def finish(self, target: Path) -> None:
        """Give the file its name, in one step, its bytes on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if sys.platform == "win32":
            self.file.close()
        os.replace(self.path, target)
        self.file.close()

    def close(self) -> None:
        """Leave what has come for another attempt; an empty file is removed."""
        if not self.file.closed:
            self.file.flush()
            if not self.size():
                with suppress(OSError):
                    os.unlink(self.path)
            self.file.close()


class _Transfer:
    """The way of one file from one mirror."""

    def __init__(self, url: str, target: Path, checks: dict[str, str], bar: ProgressBar) -> None:
        self.url, self.target, self.checks, self.bar = url, target, checks, bar
        self.partial: _Partial | None = None
        self.validator = ""
        self.resumed = False

    def run(self) -> None:
        """Bring the file, or raise _MirrorError; what has come stays for another time."""
        idle = 0
        try:
            if self.checks:
                self.partial = _Partial(self.target, _key(*self.checks.values()))
                self.resumed = self.partial.size() > 0
            while True:
                before = self.partial.size() if self.partial else 0
                try:
                    self._attempt()
                    return
                except _RetryError as error:
                    idle = 0 if self.partial and self.partial.size() > before else idle + 1
                    if idle >= ATTEMPTS:
                        raise _MirrorError(f"{error}, {ATTEMPTS} times") from None
                    time.sleep(PAUSE * 2 ** max(idle - 1, 0))
        finally:
            if self.partial is not None:
                self.partial.close()

    def _attempt(self) -> None:
        if self._shared():
            return
        place = self.partial.size() if self.partial else 0
        response = self._open(place)
        if self.partial is None:
            response = self._named(response)
            if self._shared():
                response.close()
                return
        if response is not None:
            with response:
                self._receive(response)
        self._accept()

    def _shared(self) -> bool:
        """Whether another process, which had the partial file before, has brought the file."""
        if self.partial is None or not self.partial.waited or not self.target.is_file():
            return False
        self.partial.waited = False
        return not _wrong(self.target, self.checks)

    def _named(self, response: Any) -> Any:
        """Take up the partial file of this version, and the answer that goes on from its end."""
        headers = response.headers
        etag = headers.get("ETag", "")
        # A weak validator does not promise equal bytes.
        self.validator = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")
        length = headers.get("Content-Length", "")
        key = _key(self.url, self.validator, length) if self.validator else os.urandom(6).hex()
        self.partial = _Partial(self.target, key)
        self.resumed = self.partial.size() > 0
        if not self.resumed:
            return response
        response.close()
        return self._open(self.partial.size())

    def _open(self, place: int) -> Any:
        """The server's answer from byte ``place`` on; None if there is no more."""
        import http.client
        from urllib.error import HTTPError, URLError
        from urllib.request import Request, urlopen

        headers = {"User-Agent": "tensorcore", "Accept-Encoding": "identity"}
        if place and self.url.startswith("http"):
            headers["Range"] = f"bytes={place}-"
            if not self.checks:
                headers["If-Range"] = self.validator
        try:
            return urlopen(Request(self.url, headers=headers), timeout=TIMEOUT)
        except HTTPError as error:
            with error:
                if error.code == 416 and self.partial is not None and place:
                    if error.headers.get("Content-Range", "").rpartition("/")[2] == str(place):
                        return None
                    self.partial.clear()
                    raise _RetryError("what came before does not fit the server's file") from None
                kind: Callable[[str], Exception] = _RetryError if error.code in _TRANSIENT else _MirrorError
                raise kind(f"the server answered {error.code} {error.reason}") from None
        except URLError as error:
            # Names that are unknown, refused connections and wrong certificates do not mend in a second.
            kind = _RetryError if isinstance(error.reason, TimeoutError | ConnectionResetError) else _MirrorError
            raise kind(_reason(error.reason)) from None
        except ValueError as error:
            raise _MirrorError(f"it is no URL that can be opened: {error}") from None
        except (OSError, http.client.HTTPException) as error:
            raise _RetryError(_reason(error)) from None

    def _receive(self, response: Any) -> None:
        """Append what the server sends."""
        import http.client

        assert self.partial is not None
        place = self.partial.size()
        if place and not self._continues(response, place):
            # The server sends the file from its begin.
            self.partial.clear()
            self.resumed, place = False, 0
        length = response.headers.get("Content-Length", "")
        total = place + int(length) if length.isdecimal() else None
        self._check_room(place, total)
        self.bar.restart(place, total)
        while True:
            try:
                piece = response.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                self._forget_unknown()
                raise _RetryError(f"the connection was cut after {in_units(self.bar.done)}: {_reason(error)}") from None
            if not piece:
                break
            self.partial.file.write(piece)
            self.bar.advance(len(piece))
        self.partial.file.flush()
        if total is not None and self.bar.done < total:
            self._forget_unknown()
            raise _RetryError(f"the connection was cut after {in_units(self.bar.done)} of {in_units(total)}")

    def _continues(self, response: Any, place: int) -> bool:
        # urllib gives no status for other schemes than HTTP's.
        if getattr(response, "status", None) != 206:
            return False
        return bool(response.headers.get("Content-Range", "").startswith(f"bytes {place}-"))

    def _forget_unknown(self) -> None:
        """Keep what has come only if what follows can be known to belong to it."""
        assert self.partial is not None
        self.partial.file.flush()
        if not self.checks and not self.validator:
            self.partial.clear()
        else:
            self.resumed = True

    def _check_room(self, place: int, total: int | None) -> None:
        free = shutil.disk_usage(self.target.parent).free
        if total is not None and total - place > free:
            raise DownloadError(
                f"{self.target.name!r} needs {in_units(total - place)}, "
                f"the disk of {str(self.target.parent)!r} has {in_units(free)} left"
            )

    def _accept(self) -> None:
        """Give the file its name if it is right; remove it if it is not."""
        assert self.partial is not None
        fault = _wrong(self.partial.path, self.checks)
        if not fault:
            self.partial.finish(self.target)
            return
        with open(self.partial.path, "rb") as file:
            page = file.read(64).lstrip().lower().startswith((b"<!doctype", b"<html"))
        self.partial.clear()
        if self.resumed:
            # The old part may have been another version's.
            self.resumed = False
            raise _RetryError(fault)
        raise _MirrorError(f"{fault}; removed" + ("; the server sent a web page" if page else ""))


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _reason(error: Any) -> str:
    return str(error) or type(error).__name__
