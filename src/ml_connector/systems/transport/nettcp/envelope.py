"""SOAP 1.2 envelopes with WS-Addressing: the request around an operation, and what its answer says.

Names may come spelled or by number: they are compared as names. A header that must be understood and is not known
here (security inside of messages, say) makes the answer one that is not understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ml_connector.systems.transport.nettcp.element import Element, Malformed
from ml_connector.systems.transport.nettcp.encoder import ADDRESSING, SOAP

ANONYMOUS = f"{ADDRESSING}/anonymous"

_UNDERSTOOD = frozenset(
    {"Action", "To", "From", "ReplyTo", "FaultTo", "MessageID", "RelatesTo", "FaultDetail", "ProblemHeaderQName"}
)
_MUST = (SOAP, "mustUnderstand")
_LONGEST_REASON = 4_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What a service answered instead of a result."""

    code: str
    """Sender, Receiver, MustUnderstand and the like, or the service's own; without prefix."""
    subcode: str
    """The nearest to the cause, without prefix; empty where there is none."""
    reason: str
    """In the service's words, at most 4,000 characters. Not redacted."""


def request(action: str, to: str, message_id: UUID, operation: Element) -> Element:
    """The envelope of a call."""
    header = Element(
        "Header",
        SOAP,
        children=[
            _header("Action", action, must=True),
            _header("MessageID", f"urn:uuid:{message_id}"),
            Element("ReplyTo", ADDRESSING, children=[_header("Address", ANONYMOUS)]),
            _header("To", to, must=True),
        ],
    )
    return Element("Envelope", SOAP, children=[header, Element("Body", SOAP, children=[operation])])


def answer(envelope: Element, message_id: UUID) -> Element | Fault:
    """What stands in the body of the answer to a request. Raises Malformed for what is no answer to it."""
    if (envelope.namespace, envelope.name) != (SOAP, "Envelope"):
        raise Malformed("It is no SOAP 1.2 envelope.")
    if any(child.namespace != SOAP or child.name not in {"Header", "Body"} for child in envelope.children):
        raise Malformed("Its envelope holds something besides a header and a body.")
    bodies = list(envelope.all("Body", SOAP))
    if len(bodies) != 1 or len(bodies[0].children) != 1:
        raise Malformed("Its envelope has no body, or one that does not hold exactly one answer.")
    (result,) = bodies[0].children
    related = _related(envelope)
    fault = (result.namespace, result.name) == (SOAP, "Fault")
    if related != f"urn:uuid:{message_id}" and not (fault and related is None):
        raise Malformed("It answers another request.")
    return _fault(result) if fault else result


def _header(name: str, value: str, *, must: bool = False) -> Element:
    return Element(name, ADDRESSING, {_MUST: "1"} if must else {}, parts=[value])


def _related(envelope: Element) -> str | None:
    """Which request it says that it answers."""
    related = None
    for header in (part for found in envelope.all("Header", SOAP) for part in found.children):
        known = header.namespace == ADDRESSING and header.name in _UNDERSTOOD
        if not known and header.attributes.get(_MUST, "0").strip() not in {"0", "false"}:
            raise Malformed(f"It has a header {header.name[:60]!r} that must be understood and is not known here.")
        if known and header.name == "RelatesTo":
            related = header.text.strip().lower()
    return related


def _fault(fault: Element) -> Fault:
    code = fault.child("Code", SOAP)
    value = code and code.child("Value", SOAP)
    inner = code and code.child("Subcode", SOAP)
    subcode = None
    while inner is not None:
        subcode = inner.child("Value", SOAP) or subcode
        inner = inner.child("Subcode", SOAP)
    reason = fault.child("Reason", SOAP)
    said = reason and reason.child("Text", SOAP)
    if value is None or said is None:
        raise Malformed("It is a fault without a code or a reason.")
    return Fault(_local(value), _local(subcode) if subcode else "", said.text.strip()[:_LONGEST_REASON])


def _local(name: Element) -> str:
    return name.text.strip().rpartition(":")[2][:100]
