"""The machine that this runs on: its cores, and work that is dealt out to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Threads:
    """``with Threads() as threads: threads.map(f, items)`` gives f of each item, in order, as `map` does. There are as many
    threads as cores. It pays where f spends its time in NumPy or in native code, which let other threads run."""

    def __init__(self, count: int | None = None) -> None:
        self._count = available_cores() if count is None else count
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def map(self, function: Callable[..., T], *of: Iterable[Any], is_small: bool = False) -> list[T]:
        """``is_small``: there is so little to do that threads would cost more than they save."""
        if is_small or self._count == 1:
            return list(map(function, *of))
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # here: most programs never need it

            self._pool = ThreadPoolExecutor(self._count)
        return list(self._pool.map(function, *of))


ALONE = Threads(1)


def made_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; while one is in use, the next is made by another thread."""
    from concurrent.futures import ThreadPoolExecutor

    none = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, none)
        while (item := coming.result()) is not none:
            coming = pool.submit(next, items, none)
            yield item  # type: ignore[misc]
