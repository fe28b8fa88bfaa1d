"""The test of a Connection: each step as it ends, with what to fix. Uses the live session, and never ends one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ml_connector.systems.base import AuthFailed, Step, SystemFailure
from ml_connector.systems.syspro import company
from ml_connector.systems.syspro.accounts import custom_table
from ml_connector.systems.syspro.comfnd import DECIMAL_POINT, NAMESPACE, answer, query, xml
from ml_connector.systems.syspro.costcenters import Analysis, CustomTable
from ml_connector.systems.syspro.orders import OrderedLine, OrderHeader, ReceivedNote
from ml_connector.systems.syspro.reading import QUERY, Tables
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import (
    AdmTax,
    ApInvoice,
    ApInvoicePay,
    ApJnlDistrib,
    ApJnlSummary,
    ApPayRunDet,
    ApSupplier,
    ApSupplierAddr,
    CurrentPeriod,
    GenAnalysisCode,
    GenMaster,
    Row,
    TblApTerms,
    TblCurrency,
    names,
)
from ml_connector.systems.syspro.where import ALL_ROWS
from ml_connector.systems.syspro.writing import ping as writing
from ml_connector.systems.syspro.writing.poster import Poster
from ml_connector.systems.transport.xml import walk

TABLES: dict[str, tuple[type[Row], ...]] = {
    "supplier": (ApSupplier, ApSupplierAddr),
    "invoice": (ApInvoice, ApJnlSummary, ApJnlDistrib, ApInvoicePay, AdmTax, TblApTerms, CurrentPeriod),
    "payment": (ApInvoicePay, ApPayRunDet, ApInvoice),
    "purchase_order": (OrderHeader, OrderedLine, ReceivedNote),
    "gl_account": (GenMaster,),
    "cost_center": (),
    "currency": (TblCurrency,),
    "payment_term": (TblApTerms,),
}
"""What each record type is read from."""


def ping(tables: Tables, options: Options, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
    """The steps of reading, and of writing where asked for; those after a failed one that they need are not tried."""
    enet = tables.enet
    yield (
        answered := _step(
            "e.net answers", lambda: f"version {enet.version()}", "Check enet_rest_base and the e.net service."
        )
    )
    yield (signed_in := _after(answered, "sign in", lambda: _session(tables), "Check operator, password and company."))
    yield _after(
        signed_in, "company", lambda: _company(tables, options), "Check company_id and the operator's formats."
    )
    yield _after(
        signed_in,
        "operator is ours alone",
        lambda: _alone(tables, options),
        "Give the Connection an operator of its own.",
    )
    yield _after(signed_in, "query right", lambda: _query(tables), "License e.net queries for the operator.")
    needed = signed_in
    if options.odata_root:
        odata = _step(
            "OData answers",
            lambda: _read(tables, (ApSupplier,), only="odata"),
            "Check odata_root, odata_user and the OData password, and restart the OData service after adding a user.",
        )
        yield odata
        needed = odata if signed_in.ok else signed_in
    for record_type in record_types:
        further = writing.TABLES.get(record_type, ()) if try_writing else ()
        wanted = (*TABLES.get(record_type, ()), *_centers(options, record_type), *further)
        yield _after(
            needed,
            f"tables of {record_type}",
            lambda wanted=wanted: _read(tables, wanted),  # type: ignore[misc]
            "Give the user the right to read the table; after an upgrade of SYSPRO, check its columns.",
        )
    poster = Poster(tables.enet, options)
    for record_type in record_types if try_writing else ():
        for probe in writing.probes(record_type, options):
            yield _probed(signed_in, f"write {record_type} ({probe.sample.business_object})", poster, probe)


def _session(tables: Tables) -> str:
    live = tables.enet.has_session()
    tables.enet.session()
    return "the live session is used" if live else "a new session was opened"


def _company(tables: Tables, options: Options) -> str:
    found = company.profile(tables.enet)
    if found.decimal_format not in {"", DECIMAL_POINT}:
        raise AuthFailed(
            f"The operator's decimal format is {found.decimal_format}; amounts are read with a decimal point only (1)."
        )
    named = company.identity(tables.enet, options)
    return f"{named.text}, local currency {named.local_currency}, date format {found.date_format}"


def _alone(tables: Tables, options: Options) -> str:
    """COMQUS lists who is logged in; its form is not published, so every element named like an operator counts."""
    document = f'<Query xmlns:xsd="{NAMESPACE}" xsd:noNamespaceSchemaLocation="COMQUS.XSD"><Option/></Query>'
    root = xml(tables.enet.read(QUERY, BusinessObject="COMQUS", XmlIn=document))
    found = [
        element
        for name in ("OperatorCode", "Operator")
        for element in walk(root, name)
        if (element.text or "").strip().lower() == options.operator.lower()
    ]
    if len(found) > 1:
        raise AuthFailed(f"Operator {options.operator} is logged in {len(found)} times: a person uses it as well.")
    return f"operator {options.operator} is logged in once" if found else "not listed"


def _query(tables: Tables) -> str:
    document = query("TblCurrency", ("Currency",), ALL_ROWS, ("Currency",), 1)
    rows = answer(tables.enet.read(QUERY, BusinessObject="COMFND", XmlIn=document), "TblCurrency")
    return f"{len(rows)} row read with COMFND"


def _read(tables: Tables, wanted: Sequence[type[Row]], only: str | None = None) -> str:
    for table in wanted:
        if only is None or tables.route(table) == only:
            next(iter(tables.answers(table, ALL_ROWS, table.KEY, 1)))
    return ", ".join(f"{table.NAME} ({len(names(table))} columns, {tables.route(table)})" for table in wanted) or "none"


def _centers(options: Options, record_type: str) -> tuple[type[Row], ...]:
    if record_type != "cost_center" or options.cost_centers is None:
        return ()
    if isinstance(options.cost_centers, Analysis):
        return (GenAnalysisCode,)
    return (custom_table(options.cost_centers),) if isinstance(options.cost_centers, CustomTable) else (GenMaster,)


def _after(needed: Step, name: str, act: Callable[[], str], fix: str) -> Step:
    if not needed.ok:
        return Step(name, None, f"not tried, because the step {needed.name!r} failed")
    return _step(name, act, fix)


def _probed(needed: Step, name: str, poster: Poster, probe: writing.Probe) -> Step:
    if not needed.ok:
        return _after(needed, name, str, writing.FIX)
    try:
        return Step(name, *writing.licensed(poster, probe))
    except SystemFailure as failure:
        return Step(name, False, str(failure), writing.FIX)  # noqa: FBT003


def _step(name: str, act: Callable[[], str], fix: str) -> Step:
    try:
        return Step(name, True, act())  # noqa: FBT003
    except SystemFailure as failure:
        return Step(name, False, str(failure), fix)  # noqa: FBT003
