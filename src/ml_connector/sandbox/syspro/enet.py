"""e.net: its operations, and REST, as the communications service answers under /SYSPROWCFService/Rest.

Everything is a GET but PostLD. Paths and parameter names are matched whatever their case. Whatever SYSPRO has to
say comes with status 200: a refusal is a body that begins `ERROR: `. Only the HTTP platform itself refuses with
other statuses: a URL that is too long, a path that does not exist.
"""

from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import unquote_to_bytes

from lxml import etree

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.syspro import comfnd, order_query, queries, soap
from ml_connector.sandbox.syspro.books import COMPANY_ID, Books
from ml_connector.sandbox.syspro.documents import Refused
from ml_connector.sandbox.syspro.ledger import Ledger
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.sessions import NOT_INSTALLED, Operator, Session, Sessions, check_log_off
from ml_connector.sandbox.syspro.settling import Settling
from ml_connector.sandbox.syspro.soap import Call
from ml_connector.sandbox.syspro.writes import Writes

PATH = "/SYSPROWCFService/Rest"
VERSION = "7.0.0.6"
LOGON = "/logon"
CREDENTIALS = ("Operator", "OperatorPassword", "CompanyId", "CompanyPassword")
LARGE_POST = "/transaction/postld"
WRITES = frozenset({"/setup/add", "/setup/update", "/setup/delete", "/transaction/post", LARGE_POST})
NAMESPACE = "{http://SYSPROWcfService}"

Arguments = Mapping[str, str]
"""By lower-case name."""


class Enet:
    def __init__(
        self,
        books: Books,
        sessions: Sessions,
        operators: dict[str, Operator],
        company_password: str,
        options: SysproOptions,
        settling: Settling,
    ) -> None:
        self._books = books
        self._settling = settling
        self._writes = Writes(books, Ledger(books), options, settling)
        self._sessions = sessions
        self._operators = operators
        self._company_password = company_password
        self._options = options
        self._operations: dict[str, Callable[[Arguments], str | bytes]] = {
            LOGON: self._logon,
            "/logoff": self._log_off,
            "/getversion": lambda _: VERSION,
            "/getlogonprofile": lambda given: queries.profile(self._session(given), self._books),
            "/query/query": self._query,
            "/query/fetch": self._fetch,
            "/query/browse": self._not_installed,
            "/query/nextkey": self._not_installed,
            "/query/previouskey": self._not_installed,
            "/transaction/build": self._not_installed,
            "/setup/add": lambda given: self._write(given, "add"),
            "/setup/update": lambda given: self._write(given, "update"),
            "/setup/delete": lambda given: self._write(given, "delete"),
            "/transaction/post": lambda given: self._write(given, "post"),
            LARGE_POST: lambda given: self._write(given, "post"),
        }

    def handle(self, request: Request) -> Response:
        operation = operation_of(request)
        answer = self._operations.get(operation)
        over_rest = not isinstance(request, Call)
        closed = over_rest and not self._options.rest
        if answer is None or closed or (operation == LARGE_POST and not self._options.large_posts):
            return Response.text("Endpoint not found.", 404, "text/html")
        if over_rest and request.method != ("POST" if operation == LARGE_POST else "GET"):
            return Response.text("Method not allowed.", 405, "text/html")
        try:
            body = answer(arguments_of(request))
        except Refused as refusal:
            body = f"ERROR: {refusal}"
        else:
            if over_rest and operation == LOGON:
                body = self._wrapped_id(str(body))
        return said(body)

    # --- sessions ----------------------------------------------------------------------------------------

    def _logon(self, given: Arguments) -> str:
        missing = [name for name in CREDENTIALS if name.lower() not in given]
        if missing:
            raise Refused(f"{missing[0]} was not supplied")
        operator = self._operators.get(given["operator"].strip().upper())
        if operator is None:
            raise Refused("Invalid operator")
        if operator.locked_out:
            raise Refused("Operator is locked out")
        if given["operatorpassword"] != operator.password:
            raise Refused("Invalid operator password")
        if given["companyid"].strip().upper() != COMPANY_ID:
            raise Refused("Invalid company id")
        if given["companypassword"] != self._company_password:
            raise Refused("Invalid company password")
        return f"{self._sessions.open(operator.code, COMPANY_ID).id}  "

    def _wrapped_id(self, user_id: str) -> str:
        """As the site's REST gives it."""
        forms = {"raw": user_id, "json": f'"{user_id}"', "xml": f"<string>{user_id}</string>"}
        return forms[self._options.logon_answer]

    def _log_off(self, given: Arguments) -> str:
        check_log_off(given.get("userid"))
        self._sessions.end(self._session(given).id)
        return "0"

    def _session(self, given: Arguments) -> Session:
        return self._sessions.use(given.get("userid"))

    # --- business objects --------------------------------------------------------------------------------

    def _query(self, given: Arguments) -> bytes:
        session = self._session(given)
        xml = given.get("xmlin")
        match self._licensed(given, session):
            case "COMFND":
                return comfnd.find(xml, self._settling.seen_by_enet(), self._options)
            case "PORQRY":
                return order_query.order(xml, self._settling.seen_by_enet(), self._options)
            case "GENQGL":
                return queries.ledger_code(xml, self._books)
            case "COMQCO":
                return queries.companies()
            case "COMQUS":
                return queries.users(self._sessions.alive())
            case _:
                raise Refused(NOT_INSTALLED)

    def _fetch(self, given: Arguments) -> bytes:
        self._session(given)
        return comfnd.fetch(given.get("xmlin"), self._settling.seen_by_enet(), self._options)

    def _write(self, given: Arguments, action: str) -> bytes:
        session = self._session(given)
        business_object = self._licensed(given, session)
        return self._writes.post(
            business_object, action, session.operator, given.get("xmlparameters"), given.get("xmlin")
        )

    def _not_installed(self, given: Arguments) -> str:
        self._session(given)
        raise Refused(NOT_INSTALLED)

    def _licensed(self, given: Arguments, session: Session) -> str:
        """The business object's code, if the site has it and the operator may use it. Raises Refused."""
        business_object = given.get("businessobject", "").strip().upper()
        operator = self._operators.get(session.operator)
        refused = business_object in {name.upper() for name in self._options.unlicensed}
        if refused or (operator is not None and not operator.may_use(business_object)):
            raise Refused(NOT_INSTALLED)
        return business_object


def operation_of(request: Request) -> str:
    """The operation's path in lower case: /query/query."""
    prefix = soap.PATH if isinstance(request, Call) else PATH
    return request.path.lower().removeprefix(prefix.lower()).rstrip("/")


def arguments_of(request: Request) -> Arguments:
    """Query parameters, or the elements of a PostLD body. Percent-encoded bytes are UTF-8, else Windows-1252."""
    if isinstance(request, Call):
        return request.arguments
    if request.method == "POST":
        return _wrapped_arguments(request.body)
    given: dict[str, str] = {}
    for pair in request.raw_query.split("&"):
        name, _, value = pair.partition("=")
        given.setdefault(_unquoted(name).lower(), _unquoted(value))
    return given


def asks_for_write(request: Request) -> bool:
    """A setup or transaction call that is not a mere validation, nor a look at whether PostLD is there."""
    operation = operation_of(request)
    if operation not in WRITES or (operation == LARGE_POST and request.method == "GET"):
        return False
    try:
        parameters = arguments_of(request).get("xmlparameters", "")
    except Refused:
        return True
    return "<ValidateOnly>Y<" not in "".join(parameters.split())


def said(body: str | bytes) -> Response:
    """SYSPRO's word, whatever it is: status 200 and bare bytes."""
    content = body.encode("cp1252", "xmlcharrefreplace") if isinstance(body, str) else body
    return Response(200, content, "application/octet-stream", [("Server", "Microsoft-HTTPAPI/2.0")])


def too_long(status: Literal[400, 414]) -> Response:
    """HTTP.sys refuses before SYSPRO sees the request."""
    reason = {400: "Bad Request - Invalid URL", 414: "Request URI Too Long"}[status]
    page = f"<HTML><HEAD><TITLE>{reason}</TITLE></HEAD><BODY><h2>{reason}</h2></BODY></HTML>"
    return Response(status, page.encode(), "text/html; charset=us-ascii", [("Server", "Microsoft-HTTPAPI/2.0")])


def _unquoted(text: str) -> str:
    raw = unquote_to_bytes(text.replace("+", " "))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


_body_parser = etree.XMLParser(resolve_entities=False, no_network=True)


def _wrapped_arguments(body: bytes) -> Arguments:
    """TransactionPostLD { UserId, BusinessObject, XmlParameters, XmlIn } in the service's namespace."""
    try:
        root = etree.fromstring(body, _body_parser)
    except etree.XMLSyntaxError as error:
        raise Refused(f"The request body is not well-formed: {error.msg}") from None
    if root.tag != f"{NAMESPACE}TransactionPostLD":
        raise Refused(f"The request body has root {root.tag}")
    return {
        str(child.tag).removeprefix(NAMESPACE).lower(): child.text or ""
        for child in root
        if str(child.tag).startswith(NAMESPACE)
    }
