"""e.net over SOAP: the contract ISYSPROWcfService as net.tcp serves it.

The action of a call is the bare name of its operation. Every argument is a string that may be nil or left out, and
they come in the order of the contract: WCF looks for each only behind the one before, so that an argument out of its
place counts as left out, without a word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.nettcp.envelope import Reply, is_nil
from ml_connector.sandbox.nettcp.errors import (
    ADDRESSING_FAULT,
    FramingFault,
    SoapFault,
    not_deserialized,
    unhandled,
)
from ml_connector.sandbox.nettcp.reader import Element
from ml_connector.sandbox.nettcp.service import METHOD
from ml_connector.sandbox.nettcp.strings import ADDRESSING
from ml_connector.sandbox.syspro.options import SysproOptions

PATH = "/SYSPROWCFService"
NAMESPACE = "http://SYSPROWcfService"
CONTRACT = f"{NAMESPACE}/ISYSPROWcfService"
TOO_BUSY = 503


@dataclass(frozen=True)
class Operation:
    path: str
    """Of the same operation over REST."""
    arguments: tuple[str, ...]
    short: bool = False
    """The result is a string whatever the site's documents come as."""


OPERATIONS = {
    "Logon": Operation(
        "/Logon",
        (
            *("Operator", "OperatorPassword", "CompanyId", "CompanyPassword"),
            *("LanguageCode", "LogLevel", "EncoreInstance", "XmlIn"),
        ),
        short=True,
    ),
    "Logoff": Operation("/Logoff", ("UserId",), short=True),
    "GetVersion": Operation("/GetVersion", (), short=True),
    "GetLogonProfile": Operation("/GetLogonProfile", ("UserId",)),
    "QueryQuery": Operation("/Query/Query", ("UserId", "BusinessObject", "XmlIn")),
    "QueryBrowse": Operation("/Query/Browse", ("UserId", "XmlIn")),
    "QueryFetch": Operation("/Query/Fetch", ("UserId", "XmlIn")),
    "NextKey": Operation("/Query/NextKey", ("UserId", "XmlIn")),
    "PreviousKey": Operation("/Query/PreviousKey", ("UserId", "XmlIn")),
    "SetupAdd": Operation("/Setup/Add", ("UserId", "BusinessObject", "XmlParameters", "XmlIn")),
    "SetupUpdate": Operation("/Setup/Update", ("UserId", "BusinessObject", "XmlParameters", "XmlIn")),
    "SetupDelete": Operation("/Setup/Delete", ("UserId", "BusinessObject", "XmlParameters", "XmlIn")),
    "TransactionBuild": Operation("/Transaction/Build", ("UserId", "BusinessObject", "XmlIn")),
    "TransactionPost": Operation("/Transaction/Post", ("UserId", "BusinessObject", "XmlParameters", "XmlIn")),
}
"""By action."""


@dataclass
class Call(Request):
    """A call that came as an envelope. Its path is that of the same operation over REST, below the service."""

    operation: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name; what was nil or left out is not there."""


class Contract:
    """A `Service`."""

    path = PATH

    def __init__(self, options: SysproOptions) -> None:
        self.options = options

    def request(self, action: str, body: Element | None) -> Call:
        operation = OPERATIONS.get(action)
        if operation is None:
            raise SoapFault(
                f"The message with Action '{action}' cannot be processed at the receiver, due to a ContractFilter "
                "mismatch at the EndpointDispatcher.",
                subcode=(ADDRESSING, "ActionNotSupported"),
                action=ADDRESSING_FAULT,
            )
        if body is None or not body.is_named(NAMESPACE, action):
            found = "nothing" if body is None else f"'{body.name}' of namespace '{body.namespace}'"
            raise not_deserialized(
                f"Expected to find an element with name '{action}' and namespace '{NAMESPACE}'. Found {found}."
            )
        given = _arguments(body, operation)
        content = "\n".join(given.values()).encode("utf-8", "surrogatepass")
        return Call(METHOD, f"{PATH}{operation.path}", "", {}, content, operation=action, arguments=given)

    def reply(self, request: Request, response: Response) -> Reply:
        """An `ERROR: ` of REST is an exception here; what a gateway would say of the site is a failure of its own."""
        assert isinstance(request, Call)
        if response.status == TOO_BUSY:
            raise FramingFault("ServerTooBusy")
        if response.status != 200:
            raise unhandled()
        text = response.body.decode("cp1252", "replace")
        if text.startswith("ERROR: "):
            raise self._exception(text.removeprefix("ERROR: "))
        operation = OPERATIONS[request.operation]
        as_stream = self.options.nettcp_results == "stream" and not operation.short
        return Reply(
            f"{CONTRACT}/{request.operation}Response",
            NAMESPACE,
            f"{request.operation}Response",
            f"{request.operation}Result",
            text.encode() if as_stream else text,
        )

    def _exception(self, text: str) -> SoapFault:
        if self.options.nettcp_errors == "fault":
            return SoapFault(text)
        said = unhandled()
        return SoapFault(text, code=said.code, subcode=said.subcode, action=said.action, detail=text)


def _arguments(body: Element, operation: Operation) -> dict[str, str]:
    """Each argument is looked for only behind the one before; an element that is none of those is passed over."""
    given: dict[str, str] = {}
    due = list(operation.arguments)
    for element in body.children:
        if element.namespace != NAMESPACE or element.name not in due:
            continue
        del due[: due.index(element.name) + 1]
        if is_nil(element):
            continue
        if element.children:
            raise not_deserialized(
                f"There was an error while trying to deserialize parameter {NAMESPACE}:{element.name}: it has elements "
                "where a text is expected."
            )
        given[element.name.lower()] = element.text
    return given
