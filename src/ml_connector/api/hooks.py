"""Where vendors' webhooks arrive: one address for each Connection, without session, cookie or CSRF (R57, R58).

What is genuine is stored and answered 200 at once; what it is about is read by a job. All else is answered 401, whether
the address is known or not. Nothing is written before the signature was found good, but for the count of what was not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict

from django.db import Error
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from ml_connector import vault
from ml_connector.jobs import schedule
from ml_connector.sync.models import RunKind
from ml_connector.sync.webhooks import receiving
from ml_connector.sync.webhooks.receiving import NotTaken

LARGEST = 256 * 1024
"""Bytes of a body. Vendors send a few thousand."""
PER_MINUTE = 600
"""Requests to one address that are looked at, in each web process."""
COUNTED_PER_MINUTE = 60
"""Requests to one address that are counted as refused: who knows it must not have us write without end."""

log = logging.getLogger(__name__)


class PerMinute:
    """Counts by name, within the present minute, in this process."""

    REMEMBERED = 4096
    """Names; those that were not used for longest are forgotten."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._used: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> bool:
        """Counts one; False where that is one too many."""
        now = int(time.time()) // 60
        with self._lock:
            minute, used = self._used.pop(name, (now, 0))
            used = used + 1 if minute == now else 1
            self._used[name] = (now, used)
            while len(self._used) > self.REMEMBERED:
                self._used.popitem(last=False)
        return used <= self._at_most


_requests, _refusals = PerMinute(PER_MINUTE), PerMinute(COUNTED_PER_MINUTE)


@csrf_exempt
def arrived(request: HttpRequest, path: str) -> HttpResponse:
    """One request of a vendor, or of somebody who says so."""
    name = path[:64]
    answer = _unfit(request, name) or _taken(request, name, path)
    # Django would log the address of each refusal: it is nobody's business, and anybody can send such requests.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def _unfit(request: HttpRequest, name: str) -> HttpResponse | None:
    """The answer to what is not even looked at."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        return HttpResponse(status=411)
    if int(length) > LARGEST:
        return HttpResponse(status=413)
    if not _requests.take(name):
        return HttpResponse(status=429, headers={"Retry-After": str(60 - int(time.time()) % 60)})
    return None


def _taken(request: HttpRequest, name: str, path: str) -> HttpResponse:
    try:
        headers = {key.lower(): value for key, value in request.headers.items()}
        schedule.wake(receiving.receive(path, request.body, headers), RunKind.PULL)
    except NotTaken as refused:
        return _refused(name, refused)
    except UnreadablePostError:
        return HttpResponse(status=400)
    except (vault.VaultError, Error) as error:
        # Whoever sent it tries again.
        log.warning("A webhook could not be taken: %s", type(error).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "60"})
    return HttpResponse(status=200)


def _refused(name: str, refused: NotTaken) -> HttpResponse:
    if _refusals.take(name):
        try:
            receiving.count(refused)
        except Error as error:
            log.warning("A refused webhook could not be counted: %s", type(error).__name__)
    return HttpResponse(status=401)
