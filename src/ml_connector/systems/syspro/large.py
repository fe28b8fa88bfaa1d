"""The part of a Connection's test that says how large documents go in, and tries what there is of it."""

from __future__ import annotations

from ml_connector.systems.base import Refused, Step, SystemFailure
from ml_connector.systems.syspro.session import NETTCP, POSTLD, Enet
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.wcf import Wcf
from ml_connector.systems.transport.nettcp import TLS, WINDOWS, NotOpened

NAME = "large documents"
POSTING, SETUP = "Transaction/Post", "Setup/Add"

_FIX = "Check nettcp_address, nettcp_via and nettcp_security, and that the e.net service has a net.tcp endpoint there."
_NO_WAY = (
    "Set nettcp_address where the site has net.tcp, or raise max_url_bytes if the server takes longer addresses. "
    "Large documents are left to a person until then."
)
_WINDOWS_FIX = (
    "Have the site add a net.tcp endpoint with the security mode None (in a protected network) or Transport with a "
    "certificate, or clear nettcp_address: large documents can go by PostLD."
)


def large_documents(enet: Enet, options: Options, *, try_writing: bool) -> Step:
    """Which way documents take by their size. Red where net.tcp is set up and does not answer, and where documents
    are written and longer ones have no way."""
    said = [f"up to {options.max_url_bytes} bytes in an address (GET)"]
    if options.writing.large_mode == POSTLD:
        try:
            found = enet.find_postld()
        except SystemFailure as failure:
            return Step(NAME, False, str(failure), "Check enet_rest_base and the e.net service.")  # noqa: FBT003
        known = {True: "PostLD is there", False: "the service has no PostLD", None: "PostLD cannot be told"}
        said.append(known[found])
    if enet.wcf is not None:
        try:
            said.append(_answers(enet.wcf))
        except SystemFailure as failure:
            return _refused(enet.wcf, failure)
    ways, setups = enet.ways(POSTING), enet.ways(SETUP)
    said.append(f"longer postings: {_named(ways)}; longer suppliers: {_named(setups)}")
    reachable = bool(ways) or options.writing.large_mode == "refuse" or not try_writing
    return Step(NAME, reachable, "; ".join(said), "" if reachable else _NO_WAY)


def _answers(wcf: Wcf) -> str:
    version = wcf.version()
    nettcp = wcf.nettcp
    mode = "streamed" if nettcp.streamed else "buffered"
    cover = "TLS" if nettcp.tls else "unencrypted: passwords and documents can be read on the way"
    return f"net.tcp at {nettcp.endpoint.where} answers (version {version}, {mode}, {cover})"


def _refused(wcf: Wcf, failure: SystemFailure) -> Step:
    """What the service says no to may be the lack of a protection: it is asked which one it would begin with."""
    demands = wcf.nettcp.demands() if isinstance(failure, NotOpened | Refused) else []
    if TLS in demands and not wcf.nettcp.tls:
        text = f"{failure} It agrees to TLS."
        return Step(NAME, False, text, "Set nettcp_security to tls.")  # noqa: FBT003
    if WINDOWS in demands and TLS not in demands:
        text = f"{failure} It demands Windows authentication, which is not spoken."
        return Step(NAME, False, text, _WINDOWS_FIX)  # noqa: FBT003
    return Step(NAME, False, str(failure), _FIX)  # noqa: FBT003


def _named(ways: tuple[str, ...]) -> str:
    names = {POSTLD: "PostLD", NETTCP: "net.tcp"}
    return ", else ".join(names[way] for way in ways) or "left to a person"
