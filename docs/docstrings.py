"""Docstrings in Google's style as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_SECTION = re.compile(r"^(Args|Attributes|Example|Examples|Raises|Returns|Yields):$")
_ITEM = re.compile(r"^(\*{0,2}[\w., *]+): (.*)$")
#: A name in single backticks, which stands for an op.
_NAME = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")


def markdown(what: Any, link: Callable[[str], str]) -> str:
    """The docstring of ``what``; ``link`` makes of an op's name what refers to it."""
    lines = (inspect.getdoc(what) or "").split("\n")
    made: list[str] = []
    place = 0
    while place < len(lines):
        section = _SECTION.match(lines[place])
        if section:
            end = place + 1
            while end < len(lines) and (not lines[end] or lines[end].startswith(" ")):
                end += 1
            made += _section(section[1], inspect.cleandoc("\n".join(["", *lines[place + 1 : end]])).split("\n"), link)
            place = end
        elif lines[place].startswith(">>>"):
            end = place
            while end < len(lines) and lines[end]:
                end += 1
            made += _session(lines[place:end])
            place = end
        else:
            made.append(_NAME.sub(lambda match: link(match[1]), lines[place]))
            place += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(made)).strip() + "\n"


def summary(what: Any) -> str:
    """The first sentence of a docstring, for a table."""
    return (inspect.getdoc(what) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _session(lines: list[str]) -> list[str]:
    return ["", "```pycon", *("" if line == "<BLANKLINE>" else line for line in lines), "```", ""]


def _section(title: str, lines: list[str], link: Callable[[str], str]) -> list[str]:
    if title.startswith("Example"):
        return _session([line for line in lines if line or ">>>" not in lines[0]])
    items: list[str] = []
    for line in lines:
        item = _ITEM.match(line)
        named = item is not None and not line.startswith(" ")
        text = _NAME.sub(lambda match: link(match[1]), item[2] if item and named else line.strip())
        items.append(f"- `{item[1]}`: {text}" if item and named else f"  {text}" if items else text)
    return ["", f"**{title}**", "", *items, ""]
