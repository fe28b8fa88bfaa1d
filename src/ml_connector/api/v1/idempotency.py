"""Idempotency-Key: a request that comes twice is done once, and answered alike.

The answer is kept in the transaction of what was done, so the one is never there without the other. A request that was
answered with a failure has done nothing and is not kept.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.http import HttpResponse

from ml_connector import clock
from ml_connector.api.v1.failures import Failure
from ml_connector.workspaces.models import KeptAnswer

if TYPE_CHECKING:
    from ml_connector.api.v1.frame import Call

HEADER = "Idempotency-Key"
KEPT_HOURS = 24
_AT_MOST = 200


def begun(call: Call) -> KeptAnswer | HttpResponse | None:
    """The answer of the first time, else a row that `keep` fills; None where the request carries no key.

    The row's unique key has a second request wait until the first one is done. Raises Failure.
    """
    key = call.headers.get(HEADER, "")
    if not key:
        return None
    if len(key) > _AT_MOST or not (key.isascii() and key.isprintable()):
        raise Failure("request", f"{HEADER} is not as it must be.", f"Send at most {_AT_MOST} printable ASCII signs.")
    asked = hashlib.sha256(f"{call.method} {call.get_full_path()}\n".encode() + call.body).digest()
    rows = KeptAnswer.objects.of(call.workspace).filter(token=call.token)
    rows.filter(made_at__lt=clock.now() - timedelta(hours=KEPT_HOURS)).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(
                workspace=call.workspace, token=call.token, key=key, request_hash=asked, status=0, body="",
                made_at=clock.now(),
            )  # fmt: skip
    except IntegrityError:
        kept = rows.get(key=key)
    if bytes(kept.request_hash) != asked:
        text = f"The {HEADER} {key} came with another request before."
        raise Failure("fields", text, "Take a new key for each new request.", [{"where": HEADER, "text": "is used"}])
    return HttpResponse(
        kept.body, status=kept.status, content_type="application/json", headers={"Idempotency-Replayed": "true"}
    )


def keep(row: KeptAnswer | None, response: HttpResponse) -> None:
    if row is not None:
        row.status, row.body = response.status_code, response.content.decode()
        row.save(update_fields=["status", "body"])
