"""Notebooks: real cells in a real kernel show networks, histories, predictions and traces, and fetch nothing."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl

CELLS = {
    "setup": """
import numpy as np
import pellucid as pl
(x, y), _ = pl.datasets.digits()
network = pl.Network([pl.Input(28, 28), pl.Dense(8, "relu"), pl.Classification(10)], seed=0)
history = network.fit(x[:500], y[:500], epochs=3, validation=0.2, progress="none")
hostile = '<script>alert(1)</script>'
model = pl.Model(network, labels=[hostile, *map(str, range(1, 10))])
_ = model.conformal(x[500:700], y[500:700])
""",
    "network": "network",
    "model": "model",
    "explanation": "pl.explain(model, x[7])",
    "neuron": "network.trace(x[:1], y[:1]).neuron('dense_1', 3)",
    "attribution": "pl.attribute(network, x[:2])",
    "history": "history",
    "empty history": "pl.History()",
    "prediction": "model.predict(x[7], confidence=0.9)",
    "doubt": "model.predict(np.full((40, 40), 9, np.uint8), confidence=0.9)",
    "trace": "network.trace(x[:2], y[:2])",
    "trace forward": "network.trace(x[:2])",
    "figure": "history.plot()",
}


class Fragment(HTMLParser):
    """HTML read as a browser does; every tag must be closed in turn."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Cell -> what it shows as HTML, from a notebook that ran in a kernel of this interpreter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the packages of notebooks are not ours
        import nbformat
        from nbclient import NotebookClient

    data = tmp_path_factory.mktemp("jupyter")
    (data / "kernels" / "here").mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "here", "language": "python"}
    (data / "kernels" / "here" / "kernel.json").write_text(json.dumps(spec))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS.values()])
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_PATH", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(data))
        NotebookClient(notebook, timeout=120, kernel_name="here").execute()
    outputs = {}
    for name, cell in zip(CELLS, notebook.cells, strict=True):
        for output in cell.outputs:
            assert output.output_type != "error", output
            outputs[name] = output.data
    return outputs


@pytest.fixture(scope="module")
def pages(shown):
    return {name: Fragment(data["text/html"]) for name, data in shown.items() if name != "figure"}


def test_every_object_has_html_and_plain_text(shown):
    assert set(shown) == set(CELLS) - {"setup"}
    for data in shown.values():
        assert data["text/plain"]


def test_nothing_is_fetched_and_nothing_runs(shown, pages):
    for name, page in pages.items():
        for tag, attributes in page.elements:
            assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base", "use")
            for key, value in attributes.items():
                assert not key.startswith("on")
                assert key not in ("src", "href") or value.startswith("data:image/png;base64,")
        assert not re.search(r"url\(|@import|https?:|loading=", shown[name]["text/html"])


def test_a_network_is_its_table_of_layers(pages):
    assert pages["network"].count("tr") == 4
    assert "dense_1Dense(8, 'relu')(B, 8)6,280" in pages["network"].text
    assert "6,370 parameters" in pages["network"].text


def test_a_model_is_its_network_and_what_it_knows(pages):
    text = pages["model"].text
    assert "dense_1Dense(8, 'relu')(B, 8)6,280" in text
    assert "<script>alert(1)</script>, 1, 2" in text
    assert "DigitPipeline" in text
    assert "No temperature." in text
    assert "measured on 200 samples" in text


def test_an_explanation_is_its_page(pages):
    page = pages["explanation"]
    assert page.count("img") == 2
    assert "What would have changed the answer" in page.text
    assert "dense_1[" in page.text


def test_a_neuron_is_its_sum_and_a_row_for_each_input_that_is_not_0(pages):
    x = pl.datasets.digits()[0][0]
    page = pages["neuron"]
    assert page.count("tr") == 1 + np.count_nonzero(x[0])
    assert f"{784 - np.count_nonzero(x[0])} inputs are 0." in page.text
    assert "dense_1[3]: z = " in page.text


def test_an_attribution_is_its_map_and_its_sum(pages):
    page = pages["attribution"]
    assert page.count("img") == 1
    assert "output.bias" in page.text
    assert "strongest inputs" in page.text


def test_a_repr_is_one_line(shown):
    for name in ("model", "explanation", "neuron", "attribution", "trace"):
        assert "\n" not in shown[name]["text/plain"]
        assert "array(" not in shown[name]["text/plain"]


def test_tables_keep_their_form_beside_the_style_of_jupyter():
    """JupyterLab aligns cells by ``:not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon td``: two classes and an element. What
    this style says of cells weighs more."""
    style = re.sub(r"\s+", " ", (Path(pl.__file__).parent / "core" / "display" / "notebook.css").read_text("utf-8"))
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", style)
    aligned = [selector for selector, declared in rules if re.search(r"text-align|white-space: pre;|padding", declared)]
    cells = [selector for selector in aligned if re.search(r"\bt[dh]\b", selector)]
    assert len(cells) >= 4
    assert all(selector.strip().startswith(".pellucid.pellucid.pellucid") for selector in cells)


def test_a_history_is_its_curves(pages):
    page = pages["history"]
    assert page.count("svg") == 2
    assert "Loss over 3 epochs" in page.text
    assert "Accuracy over 3 epochs" in page.text
    assert len([1 for tag, given in page.elements if tag == "polyline" and "line" in given["class"]]) == 4
    assert pages["empty history"].count("svg") == 0


def test_a_figure_is_a_picture_also_where_nobody_imported_pyplot(shown):
    with Image.open(io.BytesIO(base64.b64decode(shown["figure"]["image/png"]))) as picture:
        assert min(picture.size) > 200
        assert len(set(picture.convert("L").tobytes())) > 20


def test_a_prediction_is_its_picture_and_bars(pages):
    page = pages["prediction"]
    assert page.count("img") == 1
    assert len([1 for _, given in page.elements if given.get("class") == "bar"]) == 5
    assert "90% confidence" in page.text
    assert "<script>alert(1)</script>" in page.text + pages["doubt"].text  # as words
    assert "one colour" in pages["doubt"].text
    assert "not sure" in pages["doubt"].text


def test_a_trace_is_a_table_of_its_layers(pages):
    for name in ("trace", "trace forward"):
        assert pages[name].count("tr") >= 4
        assert "dense_1" in pages[name].text
    assert "loss" in pages["trace"].text
    assert "norm of gradient" in pages["trace"].text
    assert "norm of gradient" not in pages["trace forward"].text


def test_a_bar_is_as_long_as_its_probability():
    model = pl.Model(pl.Network([pl.Input(28, 28), pl.Classification(2)]), pl.DigitPipeline(), labels=["a", "b"])
    answer = model.predict(pl.datasets.digits()[0][0][0])
    widths = re.findall(r"width:([\d.]+)%", answer._repr_html_())
    assert [float(width) for width in widths] == pytest.approx([100 * p for _, p in answer.top(2)], abs=0.051)
