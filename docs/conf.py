"""Configuration of the documentation; the reference pages are written from the op records at each build."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from reference_pages import pages  # noqa: E402 - lies beside this file

project = "tensorcore"
author = "the tensorcore authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "tensorcore"
exclude_patterns = ["_build"]
default_role = "code"
autodoc_typehints = "none"


def _write_reference(app: Any) -> None:
    folder = HERE / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _copy_reports(app: Any, error: Exception | None) -> None:
    """The reports of judged devices are pages already, each a folder."""
    for report in HERE.glob("conformance/*/"):
        shutil.copytree(report, Path(app.outdir) / "conformance" / report.name, dirs_exist_ok=True)


def setup(app: Any) -> None:
    """Let Sphinx write the reference before it reads the pages, and add the reports of judged devices."""
    app.connect("builder-inited", _write_reference)
    app.connect("build-finished", _copy_reports)
