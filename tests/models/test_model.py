"""A calibrated model: what changes and what never does, in memory, on disk and after further training."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from scipy.special import softmax

import pellucid as pl
from pellucid.evaluation.conformal import ConformalScores, prediction_sets
from pellucid.evaluation.temperature import fit_temperature

CLASSES = 4


def overconfident(output=None, seed=0):
    """(model, x, y): a network of one layer whose weights are four times what the classes were drawn by."""
    rng = np.random.default_rng(seed)
    output = output or pl.Classification(CLASSES)
    x = rng.normal(size=(3000, 6)).astype(np.float32)
    network = pl.Network([pl.Input(6), output], seed=3)
    z = network.forward(x).astype(float)
    z = np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z
    y = (softmax(z, axis=1).cumsum(axis=1) < rng.random((3000, 1))).sum(axis=1).clip(0, z.shape[1] - 1)
    network.parameters["output.weight"] *= 4
    return pl.Model(network), x, y


@pytest.mark.parametrize("output", [pl.Classification(CLASSES), pl.BinaryClassification()], ids=lambda o: type(o).__name__)
def test_the_temperature_is_found_and_changes_no_answer(output):
    model, x, y = overconfident(output)
    before = model.network.predict_proba(x)
    np.testing.assert_array_equal(model.predict_proba(x), before)
    found = model.calibrate(x[:2000], y[:2000])
    assert found is model.temperature
    assert abs(found.value - 4) < 4 * found.standard_error
    after = model.predict_proba(x)
    np.testing.assert_array_equal(after.argmax(axis=1), model.network.predict(x))
    np.testing.assert_array_equal(model.network.predict_proba(x), before)  # the network never knows of it
    z = model.network.forward(x).astype(float)
    z = np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z
    np.testing.assert_allclose(after, softmax(z / found.value, axis=1), atol=1e-5)
    losses = [-np.log(p[np.arange(2000, 3000), y[2000:]]).mean() for p in (before, after)]
    assert losses[1] < losses[0] - 0.1


def test_rows_choose_the_samples():
    model, x, y = overconfident()
    rows = np.arange(0, 3000, 3)
    assert model.calibrate(x, y, rows=rows) == fit_temperature(model.network.forward(x[rows]), y[rows])
    assert model.conformal(x, y, rows=rows) == model.conformal(x[rows], y[rows])


@pytest.mark.parametrize("output", [pl.Classification(CLASSES), pl.BinaryClassification()], ids=lambda o: type(o).__name__)
def test_a_set_holds_the_labels_that_fit_as_well_as_asked_for(output):
    model, x, y = overconfident(output)
    (scores,) = model.conformal(x[:1999], y[:1999])
    p = model.network.predict_proba(x)
    q = scores.quantile(0.9)
    clear = np.abs(-np.log(p) - q) > 1e-4  # of float32
    expected = (-np.log(p) <= q) | (p == p.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(model.predict_sets(x, 0.9)[clear], expected[clear])
    model.calibrate(x[:1999], y[:1999])
    np.testing.assert_array_equal(model.predict_sets(x, 0.9)[clear], expected[clear])


@pytest.mark.parametrize("output", [pl.Classification(CLASSES), pl.BinaryClassification()], ids=lambda o: type(o).__name__)
def test_more_confidence_never_takes_a_label_away_and_less_never_leaves_none(output):
    model, x, y = overconfident(output)
    model.network.parameters["output.weight"] *= 5  # nearly always right where it is sure: the plain sets are often empty
    model.conformal(x[:1000], y[:1000])
    before = model.predict_sets(x, 0.05)
    np.testing.assert_array_equal(before.argmax(axis=1), model.network.predict(x))
    assert (before.sum(axis=1) == 1).any()
    for confidence in (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99):
        held = model.predict_sets(x, confidence)
        assert (held >= before).all()
        before = held


def test_the_most_probable_label_costs_no_coverage_over_200_splits():
    """A network that is right for 95 of 100 and sure of it: at 60 % the plain sets are empty where it is less sure."""
    model, x, y = overconfident()
    y = np.where(np.random.default_rng(1).random(3000) < 0.95, model.network.predict(x), y)
    rng, covered, plain = np.random.default_rng(0), [], []
    for _ in range(200):
        order = rng.permutation(3000)
        (scores,) = model.conformal(x, y, rows=order[:99])
        test = order[99:299]
        held = model.predict_sets(x[test], 0.6)
        covered.append(held[np.arange(200), y[test]].mean())
        plain.append(prediction_sets(model.network.forward(x[test]), scores.quantile(0.6))[np.arange(200), y[test]].mean())
    assert held.any(axis=1).all()
    assert np.mean(plain) == pytest.approx(0.6, abs=0.03)
    assert (np.array(covered) >= plain).all()
    assert np.mean(covered) > 0.9


def digits_model():
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)], seed=1)
    return pl.Model(network, pl.DigitPipeline(), labels=[f"n{k}" for k in range(10)])


def test_a_prediction_names_its_set():
    (x, y), _ = pl.datasets.digits()
    model = digits_model()
    model.network.fit(x[:2000], y[:2000], epochs=3, progress="none")
    model.conformal(x[2000:3000], y[2000:3000])
    plain = model.predict(x[5000])
    assert (plain.set, plain.confidence, plain.is_sure, plain.set_in_words()) == (None, None, False, "")
    answers = model.predict(list(x[5000:5060]), confidence=0.99)
    sets = model.predict_sets(np.stack([a.seen for a in answers]), 0.99)
    for answer, held in zip(answers, sets, strict=True):
        order = [label for label, _ in answer.top(10)]
        expected = [label for label in order if held[int(label[1:])] and answer.doubt is None]
        assert list(answer.set) == expected
        assert answer.confidence == 0.99
        assert answer.is_sure == (0 < len(expected) < 10)
        assert answer.set_in_words().startswith(" or ".join(expected) if answer.is_sure else "not sure")
    assert all(answer.set[0] == answer.label for answer in answers if answer.set)
    empty = model.predict(np.full((40, 40), 200, np.uint8), confidence=0.99)
    assert empty.doubt
    assert empty.set == ()
    assert empty.set_in_words().startswith("not sure: the picture is in doubt")


def test_a_set_of_all_labels_says_nothing():
    labels, p = ("a", "b", "c"), np.full(3, 1 / 3)
    for held, is_sure in ((("a",), True), (("a", "b"), True), (labels, False), ((), False), (None, False)):
        assert pl.Prediction("a", 1 / 3, p, labels, confidence=0.9, set=held).is_sure == is_sure
    assert "every label is possible" in pl.Prediction("a", 1 / 3, p, labels, confidence=0.9, set=labels).set_in_words()


def test_a_confidence_that_nothing_was_measured_for_is_refused():
    (x, y), _ = pl.datasets.digits()
    model = digits_model()
    with pytest.raises(pl.ArgumentError, match=r"nothing to measure a confidence by: no .*model\.conformal\(x, y\)"):
        model.predict("no such file.png", confidence=0.9)
    model.conformal(x[:30], y[:30])
    with pytest.raises(pl.ArgumentError, match=r"30 samples .* 99%, which needs 99 at least"):
        model.predict("no such file.png", confidence=0.99)


@pytest.mark.parametrize("values", [1, 3])
def test_an_interval_is_the_prediction_more_or_less_the_quantile(values):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 2)), rng.normal(size=(500, values))
    model = pl.Model(pl.Network([pl.Input(2), pl.Regression(values)]))
    scores = model.conformal(x[:99], y[:99, 0] if values == 1 else y[:99])
    assert [each.count for each in scores] == [99] * values
    low, high = model.predict_interval(x[99:], 0.9)
    predicted = model.network.predict(x[99:])
    assert low.shape == high.shape == predicted.shape
    errors = np.abs(y[:99] - model.network.predict(x[:99]).reshape(99, values).astype(float))
    reach = np.sort(errors, axis=0)[89]  # rank ceil(100 * 0.9)
    np.testing.assert_allclose(high - predicted, np.broadcast_to(reach if values > 1 else reach[0], low.shape), rtol=1e-5)
    np.testing.assert_allclose(predicted - low, high - predicted, rtol=1e-4)


def test_what_belongs_to_the_other_kind_of_output_is_refused():
    model, x, y = overconfident()
    with pytest.raises(pl.ArgumentError, match="predict_sets"):
        model.predict_interval(x)
    regression = pl.Model(pl.Network([pl.Input(6), pl.Regression()]))
    for call in (regression.calibrate, lambda x, y: regression.predict_sets(x)):
        with pytest.raises(pl.ArgumentError, match="predict_interval"):
            call(x, y)
    with pytest.raises(pl.ArgumentError, match="class numbers"):
        model.calibrate(x, np.eye(CLASSES)[y])
    for rows in ([], [0.5], [[0]], [3000], [-1], "all"):
        with pytest.raises(pl.ArgumentError, match="rows"):
            model.calibrate(x, y, rows=rows)
    with pytest.raises(pl.ShapeError):
        model.conformal(x[:, :2], y)


def test_further_training_ends_a_calibration():
    model, x, y = overconfident()
    model.calibrate(x, y)
    model.conformal(x, y)
    model.network.fit(x, y, epochs=1, progress="none")
    assert model.temperature is None
    assert model.conformal_scores == ()
    np.testing.assert_array_equal(model.predict_proba(x), model.network.predict_proba(x))
    with pytest.raises(pl.ArgumentError, match="nothing to measure a confidence by: it has learned more since"):
        model.predict_sets(x)
    model.conformal(x, y)
    assert model.temperature is None
    assert len(model.conformal_scores) == 1


# On disk


def described(path):
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["pellucid"])


@pytest.fixture
def saved(tmp_path):
    model, x, y = overconfident()
    model.network.fit(x[:500], y[:500], epochs=1, progress="none")
    model.calibrate(x[500:], y[500:])
    model.conformal(x[500:], y[500:])
    model.save(tmp_path / "model.safetensors")
    return model, x, tmp_path / "model.safetensors"


def test_a_calibration_comes_back_bit_for_bit(saved, tmp_path):
    model, x, path = saved
    loaded = pl.load(path)
    assert loaded.temperature == model.temperature
    assert loaded.conformal_scores == model.conformal_scores
    assert loaded.predict_proba(x).tobytes() == model.predict_proba(x).tobytes()
    assert loaded.predict_sets(x, 0.95).tobytes() == model.predict_sets(x, 0.95).tobytes()
    loaded.save(tmp_path / "again.safetensors")
    assert described(tmp_path / "again.safetensors")["calibration"] == described(path)["calibration"]


def test_the_format_says_whether_there_is_a_calibration(saved, tmp_path):
    model, x, path = saved
    assert described(path)["format"] == 2
    model.network.save(tmp_path / "plain.safetensors")
    plain = described(tmp_path / "plain.safetensors")
    assert plain["format"] == 1
    assert "calibration" not in plain
    loaded = pl.load(tmp_path / "plain.safetensors")
    assert (loaded.temperature, loaded.conformal_scores) == (None, ())
    np.testing.assert_array_equal(loaded.predict_proba(x), model.network.predict_proba(x))


def test_a_regression_keeps_the_scores_of_each_value(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 2)), rng.normal(size=(200, 3))
    model = pl.Model(pl.Network([pl.Input(2), pl.Regression(3)]))
    model.conformal(x, y)
    model.save(tmp_path / "model.safetensors")
    loaded = pl.load(tmp_path / "model.safetensors")
    assert loaded.conformal_scores == model.conformal_scores
    for one, other in zip(loaded.predict_interval(x), model.predict_interval(x), strict=True):
        np.testing.assert_array_equal(one, other)


def temperature(**changes):
    return lambda calibration: calibration["temperature"].update(changes)


def conformal(**changes):
    return lambda calibration: calibration["conformal"][0].update(changes)


HOSTILE = {
    "temperature 0": (temperature(value=0), "a temperature must be in"),
    "temperature negative": (temperature(value=-2.0), "a temperature must be in"),
    "temperature NaN": (temperature(value=float("nan")), "a temperature must be in"),
    "temperature infinite": (temperature(value=float("inf")), "a temperature must be in"),
    "temperature huge": (temperature(value=1e30), "a temperature must be in"),
    "temperature tiny": (temperature(value=1e-30), "a temperature must be in"),
    "temperature text": (temperature(value="2"), "a temperature must be a number"),
    "temperature a list": (temperature(value=[2]), "a temperature must be a number"),
    "error negative": (temperature(standard_error=-1), "standard error"),
    "samples none": (temperature(samples=0), "number of samples"),
    "unknown field": (temperature(path="/etc/passwd"), "path"),
    "another type": (temperature(type="Adam"), "not a known type here"),
    "no temperature": (lambda c: c.pop("temperature"), "damaged"),
    "temperature a number": (lambda c: c.update(temperature=2.0), "description"),
    "scores unsorted": (conformal(scores=[0.1, 0.3, 0.2]), "ascend"),
    "scores negative": (conformal(scores=[-0.1, 0.3]), "conformal score"),
    "scores NaN": (conformal(scores=[0.1, float("nan")]), "conformal score"),
    "scores infinite": (conformal(scores=[0.1, float("inf")]), "conformal score"),
    "scores text": (conformal(scores="0.1"), "conformal scores"),
    "scores missing": (conformal(scores=[]), "conformal scores"),
    "scores too many": (conformal(count=10**6, scores=[0.5] * 5000), "conformal scores"),
    "count too small": (conformal(count=3), "conformal scores"),
    "conformal a number": (lambda c: c.update(conformal=5), "damaged"),
    "two outputs": (lambda c: c["conformal"].append(c["conformal"][0]), "2 lists of conformal scores"),
}


@pytest.mark.parametrize(("change", "words"), HOSTILE.values(), ids=HOSTILE)
def test_impossible_values_in_a_file_are_refused(saved, change, words):
    path = saved[2]
    description = described(path)
    change(description["calibration"])
    save_file(load_file(path), path, metadata={"pellucid": json.dumps(description)})
    with pytest.raises(pl.ModelFileError, match=words):
        pl.load(path)


@pytest.mark.parametrize("calibration", [[], 5, "none", {}, {"temperature": None}])
def test_a_calibration_of_another_form_is_refused(saved, calibration):
    description = described(saved[2])
    description["calibration"] = calibration
    save_file(load_file(saved[2]), saved[2], metadata={"pellucid": json.dumps(description)})
    with pytest.raises(pl.ModelFileError, match="damaged"):
        pl.load(saved[2])


def test_a_regression_has_no_temperature(tmp_path):
    path = tmp_path / "model.safetensors"
    model = pl.Model(pl.Network([pl.Input(2), pl.Regression()]))
    model.conformal(np.ones((9, 2)), np.ones(9))
    model.save(path)
    description = described(path)
    description["calibration"]["temperature"] = {"type": "Temperature", "value": 2.0, "standard_error": 0.1, "samples": 9}
    save_file(load_file(path), path, metadata={"pellucid": json.dumps(description)})
    with pytest.raises(pl.ModelFileError, match="a regression has no temperature"):
        pl.load(path)


def test_many_scores_stay_small_in_the_file(tmp_path):
    rng = np.random.default_rng(0)
    model = pl.Model(pl.Network([pl.Input(2), pl.Classification(3)]))
    model.conformal(rng.normal(size=(50_000, 2)), rng.integers(0, 3, 50_000))
    model.save(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_size < 40_000
    assert isinstance(model.conformal_scores[0], ConformalScores)
    assert model.conformal_scores[0].count == 50_000


def test_a_prediction_is_one_line_whatever_its_labels_hold():
    """``print(model.predict(...))`` shows labels of a file from elsewhere without the command line in between."""
    labels = ("\x1b[31mseven\n8 (100.0%)", "\u202enine", "ten")
    answer = pl.Prediction(labels[0], 0.7, np.array([0.7, 0.2, 0.1]), labels, confidence=0.9, set=labels[:2])
    assert str(answer) == r"\x1b[31mseven\n8 (100.0%) (70.0%)"
    assert answer.set_in_words() == r"\x1b[31mseven\n8 (100.0%) or \u202enine, with 90% confidence"
