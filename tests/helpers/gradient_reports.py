"""Reading the reports of the gradient check."""

from __future__ import annotations


def verdicts(report):
    return {row.name: row.verdict for row in report.rows}
