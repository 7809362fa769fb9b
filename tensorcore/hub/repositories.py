"""Repositories of GitHub in the cache folder: found, trusted, downloaded and unpacked."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tensorcore.errors import ArgumentError, DownloadError
from tensorcore.hub.download import OFFLINE, TIMEOUT, download, offline
from tensorcore.hub.folders import get_dir

__all__ = ["Repository", "UntrustedRepositoryError", "fetch"]

#: Where repositories and facts about them are.
GITHUB: Final = "https://github.com"
API: Final = "https://api.github.com"
#: What an archive may unpack to, in bytes.
LARGEST: Final = 2 * 10**9

_NAMES: Final = re.compile(r"([\w.-]+)/([\w.-]+?)(?::([^:\s]+))?")


class UntrustedRepositoryError(DownloadError):
    """A repository whose code nobody has agreed to run."""


@dataclass(frozen=True)
class Repository:
    """A repository at a branch, a tag or a commit; ``ref`` is empty for its main branch."""

    owner: str
    name: str
    ref: str

    @classmethod
    def parse(cls, text: str) -> Repository:
        """``owner/name`` or ``owner/name:ref``.

        Raises:
            ArgumentError: for other text.
        """
        found = _NAMES.fullmatch(text) if isinstance(text, str) else None
        if found is None or ".." in text:
            raise ArgumentError(f"hub: expected a repository 'owner/name' or 'owner/name:branch', got {text!r}")
        return cls(found[1], found[2], found[3] or "")

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    def folder(self, ref: str) -> Path:
        """Where it is kept."""
        return Path(get_dir()) / "_".join((self.owner, self.name, re.sub(r"[^\w.-]", "_", ref)))


def fetch(text: str, force_reload: bool, trust_repo: Any, verbose: bool, skip_validation: bool) -> Path:
    """The folder with the repository ``text``, which is downloaded unless it is there or ``force_reload``.

    Raises:
        DownloadError: if it cannot be had; names where its folder can be put by hand.
        UntrustedRepositoryError: if its code is not agreed to be run.
        ArgumentError: for text that names no repository.
    """
    repository = Repository.parse(text)
    refs = [repository.ref] if repository.ref else ["main", "master"]
    kept = next((folder for ref in refs if (folder := repository.folder(ref)).is_dir()), None)
    _check_trust(repository, trust_repo, kept is not None)
    if kept is not None and not force_reload:
        if verbose:
            print(f"Using cache found in {kept}", file=sys.stderr)
        return kept
    if offline():
        raise DownloadError(
            f"hub: cannot download {repository}: {OFFLINE} is set. Unset it, or put the repository's folder there by "
            f"hand as {str(repository.folder(refs[0]))!r}, or use source='local'"
        )
    if repository.ref and not skip_validation:
        _check_ref(repository)
    return _download(repository, refs, verbose)


# ---------------------------------------------------------------- trust


def _check_trust(repository: Repository, trust: Any, kept: bool) -> None:
    """Ask whether the repository's code may run, unless that is known."""
    if trust not in (None, True, False, "check"):
        raise ArgumentError(f"hub: trust_repo is True, False, 'check' or None, got {trust!r}")
    listing = Path(get_dir()) / "trusted_list"
    entry = f"{repository.owner}_{repository.name}"
    trusted = listing.read_text("utf-8").split() if listing.is_file() else []
    if entry in trusted and trust is not False:
        return
    if trust is not True and not _agreed(repository):
        raise UntrustedRepositoryError(
            f"hub: {repository} is not trusted: its hubconf.py is a program, which would run with your rights. "
            "If you know it, pass trust_repo=True"
        )
    if entry not in trusted:
        listing.parent.mkdir(parents=True, exist_ok=True)
        with open(listing, "a", encoding="utf-8") as file:
            file.write(entry + "\n")


def _agreed(repository: Repository) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    question = f"The repository {repository} runs code of its own. Do you trust it and want to go on? (y/N) "
    return input(question).strip().lower() in ("y", "yes")


# ---------------------------------------------------------------- downloads


def _check_ref(repository: Repository) -> None:
    """Refuse a commit that GitHub shows under this repository but that is only in a fork of it, anyone's."""
    commits = []
    for kind in ("branches", "tags"):
        for page in range(1, 100):
            url = f"{API}/repos/{repository}/{kind}?per_page=100&page={page}"
            entries = _facts(url)
            for entry in entries:
                if entry["name"] == repository.ref:
                    return
                commits.append(entry["commit"]["sha"])
            if len(entries) < 100:
                break
    if len(repository.ref) >= 7 and any(commit.startswith(repository.ref) for commit in commits):
        return
    raise DownloadError(
        f"hub: {repository.ref!r} is no branch, tag or head of a branch of {repository}, it may come from a fork; "
        "if it is a commit that you know, pass skip_validation=True"
    )


def _facts(url: str) -> Any:
    from urllib.request import Request, urlopen

    headers = {"User-Agent": "tensorcore", "Accept": "application/vnd.github+json"}
    token = os.environ.get("GITHUB_TOKEN")
    if token:
        headers["Authorization"] = f"token {token}"
    try:
        with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as response:
            found = json.load(response)
    except (OSError, ValueError) as error:
        raise DownloadError(f"hub: {url}: {error}; skip_validation=True does without") from None
    if not isinstance(found, list):
        raise DownloadError(f"hub: {url}: expected a list, got {type(found).__name__}")
    return found


def _download(repository: Repository, refs: list[str], verbose: bool) -> Path:
    cache = Path(get_dir())
    cache.mkdir(parents=True, exist_ok=True)
    failures = []
    # In the cache folder, so that the repository's folder can take its name in one step.
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=cache) as room:
        for ref in refs:
            url = f"{GITHUB}/{repository}/zipball/{ref}"
            if verbose:
                print(f'Downloading: "{url}" to {repository.folder(ref)}', file=sys.stderr)
            try:
                archive = download(url, Path(room) / "archive.zip", progress=verbose)
            except DownloadError as error:
                failures.append(str(error).splitlines()[1].strip() if "\n" in str(error) else str(error))
                continue
            folder = _unpack(archive, Path(room), str(repository))
            _put(folder, repository.folder(ref), Path(room))
            return repository.folder(ref)
    raise DownloadError(
        f"hub: could not download {repository}:\n  "
        + "\n  ".join(failures)
        + "\nOr put the repository's folder there by "
        f"hand as {str(repository.folder(refs[0]))!r}"
    )


def _unpack(archive: Path, room: Path, name: str) -> Path:
    """The one folder that an archive of GitHub's holds, unpacked."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            tops = {member.filename.split("/", 1)[0] for member in members}
            size = sum(member.file_size for member in members)
            if len(tops) != 1 or not all(_stays_inside(member.filename) for member in members):
                raise DownloadError(
                    f"hub: the archive of {name} is not one folder, or has files outside of it; refused"
                )
            if size > min(LARGEST, shutil.disk_usage(room).free):
                raise DownloadError(f"hub: the archive of {name} unpacks to {size} bytes; refused")
            opened.extractall(room / "unpacked")
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DownloadError(f"hub: what was downloaded as {name} is no archive: {error}") from None
    return room / "unpacked" / tops.pop()


def _stays_inside(path: str) -> bool:
    return (
        not path.startswith("/") and not {"..", ""} & set(path.rstrip("/").split("/")) and not set(path) & {"\\", ":"}
    )


def _put(folder: Path, target: Path, room: Path) -> None:
    """Give a folder its name, in place of what has it."""
    if target.exists():
        os.replace(target, room / "old")
    os.replace(folder, target)
