"""The small query business objects: one ledger code, the companies, who is logged in, the logon profile."""

from collections.abc import Sequence

from ml_connector.sandbox.syspro.books import COMPANY_ID, COMPANY_NAME, LOCAL_CURRENCY, Books
from ml_connector.sandbox.syspro.documents import Node, Refused, parse, render, text_of
from ml_connector.sandbox.syspro.sessions import Session

NAMES_OF_TYPES = {"A": "Asset", "L": "Liability", "C": "Capital", "R": "Revenue", "E": "Expense"}
NAMES_OF_TYPES |= {"S": "Statistical", "T": "Template"}


def ledger_code(xml: str | None, books: Books) -> bytes:
    """GENQGL: checks one ledger code; root GLStructureQuery with LedgerDetails."""
    query = parse(xml, "Query")
    code = text_of(query, "key/LedgerCode") or text_of(query, "Key/LedgerCode")
    table = books.tables["GenMaster"]
    row = table.get(COMPANY_ID, code)
    if row is None:
        raise Refused(f"Ledger code '{code}' not found")
    account_type = table.read(row, "AccountType")
    details: list[Node] = [
        ("LedgerCode", code),
        ("Description", table.read(row, "Description")),
        ("AccountType", account_type),
        ("AccountTypeDescription", NAMES_OF_TYPES.get(account_type, "")),
        ("ControlAccFlag", table.read(row, "ControlAccFlag")),
        ("AccOnHldFlag", table.read(row, "AccOnHldFlag")),
    ]
    return render("GLStructureQuery", [("LedgerDetails", details)])


def companies() -> bytes:
    """COMQCO."""
    company: list[Node] = [("CompanyId", COMPANY_ID), ("CompanyName", COMPANY_NAME)]
    return render("Companies", [("Company", company)])


def users(sessions: Sequence[Session]) -> bytes:
    """COMQUS: users logged in. Its output is not published; these element names are assumed."""
    rows: list[Node] = [
        (
            "User",
            [
                ("Operator", session.operator),
                ("CompanyId", session.company),
                ("LoginDate", session.started.date().isoformat()),
                ("LoginTime", session.started.strftime("%H:%M:%S")),
            ],
        )
        for session in sessions
    ]
    return render("Users", rows)


def profile(session: Session, books: Books) -> bytes:
    """GetLogonProfile."""
    today = books.today().isoformat()
    return render(
        "UserInfo",
        [
            ("CompanyName", COMPANY_NAME),
            ("OperatorCode", session.operator),
            ("OperatorGroup", "API"),
            ("OperatorEmailAddress", ""),
            ("OperatorLocation", ""),
            ("OperatorLanguageCode", "05"),
            ("SystemLanguage", "05"),
            ("AccountingDate", today),
            ("CompanyDate", today),
            ("DefaultArBranch", "10"),
            ("DefaultApBranch", "10"),
            ("DefaultBank", "MAIN"),
            ("DefaultWarehouse", "WH1"),
            ("DefaultCustomer", ""),
            ("SystemSiteId", "RILLING01"),
            ("SystemNationalityCode", "USA"),
            ("LocalCurrencyCode", LOCAL_CURRENCY),
            ("CurrencyDescription", "US Dollar"),
            ("DefaultRequisitionUser", ""),
            ("XMLToHTMLTransform", ""),
            ("CssStyle", ""),
            ("CssSuffix", ""),
            ("DecimalFormat", "1"),
            ("DateFormat", "01"),
            ("FunctionalRole", "01"),
            ("DatabaseType", "SQL"),
            ("SysproVersion", "8.0"),
            ("EnetVersion", "8.0.0.0"),
            ("SysproServerBitWidth", "64"),
        ],
    )
