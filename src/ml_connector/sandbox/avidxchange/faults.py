"""What the gateway in front of AvidXchange refuses, and the four forms in which gateways of this make say so.

Codes, texts and statuses are the gateway maker's and the same for every interface behind it; only the names in a JSON
body come from the contract.
"""

import datetime as dt
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

from ml_connector.sandbox.avidxchange.contract import Contract
from ml_connector.sandbox.avidxchange.options import FaultShape, RetryAfter
from ml_connector.sandbox.avidxchange.places import put
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import Row

LIMITS = ("900800", "900801", "900802", "900803", "900804", "900806", "900807")
"""Codes that end by themselves: API, hard limit, resource, application, subscription, custom policy, burst."""
NAMESPACE = "http://wso2.org/apimanager"
KNOWN: dict[str, tuple[int, str]] = {
    "900900": (500, "Unclassified Authentication Failure"),
    "900901": (401, "Invalid Credentials"),
    "900902": (401, "Missing Credentials"),
    "900905": (401, "Incorrect Access Token Type is provided"),
    "900906": (403, "No matching resource found in the API for the given request"),
    "900907": (401, "The requested API is temporarily blocked"),
    "900908": (403, "Resource forbidden"),
    "900909": (401, "The subscription to the API is inactive"),
    "900910": (403, "The access token does not allow you to access the requested resource"),
    "900805": (403, "Message blocked"),
    "700700": (503, "API blocked"),
    "102511": (400, "Incomplete payload"),
    "101503": (503, "Error connecting to the back end"),
    "101504": (504, "Connection timed out"),
    "101505": (503, "Connection closed"),
    "101508": (504, "Connection timed out while writing"),
    "404": (404, "Not Found"),
    "405": (405, "Method Not Allowed"),
    **{code: (503 if code == "900801" else 429, "Message throttled out") for code in LIMITS},
}
"""Status and title by code."""


@dataclass
class GatewayFault(Exception):
    """The gateway's refusal. `until` is when a limit ends."""

    code: str
    text: str = ""
    until: dt.datetime | None = None
    shape: FaultShape | None = None
    retry_after: RetryAfter | None = None
    status: int | None = None


@dataclass
class Refused(Exception):
    """What AvidXchange itself refuses as a whole."""

    status: int
    code: str
    text: str


def refusal(refused: Refused, contract: Contract) -> Response:
    names, body = contract.answers.refusal, Row()
    put(body, names.code, refused.code)
    put(body, names.text, refused.text)
    return Response.json(body, refused.status)


def rendered(
    fault: GatewayFault,
    contract: Contract,
    shape: FaultShape,
    retry_after: RetryAfter,
    now: dt.datetime,
    *,
    next_access: bool,
) -> Response:
    """The fault in its shape, with Retry-After and the time of the next access when it is a limit that ends."""
    known_status, title = KNOWN[fault.code]
    status = fault.status or known_status
    ends = None if fault.until is None else fault.until.strftime("%Y-%b-%d %H:%M:%S%z UTC")
    text = fault.text or title
    if ends is not None:
        text = f"You have exceeded your quota .You can access API after {ends}"
    again = ends if next_access else None
    if shape == "xml":
        response = _xml(fault.code, title, text, again, status)
    else:
        code: str | int = int(fault.code) if shape == "wrapped" or fault.code == "405" else fault.code
        response = _json(contract, shape, code, title, text, again, status)
    if status == 401:
        response.headers.append(("WWW-Authenticate", f'OAuth2 realm="WSO2 API Manager", error="{fault.code}"'))
    if fault.until is not None:
        if retry_after == "seconds":
            response.headers.append(("Retry-After", str(max(0, round((fault.until - now).total_seconds())))))
        elif retry_after == "date":
            response.headers.append(("Retry-After", format_datetime(fault.until, usegmt=True)))
    return response


def _json(
    contract: Contract, shape: Any, code: str | int, title: str, text: str, again: str | None, status: int
) -> Response:
    names, body = contract.faults[shape], Row()
    if status in (404, 405):
        put(body, names.title.rpartition(".")[0] + ".type" if "." in names.title else "type", "Status report")
    put(body, names.code, code)
    put(body, names.title, title)
    put(body, names.text, text)
    if again is not None:
        put(body, names.again, again)
    return Response.json(body, status)


def _xml(code: str, title: str, text: str, again: str | None, status: int) -> Response:
    kind = "/throttling" if code in LIMITS else "/security" if code.startswith("9009") else ""
    inside = [("code", code)]
    if status in (404, 405):
        inside.append(("type", "Status report"))
    inside += [("message", title), ("description", text)]
    if again is not None:
        inside.append(("nextAccessTime", again))
    content = "".join(f"<am:{name}>{escape(value)}</am:{name}>" for name, value in inside)
    xml = f'<am:fault xmlns:am="{NAMESPACE}{kind}">{content}</am:fault>'
    return Response.text(xml, status, "application/xml; charset=UTF-8")
