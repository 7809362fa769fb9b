"""Repositories, weights by URL, and the folder that keeps them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

import tensorcore as tc
from tensorcore.errors import ArgumentError, DownloadError
from tensorcore.hub import folders, repositories
from tensorcore.hub.repositories import Repository, UntrustedRepositoryError

HUBCONF = '''
dependencies = ["tensorcore"]
import tensorcore as tc
from neighbour import WIDTH
from os.path import join as _join

def net(inputs=2, *, bias=True):
    """A small net."""
    return tc.nn.Linear(inputs, WIDTH, bias=bias)

def other():
    pass

def _hidden():
    pass
'''


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """The folder that the tests' environment says, and modules of repositories forgotten."""
    monkeypatch.setattr(folders, "_chosen", None)
    yield
    sys.modules.pop("neighbour", None)


@pytest.fixture
def folder(tmp_path):
    """A repository on this machine."""
    made = tmp_path / "repository"
    made.mkdir()
    (made / "hubconf.py").write_text(HUBCONF)
    (made / "neighbour.py").write_text("WIDTH = 3")
    return made


def zipped(files, top="owner-name-abc"):
    """An archive as GitHub makes it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{top}/{name}" if top else name, text)
    return data.getvalue()


ARCHIVE = zipped({"hubconf.py": HUBCONF, "neighbour.py": "WIDTH = 3"})


@pytest.fixture
def github(site, monkeypatch):
    """A server in the place of GitHub."""
    monkeypatch.setattr(repositories, "GITHUB", site.url)
    monkeypatch.setattr(repositories, "API", site.url)
    site.add("owner/name/zipball/main", ARCHIVE)
    return site


# ---------------------------------------------------------------- folders


def test_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TENSORCORE_HOME", str(tmp_path))
    assert tc.hub.get_dir() == str(tmp_path / "hub")
    monkeypatch.delenv("TENSORCORE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert tc.hub.get_dir() == str(tmp_path / "x" / "tensorcore" / "hub")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert tc.hub.get_dir() == os.path.expanduser("~/.cache/tensorcore/hub")
    tc.hub.set_dir(tmp_path / "chosen")
    assert tc.hub.get_dir() == str(tmp_path / "chosen")


# ---------------------------------------------------------------- local repositories


def test_local_repositories(folder):
    before = list(sys.path)
    assert tc.hub.list(folder, source="local") == ["net", "other"]
    assert tc.hub.help(str(folder), "net", source="local") == "A small net."
    assert tc.hub.load(folder, "net", 5, source="local", bias=False).weight.shape == (3, 5)
    assert sys.path == before


def test_what_a_repository_lacks(folder):
    with pytest.raises(RuntimeError, match="Cannot find callable absent in hubconf; it offers net, other"):
        tc.hub.load(folder, "absent", source="local")
    (folder / "hubconf.py").write_text("dependencies = ['absent_a', 'json', 'absent_b.c']\nimport absent_a")
    with pytest.raises(RuntimeError, match=r"Missing dependencies: absent_a, absent_b\.c"):
        tc.hub.load(folder, "net", source="local")
    (folder / "hubconf.py").write_text("import absent_d")
    with pytest.raises(RuntimeError, match="needs 'absent_d', which is not installed"):
        tc.hub.list(folder, source="local")
    (folder / "hubconf.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no hubconf\.py"):
        tc.hub.load(folder, "net", source="local")


def test_errors_of_a_repository_are_its_own(folder):
    before = list(sys.path)
    (folder / "hubconf.py").write_text("def net(): raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        tc.hub.load(folder, "net", source="local")
    assert sys.path == before


@pytest.mark.parametrize("call", [
    lambda: tc.hub.load("a/b", "net", source="gitlab"), lambda: tc.hub.list("a/b", source="x"),
    lambda: tc.hub.load("name", "net"), lambda: tc.hub.load("a/b/c", "net"), lambda: tc.hub.load("a/..", "net"),
    lambda: tc.hub.load("a/b", "net", trust_repo="yes"), lambda: tc.hub.load("a/b:x y", "net"),
])  # fmt: skip
def test_wrong_arguments(call):
    with pytest.raises(ArgumentError, match="hub"):
        call()


# ---------------------------------------------------------------- GitHub


def test_repositories_are_downloaded_once(github, home, capsys):
    assert tc.hub.load("owner/name", "net", trust_repo=True).weight.shape == (3, 2)
    assert (home / "hub" / "owner_name_main" / "hubconf.py").is_file()
    assert "Downloading" in capsys.readouterr().err
    assert tc.hub.list("owner/name") == ["net", "other"]
    assert "Using cache" in capsys.readouterr().err
    assert tc.hub.help("owner/name", "net", trust_repo="check") == "A small net."
    assert len(github.requests) == 1
    assert sorted(os.listdir(home / "hub")) == ["owner_name_main", "trusted_list"]


def test_repositories_are_downloaded_again(github, home):
    tc.hub.load("owner/name", "net", trust_repo=True, verbose=False)
    github.add("owner/name/zipball/main", zipped({"hubconf.py": "def newer(): return 1"}))
    assert tc.hub.list("owner/name", verbose=False) == ["net", "other"]
    assert tc.hub.list("owner/name", force_reload=True, verbose=False) == ["newer"]
    assert sorted(os.listdir(home / "hub")) == ["owner_name_main", "trusted_list"]


def test_the_branch_called_master(github):
    github.add("owner/older/zipball/master", ARCHIVE)
    assert tc.hub.list("owner/older", trust_repo=True, verbose=False) == ["net", "other"]


def branches(github, *names):
    entries = [{"name": name, "commit": {"sha": hashlib.sha1(name.encode()).hexdigest()}} for name in names]
    github.add("repos/owner/name/branches?per_page=100&page=1", json.dumps(entries).encode())
    github.add("repos/owner/name/tags?per_page=100&page=1", b"[]")


def test_branches(github, home):
    branches(github, "main", "a/b")
    github.add("owner/name/zipball/a/b", ARCHIVE)
    assert tc.hub.list("owner/name:a/b", trust_repo=True) == ["net", "other"]
    assert (home / "hub" / "owner_name_a_b").is_dir()


def test_commits_of_forks_are_refused(github):
    branches(github, "main")
    commit = hashlib.sha1(b"main").hexdigest()
    for ref in (commit, commit[:8], "f" * 40):
        github.add(f"owner/name/zipball/{ref}", ARCHIVE)
    assert tc.hub.list(f"owner/name:{commit}", trust_repo=True)
    assert tc.hub.list(f"owner/name:{commit[:8]}")
    with pytest.raises(DownloadError, match="fork"):
        tc.hub.list("owner/name:" + "f" * 40)
    assert tc.hub.list("owner/name:" + "f" * 40, skip_validation=True)


@pytest.mark.parametrize("trust", [None, "check", False])
def test_trust_is_asked_for(github, home, trust):
    with pytest.raises(UntrustedRepositoryError, match="trust_repo=True"):
        tc.hub.load("owner/name", "net", trust_repo=trust)
    assert not github.requests
    assert not home.exists()


@pytest.mark.parametrize(("answer", "trusted"), [("y", True), ("Yes ", True), ("", False), ("no", False)])
@pytest.mark.usefixtures("github")
def test_answers(monkeypatch, answer, trusted):
    monkeypatch.setattr("sys.stdin", Terminal(answer + "\n"))
    if not trusted:
        with pytest.raises(UntrustedRepositoryError):
            tc.hub.list("owner/name")
        return
    assert tc.hub.list("owner/name")
    # It is remembered.
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert tc.hub.list("owner/name", trust_repo="check")


class Terminal(io.StringIO):
    """A terminal with someone at it."""

    def isatty(self):
        return True


def test_offline(github, home, monkeypatch):
    monkeypatch.setenv("TENSORCORE_OFFLINE", "1")
    with pytest.raises(DownloadError, match="TENSORCORE_OFFLINE") as caught:
        tc.hub.load("owner/name", "net", trust_repo=True)
    assert str(home / "hub" / "owner_name_main") in str(caught.value)
    monkeypatch.delenv("TENSORCORE_OFFLINE")
    tc.hub.load("owner/name", "net", trust_repo=True)
    monkeypatch.setenv("TENSORCORE_OFFLINE", "1")
    assert tc.hub.load("owner/name", "net").weight.shape == (3, 2)


def test_what_cannot_be_downloaded(github, home):
    with pytest.raises(DownloadError) as caught:
        tc.hub.load("owner/absent", "net", trust_repo=True)
    for part in ("zipball/main: the server answered 404", "zipball/master", str(home / "hub" / "owner_absent_main")):
        assert part in str(caught.value)
    with pytest.raises(DownloadError, match="skip_validation"):
        tc.hub.load("owner/absent:ref", "net", trust_repo=True)


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (b"<html>", "no archive"), (ARCHIVE[:300], "no archive"), (zipped({"a": "", "b": ""}, ""), "not one folder"),
        (zipped({"../../evil.py": "1"}), "outside"), (zipped({"/evil.py": "1"}), "outside"),
        (zipped({"a\\..\\..\\evil.py": "1"}), "outside"), (zipped({}), "not one folder"),
    ],
)  # fmt: skip
def test_bad_archives_leave_nothing(github, home, archive, message):
    github.add("owner/name/zipball/main", archive)
    with pytest.raises(DownloadError, match=message):
        tc.hub.load("owner/name", "net", trust_repo=True)
    assert os.listdir(home / "hub") == ["trusted_list"]


def test_bombs(github, home, monkeypatch):
    monkeypatch.setattr(repositories, "LARGEST", 10)
    with pytest.raises(DownloadError, match="unpacks to"):
        tc.hub.load("owner/name", "net", trust_repo=True)
    assert os.listdir(home / "hub") == ["trusted_list"]


@pytest.mark.parametrize(("text", "parts"), [
    ("a/b", ("a", "b", "")), ("a-b/c.d:main", ("a-b", "c.d", "main")), ("a/b:x/y", ("a", "b", "x/y")),
])  # fmt: skip
def test_names_of_repositories(text, parts):
    found = Repository.parse(text)
    assert (found.owner, found.name, found.ref) == parts


# ---------------------------------------------------------------- weights


def checkpoint(value):
    tc.save(value, data := io.BytesIO())
    return data.getvalue()


STATE = {"weight": tc.ones(2)}


def test_weights_are_downloaded_once(site, home, capsys):
    url = site.add("net.pth?x=1", checkpoint(STATE))
    for _ in range(2):
        assert tc.hub.load_state_dict_from_url(url)["weight"].tolist() == [1, 1]
    assert (home / "hub" / "checkpoints" / "net.pth").is_file()
    assert capsys.readouterr().err.count("Downloading") == 1
    assert len(site.requests) == 1


def test_where_weights_go(site, tmp_path):
    url = site.add("net.pth", checkpoint(STATE))
    load = tc.hub.load_state_dict_from_url
    found = load(url, tmp_path / "models", map_location="reference", progress=False, file_name="other.pt")
    assert found["weight"].device.type == "reference"
    assert os.listdir(tmp_path / "models") == ["other.pt"]


def test_the_hash_in_the_name(site, home):
    data = checkpoint(STATE)
    right, wrong = f"net-{hashlib.sha256(data).hexdigest()[:8]}.pth", "net-00000000.pth"
    assert tc.hub.load_state_dict_from_url(site.add(right, data), check_hash=True, progress=False)
    assert tc.hub.load_state_dict_from_url(site.add("plain", data), check_hash=True, file_name=right)
    with pytest.raises(DownloadError, match="sha256"):
        tc.hub.load_state_dict_from_url(site.add(wrong, data), check_hash=True, progress=False)
    assert os.listdir(home / "hub" / "checkpoints") == [right]
    with pytest.raises(ArgumentError, match="beginning of the SHA-256"):
        tc.hub.load_state_dict_from_url(site.url + "/net.pth", check_hash=True)


def test_weights_in_an_archive(site, home):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("inner.pth", checkpoint(STATE))
    url = site.add("net.zip", data.getvalue())
    for _ in range(2):
        assert tc.hub.load_state_dict_from_url(url)["weight"].tolist() == [1, 1]
    assert sorted(os.listdir(home / "hub" / "checkpoints")) == ["inner.pth", "net.zip"]


def test_weights_run_no_code(site):
    url = site.add("net.pth", checkpoint(Path("a")))
    with pytest.raises(RuntimeError, match="nothing was executed"):
        tc.hub.load_state_dict_from_url(url)
    assert tc.hub.load_state_dict_from_url(url, weights_only=False) == Path("a")


def test_weights_offline(site, home, monkeypatch):
    monkeypatch.setenv("TENSORCORE_OFFLINE", "1")
    with pytest.raises(DownloadError) as caught:
        tc.hub.load_state_dict_from_url(site.url + "/net.pth")
    assert str(home / "hub" / "checkpoints" / "net.pth") in str(caught.value)


@pytest.mark.parametrize("how", [{"url": "http://x/"}, {"url": "http://x/a", "file_name": "../a"}])
def test_names_that_are_none(how):
    with pytest.raises(ArgumentError, match="no name of a file"):
        tc.hub.load_state_dict_from_url(**how)


def test_pytorchs_other_name(site):
    url = site.add("net.pth", checkpoint(STATE))
    assert tc.utils.model_zoo.load_url(url)["weight"].tolist() == [1, 1]
