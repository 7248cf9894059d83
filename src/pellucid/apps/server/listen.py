"""Serving on a port of the loopback address until a signal comes."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

import uvicorn
from starlette.concurrency import run_in_threadpool

from pellucid.apps.server.guard import Guard
from pellucid.core.errors import ArgumentError

LOOPBACK = "127.0.0.1"
PORT = 8765
PORTS_TO_TRY = 50
PATIENCE = 3  # seconds for open requests when the server stops
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # if the system has them


def listening_socket(port: int | None = None) -> socket.socket:
    """A socket on this port; without one on 8765, or the next that is free. Raises `ArgumentError` if there is none."""
    for candidate in [port] if port is not None else [*range(PORT, PORT + PORTS_TO_TRY), 0]:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so asyncio sends without delay
        if sys.platform != "win32":  # there it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if port is not None:
                why = error.strerror or error
                raise ArgumentError(f"port {port} cannot be used ({why}); choose another, or leave --port out.") from None
        else:
            return listener
    raise ArgumentError("no port is free on this machine.")


def serve(guard: Guard, listener: socket.socket, close: Callable[[], None], finish: Callable[[], None]) -> None:
    """Serve until Ctrl-C or another signal; further signals change nothing.

    ``close`` ends streams that keep connections open; it is called before the server waits for them, and again at the end.
    Then ``finish`` is called, whatever ended the server.
    """
    server = _Server(guard, close)
    with _signals_to(server.handle_exit):
        try:
            server.run([listener])
        finally:
            close()
            finish()


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, so that none disturbs the end; closes streams before it waits for connections."""

    def __init__(self, guard: Guard, close: Callable[[], None]) -> None:
        config = uvicorn.Config(
            guard,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=PATIENCE,
        )
        super().__init__(config)
        self._close = close

    def capture_signals(self) -> Any:
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # responses that are cut off now are no errors
        await run_in_threadpool(self._close)
        await super().shutdown(sockets)


@contextmanager
def _signals_to(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    known = {name: getattr(signal, name) for name in SIGNALS if hasattr(signal, name)}
    if "SIGHUP" in known and signal.getsignal(known["SIGHUP"]) is signal.SIG_IGN:  # by nohup
        del known["SIGHUP"]
    previous = {number: signal.signal(number, handle) for number in known.values()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
