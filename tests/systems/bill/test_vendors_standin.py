"""Suppliers as vendors, against the stand-in."""

from __future__ import annotations

import pytest

from ml_connector.domain.records import Address
from ml_connector.systems.base import Batched, DocumentState, Listed, OutcomeUnknown, Refused


def test_a_vendor_is_created_without_bank_details(pair, make_supplier):  # R52
    ref = pair.vendors().create(make_supplier(), "mlc0000000001")
    (row,) = [row for row in pair.bill.state("vendors") if row["id"] == ref.key]
    assert (row["name"], row["shortName"], row["billCurrency"]) == ("Electra Components Inc.", "ELC001", "USD")
    assert "bankAccount" not in row.get("paymentInformation", {})


def test_what_was_sent_does_not_differ_from_what_is_there(pair, make_supplier):
    vendors, sent = pair.vendors(), make_supplier(phone="+1 555 0100")
    found = vendors.get(vendors.create(sent, "").key)
    assert vendors.differences(sent, found.record) == []


@pytest.mark.parametrize("name", ["Electra Components Inc.", "Acme, Inc.", 'The "Best" Co', "A: B", "Müller & Söhne"])
def test_a_lost_create_is_found_by_its_code(pair, make_supplier, name):  # R3, R6
    vendors, sent = pair.vendors(), make_supplier(name=name)
    pair.bill.faults([{"match": {"method": "POST", "path": "/v3/vendors"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        vendors.create(sent, "")
    (found,) = vendors.find(sent, "")
    assert vendors.identity_differences(sent, found.record) == []


def test_a_vendor_of_the_same_name_typed_by_hand_is_a_candidate_and_not_the_same(pair, make_supplier):  # R46
    vendors = pair.vendors()
    vendors.create(make_supplier(code="OTHER"), "")
    (found,) = vendors.find(make_supplier(tax_id=None), "")
    assert vendors.identity_differences(make_supplier(), found.record) == ["code"]


def test_a_vendor_with_the_same_tax_id_under_another_name_is_a_candidate(connect, make_supplier):
    vendors = connect(vendor_list_short=False).vendors()
    ref = vendors.create(make_supplier(code="X1", name="Electra Holding"), "")
    assert [found.key for found in vendors.find(make_supplier(), "")] == [ref.key]


def test_an_update_sends_only_what_differs(pair, make_supplier):  # R45
    vendors = pair.vendors()
    ref = vendors.create(make_supplier(), "")
    vendors.update(ref, make_supplier(email="new@electra.example"), "")
    assert vendors.get(ref.key).record.email == "new@electra.example"
    vendors.update(ref, make_supplier(email="new@electra.example"), "")
    assert len(pair.calls("PATCH", f"/v3/vendors/{ref.key}")) == 1


def test_an_archived_vendor_is_restored_when_its_supplier_is_updated(pair, make_supplier):
    vendors = pair.vendors()
    ref = vendors.create(make_supplier(), "")
    vendors.cancel(ref, "gone")
    assert vendors.get(ref.key).state is DocumentState.ARCHIVED
    vendors.update(ref, make_supplier(name="Electra Corp."), "")
    found = vendors.get(ref.key)
    assert (found.state, found.record.name) == (DocumentState.OPEN, "Electra Corp.")


def test_archiving_twice_is_archiving_once(pair, make_supplier):
    vendors = pair.vendors()
    ref = vendors.create(make_supplier(), "")
    vendors.cancel(ref, "gone")
    vendors.cancel(ref, "gone")
    vendors.restore(ref)
    assert vendors.get(ref.key).state is DocumentState.OPEN


def test_a_changed_currency_is_refused(pair, make_supplier):
    vendors = pair.vendors()
    ref = vendors.create(make_supplier(), "")
    with pytest.raises(Refused) as refused:
        vendors.update(ref, make_supplier(currency="EUR"), "")
    assert refused.value.code == "currency_not_allowed"


def test_twenty_at_once_in_order(pair, make_supplier):
    vendors = pair.vendors()
    assert isinstance(vendors, Batched)
    records = [(make_supplier(code=f"S{n:02}", name=f"Supplier {n:02}"), "") for n in range(vendors.batch_size)]
    refs = vendors.create_batch(records)
    assert [vendors.get(ref.key).record.code for ref in refs] == [record.code for record, _ in records]


def test_a_batch_with_a_bad_member_creates_nothing(pair, make_supplier):
    vendors, before = pair.vendors(), len(pair.bill.state("vendors"))
    bad = make_supplier(code="S2", address=Address(line1="1", city="X", postal_code="1", country="USA"))
    with pytest.raises(Refused):
        vendors.create_batch([(make_supplier(), ""), (bad, "")])
    assert len(pair.bill.state("vendors")) == before


def test_the_listing_goes_on_from_its_cursor(pair, make_supplier):
    vendors = pair.vendors()
    assert isinstance(vendors, Listed)
    for number in range(130):
        vendors.create(make_supplier(code=f"S{number:03}", name=f"Supplier {number:03}"), "")
    seen = [found for page in vendors.listing(None) for found in page]
    assert len({found.key for found in seen}) == len(seen) == len(pair.bill.state("vendors"))
    cursor = vendors.listing_cursor(seen[-1])
    again = [found.key for page in vendors.listing(cursor) for found in page]
    assert seen[-1].key in again
