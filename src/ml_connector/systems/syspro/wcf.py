"""e.net over net.tcp: the operations that REST has as paths, as calls of the WCF service.

SYSPRO: one service has both endpoints, and a session id that REST gave is taken here as well (not confirmed by the
vendor). An error is a fault whose reason holds its text, without the `ERROR:` that REST puts before it. Results are
text, or bytes where the service declares them as a stream.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping

from ml_connector.systems.base import OutcomeUnknown, Transient
from ml_connector.systems.transport.nettcp import Element, Fault, NetTcp

SERVICE = "http://SYSPROWcfService"

OPERATIONS = {
    "Transaction/Post": "TransactionPost",
    "Setup/Add": "SetupAdd",
    "Setup/Update": "SetupUpdate",
}
"""What the service calls the operations by which we write."""

_PLAIN = re.compile(r"\s*(?:<|ERROR\b|$)", re.IGNORECASE)
_ERROR = re.compile(r"\s*ERROR\b", re.IGNORECASE)


class Wcf:
    """The service, without a session of its own."""

    def __init__(self, nettcp: NetTcp) -> None:
        self.nettcp = nettcp

    def version(self) -> str:
        """The service's version; needs no session."""
        operation = "GetVersion"
        said = self.nettcp.read(operation, Element(operation, SERVICE))
        text = None if isinstance(said, Fault) else result(said, operation)
        if text is None:
            raise Transient("SYSPRO answered over net.tcp, but not with its version.")
        return text.strip()

    def write(self, path: str, arguments: Mapping[str, str]) -> str:
        """The answer to an operation that changes something, as REST would give it. Leaves at most once (R8).

        `arguments`: in the order of the operation's contract; the service takes a misplaced one for none.
        Raises OutcomeUnknown for an answer to something else, and what NetTcp.write raises.
        """
        operation = OPERATIONS[path]
        parts = [Element(name, SERVICE, parts=[value]) for name, value in arguments.items()]
        said = self.nettcp.write(operation, Element(operation, SERVICE, children=parts))
        if isinstance(said, Fault):
            return said.reason if _ERROR.match(said.reason) else f"ERROR: {said.reason}"
        text = result(said, operation)
        if text is None:
            raise OutcomeUnknown(
                f"SYSPRO answered {operation} over net.tcp with something else. Whether it was posted is not known."
            )
        return text


def result(answer: Element, operation: str) -> str | None:
    """The result in an operation's answer; None where it is no answer to that operation."""
    if (answer.namespace, answer.name) != (SERVICE, f"{operation}Response"):
        return None
    found = answer.child(f"{operation}Result", SERVICE)
    if found is None or found.children:
        return None
    raw = found.content
    return _decoded(raw) if raw is not None else _unwrapped(found.text)


def _unwrapped(text: str) -> str:
    """A stream may also come as base64 in plain text."""
    if _PLAIN.match(text):
        return text
    try:
        inner = _decoded(b64decode("".join(text.split()), validate=True))
    except NotBase64:
        return text
    return inner if _PLAIN.match(inner) else text


def _decoded(raw: bytes) -> str:
    """UTF-8 as over net.tcp, else the code page in which e.net answers elsewhere."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
