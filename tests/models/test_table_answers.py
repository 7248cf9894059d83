"""What a model of tables answers to a row, to several, and to a file: against NumPy from the text of the cells."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_tables import learned, outputs, probabilities, read_csv, write_houses

import pellucid as pl
import pellucid.models.model
import pellucid.models.network
from pellucid import models
from pellucid.data.tables import source, table_pipeline

ROW = {"age": "30", "rooms": "5.25", "sea": "near", "built": "2004-02-29"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """target -> (model, a file that it has not seen)."""
    folder = tmp_path_factory.mktemp("made")
    return {
        target: (
            learned(write_houses(folder / f"{target}.csv", target), target, folder / f"{target}.safetensors"),
            write_houses(folder / f"new {target}.csv", target, rows=60, seed=4),
        )
        for target in ("price", "class")
    }


def test_a_row_is_a_dict(made):
    model, _ = made["price"]
    answer = model.predict({"age": 30, "rooms": 5.25, "sea": "near", "built": "2004-02-29"})
    assert answer.value == pytest.approx(outputs(model, [ROW])[0, 0], rel=1e-5)
    assert answer.interval is None
    assert str(answer) == f"{answer.value:.6g}"


def test_missing_values_are_left_out_or_none_or_nan(made):
    model, _ = made["class"]
    expected = probabilities(model, [{**ROW, "age": ""}])[0]
    row = {"rooms": 5.25, "sea": "near", "built": "2004-02-29"}
    for given in (row, {**row, "age": None}, {**row, "age": math.nan}, {**row, "age": "n/a", "class": "low"}):
        np.testing.assert_allclose(model.predict(given).probabilities, expected, atol=1e-5)


def test_a_row_may_hold_what_pandas_and_numpy_have_for_one_value(made):
    model, _ = made["class"]
    row = {**ROW, "built": pd.Timestamp(ROW["built"]), "rooms": np.array(5.25)}
    np.testing.assert_allclose(model.predict(row).probabilities, probabilities(model, [ROW])[0], atol=1e-5)
    expected = probabilities(model, [{**ROW, "built": ""}])[0]
    np.testing.assert_allclose(model.predict({**ROW, "built": pd.NaT}).probabilities, expected, atol=1e-5)


def test_several_rows_and_a_file_give_the_same(made):
    model, path = made["class"]
    rows = read_csv(path)
    p = probabilities(model, rows)
    answers = model.predict(path)
    np.testing.assert_allclose(answers.probabilities, p, atol=1e-5)
    named = [{name: row[name] for name in ROW} for row in rows]
    for one, other, each in zip(model.predict(named), answers[:], p, strict=True):
        assert one.label == other.label == model.labels[each.argmax()]
        assert one.probability == pytest.approx(other.probability, abs=1e-6)
    assert len(answers) == 60
    assert model.predict([]) == []


@pytest.mark.parametrize("target", ["price", "class"])
def test_neither_the_size_of_a_chunk_nor_threads_change_a_bit(made, target, monkeypatch):
    model, path = made[target]

    def everything():
        answers = model.predict(path, confidence=0.5)
        return answers.to_csv(), answers.account.as_data(), answers.intervals.tobytes()

    whole = everything()
    monkeypatch.setattr(source, "BLOCK", 100)
    assert everything() == whole
    monkeypatch.setattr(table_pipeline, "MANY", 1)
    assert everything() == whole


@pytest.mark.parametrize("target", ["price", "class"])
def test_the_order_of_rows_changes_no_answer(made, target, tmp_path):
    model, path = made[target]
    header, *lines = Path(path).read_text("utf-8").splitlines()
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join([header, *reversed(lines)]) + "\n", "utf-8")
    one, other = model.predict(path), model.predict(turned)
    for name in ("probabilities", "values", "not_understood"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert ours is theirs is None or ours.tobytes() == theirs[::-1].tobytes()


def test_an_interval_has_its_confidence(made):
    model, path = made["price"]
    answers = model.predict(path, confidence=0.8)
    (scores,) = model.conformal_scores
    reach = np.sort(scores.scores)[int(np.ceil(0.8 * (scores.count + 1))) - 1]
    predicted = outputs(model, read_csv(path))[:, 0]
    np.testing.assert_allclose(answers.intervals, np.stack([predicted - reach, predicted + reach], axis=1), rtol=1e-5)
    assert answers[3].confidence == 0.8
    assert answers[3].interval == tuple(answers.intervals[3])
    assert "with 80% confidence" in str(answers[3])


@pytest.mark.parametrize("target", ["price", "class"])
def test_a_confidence_needs_no_second_run_of_the_network(made, monkeypatch, target):
    model, path = made[target]
    runs = []
    for module in (models.model, models.network):
        run = module.answer
        monkeypatch.setattr(module, "answer", lambda *a, run=run, **k: runs.append(len(a[1])) or run(*a, **k))
    for confidence in (None, 0.8):
        runs.clear()
        model.predict(path, confidence=confidence)
        assert runs == [60]


def test_csv_and_data_hold_the_same(made):
    model, path = made["class"]
    answers = model.predict(path, confidence=0.9)
    header, *lines = answers.to_csv().splitlines()
    assert header == "row,class,probability,set,cells not understood"
    for line, each in zip(lines, answers.as_data(), strict=True):
        assert (
            line == f"{each['row']},{each['label']},{each['probability']},{'|'.join(each['set'])},{each['not_understood']}"
        )
        assert each["label"] == each["set"][0]


def test_values_are_written_with_the_digits_that_they_have(made):
    """float32 has some seven; as many as tell it from its neighbours are written."""
    model, path = made["price"]
    answers = model.predict(path)
    for text, value in zip(answers.to_csv().splitlines()[1:], answers.values, strict=True):
        written = text.split(",")[1]
        assert np.float32(written) == value
        assert len(written.replace(".", "").replace("-", "")) <= 9


def test_a_name_that_no_column_has_is_an_error(made):
    with pytest.raises(pl.DataError, match="no column is called 'bedrooms'"):
        made["price"][0].predict({"bedrooms": 3})
