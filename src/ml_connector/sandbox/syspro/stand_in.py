"""The SYSPRO stand-in as the kernel sees it: one company, its operators, e.net and OData."""

import random
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.standin import BadInput, Row, StandIn
from ml_connector.sandbox.syspro import base_sets, enet, odata
from ml_connector.sandbox.syspro.actions import Desk, perform
from ml_connector.sandbox.syspro.books import AP_CONTROL, COMPANY_ID, LOCAL_CURRENCY, Books
from ml_connector.sandbox.syspro.documents import Refused
from ml_connector.sandbox.syspro.enet import Enet, operation_of
from ml_connector.sandbox.syspro.odata import Odata
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.seeded import COST_CENTRE_SOURCE, seed_books
from ml_connector.sandbox.syspro.sessions import Operator, Sessions
from ml_connector.sandbox.syspro.settling import Settling

TIME_ZONE = "America/Chicago"
INTEGRATION = "MLCONN"
ODATA_USER = "MLODATA"

FOR_WRITING: Row = {
    "closed_period_letters": ["C"],
    "default_branch_code": "10",
    "default_terms": "30",
    "default_currency": LOCAL_CURRENCY,
    "default_buyer": "PUR",
    "default_product_class": "COMP",
    "default_warehouse": "WH1",
    "clearing_bank": "MAIN",
    "ap_control_account": AP_CONTROL,
}
"""What a Connection that writes has to know of this company: codes that its tables have, unless data replace them."""


class Syspro(StandIn):
    """Types: the SQL tables, `operators`, `sessions`, and `actions`, which only takes (see actions)."""

    name = "syspro"
    prefixes = (enet.PATH, odata.PATH)
    secret_parameters = frozenset({"operatorpassword", "companypassword", "userid"})

    def __init__(
        self,
        seed: int,
        data: Mapping[str, list[Row]] | None,
        clock: Clock,
        options: Mapping[str, Any] | None,
    ) -> None:
        self.options: SysproOptions = SysproOptions()
        self.options.change(options or {})
        self._company_password = ""
        self._odata_password = _password(seed, ODATA_USER)
        self._operators = {
            code: Operator(code, name, _password(seed, code))
            for code, name in ((INTEGRATION, "Integration"), ("ADMIN", "Administrator"), ("DWHIT", "Dana Whitfield"))
        }
        self._done: list[Row] = []
        self._sessions = Sessions(self.options, clock.now)
        self._books = Books(lambda: clock.now().astimezone(ZoneInfo(TIME_ZONE)).date())
        self._desk = Desk(self._books, self._sessions, self.options)
        self._load(seed, data or {})
        settling = Settling(self._books.tables, self.options, clock.now)
        self._enet = Enet(self._books, self._sessions, self._operators, self._company_password, self.options, settling)
        self._odata = Odata(settling.seen_by_odata, ODATA_USER, self._odata_password, self.options)

    def _load(self, seed: int, given: Mapping[str, list[Row]]) -> None:
        data = {**base_sets.rows(self.options.base_set), **given}
        for type_name, rows in data.items():
            if type_name not in TABLES and type_name != "operators":
                raise BadInput(f"{type_name}: not a table of this company")
            try:
                self.edit(type_name, rows)
            except BadInput as error:
                raise BadInput(f"{type_name}: {error}") from None
        seed_books(self._books, seed, self.options.invoices, data)
        base_sets.enter_orders(self.options.base_set, self._books, self.options, given)

    def settings(self, url: str) -> Row:
        return {
            "enet_rest_base": f"{url}{enet.PATH}",
            "operator": INTEGRATION,
            "company_id": COMPANY_ID,
            "odata_root": f"{url}{odata.PATH}",
            "odata_user": ODATA_USER,
            "odata_company_segment": COMPANY_ID,
            "company_time_zone": TIME_ZONE,
            "cost_centre_source": COST_CENTRE_SOURCE,
            "local_currency": LOCAL_CURRENCY,
            **FOR_WRITING,
        }

    def secrets(self) -> Row:
        return {
            "operator_password": self._operators[INTEGRATION].password,
            "company_password": self._company_password,
            "odata_password": self._odata_password,
        }

    # --- requests ----------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        if _target_bytes(request) > self.options.max_url_bytes:
            return enet.too_long(self.options.long_url_status)
        if _is_odata(request):
            return self._odata.handle(request, f"http://{request.headers.get('host', '')}{odata.PATH}")
        return self._enet.handle(request)

    def request_key(self, request: Request) -> str | None:
        """OData's user, or the operator whose session the call is on."""
        if _is_odata(request):
            return f"odata {ODATA_USER}"
        operator = self._sessions.operator_of(_user_id(request))
        return None if operator is None else f"enet {operator}"

    def admit(self, request: Request) -> Response | None:
        busy = request.in_flight > 1 and not _is_odata(request)
        if busy and self.options.parallel_calls == "refuse":
            return enet.said("ERROR: The session is busy with another call")
        return None

    def is_write(self, request: Request) -> bool:
        """A post that only validates is none."""
        return not _is_odata(request) and enet.asks_for_write(request)

    def throttled(self, request: Request, code: str | None) -> Response:
        """SYSPRO has no limit of its own; the HTTP platform in front says this when its queue is full."""
        if _is_odata(request):
            return odata.error(503, "ServiceUnavailable", "The service is unavailable.")
        page = b"<HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD></HTML>"
        return Response(503, page, "text/html; charset=us-ascii", [("Server", "Microsoft-HTTPAPI/2.0")])

    def in_band_error(self, request: Request, text: str) -> Response:
        if _is_odata(request):
            return odata.error(200, "InternalError", text)
        return enet.said(f"ERROR: {text}")

    def expire_session(self, request: Request | None) -> None:
        if request is None:
            self._sessions.end_all()
        else:
            self._sessions.end(_user_id(request))

    async def background(self) -> None:
        """SYSPRO has no outbound webhooks: it sends nothing by itself."""

    # --- control -----------------------------------------------------------------------------------------

    def types(self) -> Sequence[str]:
        return (*TABLES, "operators", "sessions", "actions")

    def state(self, type_name: str) -> list[Row]:
        match type_name:
            case "operators":
                return [_operator_row(operator) for operator in self._operators.values()]
            case "sessions":
                return [
                    {"UserId": session.id, "Operator": session.operator, "CompanyId": session.company}
                    for session in self._sessions.alive()
                ]
            case "actions":
                return self._done
            case _:
                table = self._books.tables[type_name]
                return [table.as_state(row) for row in table.rows()]

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        match type_name:
            case "operators":
                return [self._edit_operator(row) for row in rows]
            case "sessions":
                for row in rows:
                    self._end_session(row)
                return []
            case "actions":
                for row in rows:
                    perform(row, self._desk)
                    self._done.append(row)
                return rows
            case _:
                return self._books.edit(type_name, rows)

    def _edit_operator(self, row: Row) -> Row:
        """OperatorCode, Name, Password, OperatorLockedOut Y or N, NotLicensed: business objects, `*` for all."""
        code = str(row.get("OperatorCode", "")).upper()
        if not code:
            raise BadInput("operators: OperatorCode is missing")
        if row.get("_delete") is True:
            self._operators.pop(code, None)
            return row
        operator = self._operators.setdefault(code, Operator(code, code, ""))
        operator.name = str(row.get("Name", operator.name))
        operator.password = str(row.get("Password", operator.password))
        operator.locked_out = row.get("OperatorLockedOut", "Y" if operator.locked_out else "N") == "Y"
        denied = row.get("NotLicensed", sorted(operator.not_licensed))
        if not isinstance(denied, list) or not all(isinstance(code, str) for code in denied):
            raise BadInput("operators: NotLicensed is a list of business objects")
        operator.not_licensed = frozenset(code.upper() for code in denied)
        return _operator_row(operator)

    def _end_session(self, row: Row) -> None:
        if row.get("_delete") is not True:
            raise BadInput("sessions: only _delete; a person logs in by the action log_in")
        self._sessions.end(str(row.get("UserId", "")))


def create(seed: int, data: Mapping[str, list[Row]] | None, clock: Clock, options: Mapping[str, Any] | None) -> Syspro:
    return Syspro(seed, data, clock, options)


def _operator_row(operator: Operator) -> Row:
    locked = "Y" if operator.locked_out else "N"
    return {
        "OperatorCode": operator.code,
        "Name": operator.name,
        "OperatorLockedOut": locked,
        "NotLicensed": sorted(operator.not_licensed),
    }


def _is_odata(request: Request) -> bool:
    return request.path.lower().startswith(odata.PATH.lower())


def _target_bytes(request: Request) -> int:
    return len(quote(request.path)) + 1 + len(request.raw_query)


def _user_id(request: Request) -> str:
    """The session id of an e.net call; blank for a logon, and for a PostLD whose body has not arrived."""
    if operation_of(request) == "/logon":
        return ""
    try:
        return enet.arguments_of(request).get("userid", "")
    except Refused:
        return ""


def _password(seed: int, user: str) -> str:
    """The same for the same seed; a stand-in guards nothing."""
    return f"{random.Random(f'{user} {seed}').getrandbits(64):016x}"
