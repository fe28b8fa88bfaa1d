"""Payment runs: what becomes of a payment, and of the invoices that it settles."""

from decimal import Decimal

import pytest
from tests.sandbox.avidxchange.conftest import exact, invoice, line, vendor

D = Decimal


@pytest.fixture
def ready(api):
    api.set_up()
    api.approved(invoice(), invoice("PK-500", "PAK003", line(675, "10-6200")))
    return api


def pay(api, number, method, *remittances, **more):
    rows = [{"invoice": name, "gross": gross} for name, gross in remittances]
    api.do("run", run="R-1", payments=[{"id": number, "method": method, "remittances": rows, **more}])


def test_a_check_goes_its_way_until_it_clears(ready):
    pay(ready, 9001, "check", ("ELC-1001", 1620), buyer_check_number="5001")
    seen = []
    for status in ("pending_approval", "held", "debit_requested", "funds_received", "at_printer"):
        ready.do("move", payment=9001, status=status)
        seen.append(ready.payment(9001)["status"])
    assert seen == ["pending_approval", "held", "debit_requested", "funds_received", "at_printer"]
    ready.do("issue", payment=9001, check_number="70011")
    row = ready.payment(9001)
    assert (row["status"], row["check_number"], row["buyer_check_number"]) == ("mailed", "70011", "5001")
    assert (row["cleared"], row["image"], row["run"], row["vendor"]) == (None, False, "R-1", "ELC001")
    ready.days_later(3)
    ready.do("clear", payment=9001)
    row = ready.payment(9001)
    assert (row["status"], row["cleared"], row["image"]) == ("cleared", "2026-11-19T12:00:00", True)
    (part,) = row["remittances"]
    assert (part["number"], part["external_id"], part["net"]) == ("ELC-1001", "mlcELC-1001", D("1620.00"))
    assert ready.invoice("ELC-1001")["status"] == "paid"


@pytest.mark.parametrize(
    ("method", "status", "field"), [("direct", "deposited", "trace"), ("card", "card_delivered", "card")]
)
def test_other_methods_have_another_reference(ready, method, status, field):
    pay(ready, 9002, method, ("ELC-1001", 500), status="issued", **{field: "4711"})
    row = ready.payment(9002)
    assert (row["status"], row["method"], row[field], row["check_number"]) == (status, method, "4711", None)
    assert row["status_number"] > 0 and row["method_number"] > 0


def test_parts_settle_an_invoice_together_and_not_beyond(ready):
    pay(ready, 9002, "direct", ("ELC-1001", 1000), status="cleared")
    assert ready.invoice("ELC-1001")["status"] == "approved"
    with pytest.raises(ValueError, match="open, not 620"):
        pay(ready, 9003, "direct", ("ELC-1001", 620.01))
    pay(ready, 9003, "direct", ("ELC-1001", 620), status="cleared")
    assert ready.invoice("ELC-1001")["status"] == "paid"


def test_a_credit_note_and_a_discount_lessen_the_payment(ready):
    ready.approved(invoice("PK-501", "PAK003", line(-75, "10-6200")))
    ready.do(
        "run",
        payments=[
            {
                "id": 9005,
                "method": "card",
                "status": "cleared",
                "remittances": [{"invoice": "PK-500", "gross": 675, "discount": 5}, {"invoice": "PK-501"}],
            }
        ],
    )
    row = ready.payment(9005)
    assert row["amount"] == D("595.00") == sum(one["net"] for one in row["remittances"])
    assert [one["net"] for one in row["remittances"]] == [D("670.00"), D("-75.00")]


def test_what_is_not_approved_or_of_two_vendors_is_not_paid(ready):
    ready.written("invoices.write", invoice("ELC-2"))
    with pytest.raises(ValueError, match="in_workflow, not approved"):
        pay(ready, 9009, "check", ("ELC-2", 1))
    with pytest.raises(ValueError, match="one vendor"):
        pay(ready, 9009, "check", ("ELC-1001", 1), ("PK-500", 1))
    assert ready.stand_in.state("payments") == []


def test_a_void_after_clearing_opens_the_invoice_again(ready):  # R29
    pay(ready, 9006, "check", ("ELC-1001", 1620), status="cleared")
    ready.days_later(1)
    ready.do("void", payment=9006)
    row = ready.payment(9006)
    assert (row["status"], row["cleared"], row["modified"]) == ("voided", None, "2026-11-17T12:00:00")
    assert ready.invoice("ELC-1001")["status"] == "approved"
    with pytest.raises(ValueError, match="voided already"):
        ready.do("void", payment=9006)
    (found,) = ready.rows("payments.list", **{"from": "2026-11-17", "to": "2026-11-17"})
    assert found["id"] == 9006


def test_a_stop_is_asked_for_and_then_done(ready):
    pay(ready, 9008, "check", ("ELC-1001", 1620))
    with pytest.raises(ValueError, match="is processing"):
        ready.do("stop", payment=9008)
    ready.do("issue", payment=9008)
    ready.do("stop", payment=9008)
    assert (ready.payment(9008)["status"], ready.invoice("ELC-1001")["status"]) == ("stop_requested", "paid")
    ready.do("stop", payment=9008, done=True)
    assert (ready.payment(9008)["status"], ready.invoice("ELC-1001")["status"]) == ("stopped", "approved")


def test_a_reissue_keeps_the_id_and_has_another_number_or_method(ready):  # R28
    pay(ready, 9010, "check", ("ELC-1001", 1620), status="issued", check_number="70011")
    ready.do("reissue", payment=9010, check_number="70099")
    assert (ready.payment(9010)["status"], ready.payment(9010)["check_number"]) == ("mailed", "70099")
    ready.do("void", payment=9010)
    ready.do("reissue", payment=9010, method="direct", trace="123")
    row = ready.payment(9010)
    assert (row["method"], row["status"], row["trace"], row["check_number"]) == ("direct", "deposited", "123", None)
    assert ready.invoice("ELC-1001")["status"] == "paid"
    assert ready.stand_in.state("payments")[0]["cycle"] == 3
    ready.do("void", payment=9010)
    pay(ready, 9011, "check", ("ELC-1001", 1620), status="cleared")
    with pytest.raises(ValueError, match="paid otherwise"):
        ready.do("reissue", payment=9010)


def test_a_reissue_may_have_to_be_issued_anew(ready):
    ready.stand_in.options({"status_after_reissue": "processing"})
    pay(ready, 9010, "check", ("ELC-1001", 1620), status="issued")
    ready.do("reissue", payment=9010)
    assert (ready.payment(9010)["status"], ready.payment(9010)["check_number"]) == ("processing", None)
    ready.do("issue", payment=9010, check_number="70100")
    assert ready.payment(9010)["check_number"] == "70100"


def test_a_payment_stays_in_error_for_a_reason_until_it_is_mended(ready):
    pay(ready, 9012, "direct", ("ELC-1001", 1620))
    ready.do("fail", payment=9012, reason=6)
    row = ready.payment(9012)
    assert (row["status"], row["exceptions"]) == ("failed", [{"number": 6, "text": "Bank account inactive"}])
    assert ready.rows("runs.list", ids="R-1")[0]["status"] == "exceptions"
    ready.do("clear", payment=9012)
    assert ready.payment(9012)["exceptions"] == []
    assert ready.rows("runs.list", ids="R-1")[0]["status"] == "closed"


def test_a_text_that_nobody_knows_is_said_as_it_stands(ready):
    pay(ready, 9013, "check", ("ELC-1001", 1620), status="issued")
    ready.do("say", payment=9013, status="Refund Pending")
    row = ready.payment(9013)
    assert (row["status"], row["status_number"]) == ("Refund Pending", None)


def test_the_history_tells_every_step(ready):
    pay(ready, 9001, "check", ("ELC-1001", 1620), status="cleared")
    ready.do("void", payment=9001)
    reply = ready.call("payments.history", values={"id": 9001})
    entries = [ready.row("history", one) for one in exact(reply)]
    assert [one["text"].split()[-1] for one in entries] == ["created", "mailed", "cleared", "voided"]
    assert ready.refusal(ready.call("payments.history", values={"id": 1})) == (404, "NotFound")


def test_a_run_of_all_that_is_approved_pays_each_vendor_once(ready):
    ready.approved(
        invoice("ELC-2", "ELC001", line(80)),
        invoice("NK-77", "NOR002", line(2500), currency="EUR"),
        invoice("PK-9", "PAK003", line(-700, "10-6200")),
    )
    ready.do("run", run="R-2", of="approved", method="direct", status="issued")
    rows = ready.rows("payments.list", run="R-2")
    assert {(row["vendor"], row["currency"]): row["amount"] for row in rows} == {
        ("ELC001", "USD"): D("1700.00"),
        ("NOR002", "EUR"): D("2500.00"),
    }
    ready.do("clear", run="R-2")
    assert {row["status"] for row in ready.rows("payments.list", run="R-2")} == {"cleared"}
    assert ready.invoice("PK-500")["status"] == "approved"


def test_a_remittance_may_lack_the_key_of_its_invoice(ready):
    pay(ready, 9001, "check", ("ELC-1001", 1620))
    ready.stand_in.options({"remittance_keys": False})
    (part,) = ready.payment(9001)["remittances"]
    assert (part["number"], part["external_id"]) == ("ELC-1001", None)


def test_a_payment_cannot_be_written_from_outside(ready):
    path = ready.contract["calls"]["payments.list"]["call"].split(" ")[1]
    for method in ("POST", "DELETE"):
        assert ready.fault(ready.send(method, path, {})) == (405, "405")


def test_the_vendors_own_method_is_the_default(ready):
    ready.stand_in.edit("vendors", {"code": "ELC001", "method": "card"})
    ready.do("run", payments=[{"id": 9020, "remittances": [{"invoice": "ELC-1001"}]}])
    assert ready.payment(9020)["method"] == "card"
    ready.written("vendors.write", vendor("ELC001"))
    assert ready.rows("vendors.list", external_ids="ELC001")[0]["method"] == "card"
