"""Reading by key is only a shortcut: it finds what a look at every row finds."""

from itertools import count, product

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.sandbox.syspro.conditions import And, Compare, Not, Or
from ml_connector.sandbox.syspro.conditions import test as passing
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.table import OrderBy, Table

INVOICES = Table(TABLES["ApInvoice"], count(1).__next__)
for supplier, invoice, year in product("ABC", "1234", (2025, 2026)):
    INVOICES.put({"Supplier": supplier, "Invoice": f"{invoice}-{year}", "InvoiceYear": year})

compares = st.builds(
    Compare,
    st.sampled_from(["Supplier", "Invoice"]),
    st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]),
    st.sampled_from(["", "A", "B", "C", "2-2025", "3", "4-2026", "Z"]),
) | st.builds(Compare, st.just("InvoiceYear"), st.sampled_from(["eq", "ne", "gt", "le"]), st.just(2025))
conditions = st.recursive(
    compares,
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=1, max_size=4).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=1, max_size=4).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=12,
)


@given(conditions, st.none() | st.integers(0, 30))
def test_a_select_finds_every_matching_row_once_in_key_order(condition, limit):
    passes = passing(condition, INVOICES.definition.index)
    expected = sorted((row for row in INVOICES.rows() if passes(row)), key=lambda row: row[:2])
    assert INVOICES.select(condition, limit=limit) == expected[:limit]
    assert INVOICES.select(condition, [OrderBy("Supplier"), OrderBy("Invoice")], limit) == expected[:limit]
    down = INVOICES.select(condition, [OrderBy("Supplier", descending=True)], limit)
    assert [row[0] for row in down] == sorted((row[0] for row in expected), reverse=True)[:limit]
