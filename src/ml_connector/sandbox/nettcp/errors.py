"""What may be wrong with what a client sends: with the framing, with the bytes, with the envelope."""

from typing import Literal

FramingName = Literal[
    "ConnectionDispatchFailed",
    "ContentTypeInvalid",
    "ContentTypeTooLong",
    "EndpointNotFound",
    "EndpointUnavailable",
    "MaxMessageSizeExceededFault",
    "ServerTooBusy",
    "ServiceActivationFailed",
    "UnsupportedMode",
    "UnsupportedVersion",
    "UpgradeInvalid",
    "ViaTooLong",
]
Code = Literal["Sender", "Receiver", "MustUnderstand"]

ADDRESSING_FAULT = "http://www.w3.org/2005/08/addressing/fault"
SOAP_FAULT = "http://www.w3.org/2005/08/addressing/soap/fault"
DISPATCHER = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher"


class Malformed(Exception):
    """Bytes that are no binary XML, or no SOAP: WCF ends the connection without a word."""


class FramingFault(Exception):
    """The connection ends with this fault of the framing."""

    def __init__(self, name: FramingName) -> None:
        super().__init__(name)
        self.name = name


class SoapFault(Exception):
    """The call is answered by a fault; the connection goes on unless the site ends it after faults."""

    def __init__(
        self,
        text: str,
        *,
        code: Code = "Sender",
        subcode: tuple[str, str] | None = None,
        action: str = SOAP_FAULT,
        detail: str | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.subcode = subcode
        """Namespace and name."""
        self.action = action
        self.detail = detail
        """The message of the exception behind it, where a site tells exceptions."""


def not_deserialized(text: str) -> SoapFault:
    """The body is not what the contract says, or larger than the reader's quotas."""
    return SoapFault(
        f"The formatter threw an exception while trying to deserialize the message: {text}",
        subcode=(DISPATCHER, "DeserializationFailed"),
        action=f"{DISPATCHER}/fault",
    )


def unhandled() -> SoapFault:
    """What a service says of its own failure when it does not tell exceptions."""
    return SoapFault(
        "The server was unable to process the request due to an internal error.",
        code="Receiver",
        subcode=(DISPATCHER, "InternalServiceFault"),
        action=f"{DISPATCHER}/fault",
    )
