"""Reading a table in tests: rows as lists of texts, and the account."""

from __future__ import annotations

import os

from pellucid.data.tables.account import Account
from pellucid.data.tables.dialect import find_dialect
from pellucid.data.tables.records import read_chunks
from pellucid.data.tables.source import Source


def read(path, *, encoding=None, delimiter=None, names=None):
    """(names, rows as lists of texts, numbers of the rows, byte offsets, account) of a file."""
    source = Source.open(path, encoding)
    dialect = find_dialect(source, delimiter, names)
    account = Account(notes=list(dialect.notes))
    rows, numbers, offsets = [], [], []
    for chunk in read_chunks(source, dialect, account):
        assert len({len(column) for column in chunk.columns} | {len(chunk.rows), len(chunk.offsets)}) == 1
        rows += [list(row) for row in zip(*chunk.columns, strict=True)]
        numbers += chunk.rows.tolist()
        offsets += chunk.offsets.tolist()
    return dialect.names, rows, numbers, offsets, account


def written(folder, content, name="table.csv"):
    """The path of a file with this content, bytes or text."""
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path
