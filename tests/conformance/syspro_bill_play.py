"""The acts of random stories on SYSPRO -> BILL, and how a story begins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from hypothesis import strategies as st

import ml_connector.sandbox
from ml_connector.conformance.bench import clocks_at
from ml_connector.conformance.model import NUMBER, Act, Play
from ml_connector.integrations.base import Side
from ml_connector.workspaces.models import Workspace
from tests.conformance.syspro_bill_acts import (
    amend_amount,
    amend_header,
    archive_by_hand,
    archive_or_restore_account,
    bring_back,
    bring_supplier_back,
    change_phone,
    close_in_bill,
    credit,
    debit,
    edit_in_bill,
    enter,
    enter_supplier,
    enter_twin,
    hold_or_release,
    pay,
    phone_in_bill,
    put_code_back,
    remove,
    remove_supplier,
    rename,
    split_line,
    take_code_out,
    type_by_hand,
    void,
)
from tests.conformance.syspro_bill_model import Payables
from tests.sync.pair import DATA, MONDAY, Pair


@contextmanager
def opened(workspace: Workspace) -> Iterator[Pair]:
    """Two suppliers that BILL does not know, and no document."""
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("syspro", "bill")
    }
    load["bill"]["vendors"] = []
    documents = ("ApInvoice", "ApInvoicePay", "ApJnlSummary", "ApJnlDistrib", "ApPayRunHdr", "ApPayRunDet")
    books = load["syspro"] | {name: [] for name in documents}
    for table in ("ApSupplier", "ApSupplierAddr"):
        books[table] = [row for row in books[table] if row["Supplier"] in {"ELC001", "PAK003"}]
    with (
        ml_connector.sandbox.start("syspro", seed=1, data=books) as syspro,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"]) as bill,
        clocks_at(MONDAY, {Side.ERP: syspro, Side.PLATFORM: bill}),
    ):
        pair = Pair(syspro, bill, workspace)
        pair.map_accounts()
        yield pair


CENTS = st.integers(201, 99_999)
SOME = lambda model: bool(model.live)  # noqa: E731
ANY = lambda model: bool(model.present)  # noqa: E731

PLAY = Play(
    open=opened,
    model=Payables,
    acts={
        "enter": Act(enter, {"supplier": NUMBER, "cents": CENTS, "account": NUMBER}),
        "enter_more": Act(enter, {"supplier": NUMBER, "cents": CENTS, "account": NUMBER}),
        "enter_twin": Act(enter_twin, {"of": NUMBER, "cents": CENTS}, ANY),
        "enter_supplier": Act(enter_supplier),
        "amend_header": Act(amend_header, {"of": NUMBER, "day": st.integers(1, 28)}, SOME),
        "amend_amount": Act(amend_amount, {"of": NUMBER, "cents": CENTS}, SOME),
        "split_line": Act(split_line, {"of": NUMBER}, SOME),
        "void": Act(void, {"of": NUMBER}, SOME),
        "credit": Act(credit, {"of": NUMBER, "cents": CENTS}, SOME),
        "debit": Act(debit, {"of": NUMBER, "cents": CENTS}, SOME),
        "pay": Act(pay, {"of": NUMBER}, SOME),
        "remove": Act(remove, {"of": NUMBER}, ANY),
        "bring_back": Act(bring_back, {"of": NUMBER}, lambda model: any(p.gone for p in model.invoices)),
        "remove_supplier": Act(remove_supplier, {"of": NUMBER}),
        "bring_supplier_back": Act(bring_supplier_back, {"of": NUMBER}, lambda m: any(c.gone for c in m.companies)),
        "change_phone": Act(change_phone, {"of": NUMBER, "phone": st.integers(0, 9999)}),
        "rename": Act(rename, {"of": NUMBER, "word": NUMBER}),
        "hold_or_release": Act(hold_or_release, {"of": NUMBER}),
        "take_code_out": Act(take_code_out, {"account": NUMBER}),
        "put_code_back": Act(put_code_back, {"account": NUMBER}),
        "archive_or_restore_account": Act(archive_or_restore_account, {"account": NUMBER}),
        "type_by_hand": Act(type_by_hand, {"of": NUMBER, "cents": CENTS}, SOME),
        "archive_by_hand": Act(archive_by_hand, {"of": NUMBER}),
        "edit_in_bill": Act(edit_in_bill, {"of": NUMBER}, SOME),
        "phone_in_bill": Act(phone_in_bill, {"of": NUMBER, "phone": st.integers(0, 9999)}),
        "close_in_bill": Act(close_in_bill, {"of": NUMBER, "how": st.sampled_from(["archived", "scheduled"])}, SOME),
    },
    requests=(
        (Side.PLATFORM, {"method": "POST", "path": "/v3/bills"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/bills"}),
        (Side.PLATFORM, {"method": "PATCH", "path": "/v3/bills/*"}),
        (Side.PLATFORM, {"method": "PUT", "path": "/v3/bills/*"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/bills/*/archive"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/vendor-credits"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/vendors"}),
        (Side.PLATFORM, {"method": "PATCH", "path": "/v3/vendors/*"}),
        (Side.PLATFORM, {"method": "GET", "path": "/v3/*"}),
        (Side.ERP, {"method": "GET", "path": "*"}),
    ),
)
