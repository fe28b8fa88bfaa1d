"""What a service's refusals mean: the faults of framing, and the faults that WCF gives before an operation runs.

The fault URIs of framing and the codes of WCF's dispatcher are published; what a .NET host sends when is general
knowledge of it and was not seen on the wire.
"""

from __future__ import annotations

from typing import Final

from ml_connector.systems.base import Refused, SystemFailure, Throttled, Transient
from ml_connector.systems.transport.nettcp.envelope import Fault

TOO_LARGE: Final = "MaxMessageSizeExceededFault"
"""Said of a message by its announced size, so before anything in it is looked at."""

OTHER_MODE: Final = frozenset({"UnsupportedMode", "ContentTypeInvalid"})
"""Said of a preamble whose session the service would take in the other mode."""

_PASSING: Final = frozenset({"EndpointUnavailable", "ConnectionDispatchFailed"})
_BUSY: Final = "ServerTooBusy"

_FRAMING: Final = {
    "UnsupportedMode": ("takes neither buffered nor streamed sessions here", "nettcp_mode"),
    "ContentTypeInvalid": ("takes no binary messages here: its binding must be netTcpBinding", "nettcp_address"),
    "ContentTypeTooLong": ("takes no binary messages here: its binding must be netTcpBinding", "nettcp_address"),
    "EndpointNotFound": ("has no service at this address: check its path", "nettcp_address"),
    "ServiceActivationFailed": ("could not start its service: look into its event log", "nettcp_address"),
    "UnsupportedVersion": ("speaks another version of net.tcp framing", "nettcp_address"),
    "UpgradeInvalid": ("does not take the protection that was asked for: TLS or none", "nettcp_security"),
    "ViaTooLong": ("finds the address too long", "nettcp_via"),
}

_QUOTA: Final = "DeserializationFailed"
_UNDISPATCHED: Final = frozenset(
    {"ActionNotSupported", "DestinationUnreachable", "EndpointUnavailable", "ActionMismatch", "MustUnderstand"}
)
_SECURITY: Final = frozenset(
    {
        "InvalidSecurity",
        "InvalidSecurityToken",
        "SecurityTokenUnavailable",
        "FailedAuthentication",
        "FailedCheck",
        "UnsupportedSecurityToken",
        "BadContextToken",
        "MessageExpired",
    }
)
_INTERNAL: Final = frozenset({"InternalServiceFault", "Receiver"})
_NONDESCRIPT: Final = "the server was unable to process the request due to an internal error"


def of_framing(name: str, system: str, where: str) -> SystemFailure:
    """What a fault means while no message is under way, or where it was too large."""
    said = f"{system} at {where} (net.tcp)"
    if name == TOO_LARGE:
        return Refused(
            "document_too_large",
            f"{said} takes no message of this size, and nothing was done. Raise maxReceivedMessageSize and "
            "maxBufferSize of its net.tcp binding.",
            "nettcp_address",
        )
    if name == _BUSY:
        return Throttled(f"{said} is too busy to open a session.")
    if name in _PASSING:
        return Transient(f"{said} is there, but its service is not available now ({name}).")
    what, setting = _FRAMING.get(name, ("opened no session", "nettcp_address"))
    return Refused("nettcp_refused", f"{said} {what} ({name}). Check {setting}.", setting)


def of_soap(fault: Fault, system: str) -> SystemFailure | None:
    """The error for a fault that was given in place of running the operation; None for the operation's own."""
    codes = {fault.code, fault.subcode}
    if codes & _SECURITY:
        return Refused(
            "message_security",
            f"{system} demands security inside of its messages ({fault.subcode or fault.code}), which is not spoken. "
            "Its net.tcp binding needs the security mode None, or Transport with a certificate.",
            "nettcp_security",
        )
    if _QUOTA in codes:
        return Refused(
            "document_too_large",
            f"{system} could not take the message in, and nothing was done. Most likely it is longer than "
            "maxStringContentLength in the readerQuotas of its net.tcp binding (8,192 unless set).",
            "nettcp_address",
        )
    if codes & _UNDISPATCHED:
        return Refused(
            "nettcp_refused",
            f"{system} does not know what was sent to it ({fault.subcode or fault.code}), and nothing was done. Check "
            "nettcp_address: it must be the address that the service itself listens on, to the letter.",
            "nettcp_address",
        )
    return None


def is_nondescript(fault: Fault) -> bool:
    """Whether the host only says that something went wrong inside, which leaves open how far it came."""
    return bool({fault.code, fault.subcode} & _INTERNAL) and fault.reason.lower().startswith(_NONDESCRIPT)
