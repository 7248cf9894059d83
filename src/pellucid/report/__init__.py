"""The report on a model: one HTML file that answers, shows and explains, and needs nothing else to be read."""

from pellucid.report.page import write_report

__all__ = ["write_report"]
