"""The rows of a table's file: every line is a row, a part of one, blank, or refused with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import counted
from pellucid.core.errors import DataError
from pellucid.core.machine import made_ahead
from pellucid.data.tables.account import Account
from pellucid.data.tables.cell_texts import quick_columns
from pellucid.data.tables.dialect import Dialect
from pellucid.data.tables.division import SPACES, STRAY_RETURN, Divided, divide
from pellucid.data.tables.source import Block, Source

TOTALS = {"total", "totals", "sum", "grand total", "summe", "gesamt", "insgesamt", "somme", "suma", "totale"}
EMPTY_AT_THE_END = "empty cells beyond the last column were dropped"
TOO_LONG = "its line has more than 16 MiB"
IS_TOTAL = "it is the last row and begins with a word for totals"


class Chunk(NamedTuple):
    """Some rows, all as wide as the header: their numbers from 1, where each begins in bytes, and the cells by column."""

    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    columns: Sequence[Sequence[str]]


def read_chunks(source: Source, dialect: Dialect, account: Account) -> Iterator[Chunk]:
    """The rows that can be used, in order; the account has all of them. Raises `DataError` if none can."""
    before: Chunk | None = None  # held back, for its last row may be the last of all
    for chunk in _chunks(source, dialect, account):
        if len(chunk.rows):
            if before is not None:
                yield before
            before = chunk
    if before is not None:
        before = _without_totals(before, dialect, account)
        if len(before.rows):
            yield before
    if not account.rows_used:
        raise DataError(f"no row of {source.name} can be used: {next(iter(account.entries), 'it has none')}.")


def _chunks(source: Source, dialect: Dialect, account: Account) -> Iterator[Chunk]:
    """A chunk for each block; it may have no rows."""
    left: Block | None = None  # the beginning of a record that goes on in the next block
    for block, whole in made_ahead(_blocks(source, dialect)):
        if block.is_long:
            if left is not None:
                yield _careful_chunk(left, source, dialect, account, True)[0]
                left = None
            account.rows_in += 1
            account.refuse_row(account.rows_in, block.offset, block.content.decode(), TOO_LONG)
            continue
        if left is not None:
            block = Block(left.offset, left.content + source.line_end + block.content)
            whole, left = whole_rows(block, source, dialect), None
        if whole is None:
            chunk, left = _careful_chunk(block, source, dialect, account, False)
        else:
            chunk = whole._replace(rows=account.rows_in + whole.rows)
            account.rows_in += len(whole.rows)
        yield chunk
    if left is not None:
        yield _careful_chunk(left, source, dialect, account, True)[0]


def _blocks(source: Source, dialect: Dialect) -> Iterator[tuple[Block, Chunk | None]]:
    """The blocks from the first row on, each with its `whole_rows`."""
    for block in source.blocks():
        if block.offset + source.size(block.content) >= dialect.first_row:
            block = _from(block, source, dialect.first_row)
            yield block, None if block.is_long else whole_rows(block, source, dialect)


def _from(block: Block, source: Source, first: int) -> Block:
    """The part of a block that does not lie before this offset."""
    if block.offset >= first:
        return block
    text = block.content.decode()
    cut = len(text.encode(source.encoding, "replace")[: first - block.offset].decode(source.encoding, "replace").encode())
    return Block(first, block.content[cut:], block.is_long)


def whole_rows(block: Block, source: Source, dialect: Dialect) -> Chunk | None:
    """The quick way, for a block in which every line is a whole row, and no cell holds quotes: the rows, which are numbered
    from 1 within the block. None if this is no such block."""
    if source.encoding != "utf-8":
        return None
    found = quick_columns(block.content, dialect.delimiter, source.line_end, dialect.width)
    if found is None:
        return None
    columns, begins = found
    is_header_again = bool(dialect.header) and dialect.header[0] in columns[0]
    if is_header_again or np.logical_and.reduce([column.are_empty for column in columns]).any():
        return None
    return Chunk(np.arange(1, 1 + len(begins)), block.offset + begins, columns)


def _careful_chunk(
    block: Block, source: Source, dialect: Dialect, account: Account, is_last: bool
) -> tuple[Chunk, Block | None]:
    """The rows of a block one by one, and what its last lines hold of a record that may go on in the next block."""
    end = source.line_end.decode()
    lines = block.content.decode().split(end)
    sizes = (source.size((line + end).encode()) for line in lines)
    offsets = list(accumulate(sizes, initial=block.offset))
    records = list(divide(lines, dialect.delimiter, end, dialect.width, is_last))
    chunk = _used(records, offsets, dialect, account)
    begin = records[-1].end if records else 0
    left = Block(offsets[begin], end.join(lines[begin:]).encode()) if begin < len(lines) else None
    return chunk, left


def _used(records: Sequence[Divided], offsets: Sequence[int], dialect: Dialect, account: Account) -> Chunk:
    """The records that can be used, as a chunk; what is to be said of each row goes into the account."""
    rows: list[int] = []
    places: list[int] = []
    used: list[list[str]] = []
    width = dialect.width
    for record in records:
        cells = [cell.strip(SPACES) for cell in record.cells]
        if not cells or (cells == [""] and width > 1):
            account.blank_lines += 1
            continue
        account.rows_in += 1
        here = account.rows_in, offsets[record.begin], dialect.delimiter.join(cells)
        reason = _why_refused(cells, record.fault, dialect)
        if reason is not None:
            account.refuse_row(*here, reason)
            continue
        if record.fault:
            account.repair_row(*here, record.fault)
        elif len(cells) > width:
            account.repair_row(*here, EMPTY_AT_THE_END)
        rows.append(account.rows_in)
        places.append(offsets[record.begin])
        used.append(cells[:width])
    columns = [list(column) for column in zip(*used, strict=True)] if used else [[] for _ in range(width)]
    return Chunk(np.array(rows, np.int64), np.array(places, np.int64), columns)


def _why_refused(cells: Sequence[str], fault: str, dialect: Dialect) -> str | None:
    """Why a row cannot be used, or None."""
    if any("\0" in cell for cell in cells):
        return "it holds NUL bytes"
    if fault == STRAY_RETURN:
        return fault
    if not any(cells):
        return "all its cells are empty"
    if tuple(cells) == dialect.header:
        return "it is the header again"
    if len(cells) != dialect.width and (len(cells) < dialect.width or any(cells[dialect.width :])):
        return f"it has {counted(len(cells), 'cell')}, the header {dialect.width:,}"
    return None


def _without_totals(chunk: Chunk, dialect: Dialect, account: Account) -> Chunk:
    """The last chunk without its last row, if that is no sample but a total."""
    last = [column[-1] for column in chunk.columns]
    if next(filter(None, last)).casefold().rstrip(":") not in TOTALS:
        return chunk
    account.refuse_row(int(chunk.rows[-1]), int(chunk.offsets[-1]), dialect.delimiter.join(last), IS_TOTAL)
    return Chunk(chunk.rows[:-1], chunk.offsets[:-1], [column[:-1] for column in chunk.columns])
