"""The generated reference: every op and every name under which it is found, and links that lead somewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tensorcore.ops.record import REGISTRY

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import docstrings
import reference_pages


@pytest.fixture(scope="module")
def pages():
    return reference_pages.pages()


def test_every_public_op_has_one_entry(pages):
    entries = re.findall(r"^\(op-(\w+)\)=$", "\n".join(pages.values()), re.MULTILINE)
    assert sorted(entries) == sorted(op.name for op in REGISTRY.values() if op.paths)


def test_every_name_is_in_the_index(pages):
    names = set(re.findall(r"^\| \[`(\w+)`\]", pages["names.md"], re.MULTILINE))
    assert {path.rpartition(".")[2] for op in REGISTRY.values() for path in op.paths} <= names


def test_links_lead_somewhere(pages):
    text = "\n".join(pages.values())
    targets = set(re.findall(r"^\(((?:op|fn)-[\w-]+)\)=$", text, re.MULTILINE))
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= targets
    assert set(re.findall(r"\]\((\w+\.md)\)", text)) <= set(pages)


def test_an_entry(pages):
    entry = pages["basic_arithmetic.md"].partition("(op-sub)=")[2].partition("```{index}")[0]
    assert "tc.sub(input: Tensor, other: Tensor, *, alpha=1, out: Tensor | None = None) -> Tensor" in entry
    assert "- `DTypeError`: for two bool tensors" in entry
    assert "```pycon\n>>> tc.sub(" in entry
    assert "`tc.subtract`, `Tensor.sub`" in entry
    assert "- **Dtypes**: integers, floating point, complex; gives the same dtype\n" in entry
    assert "- **Gradient**: own rule; `SubBackward0`\n" in entry


def test_docstrings_become_markdown():
    def documented():
        """First `sub` line.

        Args:
            dim: one
                or more.

        >>> 1
        1
        """

    assert docstrings.markdown(documented, lambda name: f"<{name}>") == (
        "First <sub> line.\n\n**Args**\n\n- `dim`: one\n  or more.\n\n```pycon\n>>> 1\n1\n```\n"
    )
