"""Paths that lead to no table, and binary tables that are damaged: one sentence from every command, without waiting and
without filling the memory."""

from __future__ import annotations

import builtins
import gzip
import io
import json
import os
import subprocess
import sys

import pytest

import pellucid as pl

TABLE = "a,b\n" + "".join(f"{k * k % 17},{'uv'[k % 2]}\n" for k in range(20))
COLUMNS = {"a": [1, 2, 3], "b": ["x", "y", "z"]}

# name -> (what makes the path, words of the sentence)
PLACES = {
    "a folder": (lambda path: path.mkdir(), "is a folder|no class folders"),
    "a pipe that nobody writes into": (os.mkfifo, "is not a regular file"),
    "a link to a device without an end": (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
    "a link to a device without content": (lambda path: path.symlink_to("/dev/null"), "is not a regular file"),
    "nothing": (lambda path: None, "there is no|does not exist"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere.csv"), "there is no|does not exist"),
    "a link to itself": (lambda path: path.symlink_to(path), "there is no|does not exist"),
}


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A model of the small table."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "table.csv").write_text(TABLE)
    table = pl.datasets.table(folder / "table.csv", target="b")
    pl.train(table, epochs=1, layers="dense2", progress="none").save(folder / "m.safetensors")
    return folder / "m.safetensors"


@pytest.mark.parametrize("word", ["inspect", "train", "evaluate", "predict"])
@pytest.mark.parametrize("place", PLACES)
def test_a_path_to_no_table_is_a_sentence(command, model_file, tmp_path, place, word):
    make, words = PLACES[place]
    make(tmp_path / "table.csv")
    before = sorted(os.listdir(tmp_path))
    arguments = {
        "inspect": ["inspect", "table.csv"],
        "train": ["train", "table.csv", "--target", "b"],
        "evaluate": ["evaluate", model_file, "table.csv"],
        "predict": ["predict", model_file, "table.csv", "--out", "out.csv"],
    }[word]
    code, out, error = command(*arguments)
    assert (code, out) == (2, ""), error
    assert error.count("Error: ") == 1
    assert any(each in error for each in words.split("|")), error
    assert sorted(os.listdir(tmp_path)) == before


def test_a_file_that_may_not_be_read_is_a_sentence(command, monkeypatch, tmp_path):
    """Permissions do not bind the superuser, who may run this test: the system's answer is set in place."""
    (tmp_path / "table.csv").write_text(TABLE)
    plain_open = builtins.open

    def refusing(path, *arguments, **options):
        if str(path) == "table.csv":
            raise PermissionError(13, "Permission denied", path)
        return plain_open(path, *arguments, **options)

    monkeypatch.setattr(builtins, "open", refusing)
    code, out, error = command("inspect", "table.csv")
    assert (code, out, error) == (2, "", "Error: table.csv cannot be read: Permission denied.")


def test_one_letter_a_hundred_million_times_does_not_fill_the_memory(tmp_path):
    """Behind a header, before another row: it is refused, and counted; at most some blocks of it are held."""
    (tmp_path / "table.csv").write_bytes(gzip.compress(b"a,b\n1,2\n" + b"x" * 100_000_000 + b"\n3,4\n", 1))
    script = """if True:
        import json, resource, sys
        from pellucid.data.tables.table import inspect_table, open_rows
        from pellucid.data.tables.overview import look_at
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before = peak()
        rows = look_at(inspect_table(open_rows("table.csv"))).as_data()["rows"]
        print(json.dumps([rows, peak() - before]))
    """
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    rows, grown = json.loads(done.stdout)
    assert (rows["in"], rows["used"], rows["refused"]) == (3, 2, 1)
    assert grown * (1 if sys.platform == "darwin" else 1024) < 80_000_000


class TestBinary:
    """Files of Parquet and Arrow by what is in them, whatever their name says."""

    @pytest.fixture
    def contents(self):
        pa = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        feather = pytest.importorskip("pyarrow.feather")
        written = {}
        for name, write in (("parquet", parquet.write_table), ("arrow", feather.write_feather)):
            sink = io.BytesIO()
            write(pa.table(COLUMNS), sink)
            written[name] = sink.getvalue()
        return written

    @pytest.mark.parametrize("kind", ["parquet", "arrow"])
    @pytest.mark.parametrize("name", ["table.csv", "table.parquet", "table"])
    def test_the_name_does_not_matter(self, command, tmp_path, contents, kind, name):
        (tmp_path / name).write_bytes(contents[kind])
        code, out, error = command("inspect", name, "--json")
        assert code == 0, error
        data = json.loads(out)
        assert data["rows"] == {"in": 3, "used": 3, "repaired": 0, "missing": 0, "refused": 0}
        assert [(column["name"], column["kind"]) for column in data["columns"]] == [("a", "count"), ("b", "category")]

    def test_a_csv_file_that_is_called_parquet_is_read(self, command, tmp_path):
        (tmp_path / "table.parquet").write_text(TABLE)
        code, out, error = command("inspect", "table.parquet", "--json")
        assert code == 0, error
        assert json.loads(out)["rows"]["used"] == 20

    @pytest.mark.parametrize("kind", ["parquet", "arrow"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
    def test_what_is_cut_off_is_a_sentence(self, command, tmp_path, contents, kind, share):
        content = contents[kind]
        (tmp_path / "table.bin").write_bytes(content[: max(12, int(share * len(content)))])
        code, out, error = command("inspect", "table.bin")
        assert (code, out) == (2, "")
        assert error.startswith("Error: table.bin cannot be read, it is damaged or cut off"), error

    @pytest.mark.parametrize("kind", ["parquet", "arrow"])
    def test_damage_in_any_place_is_a_sentence_or_every_row_is_there(self, command, tmp_path, contents, kind):
        content = contents[kind]
        for begin in range(8, len(content) - 16, len(content) // 12):
            (tmp_path / "table.bin").write_bytes(content[:begin] + b"\xff" * 8 + content[begin + 8 :])
            code, out, error = command("inspect", "table.bin", "--json")
            assert code in (0, 2)
            assert json.loads(out)["rows"]["in"] == 3 if code == 0 else error.count("Error: ") == 1

    def test_what_zstd_packed_is_read_or_named(self, command, tmp_path):
        zstandard = pytest.importorskip("zstandard")
        packed = zstandard.compress(TABLE.encode())
        for content, words in (
            (packed[:-3], "ends within a frame"),
            (packed[:6], "ends within a frame"),
            (zstandard.compress(packed), "packed twice"),
            (packed + b"junk", "damaged or cut off"),
        ):
            (tmp_path / "table.csv").write_bytes(content)
            code, out, error = command("inspect", "table.csv")
            assert (code, out) == (2, "")
            assert words in error
        (tmp_path / "table.csv").write_bytes(packed + zstandard.compress(b"16,u\n"))
        code, out, _ = command("inspect", "table.csv", "--json")
        assert (code, json.loads(out)["rows"]["used"]) == (0, 21)
