"""Reading the base set over real sockets, by both routes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.records import InvoiceStatus, PaymentStatus
from ml_connector.systems.base import ShapeChanged, Swept, Transient, WrongCompany
from ml_connector.systems.syspro.company import Period

from .conftest import Site

INVOICES = {"only": "invoice"}
CREDITS = {"only": "credit_note"}
TYPES: list[tuple[str, dict[str, Any]]] = [
    ("supplier", {}),
    ("invoice", {}),
    ("payment", {}),
    ("gl_account", {}),
    ("cost_center", {}),
    ("currency", {}),
    ("payment_term", {}),
]


def post(supplier: str, invoice: str, amount: float = 100.0, **more: Any) -> dict[str, Any]:
    lines = [{"account": "10-6100", "amount": amount, "text": "Relays"}]
    return {"do": "post_invoice", "supplier": supplier, "invoice": invoice, "lines": lines, **more}


def test_the_base_set_is_read_with_its_control_totals(either: Site) -> None:  # R22
    items = either.read("invoice", INVOICES)
    totals: dict[str, Decimal] = {}
    for item in items.values():
        assert item.invalid is None
        assert item.record.adds_up()
        totals[item.record.currency] = totals.get(item.record.currency, Decimal(0)) + item.record.gross
    assert totals == {"USD": Decimal("7306.19"), "EUR": Decimal("2500.00")}
    (credit,) = either.read("invoice", CREDITS).values()
    assert (credit.record.gross, credit.record.corrects) == (75, "PAK003/PK-500")


def test_a_back_dated_invoice_is_read(either: Site) -> None:  # R13
    assert str(either.read("invoice", INVOICES)["HYD005/HU-2202"].record.date) == "2026-09-30"


@pytest.mark.parametrize(("record_type", "policy"), TYPES)
def test_both_routes_and_every_page_size_read_the_same(syspro: Any, record_type: str, policy: dict[str, Any]) -> None:
    syspro.edit("actions", [{"do": "manual_cheque", "supplier": "PAK003", "invoice": "PK-502", "amount": 250.0}])
    wanted = Site(syspro, "odata").read(record_type, policy)
    for route in ("odata", "comfnd"):
        for size in (1, 2, 1000):
            assert Site(syspro, route).read(record_type, policy, odata_page_size=size) == wanted
    source = Site(syspro, "comfnd").connect(odata_page_size=1).source(record_type, policy)
    assert set(source.keys()) == set(wanted)
    for key, item in wanted.items():
        assert source.get(key) == item
    assert source.get("NO/NE" if record_type == "invoice" else "no/such/0") is None


def test_columns_padded_with_blanks_read_the_same(site: Site) -> None:
    wanted = {record_type: site.read(record_type, policy) for record_type, policy in TYPES}
    site.syspro.options({"odata_padded_char": True})
    for record_type, policy in TYPES:
        assert site.read(record_type, policy, odata_page_size=2) == wanted[record_type]


def test_each_page_stands_for_itself(site: Site) -> None:  # R15, R16
    """Stopping after any page and going on from its cursor yields all, and none of it twice."""
    wanted = site.read("invoice")
    for stop in range(20):
        seen: list[str] = []
        cursor = None
        source = site.connect(odata_page_size=2).source("invoice", {})
        for number, page in enumerate(source.changes(None)):
            seen += [item.key for item in page.items]
            cursor = page.cursor
            if number == stop:
                break
        if "phase" in (cursor or {}):
            for page in site.connect(odata_page_size=3).source("invoice", {}).changes(cursor):
                seen += [item.key for item in page.items]
        assert sorted(seen) == sorted(wanted)


def test_the_next_poll_reads_the_overlap_again_and_what_is_new(either: Site) -> None:  # R14
    _, cursor = either.read_on("invoice", INVOICES)
    assert cursor == {"since": "2026-11-16", "period": "2026/11"}
    either.act(post("HYD005", "HU-2204", date="2026-10-01"))
    items = either.read("invoice", INVOICES, cursor, journal_overlap_days=1)
    assert "HYD005/HU-2204" in items
    assert "ELC001/ELC-1001" not in items


def test_a_voided_invoice_reaches_the_next_poll_although_its_own_row_has_no_stamp(either: Site) -> None:
    _, cursor = either.read_on("invoice", INVOICES)
    either.syspro.clock(now="2026-11-26T12:00:00Z", running=False)
    either.act({"do": "reverse", "supplier": "ELC001", "invoice": "ELC-1001"}, post("ELC001", "LATER"))
    items = either.read("invoice", INVOICES, cursor, journal_overlap_days=1)
    assert items["ELC001/ELC-1001"].record.status is InvoiceStatus.VOIDED
    assert items["ELC001/ELC-1001"].observed["open"] == "0.00"
    assert not any(
        "/" in key and key.startswith("2026/") for key in either.read("invoice", CREDITS) if key > "2026/11/1044/2"
    )


def test_a_cheque_reaches_the_next_poll_of_its_invoice_and_of_payments(either: Site) -> None:  # R28
    _, cursor = either.read_on("invoice", INVOICES)
    _, paid = either.read_on("payment")
    either.act(
        {"do": "manual_cheque", "supplier": "PAK003", "invoice": "PK-502", "amount": 250.0, "reference": "chq 9"}
    )
    item = either.read("invoice", INVOICES, cursor, journal_overlap_days=1)["PAK003/PK-502"]
    assert (item.observed["open"], item.observed["paid"]) == ("750.00", "250.00")
    (payment,) = either.read("payment", {}, paid).values()
    assert payment.invalid is None
    assert (payment.record.amount, payment.record.currency) == (250, "USD")
    assert payment.record.allocations[0].invoice == "PAK003/PK-502"
    assert payment.record.status is PaymentStatus.ISSUED


def test_credit_debit_and_adjustment_become_documents(either: Site) -> None:  # R26
    lines = [{"account": "10-6200", "amount": 40.0}]
    of = {"supplier": "PAK003", "invoice": "PK-502"}
    either.act(
        {"do": "credit", **of, "lines": lines},
        {"do": "debit", **of, "lines": lines},
        {"do": "adjust", **of, "lines": [{"account": "10-6200", "amount": -15.0}]},
        {"do": "adjust", **of, "lines": [{"account": "10-6200", "amount": 5.0}]},
    )
    credits = [i for i in either.read("invoice", CREDITS).values() if i.record.corrects == "PAK003/PK-502"]
    assert sorted(item.record.gross for item in credits) == [15, 40]
    raised = [i for i in either.read("invoice", INVOICES).values() if i.record.corrects == "PAK003/PK-502"]
    assert sorted(item.record.gross for item in raised) == [5, 40]
    assert all(item.invalid is None and item.record.adds_up() for item in (*credits, *raised))


def test_a_foreign_credit_is_restated_too(either: Site) -> None:
    either.act(
        {
            "do": "credit",
            "supplier": "NOR002",
            "invoice": "NK-77",
            "lines": [{"account": "10-6100", "amount": 33.33}, {"account": "10-6200", "amount": 33.34}],
        }
    )
    (item,) = (i for i in either.read("invoice", CREDITS).values() if i.record.corrects == "NOR002/NK-77")
    assert item.invalid is None
    assert (item.record.gross, item.record.currency) == (Decimal("66.67"), "EUR")
    assert item.record.adds_up()


def test_an_edit_without_a_stamp_is_found_by_the_sweep(either: Site) -> None:  # R17
    _, cursor = either.read_on("invoice", INVOICES)
    either.syspro.edit("ApInvoice", {"Supplier": "ELC001", "Invoice": "ELC-1001", "DueDate": "2027-01-31"})
    assert "ELC001/ELC-1001" not in either.read("invoice", INVOICES, cursor, journal_overlap_days=1)
    source = either.connect().source("invoice", INVOICES)
    assert isinstance(source, Swept)
    swept = {item.key: item for page in source.sweep() for item in page.items}
    assert str(swept["ELC001/ELC-1001"].record.due_date) == "2027-01-31"
    assert set(swept) == set(either.read("invoice", INVOICES))


def test_the_policy_bounds_the_first_load_by_journal_date(either: Site) -> None:
    items = either.read("invoice", {**INVOICES, "from_date": "2026-11-14"})
    assert sorted(items) == ["HYD005/HU-2202", "HYD005/HU-2203", "PAK003/PK-502"]
    assert set(either.connect().source("invoice", {**INVOICES, "from_date": "2026-11-14"}).keys()) == set(items)


def test_a_first_load_leaves_out_what_has_no_balance_unless_asked(either: Site) -> None:
    either.act({"do": "manual_cheque", "supplier": "HYD005", "invoice": "HU-2203", "amount": 150.0})
    assert "HYD005/HU-2203" not in either.read("invoice", INVOICES)
    item = either.read("invoice", {**INVOICES, "open_only": False})["HYD005/HU-2203"]
    assert (item.observed["open"], item.observed["paid"]) == ("0.00", "150.00")
    assert "HYD005/HU-2203" in set(either.connect().source("invoice", INVOICES).keys())


def test_invoices_whose_entry_is_numbered_otherwise_find_their_postings(either: Site) -> None:
    wanted = either.read("invoice", INVOICES)
    for row in either.syspro.state("ApInvoice"):
        key = {"Supplier": row["Supplier"], "Invoice": row["Invoice"]}
        either.syspro.edit("ApInvoice", {**key, "EntryNumber": 900})
    again = either.read("invoice", INVOICES)
    assert {key: item.record for key, item in again.items()} == {key: item.record for key, item in wanted.items()}


def test_documents_that_do_not_add_up_travel_as_invalid(either: Site) -> None:  # R22
    either.syspro.edit("ApInvoice", {"Supplier": "PAK003", "Invoice": "PK-502", "OrigInvValue": Decimal("1000.01")})
    items = either.read("invoice", INVOICES)
    assert (items["PAK003/PK-502"].invalid or "").startswith("totals_differ: ")
    assert sum(item.invalid is not None for item in items.values()) == 1


def test_periods_come_with_their_status_and_end(either: Site) -> None:  # R33
    periods = either.connect().periods()
    assert periods.current == Period(2026, 11)
    assert periods.status[Period(2026, 9)] != periods.status[Period(2026, 8)]
    assert periods.of(date(2026, 10, 31)) == Period(2026, 10)
    assert periods.of(date(2026, 11, 1)) == Period(2026, 11)


def test_the_identity_is_the_company(site: Site) -> None:  # R51
    named = site.connect().identity()
    assert named.key.startswith("RIL|") and named.key.count("|") == 2
    assert named.local_currency == "USD"


def test_tables_of_another_company_are_not_read(site: Site) -> None:  # R51
    """The session leads to the company of the settings, the OData segment to another one's tables."""
    site.syspro.edit("GenControl", {"Company": "RIL", "_delete": True})
    with pytest.raises(WrongCompany):
        site.read("invoice")


def test_a_session_of_another_company_is_not_used(site: Site) -> None:  # R51
    site.connect().identity()
    with pytest.raises(WrongCompany):
        site.connect(company_id="0").identity()


def test_supplier_filter_keeps_the_named(either: Site) -> None:
    assert set(either.read("supplier", supplier_filter={"currencies": "EUR, GBP"})) == {"NOR002"}


def test_accounts_of_one_segment_rule_are_joined(either: Site) -> None:
    joined = either.read("gl_account")
    plain = either.read("gl_account", cost_centre_source="none")
    assert "10-6400-WH1" in plain and "10-6400-WH1" not in joined
    assert joined["10-6400"].record.postable
    assert not joined["10-2100"].record.postable
    assert set(either.read("cost_center")) == {"WH1", "WH2"}
    assert either.read("cost_center", cost_centre_source="none") == {}


def test_cost_centers_may_stand_in_a_table_of_the_sites_own(either: Site) -> None:
    found = either.read("cost_center", cost_centre_source="table(TblApTerms,TermsCode,Description)")
    assert found["30"].record.name == "30 days"


def test_a_column_that_is_gone_stops_the_read_and_is_named(either: Site) -> None:  # R20
    either.syspro.options({"hide_columns": {"ApInvoice": ["DueDate"]}})
    pages = either.connect().source("invoice", INVOICES).changes(None)
    with pytest.raises(ShapeChanged, match="DueDate") as raised:
        next(pages)
    assert raised.value.field == "ApInvoice.DueDate"


def test_an_answer_that_breaks_off_yields_nothing_of_its_page(either: Site) -> None:  # R15
    match = {"odata": {"path": "*/ApInvoice"}, "comfnd": {"path": "*/query", "contains": "<TableName>ApInvoice<"}}
    either.syspro.faults([{"match": match[either.route], "do": "truncate", "bytes": 900}])
    with pytest.raises(Transient):
        list(either.connect().source("invoice", INVOICES).changes(None))
    either.syspro.faults([])
    assert len(either.read("invoice", INVOICES)) == 11


def test_a_sweep_of_keys_that_was_cut_short_raises(site: Site) -> None:  # R18
    site.syspro.faults([{"match": {"path": "*/ApInvoice", "nth": 3}, "do": "status", "status": 503}])
    with pytest.raises(Transient):
        list(site.connect(odata_page_size=2).source("invoice", INVOICES).keys())


def test_every_date_style_of_a_service_is_spoken(site: Site) -> None:
    _, cursor = site.read_on("invoice", INVOICES)
    for style in ("date", "quoted", "datetimeoffset"):
        site.syspro.options({"odata_date_style": style})
        assert site.read("invoice", INVOICES, cursor, odata_date_style=style)


def test_questions_too_long_for_an_address_are_split(site: Site) -> None:
    site.act(*[post("ELC001", f"LONG-{n:04}") for n in range(120)])
    site.act(
        *[{"do": "manual_cheque", "supplier": "ELC001", "invoice": f"LONG-{n:04}", "amount": 1.0} for n in range(120)]
    )
    site.syspro.clear_requests()
    wanted = site.read("invoice", INVOICES)
    site.route = "comfnd"
    assert site.read("invoice", INVOICES, max_url_bytes=4000) == wanted
    assert len(wanted) == 131
    assert max(len(request["path"]) for request in site.syspro.requests()) <= 4000
