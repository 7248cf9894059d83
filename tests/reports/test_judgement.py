"""The judgement of a model: one way through the network, the rows that were asked for, and data with nothing to learn."""

from __future__ import annotations

import re

import numpy as np
import pytest
from report_pages import linear, pixels, written
from sklearn import metrics as reference

import pellucid as pl
from pellucid.executors import logits
from pellucid.reports.judgement import judge_classes, judge_regression


@pytest.fixture
def judged():
    """(model, x, y): four classes, and a model that is often wrong about them; it has a temperature and sets."""
    rng = np.random.default_rng(2)
    x, y = pixels(300, (4, 4)), rng.integers(0, 4, 300)
    model = linear((4, 4), list("abcd"), 0.3 * rng.normal(size=(16, 4)))
    model.calibrate(x[:100], y[:100])
    model.conformal(x[:100], y[:100])
    return model, x, y


def test_each_sample_goes_through_the_network_once(judged, monkeypatch):
    model, x, y = judged
    seen = []
    through = logits.finite_answer
    monkeypatch.setattr(logits, "finite_answer", lambda stack, x, arrays: seen.append(len(x)) or through(stack, x, arrays))
    data = judge_classes(model, x, y).as_data()
    assert sum(seen) == len(x)
    assert data["trust"]["coverage"] is not None
    seen.clear()
    judge_regression(pl.Model(pl.Network([pl.Input(4, 4), pl.Regression()])), x, y)
    assert sum(seen) == len(x)


def test_figures_do_not_depend_on_the_blocks(judged, monkeypatch):
    model, x, y = judged
    whole = judge_classes(model, x, y)
    monkeypatch.setattr(logits, "block_size", lambda stack: 7)
    parts = judge_classes(model, x, y)
    np.testing.assert_array_equal(parts.confusion, whole.confusion)
    np.testing.assert_allclose(parts.trust.probabilities, whole.trust.probabilities, rtol=1e-5)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    assert parts.trust.coverage == whole.trust.coverage


def test_some_rows_are_judged_as_if_there_were_no_others(judged):
    model, x, y = judged
    rows = np.array([250, 3, 77, 140, 141, 9])
    files = [f"{i}.png" for i in range(300)]
    some = judge_classes(model, x, y, rows=rows, files=files).as_data()
    alone = judge_classes(model, x[rows], y[rows]).as_data()
    mistakes, expected = some.pop("worst_mistakes"), alone.pop("worst_mistakes")
    np.testing.assert_array_equal(some.pop("confusion"), alone.pop("confusion"))
    assert some == alone
    assert len(mistakes) == len(expected) > 1
    for mistake, same in zip(mistakes, expected, strict=True):
        assert mistake.pop("file") == f"{mistake['index']}.png"
        assert mistake == same | {"index": int(rows[same["index"]])}


def test_the_answer_is_that_of_the_network_where_probabilities_are_equal_but_for_a_rounding():
    arrays = {"output.weight": np.zeros((2, 3)), "output.bias": np.array([0.0, 1e-30, 0.0])}
    network = pl.Network([pl.Input(2), pl.Classification(3)], arrays=arrays)
    x, y = np.zeros((6, 2)), np.array([1, 1, 1, 1, 0, 2])
    assert np.unique(network.predict_proba(x)).size == 1
    judgement = judge_classes(pl.Model(network), x, y)
    assert judgement.trust.predicted.tolist() == network.predict(x).tolist() == [1] * 6
    assert judgement.accuracy == network.evaluate(x, y)["accuracy"] == pytest.approx(4 / 6)


def test_a_regression_has_no_classes(judged):
    _, x, y = judged
    with pytest.raises(pl.ArgumentError, match="need a classification"):
        judge_classes(pl.Model(pl.Network([pl.Input(4, 4), pl.Regression()])), x, y)


# Regression


def shown(path, model, x, y):
    """The figures at the head of the page, name -> figure, and its text."""
    page = written(path, model, x, y)
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    return dict(re.findall(r"<dt>(.+?)</dt><dd>(.+?)<small>", page.source)), page.text


@pytest.mark.parametrize("values", [1, 3])
def test_the_judgement_the_network_and_the_page_say_the_same_of_a_regression(tmp_path, values):
    """``network.evaluate`` and scikit-learn against the data and the page."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(260, 3))
    y = x @ rng.normal(size=(3, values)) + rng.normal(size=(260, values))
    model = pl.Model(pl.Network([pl.Input(3), pl.Dense(8, "tanh"), pl.Regression(values)], seed=1))
    model.network.fit(x[:100], y[:100], epochs=40, optimizer=pl.Adam(0.02), progress="none")
    model.conformal(x[100:160], y[100:160])
    x, y = x[160:], y[160:]
    judgement, predicted = judge_regression(model, x, y), model.network.predict(x).reshape(y.shape)
    low, high = (bound.reshape(y.shape) for bound in model.predict_interval(x, 0.9))
    assert judgement.metrics == model.network.evaluate(x, y)
    assert judgement.metrics["mae"] == pytest.approx(reference.mean_absolute_error(y, predicted), rel=1e-6)
    assert judgement.metrics["r2"] == pytest.approx(reference.r2_score(y, predicted), rel=1e-6)
    assert judgement.loss == pytest.approx(reference.mean_squared_error(y, predicted), rel=1e-6)
    assert judgement.rmse**2 == pytest.approx(reference.mean_squared_error(y, predicted), rel=1e-6)
    assert judgement.mean_residual == pytest.approx((y - predicted).mean(), rel=1e-5)
    assert judgement.covered == pytest.approx(((low <= y) & (y <= high)).mean(axis=0))
    figures, text = shown(tmp_path / "page.html", model, x, y)
    assert figures["mean absolute error"] == f"{judgement.metrics['mae']:.4g}"
    assert figures["root mean squared error"] == f"{judgement.rmse:.4g}"
    assert figures["R²"] == f"{judgement.metrics['r2']:.4f}"
    assert figures["mean residual"] == f"{judgement.mean_residual:+.3g}"
    assert figures["test samples"] == "100"
    assert f"{judgement.metrics['mae']:.4g} off on average, on 100 samples" in text
    for reach, covered in zip(judgement.reach, judgement.covered, strict=True):
        assert f"reaches {reach:.4g} to each side" in text
        assert f"{covered:.1%} of the test samples lie in it" in text


CONSTANT = {"all": np.full(20, 7.0), "one": np.array([3.0]), "a value": np.stack([np.arange(20.0), np.ones(20)], axis=1)}


@pytest.mark.parametrize("y", CONSTANT.values(), ids=CONSTANT)
def test_where_the_truth_does_not_vary_there_is_no_r2_and_the_page_says_so(tmp_path, y):
    model = pl.Model(pl.Network([pl.Input(2), pl.Regression(1 if y.ndim == 1 else 2)], seed=1))
    x = np.linspace(-1, 1, 2 * len(y)).reshape(-1, 2)
    judgement = judge_regression(model, x, y)
    assert np.isnan(judgement.metrics["r2"])
    figures, text = shown(tmp_path / "page.html", model, x, y)
    assert figures["R²"] == "–"
    assert "not defined where the true values do not vary" in text
    assert figures["mean absolute error"] == f"{np.abs(judgement.residuals).mean():.4g}"
