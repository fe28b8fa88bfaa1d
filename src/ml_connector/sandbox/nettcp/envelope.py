"""SOAP 1.2 envelopes with addressing: what a client's must have, and the service's answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ml_connector.sandbox.nettcp.errors import ADDRESSING_FAULT, Malformed, SoapFault
from ml_connector.sandbox.nettcp.reader import Element, Quotas, Reader
from ml_connector.sandbox.nettcp.strings import (
    ADDRESSING,
    ANONYMOUS,
    SCHEMA_INSTANCE,
    SOAP,
    ReceivedStrings,
    SentStrings,
)
from ml_connector.sandbox.nettcp.texts import Cursor
from ml_connector.sandbox.nettcp.writer import Writer

KNOWN_HEADERS = frozenset({"Action", "To", "MessageID", "ReplyTo", "RelatesTo", "From", "FaultTo"})
EXCEPTION_DETAIL = "http://schemas.datacontract.org/2004/07/System.ServiceModel"


@dataclass(frozen=True)
class Reply:
    """An operation's result, as document/literal wrapped has it."""

    action: str
    namespace: str
    wrapper: str
    result: str
    """The name of the element that holds the value."""
    value: str | bytes
    """Text, or the bytes of a stream."""


def document(data: bytes, strings: ReceivedStrings | None, quotas: Quotas) -> Element:
    """An envelope's bytes as elements; in a session its new strings stand before. Raises Malformed, QuotaExceeded."""
    cursor = Cursor(data)
    if strings is not None:
        length = cursor.size()
        end = cursor.at + length
        while cursor.at < end:
            before = cursor.at
            strings.add(cursor.string(), cursor.at - before)
        if cursor.at != end:
            raise Malformed("the strings of an envelope do not end where they should")
    return Reader(cursor, strings or ReceivedStrings(), quotas).document()


class Message:
    """A client's envelope. Raises Malformed for what is no SOAP 1.2 at all."""

    def __init__(self, root: Element, *, partial: bool = False) -> None:
        """`partial`: the reader gave up before the end; enough must have come to be answered."""
        if not root.is_named(SOAP, "Envelope"):
            raise Malformed("the document is no SOAP 1.2 envelope")
        parts = list(root.children)
        self._headers = parts.pop(0).children if parts and parts[0].is_named(SOAP, "Header") else []
        if len(parts) != 1 or not parts[0].is_named(SOAP, "Body"):
            raise Malformed("the envelope has not exactly one body, after its header")
        if not partial and (root.text.strip() or parts[0].text.strip()):
            raise Malformed("there is text between the elements of the envelope")
        self.body = parts[0].children[0] if parts[0].children else None
        self.id = next((header.text for header in self._headers if header.is_named(ADDRESSING, "MessageID")), None)

    def action(self, address: str) -> str:
        """Checks the headers for a service that listens at this address. Raises SoapFault."""
        for header in self._headers:
            known = header.namespace == ADDRESSING and header.name in KNOWN_HEADERS
            demanded = header.attributes.get((SOAP, "mustUnderstand"), "0").strip() in ("1", "true")
            if demanded and not known:
                raise SoapFault(
                    f"The header '{header.name}' from the namespace '{header.namespace}' was not understood by the "
                    "recipient of this message, causing the message to not be processed.",
                    code="MustUnderstand",
                )
        action = self._only("Action")
        if action is None:
            raise _header_missing("Action")
        to = self._only("To") or ""
        if _comparable(to) != _comparable(address):
            raise SoapFault(
                f"The message with To '{to}' cannot be processed at the receiver, due to an AddressFilter mismatch at "
                "the EndpointDispatcher.",
                subcode=(ADDRESSING, "DestinationUnreachable"),
                action=ADDRESSING_FAULT,
            )
        if not self._only("MessageID"):
            raise _header_missing("MessageID")
        reply_to = next((header for header in self._headers if header.is_named(ADDRESSING, "ReplyTo")), None)
        if reply_to is not None:
            self._only("ReplyTo")
            addresses = [child.text for child in reply_to.children if child.is_named(ADDRESSING, "Address")]
            if addresses != [ANONYMOUS]:
                raise SoapFault(
                    "The reply can only go back on the connection: ReplyTo must be anonymous.",
                    subcode=(ADDRESSING, "OnlyAnonymousAddressSupported"),
                    action=ADDRESSING_FAULT,
                )
        return action

    def _only(self, name: str) -> str | None:
        """The text of a header that may be there once. Raises SoapFault."""
        found = [header for header in self._headers if header.is_named(ADDRESSING, name)]
        if len(found) > 1:
            raise SoapFault(
                f"A header representing a Message Addressing Property is not valid: {name} is there twice.",
                subcode=(ADDRESSING, "InvalidAddressingHeader"),
                action=ADDRESSING_FAULT,
            )
        return found[0].text if found else None


def is_nil(element: Element) -> bool:
    return element.attributes.get((SCHEMA_INSTANCE, "nil"), "").strip() in ("1", "true")


def reply(answer: Reply, relates_to: str | None, strings: SentStrings | None) -> Writer:
    writer = _opened(answer.action, relates_to, strings)
    writer.start("", answer.wrapper)
    writer.declare("", answer.namespace)
    writer.start("", answer.result)
    if isinstance(answer.value, bytes):
        writer.close_with_stream(answer.value)
    else:
        writer.close_with(answer.value)
    writer.end(3)
    return writer


def fault(said: SoapFault, relates_to: str | None, strings: SentStrings | None) -> Writer:
    writer = _opened(said.action, relates_to, strings)
    writer.start("s", "Fault")
    writer.start("s", "Code")
    writer.leaf("s", "Value", f"s:{said.code}")
    if said.subcode is not None:
        namespace, name = said.subcode
        declared: Mapping[str, str] = {} if namespace == ADDRESSING else {"a": namespace}
        writer.start("s", "Subcode")
        writer.leaf("s", "Value", f"a:{name}", declared)
        writer.end()
    writer.end()
    writer.start("s", "Reason")
    writer.start("s", "Text")
    writer.language()
    writer.close_with(said.text)
    writer.end()
    if said.detail is not None:
        writer.start("s", "Detail")
        writer.start("", "ExceptionDetail")
        writer.declare("", EXCEPTION_DETAIL)
        writer.declare("i", SCHEMA_INSTANCE)
        writer.leaf("", "Message", said.detail)
        writer.leaf("", "Type", "System.Exception")
        writer.end(2)
    writer.end(3)
    return writer


def _opened(action: str, relates_to: str | None, strings: SentStrings | None) -> Writer:
    """An envelope up to the content of its body."""
    writer = Writer(strings)
    writer.start("s", "Envelope")
    writer.declare("s", SOAP)
    writer.declare("a", ADDRESSING)
    writer.start("s", "Header")
    writer.start("a", "Action")
    writer.must_understand()
    writer.close_with_known(action)
    if relates_to is not None:
        writer.start("a", "RelatesTo")
        writer.close_with_id(relates_to)
    writer.start("a", "To")
    writer.must_understand()
    writer.close_with_known(ANONYMOUS)
    writer.end()
    writer.start("s", "Body")
    return writer


_address = re.compile(r"(?P<scheme>[a-z.]+)://(?P<host>[^/:]+)(?::(?P<port>\d+))?(?P<path>/.*)?", re.IGNORECASE)
DEFAULT_PORT = "808"


def _comparable(address: str) -> tuple[str, ...]:
    """Equal for addresses that name the same endpoint."""
    match = _address.fullmatch(address)
    if match is None:
        return (address,)
    path = (match["path"] or "/").rstrip("/").lower()
    return match["scheme"].lower(), match["host"].lower(), match["port"] or DEFAULT_PORT, path


def _header_missing(name: str) -> SoapFault:
    return SoapFault(
        f"A required header representing a Message Addressing Property is not present: {name}.",
        subcode=(ADDRESSING, "MessageAddressingHeaderRequired"),
        action=ADDRESSING_FAULT,
    )
