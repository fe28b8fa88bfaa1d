"""e.net sessions: one per operator and bound to a company, kept alive by every call.

The id is 32 upper-case hex digits and `00`, then two blanks; with or without them it is the same session.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ml_connector.sandbox.syspro.documents import Refused
from ml_connector.sandbox.syspro.options import SysproOptions

NOT_INSTALLED = "e.net exception raised: 100000"
"""What a business object answers that the site has not, or the operator may not use."""

DEAD = (
    "The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)


@dataclass
class Operator:
    code: str
    name: str
    password: str
    locked_out: bool = False
    not_licensed: frozenset[str] = frozenset()
    """Business objects that this operator may not use; `*` for all."""

    def may_use(self, business_object: str) -> bool:
        return not self.not_licensed & {business_object, "*"}


@dataclass
class Session:
    id: str
    operator: str
    company: str
    started: dt.datetime
    used: dt.datetime


class Sessions:
    """`now` is the stand-in's clock: a jump over `idle_seconds` ends every session."""

    def __init__(self, options: SysproOptions, now: Callable[[], dt.datetime]) -> None:
        self._options = options
        self._now = now
        self._alive: dict[str, Session] = {}

    def open(self, operator: str, company: str) -> Session:
        """Ends the operator's other session, or refuses, as the site has it."""
        others = [session for session in self.alive() if session.operator == operator]
        if others and self._options.second_logon == "refuse":
            raise Refused(f"Operator {operator} is already logged in")
        for other in others:
            self.end(other.id)
        now = self._now()
        session = Session(f"{uuid.uuid4().hex.upper()}00", operator, company, now, now)
        self._alive[session.id] = session
        return session

    def use(self, user_id: str | None) -> Session:
        """The living session of an id, its idle time starting anew. Raises Refused with the known text."""
        session = self._alive.get((user_id or "").strip())
        if session is None or self._expired(session):
            raise Refused(DEAD)
        session.used = self._now()
        return session

    def operator_of(self, user_id: str) -> str | None:
        """Whose session it is, without using it."""
        session = self._alive.get(user_id.strip())
        return None if session is None else session.operator

    def alive(self) -> list[Session]:
        return [session for session in self._alive.values() if not self._expired(session)]

    def end(self, user_id: str) -> None:
        self._alive.pop(user_id.strip(), None)

    def end_all(self) -> None:
        self._alive.clear()

    def _expired(self, session: Session) -> bool:
        return (self._now() - session.used).total_seconds() > self._options.idle_seconds


def check_log_off(user_id: str | None) -> None:
    """The two digits after the GUID name the SYSPRO instance; an id of another one fails in its own way."""
    digits = (user_id or "").strip()[32:34]
    if digits and digits != "00":
        raise Refused(f"Unable to read the SYSPRO base directory registry string BaseDir{digits[0]}")
