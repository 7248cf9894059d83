"""What tests of the page Train do again and again: press a button, ask the server, hear a run's look."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def asked(page: Page, path: str) -> Any:
    """What the server says, asked by the page itself."""
    return page.evaluate("path => fetch(path).then(answer => answer.json())", path)


def look_of(page: Page, run: str) -> Any:
    """The run's look as it is now, from its own stream."""
    return page.evaluate(
        """run => new Promise(resolve => {
          const source = new EventSource(`/api/runs/${run}/events`);
          source.addEventListener("look", event => { source.close(); resolve(JSON.parse(event.data)); });
        })""",
        run,
    )
