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
from ml_connector.systems.transport.http import Answer, Http

ENCODING = "cp1252"
"""Declared by every answer; five bytes of it mean nothing and are replaced."""

SECRET_PARAMETERS = frozenset({"OperatorPassword", "CompanyPassword", "UserId", "XmlIn", "XmlParameters"})

LARGE = "Transaction/PostLD"
SERVICE = "http://SYSPROWcfService"

_ID = re.compile(r"[0-9A-Za-z]{8,64}")
_WRAPPER = re.compile(r"<string[^>]*>(.*)</string>", re.DOTALL)
_ERROR = re.compile(r"\s*\"?ERROR\b\s*:?\s*(.*)", re.DOTALL | re.IGNORECASE)
_TEXT_LIMIT = 300


class SessionLost(SystemFailure):
    """The session is gone, and the call with it: nothing ran. Never leaves this package."""


class SessionEnded(OutcomeUnknown):
    """The session was gone when a write arrived. By the vendor's clients nothing ran; a search has to show it."""


class Enet:
    """e.net over REST under the operator's one shared session."""

    def __init__(self, access: Access, options: Options, http: Http) -> None:
        self._access = access
        self._options = options
        self._http = http

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
        return self._write(about, lambda session: ("GET", address(operation, {"UserId": session, **parameters}), None))

    def write_large(self, *, about: str, **parameters: str) -> str:
        """Transaction/Post as a POST whose body holds what would not fit into an address. Else as `write`."""
        try:
            return self._write(about, lambda session: ("POST", LARGE, large(session, parameters)))
        except Refused as refused:
            if refused.code != "not_found":
                raise
        raise Refused(
            "document_too_large",
            f"This e.net service has no PostLD, and {about} is too long for an address. Raise max_url_bytes if the "
            "server takes longer ones, or enter it by hand.",
            "large_post_mode",
        )

    def _write(self, about: str, request: Callable[[str], tuple[str, str, bytes | None]]) -> str:
        session = self.session()
        method, path, content = request(session)
        headers = {"content-type": "application/xml"} if content is not None else None
        answer = self._http.write(method, path, headers=headers, content=content)
        try:
            text = self._text(answer, session)
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
        """The decoded body of a good answer. Raises SessionLost, Refused, AuthFailed or Transient for the others."""
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
        if answer.status != 200:
            raise answer.unclear("e.net itself always answers 200")
        text = answer.content.decode(ENCODING, "replace")
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
