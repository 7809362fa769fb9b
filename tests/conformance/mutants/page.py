"""The table of mutants in the guide: ``python -m tests.conformance.mutants.page`` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conformance.mutants import FAMILIES, MUTANTS
from tests.conformance.mutants.table import Mutant

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "conformance.md"


def table() -> str:
    """The mutants by family, each with what is wrong and the check that catches it."""
    lines = [f"{len(MUTANTS)} faults:", ""]
    for title, mutants in FAMILIES.items():
        lines += ["<details>", f"<summary>{title} ({len(mutants)})</summary>", ""]
        lines += ["| mutant | what is wrong | caught by |", "| --- | --- | --- |", *map(_row, mutants), ""]
        lines += ["</details>", ""]
    return "\n".join(lines)


def _row(mutant: Mutant) -> str:
    subject = "" if mutant.subject == mutant.kernel else f" in `{mutant.subject}`"
    return f"| {mutant.name} | `{mutant.kernel}` {mutant.wrong} | `{mutant.check}`{subject} |"


def main() -> None:
    """Write the table between its marks."""
    text = GUIDE.read_text("utf-8")
    made = re.sub(r"(<!-- mutants -->\n).*?(<!-- end -->)", lambda at: at[1] + table() + at[2], text, flags=re.DOTALL)
    GUIDE.write_text(made, "utf-8")


if __name__ == "__main__":
    main()
