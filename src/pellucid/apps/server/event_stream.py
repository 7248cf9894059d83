"""Server-sent events: what happens in a run, as a response that stays open until the page is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from pellucid.apps.server.watch import Mailbox, Watch, written

REST = 0.09  # seconds between messages: the events in between are sent together
HEARTBEAT = 10.0  # seconds without an event, after which a comment is sent, to notice a page that is gone
KIND = "text/event-stream"
AGAIN = 1_000  # milliseconds after which a page reconnects


def event_stream(watch: Watch, present: Callable[[], list[tuple[str, Any]]]) -> StreamingResponse:
    """First the events of the ``present`` state, then new ones."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(watch, present), media_type=KIND, headers=headers)


async def _lines(watch: Watch, present: Callable[[], list[tuple[str, Any]]]) -> AsyncIterator[str]:
    loop, news = asyncio.get_running_loop(), asyncio.Event()
    mailbox = Mailbox(lambda: loop.call_soon_threadsafe(news.set))
    watch.join(mailbox)
    try:
        yield f"retry: {AGAIN}\n\n"
        for name, data in written(await run_in_threadpool(present)):
            yield _event(name, data)
        while not mailbox.is_closed:
            news.clear()
            events = mailbox.take()
            if events:
                yield "".join(_event(name, data) for name, data in events)
                await asyncio.sleep(REST)
            try:
                await asyncio.wait_for(news.wait(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        watch.leave(mailbox)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
