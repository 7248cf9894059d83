"""The figures on the page, computed once more from the answers of the network; and in the order that is said."""

from __future__ import annotations

import re

import numpy as np
import pytest
from report_pages import linear, pixels, written
from sklearn.metrics import precision_recall_fscore_support

import pellucid as pl


def test_the_table_of_thresholds_is_that_of_scikit_learn(tmp_path):
    rng = np.random.default_rng(0)
    x, y = pixels(300, (4, 4)), rng.integers(0, 2, 300)
    model = linear((4, 4), ["no", "yes"], 0.3 * rng.normal(size=(16, 2)))
    p = model.network.predict_proba(x)[:, 1]
    page = written(tmp_path / "report.html", model, x, y)
    (table,) = [table for table in page.tables if "specificity" in table[0]]
    assert table[0] == ["threshold", "precision", "recall", "specificity", "F1", "called so"]
    for start, *shown, count in table[1:]:
        said = (p >= float(start.removesuffix("%")) / 100).astype(int)
        precision, recall, f1, _ = precision_recall_fscore_support(y, said, average="binary", zero_division=0)
        specificity = precision_recall_fscore_support(y, said, pos_label=0, average="binary", zero_division=0)[1]
        for text, figure in zip(shown, (precision, recall, specificity, f1), strict=True):
            if text != "–":
                assert float(text.strip("%<>")) == pytest.approx(100 * figure, abs=0.11)
        assert int(count) == said.sum()


def test_the_worst_mistakes_come_first(tmp_path):
    rng = np.random.default_rng(1)
    x, y = pixels(200, (4, 4)), rng.integers(0, 3, 200)
    model = linear((4, 4), ["a", "b", "c"], 0.3 * rng.normal(size=(16, 3)))
    p = model.network.predict_proba(x)
    wrong = np.flatnonzero(p.argmax(axis=1) != y)
    expected = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")]
    shown = re.findall(r"sample (\d+)", written(tmp_path / "report.html", model, x, y).text)
    assert [int(number) for number in shown][:24] == expected[:24].tolist()


def test_the_coverage_of_sets_is_counted(tmp_path):
    rng = np.random.default_rng(2)
    x, y = pixels(500, (4, 4)), rng.integers(0, 4, 500)
    model = linear((4, 4), list("abcd"), 0.3 * rng.normal(size=(16, 4)))
    model.conformal(x[:200], y[:200])
    sets = model.predict_sets(x[200:], 0.9)
    covered, size = sets[np.arange(300), y[200:]].mean(), sets.sum(axis=1).mean()
    assert size > 1.5
    text = written(tmp_path / "report.html", model, x[200:], y[200:]).text
    assert re.search(f"{covered:.1%} of the test pictures.* {size:.2f} labels", text)


def test_a_regression_that_says_too_much_has_negative_residuals(tmp_path):
    """The truth is x, it says x + 2: what is missing is -2."""
    arrays = {"output.weight": np.array([[1.0]]), "output.bias": np.array([2.0])}
    network = pl.Network([pl.Input(1), pl.Regression()], arrays=arrays)
    x = np.linspace(0, 1, 50)[:, None]
    text = written(tmp_path / "report.html", pl.Model(network), x, x[:, 0]).text
    assert re.search(r"mean residual\s*-2\s*truth minus", text)
    assert re.search(r"root mean squared error\s*2\s*in units", text)
