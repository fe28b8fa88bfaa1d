"""A preview sent line by line as it is made, in a thread of its own; ended when nobody reads on."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator

from django.template.loader import render_to_string

from ml_connector.sync.leases import LeaseLost, LeaseTaken
from ml_connector.sync.models import Integration
from ml_connector.sync.preview import Preview, PreviewFailed, Stopped, preview

log = logging.getLogger(__name__)


def lines(integration: Integration, actor: str) -> Iterator[str]:
    """What is being done, a line each, then what it came to."""
    said: queue.SimpleQueue[str | Preview | Exception] = queue.SimpleQueue()
    left = threading.Event()

    def told(text: str) -> None:
        if left.is_set():
            raise Stopped
        said.put(text)

    def work() -> None:
        try:
            said.put(preview(integration, actor, told))
        except Exception as error:
            said.put(error)

    threading.Thread(target=work, name="live-preview", daemon=True).start()
    try:
        while isinstance(what := said.get(), str):
            yield render_to_string("console/first_minutes/_doing.html", {"text": what})
        yield _end(what)
    finally:
        left.set()


def _end(what: Preview | Exception) -> str:
    if isinstance(what, Preview):
        return render_to_string("console/first_minutes/_foreseen.html", {"found": what})
    match what:
        case PreviewFailed():
            text = f"{what} Test the connections, then look again."
        case LeaseTaken() | LeaseLost():
            text = f"{what} Look again in a minute."
        case _:
            log.error("A preview ended in an error of ours.", exc_info=what)
            text = "This is an error of ours; the server's log says where. Nothing was written."
    return render_to_string("console/first_minutes/_next.html", {"text": text, "good": False})
