"""Downloads from a server that cuts connections, lies and comes back."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

import tensorcore as tc
from tensorcore.errors import ArgumentError, DownloadError
from tensorcore.hub.download import download, download_url_to_file
from tensorcore.hub.progress import ProgressBar, in_units

BODY = random.Random(0).randbytes(1_000_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()


def ranges(site):
    return [wanted for _, wanted in site.requests]


@pytest.mark.parametrize("checks", [{}, {"sha256": SHA256}, {"md5": MD5}, {"sha256": SHA256.upper(), "md5": MD5}])
def test_brings_the_file_and_nothing_else(site, tmp_path, checks):
    path = download(site.add("a.bin", BODY), tmp_path / "deep" / "a.bin", **checks)
    assert path == tmp_path / "deep" / "a.bin"
    assert path.read_bytes() == BODY
    assert os.listdir(path.parent) == ["a.bin"]


def test_a_file_that_is_there_and_right_is_kept(site, tmp_path):
    (tmp_path / "a").write_bytes(BODY)
    download(site.add("a", b"other"), tmp_path / "a", sha256=SHA256)
    download(site.url + "/a", tmp_path / "a")
    assert not site.requests


def test_a_file_that_is_there_and_wrong_is_replaced(site, tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    download(site.add("a", BODY), tmp_path / "a", sha256=SHA256)
    assert (tmp_path / "a").read_bytes() == BODY


def test_pytorchs_function_replaces_what_is_there(site, tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    assert tc.hub.download_url_to_file(site.add("a", BODY), str(tmp_path / "a"), progress=False) is None
    assert (tmp_path / "a").read_bytes() == BODY


@pytest.mark.parametrize("prefix", [SHA256[:8], SHA256])
def test_hash_prefix(site, tmp_path, prefix):
    download_url_to_file(site.add("a", BODY), tmp_path / "a", prefix)
    assert (tmp_path / "a").read_bytes() == BODY


@pytest.mark.parametrize("checks", [{"sha256": SHA256}, {}])
def test_goes_on_where_the_connection_was_cut(site, tmp_path, checks):
    url = site.add("a", BODY, etag='"1"', cuts=[300_000, 100_000, 0, 0, 1])
    assert download(url, tmp_path / "a", **checks).read_bytes() == BODY
    assert ranges(site) == ["", "bytes=300000-", *["bytes=400000-"] * 3, "bytes=400001-"]


@pytest.mark.parametrize("how", [{"etag": ""}, {"etag": 'W/"1"'}])
def test_begins_anew_where_nothing_tells_that_the_rest_belongs_to_it(site, tmp_path, how):
    assert download(site.add("a", BODY, cuts=[300_000], **how), tmp_path / "a").read_bytes() == BODY
    assert ranges(site) == ["", ""]


def test_begins_anew_where_the_file_has_changed_meanwhile(site, tmp_path):
    url = site.add("a", b"x" * 500_000, etag='"1"', cuts=[1000] * 3)
    site.page(url).cuts += [0] * 3
    with pytest.raises(DownloadError, match="cut"):
        download(url, tmp_path / "a")
    site.add("a", BODY, etag='"2"')
    assert download(url, tmp_path / "a").read_bytes() == BODY


@pytest.mark.parametrize("checks", [{"sha256": SHA256}, {}])
def test_another_call_goes_on(site, tmp_path, checks):
    url = site.add("a", BODY, etag='"1"', cuts=[400_000, 0, 0, 0])
    with pytest.raises(DownloadError, match="cut after"):
        download(url, tmp_path / "a", **checks)
    assert not (tmp_path / "a").exists()
    site.requests.clear()
    site.page(url).cuts.clear()
    assert download(url, tmp_path / "a", **checks).read_bytes() == BODY
    assert "bytes=400000-" in ranges(site)
    assert os.listdir(tmp_path) == ["a"]


def test_a_part_of_something_else_is_thrown_away(site, tmp_path):
    other = site.add("a", bytes(1_000_000), cuts=[400_000, 0, 0, 0])
    with pytest.raises(DownloadError):
        download(other, tmp_path / "a", sha256=SHA256)
    site.add("a", BODY)
    assert download(other, tmp_path / "a", sha256=SHA256).read_bytes() == BODY


def test_a_part_that_is_whole_needs_nothing_more(site, tmp_path):
    url = site.add("a", BODY, length=False)
    long = site.add("long", BODY + b"more", cuts=[len(BODY), 0, 0, 0])
    with pytest.raises(DownloadError):
        download(long, tmp_path / "a", sha256=SHA256)
    site.requests.clear()
    assert download(url, tmp_path / "a", sha256=SHA256).read_bytes() == BODY
    assert ranges(site) == [f"bytes={len(BODY)}-"]


def test_servers_without_ranges_send_all_again(site, tmp_path):
    url = site.add("a", BODY, etag='"1"', ranges=False, cuts=[400_000])
    assert download(url, tmp_path / "a").read_bytes() == BODY


def test_mirrors_are_tried_in_turn(site, tmp_path):
    urls = [site.url + "/missing", "http://127.0.0.1:9/closed", site.add("wrong", b"wrong"), site.add("a", BODY)]
    assert download(urls, tmp_path / "a", md5=MD5).read_bytes() == BODY


def test_a_mirror_goes_on_where_the_other_stopped(site, tmp_path):
    urls = [site.add("a", BODY, cuts=[400_000, 0, 0, 0]), site.add("b", BODY)]
    download(urls, tmp_path / "a", sha256=SHA256)
    assert site.requests[-1] == ("/b", "bytes=400000-")


@pytest.mark.parametrize("code", [429, 500, 503])
def test_busy_servers_are_asked_again(site, tmp_path, code):
    assert download(site.add("a", BODY, failures=[code, code]), tmp_path / "a").read_bytes() == BODY


@pytest.mark.parametrize("code", [401, 403, 410])
def test_refusals_are_final(site, tmp_path, code):
    with pytest.raises(DownloadError, match=f"answered {code}"):
        download(site.add("a", BODY, failures=[code]), tmp_path / "a")
    assert len(site.requests) == 1


def test_what_is_wrong_is_refused_and_removed(site, tmp_path):
    with pytest.raises(DownloadError) as caught:
        download(site.add("a", b"wrong"), tmp_path / "a", sha256=SHA256)
    assert os.listdir(tmp_path) == []
    for part in (SHA256, hashlib.sha256(b"wrong").hexdigest(), str(tmp_path / "a"), site.url, "by hand"):
        assert part in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, OSError)


def test_a_wrong_file_does_not_replace_the_old(site, tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(DownloadError):
        download_url_to_file(site.add("a", b"wrong"), tmp_path / "a", SHA256[:8])
    assert (tmp_path / "a").read_bytes() == b"old"


def test_web_pages_are_named(site, tmp_path):
    with pytest.raises(DownloadError, match="web page"):
        download(site.add("a", b"<!DOCTYPE html><p>Quota exceeded"), tmp_path / "a", sha256=SHA256)


def test_all_reasons_are_listed(site, tmp_path):
    with pytest.raises(DownloadError) as caught:
        download([site.url + "/1", "http://127.0.0.1:9/2", "nonsense", "tc://3"], tmp_path / "a")
    for part in ("/1: the server answered 404", "/2: ", "refused", "nonsense: ", "unknown url type"):
        assert part in str(caught.value)


@pytest.mark.parametrize("value", ["1", "true", "YES"])
def test_offline(site, tmp_path, monkeypatch, value):
    monkeypatch.setenv("TENSORCORE_OFFLINE", value)
    with pytest.raises(DownloadError) as caught:
        download(site.add("a", BODY), tmp_path / "a", sha256=SHA256)
    for part in ("TENSORCORE_OFFLINE", str(tmp_path / "a"), SHA256, site.url):
        assert part in str(caught.value)
    assert not site.requests
    (tmp_path / "a").write_bytes(BODY)
    download(site.url + "/a", tmp_path / "a", sha256=SHA256)


def test_files_of_this_machine_need_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("TENSORCORE_OFFLINE", "1")
    (tmp_path / "a").write_bytes(BODY)
    assert download((tmp_path / "a").as_uri(), tmp_path / "b", sha256=SHA256).read_bytes() == BODY


@pytest.mark.parametrize("value", ["0", "", "no"])
def test_online(site, tmp_path, monkeypatch, value):
    monkeypatch.setenv("TENSORCORE_OFFLINE", value)
    download(site.add("a", b""), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.parametrize(
    "how", [{"sha256": "abc"}, {"sha256": "g" * 64}, {"md5": SHA256}, {"sha256": 1}, {"urls": []}],
)  # fmt: skip
def test_bad_arguments(tmp_path, how):
    with pytest.raises(ArgumentError, match="download"):
        download(**{"urls": "http://x/", "destination": tmp_path / "a", **how})


def test_a_folder_is_no_destination(tmp_path):
    with pytest.raises(DownloadError, match="folder"):
        download("http://127.0.0.1:9/a", tmp_path)


def test_more_than_the_disk_holds_is_refused_at_once(site, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(DownloadError, match="has 10 B left"):
        download(site.add("a", BODY), tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_threads_that_want_the_same_file_share_it(site, tmp_path):
    url = site.add("a", BODY)
    threads = [threading.Thread(target=download, args=(url, tmp_path / "a"), kwargs={"md5": MD5}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() == BODY
    assert os.listdir(tmp_path) == ["a"]
    assert len(site.requests) == 1


def test_processes_that_want_the_same_file_share_it(site, tmp_path):
    url = site.add("a", BODY, etag='"1"')
    code = f"from tensorcore.hub.download import download; download({url!r}, {str(tmp_path / 'a')!r})"
    processes = [subprocess.Popen([sys.executable, "-W", "error", "-c", code]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert (tmp_path / "a").read_bytes() == BODY
    assert os.listdir(tmp_path) == ["a"]


class Terminal:
    def __init__(self, tty=True):
        self.text, self.tty = "", tty

    def isatty(self):
        return self.tty

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_the_bar(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    with ProgressBar("weights.pth", stream=terminal) as bar:
        bar.restart(0, 2_000_000)
        bar.advance(500_000)
    assert "weights.pth" in terminal.text
    assert "25%" in terminal.text
    assert "500.0 kB of 2.0 MB" in terminal.text
    assert all(len(line.rstrip("\n")) < 80 for line in terminal.text.split("\r"))


@pytest.mark.parametrize(("shown", "tty"), [(False, True), (True, False)])
def test_no_bar(shown, tty):
    terminal = Terminal(tty)
    with ProgressBar("a", shown, terminal) as bar:
        bar.restart(0, None)
        bar.advance(10)
    assert terminal.text == ""


@pytest.mark.parametrize("columns", [1, 20, 40, 200])
def test_the_bar_fits(columns):
    bar = ProgressBar("a long name of a file" * 3)
    for total in (None, 10):
        bar.restart(5, total)
        assert len(bar.line(bar.begun + 1, columns)) <= columns


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2e12, "2.0 TB")])
def test_units(count, text):
    assert in_units(count) == text
