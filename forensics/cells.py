"""Cells of CSV files that no spreadsheet runs. Source: OWASP, CSV Injection."""

from __future__ import annotations

import re

RUNS = r"[=+\-@＝＋－＠]"
"""Signs by which a spreadsheet knows a formula; those of full width are read as the others are."""
_RISKY = re.compile(rf"'*(?:[\t\r\n]|\s*{RUNS})")


def guard(value: str) -> str:
    """The value, behind an apostrophe where a spreadsheet could run it.

    >>> guard("=1+1"), guard("'=x"), guard("plain")
    ("'=1+1", "''=x", 'plain')
    """
    return "'" + value if _RISKY.match(value) else value


def unguard(cell: str) -> str:
    """What `guard` was given."""
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell
