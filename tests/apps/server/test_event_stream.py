"""The stream of events of a run, as a browser gets it: what is there at once, then what happens, until somebody leaves."""

from __future__ import annotations

import asyncio
import json

import pytest

from pellucid.apps.server import event_stream
from pellucid.apps.studio.application import application
from pellucid.apps.studio.session import Session

SMALL = {"data": "moons", "samples": 80, "hidden": [6], "batch_size": 16, "epochs": 5}
SECONDS = 30  # until a test that waits for what does not come has failed


class Page:
    """A page that listens to a run, within an event loop."""

    def __init__(self, app, address, method="GET"):
        self._text, self._left = "", asyncio.Event()
        self._news = asyncio.Queue()
        self.status = self.headers = None
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "path": address,
            "query_string": b"",
            "headers": [],
        }
        self._task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self):
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        self._text += message.get("body", b"").decode()
        *whole, self._text = self._text.split("\n\n")
        for block in whole:
            self._news.put_nowait(block)

    async def block(self):
        return await asyncio.wait_for(self._news.get(), SECONDS)

    async def event(self):
        """(name, data) of the next event."""
        while True:
            lines = (await self.block()).split("\n")
            if lines[0].startswith("event: "):
                assert lines[1].startswith("data: ")
                assert len(lines) == 2
                return lines[0][7:], json.loads(lines[1][6:])

    async def until(self, name, condition):
        while True:
            found, data = await self.event()
            if found == name and condition(data):
                return data

    async def leave(self):
        self._left.set()
        await asyncio.wait_for(self._task, SECONDS)

    async def end(self):
        await asyncio.wait_for(self._task, SECONDS)


@pytest.fixture
def session():
    made = Session()
    yield made
    made.runs.close()


def listening(session, story, address="/api/runs/run-1/events"):
    """Runs ``story(page, run)`` beside a page that listens to the first run."""
    run = session.runs.create(SMALL)

    async def play():
        page = Page(application(session), address)
        await story(page, run)

    asyncio.run(play())


def test_who_comes_sees_where_the_run_is(session):
    async def story(page, run):
        assert (await page.block()).startswith("retry: ")
        events = dict([await page.event() for _ in range(4)])
        assert list(events) == ["state", "kept", "figures", "look"]
        assert events["state"]["state"] == "paused"
        assert events["kept"] == {"step": 0, "kept": [0]}
        assert events["look"]["step"] == events["figures"]["step"] == 0
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/event-stream")
        assert page.headers["cache-control"] == "no-store"
        await page.leave()

    listening(session, story)


def test_what_happens_is_told_to_the_end(session):
    async def story(page, run):
        run.resume()
        state = await page.until("state", lambda state: state["state"] == "finished")
        assert state["step"] == 20
        assert (await page.until("look", lambda look: look["step"] == 20))["boundary"]["shape"] == [64, 64, 2]
        assert (await page.until("figures", lambda figures: figures["step"] == 20))["epoch"] == 5
        await page.leave()
        assert not run.watch.has_listeners

    listening(session, story)


def test_a_page_that_comes_in_the_middle_gets_the_present(session):
    async def story(page, run):
        await page.until("look", lambda look: True)
        run.make_step()
        run.rewind(0)
        run.make_step()
        other = Page(application(session), "/api/runs/run-1/events")
        events = dict([await other.event() for _ in range(4)])
        assert events["state"]["step"] == events["look"]["step"] == events["figures"]["step"] == 1
        await other.leave()
        assert run.watch.has_listeners  # the first one
        await page.leave()

    listening(session, story)


def test_a_stream_ends_with_its_run(session):
    async def story(page, run):
        await page.until("look", lambda look: True)
        session.runs.delete("run-1")
        await page.end()
        assert not run.watch.has_listeners

    listening(session, story)


def test_streams_end_when_the_studio_stops(session):
    async def story(page, run):
        await page.until("look", lambda look: True)
        session.runs.close()
        await page.end()
        late = Page(application(session), "/api/runs/run-1/events")
        await late.end()

    listening(session, story)


def test_a_quiet_stream_gives_signs_of_life(session, monkeypatch):
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.01)

    async def story(page, run):
        await page.until("look", lambda look: True)
        assert (await page.block()).startswith(":")
        assert (await page.block()).startswith(":")
        await page.leave()

    listening(session, story)


def test_who_asks_for_the_head_alone_does_not_listen(session):
    async def story(page, run):
        await page.until("look", lambda look: True)
        await page.leave()
        head = Page(application(session), "/api/runs/run-1/events", "HEAD")
        await head.end()
        assert head.headers["content-type"].startswith("text/event-stream")
        assert not run.watch.has_listeners

    listening(session, story)


def test_a_page_that_is_never_read_holds_nothing_up(session):
    async def story(page, run):
        await page.until("look", lambda look: True)
        run.set_pace(None)
        for _ in range(30):  # the loop that reads stands still meanwhile
            run.resume()
            run.wait()
        assert run.loop.step == 600
        state = await page.until("state", lambda state: state["step"] == 600)
        assert state["state"] == "finished"
        await page.leave()

    listening(session, story)
