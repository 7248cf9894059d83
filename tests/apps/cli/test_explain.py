"""``pellucid explain``: the same digits in Python, in the terminal, in JSON, Markdown and HTML; and on wrong input."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from running import on_a_terminal

import pellucid as pl


def short(number, digits=4):
    """Four significant digits, written once more."""
    text = f"{number:.{digits}g}"
    return "0" if text == "-0" else text


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """name -> (model file, picture or array): a model of each kind."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(0)
    cases = {
        "table": (pl.Network([pl.Input(4), pl.Dense(5, "gelu"), pl.Classification(3)]), (4,)),
        "binary": (pl.Network([pl.Input(4), pl.Dense(5, "tanh"), pl.BinaryClassification()]), (1, 4)),
        "regression": (pl.Network([pl.Input(4), pl.Dense(5, "relu"), pl.Regression(2)]), (4,)),
        "images": (
            pl.Network(
                [
                    *(
                        pl.Input(6, 6, 2),
                        pl.Conv2D(3, 3, "relu"),
                        pl.MaxPooling2D(),
                        pl.BatchNormalization(),
                        pl.Dropout(0.1),
                    ),
                    pl.Residual([pl.Conv2D(3), pl.LayerNormalization()], activation="relu"),
                    *(pl.GlobalAveragePooling2D(), pl.Classification(4)),
                ]
            ),
            (6, 6, 2),
        ),
    }
    found = {}
    for name, (network, shape) in cases.items():
        path, sample = folder / f"{name}.safetensors", folder / f"{name}.npy"
        network.save(path)
        np.save(sample, rng.normal(size=shape))
        found[name] = (path, sample)
    return found


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A model of photos of two kinds, and a picture."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    network = pl.Network([pl.Input(8, 8, 3), pl.Conv2D(3, 3, "relu"), pl.MaxPooling2D(), pl.Classification(2)])
    model = pl.Model(network, pl.PhotoPipeline(8, 8), ["cat <b>", "*dog*"])
    model.save(folder / "photos.safetensors")
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "photo.png")
    return folder / "photos.safetensors", folder / "photo.png"


class TestTheSameDigits:
    def test_json_is_what_python_says(self, cli, trained, pictures):
        done = cli("explain", trained[1], pictures[0], "--json")
        assert done.returncode == 0
        explanation = pl.explain(pl.load(trained[1]), pictures[0])
        assert json.loads(done.stdout) == json.loads(json.dumps(explanation.to_data()))

    def test_a_neuron_of_json_is_that_of_the_trace(self, cli, trained, pictures):
        done = cli("explain", trained[1], pictures[0], "--json", "--neuron", "dense_1[3]")
        model = pl.load(trained[1])
        seen = model.pipeline(pictures[0])[None]
        answer = model.network.predict(seen)
        trace = model.network.trace(seen, answer, training=False)
        assert json.loads(done.stdout) == trace.neuron("dense_1", 3).to_data()
        data = json.loads(trace.to_json())
        assert json.loads(done.stdout)["sum"] == data["layers"][1]["sums"][0][3]

    def test_text_markdown_and_html_round_the_numbers_of_json(self, cli, trained, pictures, tmp_path):
        """What a number is made of has four digits, or as many more as bring it to that number."""
        data = json.loads(cli("explain", trained[1], pictures[0], "--json").stdout)
        cli("explain", trained[1], pictures[0], "--html", "page.html")
        texts = [
            cli("explain", trained[1], pictures[0]).stdout,
            cli("explain", trained[1], pictures[0], "--markdown").stdout,
            re.sub("</?span[^>]*>", "", (tmp_path / "page.html").read_text("utf-8")),
        ]
        expected = [[f"= {short(data['scores'][data['label']]['probability'])}"], [f"/ {short(data['total'], 6)} ="]]
        for layer in data["layers"]:
            for neuron in layer["neurons"]:
                sign, end = "-+"[neuron["bias"] >= 0], f"; {neuron['activation']}" if neuron["activation"] else ""
                bias, z = abs(neuron["bias"]), short(neuron["sum"])
                expected.append([f" {sign} {short(bias, digits)} = {z}{end}" for digits in range(4, 9)])
                largest = int(np.argmax(np.abs(neuron["products"])))
                x, weight = neuron["inputs"][largest], abs(neuron["weights"][largest])
                expected.append([f"{short(x, digits)}*{short(weight, digits)}" for digits in range(4, 9)])
        assert len(expected) == 2 + 2 * 6
        for text in texts:
            for parts in expected:
                assert any(part in text.replace("-&gt;", "->").replace("\\", "") for part in parts)
        table = {row.split()[0]: row.split()[1:] for row in texts[0].splitlines() if re.match(r"  \d +-?\d", row)}
        for score in data["scores"]:
            steps = [short(score[name], 6) for name in ("score", "shifted", "exponential")]
            assert table[str(score["label"])] == [*steps, short(score["probability"])]

    def test_what_is_written_adds_up(self, cli, trained, pictures):
        """The arithmetic of each line, with the digits that are shown."""
        lines = re.findall(r"z = (.+?) = (\S+?)(?:; relu -> (\S+))?$", cli("explain", trained[1], pictures[0]).stdout, re.M)
        assert len(lines) == 6
        for terms, total, activation in lines:
            sums = re.sub(r"\.\.\. \([\d,]+ more: (\S+)\)", r"(\1)", terms)
            assert re.fullmatch(r"[\d.e()*+\- ]+", sums)
            value = eval(sums)
            assert value == pytest.approx(float(total), rel=2e-3, abs=2e-3)
            assert activation == (("0" if float(total) < 0 else total) if activation else "")

    def test_the_probability_is_that_of_predict(self, cli, trained, pictures):
        data = json.loads(cli("explain", trained[1], pictures[0], "--json").stdout)
        (predicted,) = json.loads(cli("predict", trained[1], pictures[0], "--json").stdout)
        assert data["label"] == predicted["label"]
        assert data["probability"] == pytest.approx(predicted["probability"], rel=1e-5)


class TestChange:
    def test_the_margin_is_the_sum_of_its_reasons(self, cli, trained, pictures):
        data = json.loads(cli("explain", trained[1], pictures[0], "--json").stdout)
        change = data["change"]
        scores = sorted((row["score"] for row in data["scores"]), reverse=True)
        assert change["margin"] == pytest.approx(scores[0] - scores[1])
        products = [reason["product"] for reason in change["reasons"]]
        assert sum(products) + change["others"] + change["bias"] == pytest.approx(change["margin"])
        for reason in change["reasons"]:
            assert reason["product"] == reason["value"] * reason["weight"]
        assert data["attribution"]["score"] == pytest.approx(change["margin"])

    @pytest.mark.parametrize("wanted", [0, 1])
    def test_yes_or_no_has_one_score_and_changes_at_0(self, wanted):
        arrays = {"output.weight": np.array([[2.0], [-1.0]]), "output.bias": np.array([0.5])}
        network = pl.Network([pl.Input(2), pl.BinaryClassification()], dtype="float64", arrays=arrays)
        x = np.array([1.0, 1.0]) if wanted else np.array([-1.0, 0.5])  # z = 1.5 or -2
        explanation = pl.explain(pl.Model(network, labels=["no", "yes"]), x)
        assert explanation.label == ("yes" if wanted else "no")
        assert explanation.change.runner_up == ("no" if wanted else "yes")
        assert explanation.change.margin == (1.5 if wanted else 2.0)
        assert explanation.change.bias == (0.5 if wanted else -0.5)
        text = str(explanation)
        assert f"if the score were to {'fall by 1.5' if wanted else 'rise by 2'}, past 0" in text
        assert f"p(yes) = 1 / (1 + e^{'(-1.5)' if wanted else '2'})" in text

    @pytest.mark.parametrize("output", [pl.Classification(3), pl.BinaryClassification()], ids=["softmax", "sigmoid"])
    def test_with_a_temperature_the_headline_follows_from_the_lines(self, output):
        network = pl.Network([pl.Input(2), output], seed=4, dtype="float64")
        model, x = pl.Model(network), np.array([1.0, 2.0])
        rng = np.random.default_rng(0)
        samples = rng.normal(size=(200, 2))
        y = np.where(rng.random(200) < 0.3, rng.integers(0, 2, 200), network.predict(samples))
        t = model.calibrate(samples, y).value
        assert abs(t - 1) > 0.05
        explanation = pl.explain(model, x)
        assert explanation.temperature == t
        assert explanation.probability == pytest.approx(float(model.predict_proba(x[None]).max()))
        z = network.forward(x[None])[0] / t
        text = str(explanation)
        assert text.splitlines()[0].endswith(f"({explanation.probability:.1%})")
        own = network.predict_proba(x[None])[0]
        for score, p in zip(explanation.scores, own, strict=True):
            assert score.own == pytest.approx(p)
        if len(z) == 1:
            shown, p = re.search(r"p\(1\) = 1 / \(1 \+ e\^\(?([^)]+)\)+ = (\S+)", text).groups()
            assert float(shown) == pytest.approx(-z[0], rel=1e-5)
            assert 1 / (1 + np.exp(float(shown))) == pytest.approx(float(p), rel=1e-3)
            assert max(float(p), 1 - float(p)) == pytest.approx(explanation.probability, rel=1e-3)
            return
        rows = [line.split() for line in text.split("with T = 1\n")[1].splitlines()[:3]]
        for label, score, scaled, shifted, exponential, _, untempered in rows:
            assert float(scaled) == pytest.approx(z[int(label)], rel=1e-5)
            assert float(scaled) == pytest.approx(float(score) / t, rel=1e-5)
            assert float(shifted) == pytest.approx(float(scaled) - z.max(), abs=1e-5)
            assert float(exponential) == pytest.approx(np.exp(float(shifted)), rel=1e-5)
            assert float(untempered) == pytest.approx(own[int(label)], rel=1e-3)
        top, total, p = map(float, re.search(r"p\(\d\) = (\S+) / (\S+) = (\S+)", text).groups())
        assert total == pytest.approx(sum(float(row[4]) for row in rows), rel=1e-5)
        assert short(top / total) == short(p) == rows[0][5] == short(explanation.probability)

    def test_a_picture_in_doubt_has_the_probability_of_predict(self, cli, trained, tmp_path):
        from PIL import Image

        Image.fromarray(np.full((40, 40), 200, np.uint8)).save(tmp_path / "empty.png")
        (predicted,) = json.loads(cli("predict", trained[1], "empty.png", "--json").stdout)
        data = json.loads(cli("explain", trained[1], "empty.png", "--json").stdout)
        assert predicted["doubt"]
        assert data["probability"] == pytest.approx(predicted["probability"], rel=1e-5)
        own = max(score["probability"] for score in data["scores"])
        text = cli("explain", trained[1], "empty.png").stdout
        assert f"({predicted['probability']:.1%}; {own:.1%} without the doubt), but the picture is empty" in text
        assert f"in doubt: 0.1 * {short(own)} + 0.9 / 10 = {short(0.1 * own + 0.09)}" in text


class TestForms:
    @pytest.mark.parametrize("name", ["table", "binary", "regression", "images"])
    def test_every_kind_of_model(self, cli, saved, name, tmp_path):
        model, sample = saved[name]
        done = cli("explain", model, sample)
        assert done.returncode == 0
        assert "completeness gap" in done.stdout
        assert ("What would have changed the answer" in done.stdout) == (name != "regression")
        assert json.loads(cli("explain", model, sample, "--json").stdout)["kind"] in ("softmax", "sigmoid", "identity")
        assert cli("explain", model, sample, "--markdown").stdout.startswith("# ")
        assert cli("explain", model, sample, "--html", "page.html").returncode == 0
        neuron = cli("explain", model, sample, "--neuron", "output[0]")
        assert "Every product" in neuron.stdout

    def test_a_neuron_in_every_form(self, cli, saved, tmp_path):
        options = ["--neuron", "dense_1[2]"]
        assert cli("explain", *saved["table"], *options, "--markdown").stdout.startswith("# dense\\_1")
        assert cli("explain", *saved["table"], *options, "--html", "page.html").returncode == 0
        assert "Each input, its weight and their product" in (tmp_path / "page.html").read_text("utf-8")

    @pytest.mark.parametrize("name", ["table", "binary", "regression", "images"])
    def test_the_trace_is_a_file_that_the_checker_accepts(self, cli, saved, name, tmp_path):
        label = [] if name == "regression" else ["--label", "1"]
        for _ in range(2):  # its own file it may write again
            done = cli("explain", *saved[name], "--trace", "trace.json", *label)
            assert done.returncode == 0
            assert done.stdout
        trace = json.loads((tmp_path / "trace.json").read_text("utf-8"))
        assert ("loss" in trace) == (name != "regression")
        if label:
            targets = np.ravel(trace["loss"]["targets"]).tolist()
            assert targets == ([1.0] if name == "binary" else [float(k == 1) for k in range(len(targets))])
        tool = Path(__file__).parents[3] / "tools" / "check_trace.py"
        checked = subprocess.run(
            [sys.executable, tool, "trace.json"], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert checked.returncode == 0, checked.stdout

    def test_a_trace_takes_the_place_of_no_other_file(self, cli, saved, tmp_path):
        (tmp_path / "thesis.json").write_text('{"years": "of work"}')
        done = cli("explain", *saved["table"], "--trace", "thesis.json")
        assert done.returncode == 2
        assert "thesis.json exists and is not a trace" in done.stderr
        assert (tmp_path / "thesis.json").read_text() == '{"years": "of work"}'

    def test_json_has_no_line_for_each_number(self, cli, trained, pictures):
        lines = cli("explain", trained[1], pictures[0], "--json").stdout.splitlines()
        assert len(lines) < 600  # each of 784 inputs has five numbers in each neuron

    def test_lines_fit_into_a_terminal_and_the_command_is_named_on_a_page(self, cli, trained, pictures, tmp_path):
        shown = on_a_terminal("explain", trained[1], pictures[0], columns=60)
        outside = [line for line in shown.splitlines() if not re.match(r"  (label|\d) ", line)]  # but for the table
        assert max(map(len, outside[1:])) <= 60
        assert "\n      " in shown
        cli("explain", trained[1], pictures[0], "--html", "page.html")
        page = (tmp_path / "page.html").read_text("utf-8")
        assert "How to reproduce this page" in page
        assert "--html page.html" in page

    def test_a_filter_at_a_place(self, cli, saved):
        done = cli("explain", *saved["images"], "--neuron", "residual_1.conv2d_1[2]@1,2")
        assert done.returncode == 0
        assert done.stdout.startswith("residual_1.conv2d_1[2]@1,2")
        assert "27 products" in done.stdout

    def test_arrays_and_paths_are_the_same(self, saved):
        model, sample = pl.load(saved["table"][0]), np.load(saved["table"][1])
        by_path, by_array = pl.explain(model, str(saved["table"][1])), pl.explain(model, sample)
        assert by_path.to_data() | {"source": ""} == by_array.to_data() | {"source": ""}

    def test_names_cannot_command(self, cli, photos, tmp_path):
        """Labels go into the page as text, whatever they hold."""
        cli("explain", *photos, "--html", "page.html")
        page = (tmp_path / "page.html").read_text("utf-8")
        assert "cat <b>" not in page
        assert "cat &lt;b&gt;" in page
        assert "<script" not in page
        assert "http" not in page.replace("http-equiv", "")
        assert page.count("<img") == 2
        markdown = cli("explain", *photos, "--markdown").stdout
        outside = re.sub(r"```text.*?```", "", markdown, flags=re.S)
        assert "*dog*" not in outside.replace("\\*dog\\*", "")
        assert re.search(r"most around \\\[\d,\d\\\]: there", markdown)

    def test_top_says_how_many(self, cli, trained, pictures):
        data = json.loads(cli("explain", trained[1], pictures[0], "--json", "--top", "2").stdout)
        assert [len(layer["neurons"]) for layer in data["layers"]] == [0, 2, 2]
        outputs = data["layers"][1]["neurons"]
        assert outputs[0]["output"] >= outputs[1]["output"] > 0


class TestWrongInput:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--neuron", "dense_9[0]"], "unknown layer 'dense_9'"),
            (["--neuron", "dense_1[999]"], "counted from 0 to 15"),
            (["--neuron", "dense_1"], "names no neuron"),
            (["--neuron", "dense_1[-1]"], "names no neuron"),
            (["--neuron", "dense_1[1"], "names no neuron"),
            (["--neuron", "dense_1[1]@2"], "is no convolution and no ensemble: its units have no place"),
            (["--neuron", "dense_1[1]@2,3"], "no place"),
            (["--neuron", "dense_1[" + "9" * 30 + "]"], "names no neuron"),
            (["--neuron", ""], "names no neuron"),
            (["--neuron", "input[0]"], "has no neurons"),
            (["--label", "seven", "--step"], "not a label"),
            (["--label", "3"], "--label has no effect on this page"),
            (["--label", "3", "--markdown"], "--label has no effect on this page"),
            (["--json", "--markdown"], "--markdown and --json"),
            (["--step", "--html", "page.html"], "--step and --html"),
            (["--step", "--neuron", "dense_1[1]"], "--step walks through all layers, --neuron shows one"),
            (["--neuron", "dense_1[1]", "--markdown", "--json"], "choose one"),
            (["--trace", "no folder/trace.json"], "does not exist"),
            (["--html", "no folder/page.html"], "does not exist"),
            (["--top", "0"], "top"),
        ],
        ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
    )
    def test_options(self, cli, trained, pictures, options, words):
        done = cli("explain", trained[1], pictures[0], *options)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""

    def test_files(self, cli, trained, pictures, saved, tmp_path):
        np.save(tmp_path / "wide.npy", np.zeros(9))
        np.save(tmp_path / "nan.npy", np.full(4, np.nan))
        np.save(tmp_path / "words.npy", np.array(["a", "b", "c", "d"]))
        np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
        (tmp_path / "text.npy").write_text("no array")
        (tmp_path / "empty.npy").write_text("")
        (tmp_path / "brackets.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", 1000) + b"(" * 999 + b"\n")
        (tmp_path / "text.png").write_text("no picture")
        with open(tmp_path / "several.npy", "wb") as file:
            np.savez(file, a=np.zeros(4), b=np.zeros(4))
        for model, sample, words in (
            (trained[1], "missing.png", "missing.png"),
            (trained[1], "text.png", "text.png"),
            (trained[1], "wide.npy", "shape (28, 28)"),
            ("missing.safetensors", pictures[0], "missing.safetensors"),
            (saved["table"][0], pictures[0], "no pipeline"),
            (saved["table"][0], "missing.npy", "No such file"),
            (saved["table"][0], "wide.npy", "the array has the shape (9,)"),
            (saved["table"][0], "nan.npy", "NaN"),
            (saved["table"][0], "words.npy", "numbers are expected"),
            (saved["table"][0], "objects.npy", "no array of numbers"),
            (saved["table"][0], "text.npy", "no array of numbers"),
            (saved["table"][0], "empty.npy", "no array of numbers"),
            (saved["table"][0], "brackets.npy", "no array of numbers"),
            (saved["table"][0], "several.npy", "several arrays"),
            (saved["regression"][0], saved["images"][1], "shape (6, 6, 2)"),
        ):
            done = cli("explain", model, sample)
            assert done.returncode == 2, (sample, done.stdout)
            assert words in done.stderr
            assert "Traceback" not in done.stderr
        done = cli("explain", *saved["regression"], "--label", "1", "--json")
        assert done.returncode == 2
        assert "no labels" in done.stderr
