"""Reports as a browser reads them, and models for them."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np

import pellucid as pl
from pellucid.reports.model_report.page import write_report

VOID = {"meta", "img", "wbr"}


class Page(HTMLParser):
    """A page read as a browser does: its elements, the words in them, its tables; every tag must be closed in turn."""

    def __init__(self, source):
        super().__init__()
        self.source = source
        self.elements, self.open, self.words, self.tables = [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if ("td" in self.open or "th" in self.open) and "title" not in self.open:
            self.tables[-1][-1][-1] += data

    @property
    def text(self):
        return "".join(self.words)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def linear(shape, labels, weight=None, history=2):
    """A model of one layer, which answers as its weights say; with a history if it is asked for."""
    network = pl.Network([pl.Input(*shape), pl.Classification(len(labels))], seed=1)
    if weight is not None:
        network.parameters["output.weight"] = weight
    for epoch in range(history):
        network.history.epochs.append({"loss": 1 / (epoch + 1), "accuracy": 0.5, "validation_loss": 0.4})
    return pl.Model(network, labels=labels)


def written(path, *arguments, **options):
    write_report(path, *arguments, **({"data": "things (test)"} | options))
    return Page(path.read_text("utf-8"))


def pixels(count, shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)
