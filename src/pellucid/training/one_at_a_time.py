"""A network has one training at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from pellucid.core.errors import ArgumentError
from pellucid.nn.stack import Stack

_lock = Lock()
_in_training: set[int] = set()  # the identities of stacks


@contextmanager
def only_training(stack: Stack) -> Iterator[None]:
    """Within it, no other training of this stack can begin: `ArgumentError`.

    Two would change the same parameters, each by gradients at places that the other has left; be it in two threads, or in a
    callback of ``fit`` that calls ``fit``.
    """
    with _lock:
        if id(stack) in _in_training:
            raise ArgumentError(
                "this network is being trained already, by another thread or by the fit that called this callback; wait "
                "for its end, or train another network."
            )
        _in_training.add(id(stack))
    try:
        yield
    finally:
        _in_training.discard(id(stack))
