"""Strings that binary XML knows by number: even ones are fixed by the encoding, odd ones belong to a connection.

Of the 487 fixed strings only those of SOAP, addressing, diagnostics and schema types are here: the others name parts
of protocols that no SYSPRO service speaks (WS-Security, reliable messaging, transactions).
"""

from ml_connector.sandbox.nettcp.errors import Malformed

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
ANONYMOUS = f"{ADDRESSING}/anonymous"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

SESSION_BYTES = 2048
"""How much .NET lets the strings of a connection come to, in each direction."""

_RUNS = {
    0x00: f"mustUnderstand Envelope {SOAP} {ADDRESSING} Header Action To Body",
    0x12: f"RelatesTo {ANONYMOUS} URI Reference MessageID Id Identifier",
    0x2A: "Address ReplyTo",
    0x84: "s Fault MustUnderstand role relay Code Reason Text Node Role Detail Value Subcode NotUnderstood qname",
    0xA4: "From FaultTo EndpointReference PortType ServiceName PortName ReferenceProperties RelationshipType Reply a",
    0xC6: f"{ADDRESSING}/fault ReferenceParameters IsReferenceParameter {ADDRESSING}/reply {ADDRESSING}/none Metadata",
    0xDA: "RedirectTo Via",
    0x352: "ActivityId http://schemas.microsoft.com/2004/09/ServiceModel/Diagnostics",
    0x372: f"{SCHEMA_INSTANCE} http://www.w3.org/2001/XMLSchema nil type char boolean byte unsignedByte short",
    0x384: "unsignedShort int unsignedInt long unsignedLong float double decimal dateTime string base64Binary anyType",
    0x39C: "duration guid anyURI QName time date hexBinary",
}
"""By the number of the first: each next string is two further on."""

FIXED: dict[int, str] = {
    first + 2 * place: word for first, words in _RUNS.items() for place, word in enumerate(words.split())
}
FIXED[0xA2] = ""
NUMBERS: dict[str, int] = {text: number for number, text in FIXED.items()}


class ReceivedStrings:
    """What a client has put into its table on this connection."""

    def __init__(self) -> None:
        self._strings: list[str] = []
        self._bytes = 0

    def add(self, text: str, length: int) -> None:
        """Raises Malformed when the table grows beyond what a .NET service keeps."""
        self._bytes += length
        if self._bytes > SESSION_BYTES:
            raise Malformed(f"the strings of the session come to more than {SESSION_BYTES} bytes")
        self._strings.append(text)

    def __getitem__(self, number: int) -> str:
        """The string of a number, fixed or of this connection. Raises Malformed."""
        if number % 2 == 0:
            if number in FIXED:
                return FIXED[number]
        elif number // 2 < len(self._strings):
            return self._strings[number // 2]
        raise Malformed(f"no string has the number {number}")


class SentStrings:
    """What the service has put into its table on this connection; `news` are those the client has not got yet."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._bytes = 0
        self.news: list[bytes] = []

    def number(self, text: str) -> int | None:
        """The number of a string, entered if there is still room; None when there is not."""
        if text not in self._numbers:
            encoded = text.encode()
            if self._bytes + len(encoded) > SESSION_BYTES:
                return None
            self._bytes += len(encoded)
            self._numbers[text] = 2 * len(self._numbers) + 1
            self.news.append(encoded)
        return self._numbers[text]
