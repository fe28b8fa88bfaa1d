"""What a stand-in says of itself to be served over net.tcp, and the switches of that."""

from dataclasses import dataclass
from typing import Literal, Protocol

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.nettcp.envelope import Reply
from ml_connector.sandbox.nettcp.errors import FramingName
from ml_connector.sandbox.nettcp.reader import Element
from ml_connector.sandbox.standin import Options

METHOD = "NET.TCP"
"""The method of a request that came so."""


@dataclass
class NetTcpOptions(Options):
    """The switches of a stand-in that is served over net.tcp. The quotas are generous where those of .NET are small."""

    nettcp: bool = False
    """Whether the site has an endpoint for net.tcp; read once, at the start."""
    nettcp_port: int = 0
    """0 takes a free one; read once, at the start."""
    nettcp_listens_as: str = ""
    """The address that envelopes must be sent To, where it is not that of the port: behind a forwarded port."""
    nettcp_mode: Literal["buffered", "streamed"] = "buffered"
    nettcp_security: Literal["none", "tls", "windows"] = "none"
    """The upgrade that a connection must ask for; nobody's Windows credentials are ever right."""
    nettcp_max_message: int = 64 << 20
    """MaxReceivedMessageSize in bytes; .NET's own is 65536."""
    nettcp_max_text: int = 64 << 20
    """MaxStringContentLength in characters; .NET's own is 8192."""
    nettcp_max_depth: int = 32
    nettcp_idle_seconds: float = 600
    """A connection on which nothing comes for longer is ended; a preamble must come within 30 s in any case."""
    nettcp_refuses: FramingName | Literal[""] = ""
    """The fault that every preamble is answered with."""
    nettcp_after_fault: Literal["keep", "close"] = "keep"
    """What becomes of the connection after a SOAP fault."""


class Service(Protocol):
    """The contract of one endpoint: document/literal wrapped."""

    path: str
    """Of the endpoint's address."""

    @property
    def options(self) -> NetTcpOptions:
        """The switches, as they stand now."""

    def request(self, action: str, body: Element | None) -> Request:
        """The call as the kernel takes it. Raises SoapFault for what the contract does not have."""

    def reply(self, request: Request, response: Response) -> Reply:
        """The answer of the stand-in as the operation's result. Raises SoapFault, FramingFault."""
