"""What a page of an explanation looks like: order, places, formulas, colors, lines that fit; and one neuron in full."""

from __future__ import annotations

import re

import numpy as np
import pytest
from documents import FORMATS, sections

import pellucid as pl
from pellucid.core.display.document import Section, Sums, Words
from pellucid.core.display.document_text import as_text

NUMBER = r"-?[\d.]+(?:e-\d+)?"


@pytest.fixture(scope="module")
def images():
    """(explanation, its text) of a network with every layer for images, and three named labels."""
    layers = [
        pl.Conv2D(3, 3, "relu", use_bias=False),
        pl.MaxPooling2D(3, 2, "same"),
        pl.Residual([pl.Conv2D(3), pl.LayerNormalization()], activation="relu"),
        pl.AveragePooling2D(2),
        pl.GlobalAveragePooling2D(),
    ]
    network = pl.Network([pl.Input(7, 9, 2), *layers, pl.Classification(3)], seed=2, dtype="float64")
    found = pl.explain(pl.Model(network, labels=["cat", "dog", "2"]), np.random.default_rng(0).normal(size=(7, 9, 2)))
    return found, str(found)


@pytest.fixture(scope="module")
def photo():
    """The explanation of a photo of 96x128 pixels."""
    network = pl.Network([pl.Input(96, 128, 3), pl.MaxPooling2D(8), pl.Classification(2)], seed=1)
    pixels = np.random.default_rng(1).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    return pl.explain(pl.Model(network, pl.PhotoPipeline(96, 128), ["cat", "dog"]), pixels)


def test_the_branches_of_a_block_stand_before_their_sum(images):
    names = re.findall(r"^([\w.]+): [\dx]+$", images[1], re.M)
    block = names.index("residual_1")
    assert names[block - 2 : block] == ["residual_1.conv2d_1", "residual_1.layer_normalization_1"]


def test_each_pooling_shows_one_window(images):
    found, text = images
    terms, largest = re.search(r"max_pooling2d_1\[\d,\d,\d\]  y = max\((.+)\) = (\S+)", text).groups()
    assert max(map(float, terms.split(", "))) == float(largest)
    assert float(largest) == pytest.approx(found.trace.layer("max_pooling2d_1").output.max(), rel=1e-3)
    means = re.findall(r"(?:\]  )y = \((.+)\) / (\d+) = (\S+)$", text, re.M)
    assert len(means) == 2
    for terms, count, mean in means:
        total = eval(re.sub(r"\.\.\. \(\d+ more: (\S+)\)", r"(\1)", terms))
        assert total / int(count) == pytest.approx(float(mean), rel=5e-3)


def test_a_window_at_the_edge_shows_what_is_in_the_image_alone():
    """Of a 3x3 window around a corner four pixels are in the image."""
    network = pl.Network([pl.Input(2, 2), pl.MaxPooling2D(3, 2, "same"), pl.Regression()])
    text = str(pl.explain(pl.Model(network), np.array([[1.0, 2.0], [4.0, 3.0]])))
    assert "max_pooling2d_1[0,0,0]  y = max(1, 2, 4, 3) = 4" in text


def test_layer_normalization_is_spelled_out(images):
    line = rf"y = ({NUMBER}) \* \(({NUMBER}) ([+-] {NUMBER})\) / ({NUMBER}) ([+-] {NUMBER}) = ({NUMBER})"
    parts = re.search(line, images[1]).groups()
    gamma, x, mean, std, beta, y = (float(part.replace(" ", "")) for part in parts)
    assert gamma * (x + mean) / std + beta == pytest.approx(y, rel=5e-3)


def test_a_layer_without_bias_has_a_formula_without_it(images):
    text = images[1]
    assert "z = sum of input * weight in a window, and f(z)." in text.split("conv2d_1: ")[1].split("\n\n")[0]
    assert "weight in a window + bias" in text.split("residual_1.conv2d_1: ")[1].split("\n\n")[0]


def test_outputs_bear_their_labels(images):
    assert re.search(r"^  output\[0\] \(cat\)  z = ", images[1], re.M)
    assert re.search(r"^  output\[2\]  z = ", images[1], re.M)  # its label is its number


def test_one_input_is_one_number():
    network = pl.Network([pl.Input(1), pl.Regression()])
    text = str(pl.explain(pl.Model(network), np.array([3.0])))
    assert "  1 number from 3 to 3. 1 of 1 is not 0. Inputs count from 0.\n" in text


def test_two_negative_factors_are_a_term_that_is_added():
    network = pl.Network([pl.Input(2), pl.Regression(use_bias=False)], dtype="float64")
    network.parameters["output.weight"] = np.array([[-2.0], [-3.0]])
    neuron = network.trace(np.array([[-5.0, 1.0]])).neuron("output", 0)
    assert neuron.arithmetic() == "z = (-5)*(-2) - 1*3 = 7"


def test_sentences_and_arithmetic_are_wrapped_between_words_and_tables_are_not():
    sections = [Section("s", [Words("one two three four"), Sums(("a[0]  z = 1*2 + 3*4 + 5*6",))])]
    assert (
        as_text("t", sections, str, 14)
        == "t\n\ns\n  one two\n  three four\n  a[0]  z =\n      1*2 +\n      3*4 +\n      5*6"
    )
    assert as_text("t", sections, str) == "t\n\ns\n  one two three four\n  a[0]  z = 1*2 + 3*4 + 5*6"


def test_the_map_of_a_large_photo_has_the_scale_of_the_picture(photo):
    blocks = [block for section in photo.steps() for block in section.blocks if hasattr(block, "pixels")]
    seen, given = (str(photo).split(title + "\n")[1] for title in ("What the network saw", "What each input contributes"))
    lines = given.split("\n  . + #")[0].split("\n")
    assert len(lines) == len(seen.split("\n  96x128x3")[0].split("\n")) == 96 // 4 // 2  # squares of 4 pixels, two a line
    assert max(map(len, lines)) <= 128 // 4
    assert len(blocks) == 2


def test_the_html_page_has_colors_with_a_scale_and_says_nothing_of_letters(photo):
    page = photo.to_html(command="pellucid explain m.safetensors photo.png --html page.html")
    largest = f"{np.abs(photo.attribution.map()).max():.4g}"
    assert f"<span>-{largest}</span>" in page
    assert f"<span>{largest}</span>" in page
    assert ". + # speak" not in page
    assert ". + # speak" in photo.to_text()
    assert "loading=" not in page
    assert "pellucid explain m.safetensors photo.png --html page.html" in page
    assert "pellucid explain" not in photo.to_html()


def test_no_line_of_the_html_page_breaks_around_an_arrow(images):
    page = images[0].to_html()
    arrows = re.findall(r'<span class="whole">relu -&gt; [\d.]+</span>', page)
    assert len(arrows) == page.count(" -&gt; ") > 1
    assert ".whole { white-space: nowrap; }" in page


@pytest.fixture(scope="module")
def digit():
    network = pl.Network([pl.Input(28, 28), pl.Dense(6, "relu"), pl.Classification(10)], seed=3)
    return pl.explain(pl.Model(network), pl.datasets.digits()[1][0][0], label=2)


def test_a_neuron_leaves_out_and_counts_the_inputs_that_are_0(digit):
    zeros = int((digit.given == 0).sum())
    text = digit.to_text(address="dense_1[4]")
    assert f"784 products, bias 0; {zeros} inputs are 0. Rows and columns count from 0." in text
    rows = re.findall(rf"^  \[(\d+),(\d+)\] +({NUMBER}) +({NUMBER}) +({NUMBER}) +({NUMBER})$", text, re.M)
    assert len(rows) == 784 - zeros
    dz = digit.neuron("dense_1[4]").dsum
    for row, column, x, w, product, dw in rows:
        assert float(x) == pytest.approx(digit.given[int(row), int(column)] / 255, rel=1e-3)
        assert float(x) * float(w) == pytest.approx(float(product), rel=2e-3, abs=1e-8)
        assert float(dw) == pytest.approx(dz * float(x), rel=2e-3, abs=1e-8)
    last = text.splitlines()[-3:]
    assert last[0].startswith("  z = ")
    assert last[1].startswith("  dz = dy * f'(z) = ")
    assert "the gradient of the loss if 2 is the right answer" in last[2]


def test_a_filter_speaks_of_this_window(images):
    assert "dweight of this window" in images[0].to_text(address="conv2d_1[1]@2,3")
    assert "dweight of" not in images[0].to_text(address="output[1]")


def test_a_neuron_has_every_form(digit):
    text, markdown, page = (form(address="dense_1[4]") for form in (digit.to_text, digit.to_markdown, digit.to_html))
    line = digit.neuron("dense_1[4]").arithmetic(3)
    assert line in text
    assert line in markdown
    assert line.split("; ")[0] in page
    assert markdown.startswith("# dense\\_1\\[4\\] of")
    assert page.count("<tr>") == 1 + np.count_nonzero(digit.given)
    with pytest.raises(pl.ArgumentError, match="names no neuron"):
        digit.to_html(address="dense_1")


def test_the_document_names_every_key_of_the_json(photo, digit):
    page = sections(FORMATS)["The explanation"]
    data = photo.to_data()
    keys = {*data, *data["scores"][0], *data["change"], *data["cover"], *data["attribution"], *data["layers"][0]}
    keys |= {*data["change"]["reasons"][0], *digit.neuron("dense_1[4]").to_data(), "scaled", "untempered"}
    assert {key for key in keys if f"`{key}`" not in page} == set()


@pytest.fixture(scope="module")
def linear():
    """A model whose answer can be worked out by hand: z = (0, 2 age - 3 dose)."""
    network = pl.Network([pl.Input(2), pl.Classification(2)], seed=0, dtype="float64")
    network.parameters["output.weight"] = np.array([[0.0, 2.0], [0.0, -3.0]])
    network.parameters["output.bias"] = np.zeros(2)
    return pl.Model(network, labels=["well", "ill"])


def test_columns_of_a_table_have_their_names_and_values(linear):
    found = pl.explain(linear, [40.0, 0.5], columns=["age", "dose"])
    text = str(found)
    assert re.search(r"input +column +value\n +0 +age +40\n +1 +dose +0\.5\n", text)
    assert re.search(r"input +contribution\n +age +80\n +dose +-1\.5\n", text)  # 2 * 40, -3 * 0.5
    data = found.to_data()["attribution"]
    assert (data["columns"], data["contributions"]) == (["age", "dose"], [80.0, -1.5])
    for form in (found.to_markdown(), found.to_html()):
        assert form.count("dose") == text.count("dose")
    assert "column" not in str(pl.explain(linear, [40.0, 0.5]))


def test_of_many_columns_the_first_are_shown_and_the_others_counted():
    network = pl.Network([pl.Input(25), pl.Classification(2)], seed=0)
    text = str(pl.explain(pl.Model(network), np.ones(25), columns=[f"c{d}" for d in range(25)]))
    assert re.search(r"\n +19 +c19 +1\n +and 5 more columns\.\n", text)


@pytest.mark.parametrize("names", [["age"], ["age", "age"], "ab", [1, 2]], ids=repr)
def test_names_that_do_not_fit_the_columns_are_refused(linear, names):
    with pytest.raises(pl.ArgumentError, match="columns "):
        pl.explain(linear, [1.0, 2.0], columns=names)


def test_pixels_have_no_columns_to_name():
    network = pl.Network([pl.Input(2, 2), pl.Classification(2)], seed=0)
    with pytest.raises(pl.ArgumentError, match="columns names those of a table"):
        pl.explain(pl.Model(network), np.ones((2, 2)), columns=["a"] * 4)
