"""The host to which the API redirects: files behind signed addresses that live 15 minutes.

Like the store behind the vendor's API it takes the signature in the address, and refuses a request that carries
`Authorization` as well. It is this same server under its other name, `localhost`, so that a client which keeps its
credentials on a redirect to another host is found out.
"""

import datetime as dt
import random
from urllib.parse import urlsplit

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response

PREFIX = "/_files/"
SIGNATURE = "X-Amz-Signature"
LIFE = dt.timedelta(minutes=15)
KEPT = 1000
"""Files at once: with a held clock none would ever grow old."""


class Files:
    def __init__(self, seed: int, clock: Clock) -> None:
        self._clock = clock
        self._random = random.Random(f"basware files {seed}")
        self._kept: dict[str, tuple[dt.datetime, str, Response]] = {}
        self.host = ""
        """Scheme, name and port of the second host; set when the port is known."""

    def serve_at(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = f"{parts.scheme}://localhost:{parts.port}"

    def keep(self, response: Response) -> str:
        """The address under which the answer is served for the next 15 minutes."""
        now = self._clock.now()
        while self._kept and (next(iter(self._kept.values()))[0] < now or len(self._kept) >= KEPT):
            del self._kept[next(iter(self._kept))]
        name, signature = f"{self._random.getrandbits(96):024x}", f"{self._random.getrandbits(256):064x}"
        self._kept[name] = (now + LIFE, signature, response)
        return f"{self.host}{PREFIX}{name}?X-Amz-Expires={int(LIFE.total_seconds())}&{SIGNATURE}={signature}"

    def serve(self, request: Request) -> Response:
        if request.headers.get("host") != urlsplit(self.host).netloc:
            return _refusal(403, "SignatureDoesNotMatch", "The Host of the request is not the one that was signed.")
        if "authorization" in request.headers:
            return _refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
        until, signature, response = self._kept.get(request.path.removeprefix(PREFIX), (None, "", Response()))
        if until is None:
            return _refusal(404, "NoSuchKey", "The specified key does not exist.")
        if request.parameter(SIGNATURE) != signature or self._clock.now() > until:
            return _refusal(403, "AccessDenied", "Request has expired")
        return response


def _refusal(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response.text(body, status, "application/xml")
