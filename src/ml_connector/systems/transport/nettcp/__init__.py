"""A client for WCF services over net.tcp: SOAP 1.2 in binary XML [MC-NBFX, MC-NBFS, MC-NBFSE] in frames [MC-NMF].

Spoken are buffered and streamed sessions, in clear or under TLS. Windows authentication and security inside of
messages are not; a service that demands them is told apart from one that is down.
"""

from ml_connector.systems.transport.nettcp.client import Endpoint, NetTcp, NotOpened
from ml_connector.systems.transport.nettcp.element import Element, Limits, Malformed
from ml_connector.systems.transport.nettcp.envelope import Fault
from ml_connector.systems.transport.nettcp.framing import TLS, WINDOWS

__all__ = ["TLS", "WINDOWS", "Element", "Endpoint", "Fault", "Limits", "Malformed", "NetTcp", "NotOpened"]
