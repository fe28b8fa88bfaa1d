"""Signing in to e.net, and what its answers mean.

SYSPRO: every answer has status 200, a refused logon and a dead session included; the body tells. An operator has one
session, so a second logon ends the first, and a person using the operator ends ours. The dead-session text comes
before anything runs. The id is bare text of 36 characters with two blanks behind; some versions quote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote
from xml.sax.saxutils import escape

from ml_connector.systems.base import Access, AuthFailed, OutcomeUnknown, Refused, SystemFailure, Transient
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.wcf import SERVICE, Wcf
from ml_connector.systems.transport.http import Answer, Http

ENCODING = "cp1252"
"""Declared by every answer; five bytes of it mean nothing and are replaced."""

SECRET_PARAMETERS = frozenset({"OperatorPassword", "CompanyPassword", "UserId", "XmlIn", "XmlParameters"})

LARGE = "Transaction/PostLD"

POSTLD, NETTCP = "postld", "nettcp"
"""The ways of a document that does not fit into an address."""

_ID = re.compile(r"[0-9A-Za-z]{8,64}")
_WRAPPER = re.compile(r"<string[^>]*>(.*)</string>", re.DOTALL)
_ERROR = re.compile(r"\s*\"?ERROR\b\s*:?\s*(.*)", re.DOTALL | re.IGNORECASE)
_TEXT_LIMIT = 300


class SessionLost(SystemFailure):
    """The session is gone, and the call with it: nothing ran. Never leaves this package."""


class SessionEnded(OutcomeUnknown):
    """The session was gone when a write arrived. By the vendor's clients nothing ran; a search has to show it."""


class Enet:
    """e.net under the operator's one shared session: over REST, and large documents over net.tcp where it has that."""

    def __init__(self, access: Access, options: Options, http: Http, wcf: Wcf | None = None) -> None:
        self._access = access
        self._options = options
        self._http = http
        self.wcf = wcf
        """The same service over net.tcp, where the Connection knows its address."""
        self.has_postld: bool | None = None
        """None until something shows it."""

    def version(self) -> str:
        """The service's version; needs no session."""
        return self._text(self._http.read("GET", "GetVersion")).strip()

    def profile(self) -> str:
        """The logon profile, an XML document."""
        return self.read("GetLogonProfile")

    def has_session(self) -> bool:
        return self._access.sessions.current() is not None

    def session(self) -> str:
        """The session's id: the stored one, else a new one. Raises AuthFailed when SYSPRO refuses the logon."""
        current = self._access.sessions.current()
        return current if current is not None else self._access.sessions.renew(None, self._sign_in)

    def read(self, operation: str, **parameters: str) -> str:
        """A call that changes nothing. After the dead-session text: one new logon, one repeat (R62).

        Raises Transient when the new session is dead as well.
        """
        session = self.session()
        try:
            return self._call(operation, session, parameters)
        except SessionLost:
            session = self._access.sessions.renew(session, self._sign_in)
        try:
            return self._call(operation, session, parameters)
        except SessionLost:
            raise Transient(
                "SYSPRO ended our session twice in a row: somebody else signs in with the operator "
                f"{self._options.operator}, who must belong to this Connection alone."
            ) from None

    def write(self, operation: str, *, about: str, **parameters: str) -> str:
        """A call that changes something; leaves at most once (R8), as a GET with everything in its address.

        Raises SessionEnded when the session was gone: SYSPRO says so before it does anything, but only a search
        tells for certain (R62). The session is renewed all the same.
        """

        def send(session: str) -> str:
            path = address(operation, {"UserId": session, **parameters})
            return self._text(self._http.write("GET", path), session)

        return self._write(about, send)

    def write_large(self, operation: str, *, about: str, **parameters: str) -> str:
        """A call whose documents do not fit into an address, by the first way that this service has. Else as `write`.

        A way that is not there, or says that the document is too long for it, has done nothing: the next is tried.
        """
        refused: Refused | None = None
        for way in self.ways(operation):
            try:
                return self._write(about, lambda session, way=way: self._sent(way, operation, session, parameters))  # type: ignore[misc]
            except Refused as failure:
                if failure.code not in {"not_found", "body_too_long"} or way != POSTLD:
                    raise
                self.has_postld = failure.code != "not_found"
                refused = failure
        raise self._too_large(about, refused)

    def ways(self, operation: str) -> tuple[str, ...]:
        """How documents go in that do not fit into an address, in the order in which it is tried."""
        mode = self._options.writing.large_mode
        if mode == "refuse":
            return ()
        posts = mode == POSTLD and operation == "Transaction/Post" and self.has_postld is not False
        return (*((POSTLD,) if posts else ()), *((NETTCP,) if self.wcf is not None else ()))

    def find_postld(self) -> bool | None:
        """Whether the service has PostLD; None where it does not tell. A GET of what takes POST only does nothing."""
        self.has_postld = {404: False, 405: True}.get(self._http.read("GET", LARGE).status)
        return self.has_postld

    def _sent(self, way: str, operation: str, session: str, parameters: dict[str, str]) -> str:
        if way == NETTCP:
            assert self.wcf is not None
            return self._said(self.wcf.write(operation, {"UserId": session, **parameters}), session)
        answer = self._http.write(
            "POST", LARGE, headers={"content-type": "application/xml"}, content=large(session, parameters)
        )
        return self._text(answer, session)

    def _too_large(self, about: str, refused: Refused | None) -> Refused:
        other = "set nettcp_address if it has net.tcp, raise max_url_bytes if the server takes longer addresses"
        if refused is None and self.has_postld is not False:
            return Refused(
                "document_too_large",
                f"{about[:1].upper()}{about[1:]} is too large for one request to SYSPRO: its address would be longer "
                f"than max_url_bytes ({self._options.max_url_bytes}), and there is no other way for it. See "
                f"large_post_mode, {other}, or enter it by hand.",
                "max_url_bytes",
            )
        why = "takes no body of this length by PostLD" if self.has_postld else "has no PostLD"
        return Refused(
            "document_too_large",
            f"This e.net service {why}, and {about} is too long for an address: {other}, or enter it by hand.",
            "large_post_mode",
        )

    def _write(self, about: str, send: Callable[[str], str]) -> str:
        session = self.session()
        try:
            text = send(session)
        except SessionLost:
            then = self._renewed(session)
        else:
            self._access.sessions.used()
            return text
        raise SessionEnded(f"SYSPRO ended our session around {about}: whether it was posted is looked up.", then)

    def _renewed(self, stale: str) -> SystemFailure | None:
        """What kept us from signing in again; None where nothing did."""
        try:
            self._access.sessions.renew(stale, self._sign_in)
        except SystemFailure as failure:
            return failure
        return None

    def url_bytes(self, operation: str, **parameters: str) -> int:
        """The length of a call's address, with room for the session's id."""
        return len(self._http.base_url) + 80 + len(address(operation, parameters))

    def _call(self, operation: str, session: str, parameters: dict[str, str]) -> str:
        answer = self._http.read("GET", address(operation, {"UserId": session, **parameters}))
        text = self._text(answer, session)
        self._access.sessions.used()
        return text

    def _sign_in(self) -> str:
        """A new session. Ends any other of this operator."""
        parameters = {
            "Operator": self._options.operator,
            "OperatorPassword": self._access.secrets.get("operator_password", ""),
            "CompanyId": self._options.company_id,
            "CompanyPassword": self._access.secrets.get("company_password", "") or "",
        }
        try:
            text = self._text(self._http.read("GET", address("Logon", parameters)))
        except (Refused, SessionLost) as refused:
            raise AuthFailed(f"SYSPRO refused the logon of operator {self._options.operator}: {refused}") from None
        return session_id(text)

    def _text(self, answer: Answer, session: str = "") -> str:
        """The decoded body of a good answer. Raises what `_said` does, Refused or Transient for the others."""
        if answer.status in {400, 414}:
            raise Refused(
                "address_too_long",
                f"The server before SYSPRO refused the request ({answer.status}): most likely its address is too long "
                "for it. Lower max_url_bytes.",
                "max_url_bytes",
            )
        if answer.status == 404:
            raise Refused(
                "not_found",
                "There is no e.net service at this address (404). Check enet_rest_base: it ends in "
                "/SYSPROWCFService/Rest.",
                "enet_rest_base",
            )
        if answer.status == 413:
            raise Refused(
                "body_too_long",
                "The server before SYSPRO refused the request (413): its body is too long for it. Raise "
                "maxReceivedMessageSize of e.net's REST binding.",
                "large_post_mode",
            )
        if answer.status != 200:
            raise answer.unclear("e.net itself always answers 200")
        return self._said(answer.content.decode(ENCODING, "replace"), session)

    def _said(self, text: str, session: str) -> str:
        """What e.net said, by whatever way, where it is no error. Raises SessionLost, Refused or AuthFailed."""
        found = _ERROR.match(text)
        if found is None:
            return text
        said = self._without_secrets(found[1].strip().strip('"'), session)
        if _any_in(self._options.session_lost, said):
            raise SessionLost(said)
        if _any_in(("100000",), said):
            raise Refused(
                "not_licensed", f"SYSPRO has no licence for this business object, or not installed it: {said}"
            )
        if _any_in(("Invalid operator",), said):
            raise AuthFailed(f"SYSPRO refused the operator: {said}")
        kind = "refused" if _any_in(self._options.permanent, said) else "error"
        raise Refused(kind, f"SYSPRO answered: {said}")

    def _without_secrets(self, said: str, session: str) -> str:
        for secret in (session.strip(), *self._access.secrets.values()):
            if secret:
                said = said.replace(secret, "***")
        return said[:_TEXT_LIMIT]


def address(operation: str, parameters: dict[str, str]) -> str:
    """Path and query of a call, everything percent-encoded."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return f"{operation}?{query}" if query else operation


def large(session: str, parameters: dict[str, str]) -> bytes:
    """The body of PostLD, in the order of the operation's arguments; documents are CDATA."""
    parts = [f"<UserId>{escape(session)}</UserId>"]
    for name, value in parameters.items():
        shown = f"<![CDATA[{value}]]>" if name.startswith("Xml") and "]]>" not in value else escape(value)
        parts.append(f"<{name}>{shown}</{name}>")
    return f'<TransactionPostLD xmlns="{SERVICE}">{"".join(parts)}</TransactionPostLD>'.encode("ascii")


def session_id(text: str) -> str:
    """The id in a logon's answer: bare, quoted or wrapped, with or without blanks behind. Raises Transient."""
    wrapped = _WRAPPER.search(text)
    found = (wrapped[1] if wrapped else text).strip().strip('"').strip()
    if not _ID.fullmatch(found):
        raise Transient("SYSPRO answered the logon with something that is no session id.")
    return found


def _any_in(patterns: Iterable[str], said: str) -> bool:
    lowered = said.lower()
    return any(pattern.lower() in lowered for pattern in patterns)
