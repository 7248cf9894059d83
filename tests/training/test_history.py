"""The history: figures by name, and curves that show them."""

from __future__ import annotations

import sys
import warnings

import matplotlib as mpl
import pytest

import pellucid as pl

mpl.use("Agg")


@pytest.fixture
def pyplot():
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def curves(axis):
    """label -> (x, y) of the lines of one plot."""
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.lines}


def test_a_figure_by_its_name(digits):
    x, y = digits
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    history = network.fit(x, y, epochs=3, validation=0.2, regularizer=pl.L2(1e-4), progress="none")
    assert set(history) == {
        "loss",
        "accuracy",
        "penalty",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
        "seconds",
    }
    assert len(history) == 7
    assert all(len(history[name]) == 3 for name in history)
    assert history["learning_rate"] == [1e-3] * 3
    assert history["penalty"][-1] == pytest.approx(
        1e-4 * float((network.parameters["output.weight"].astype(float) ** 2).sum())
    )
    x_kept, y_kept = x, y
    final = network.evaluate(x_kept, y_kept)
    assert set(final) == {"loss", "accuracy"}
    assert dict(history) == {name: history[name] for name in history}
    assert "3 epochs" in repr(history)
    assert "completed" in repr(history)


def test_a_question_for_a_figure_that_is_not_there_is_answered(digits):
    history = pl.History([{"loss": 1.0}])
    assert "validation_loss" not in history
    assert "loss" in history
    assert history.get("validation_loss", []) == []
    with pytest.raises(pl.ArgumentError, match="Did you mean 'loss'"):
        history["los"]


def test_the_history_of_the_network_is_that_of_all_calls(digits):
    x, y = digits
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    first = network.fit(x, y, epochs=2, progress="none")
    second = network.fit(x, y, epochs=1, validation=(x, y), progress="none")
    assert len(first["loss"]) == 2
    assert len(second["loss"]) == 1
    assert network.history["loss"] == first["loss"] + second["loss"]
    assert network.history["validation_loss"] == second["validation_loss"]
    assert second["validation_loss"][0] == pytest.approx(network.evaluate(x, y)["loss"], rel=1e-12)


EPOCHS = [
    {
        "loss": 2.0,
        "accuracy": 0.3,
        "validation_loss": 2.5,
        "validation_accuracy": 0.25,
        "learning_rate": 0.1,
        "seconds": 1.0,
    },
    {"loss": 1.0, "accuracy": 0.6, "learning_rate": 0.1, "seconds": 1.0},
    {
        "loss": 0.5,
        "accuracy": 0.8,
        "validation_loss": 1.5,
        "validation_accuracy": 0.7,
        "learning_rate": 0.1,
        "seconds": 1.0,
    },
]


def test_the_curves_hold_the_figures(pyplot, tmp_path):
    path = tmp_path / "curves.png"
    figure = pl.History(EPOCHS).plot(str(path))
    loss, accuracy = figure.axes
    assert curves(loss) == {"training": ([1, 2, 3], [2.0, 1.0, 0.5]), "validation": ([1, 3], [2.5, 1.5])}
    assert curves(accuracy) == {"training": ([1, 2, 3], [0.3, 0.6, 0.8]), "validation": ([1, 3], [0.25, 0.7])}
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert loss.get_xlabel() == "epoch"
    assert {text.get_text() for text in loss.get_legend().get_texts()} == {"training", "validation"}
    from PIL import Image

    with Image.open(path) as picture:
        assert min(picture.size) > 200
        assert len(set(picture.convert("L").tobytes())) > 20


def test_a_notebook_names_the_error_of_a_regression_in_words():
    shown = pl.History([{"loss": 2.0, "mae": 1.0, "seconds": 1.0}])._repr_html_()
    assert "Mean absolute error over 1 epoch" in shown
    assert "Mae" not in shown


def test_curves_without_validation(pyplot):
    figure = pl.History([{"loss": 2.0, "mae": 1.0, "seconds": 1.0}, {"loss": 1.0, "mae": 0.5, "seconds": 1.0}]).plot()
    loss, mae = figure.axes
    assert curves(loss) == {"training": ([1, 2], [2.0, 1.0])}
    assert curves(mae) == {"training": ([1, 2], [1.0, 0.5])}


def test_curves_of_a_real_regression_and_a_path_object(pyplot, table, tmp_path):
    x, y = table
    history = pl.Network([pl.Input(4), pl.Regression()]).fit(x, y, epochs=3, validation=0.3, progress="none")
    figure = history.plot(tmp_path / "curves.svg")
    assert [axis.get_ylabel() for axis in figure.axes] == ["loss", "mae"]
    assert curves(figure.axes[0])["validation"] == ([1, 2, 3], history["validation_loss"])
    assert (tmp_path / "curves.svg").read_text().lstrip().startswith("<?xml")


def test_many_plots_do_not_pile_up(pyplot):
    """matplotlib keeps every figure of pyplot until it is closed, and warns of the 21st."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(22):
            pl.History(EPOCHS).plot()


def test_without_matplotlib_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(pl.MissingDependencyError, match=r"pip install matplotlib"):
        pl.History(EPOCHS).plot()
