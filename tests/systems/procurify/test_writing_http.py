"""What is written: vendors, departments, account codes, bills marked as paid; and the test of the Connection."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.records import (
    AccountType,
    Address,
    CostCenter,
    GlAccount,
    Payment,
    PaymentAllocation,
    PaymentStatus,
)
from ml_connector.systems.base import (
    Conflict,
    DocumentState,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Ref,
    Refused,
)

from .conftest import SECRETS
from .domain import Reply, Seen, made, page, single
from .payloads import UUID_1, bill, vendor

VENDORS, DEPARTMENTS, CODES = "/api/v3/vendors/", "/api/v3/departments/", "/api/v3/account-codes/"
BILL, PAID = f"/api/v2/ap/bills/{UUID_1}/", "/api/v3/ap/bills/mark-as-paid/"
PAYMENTS, OLD_PAYMENTS = "/api/public/v1/payments/", "/api/v2/ap/payments/"
MARK = "mlc0000000001"


def suppliers(opened, **policy: Any):
    return opened.client.target("supplier", policy)


# --- vendors


def test_a_supplier_becomes_a_vendor(opened, make_supplier):
    opened.site.on("POST", VENDORS, made(12))
    assert suppliers(opened).create(make_supplier(), MARK) == Ref("12")
    (sent,) = opened.site.calls("POST", VENDORS)
    assert sent.json == {
        "name": "Hydra Utilities", "external_id": "HYD005", "currency": 1, "email": ["ap@hydra.example"],
        "addressLineOne": "9 Water St", "addressLineTwo": "Floor 2, East", "city": "Dayton", "country": "US",
        "type": 3, "overall_score": None,
    }  # fmt: skip


def test_a_vendor_needs_a_list_of_emails_even_an_empty_one(opened, make_supplier):
    opened.site.on("POST", VENDORS, made(12))
    suppliers(opened).create(make_supplier(email=None, currency=None, address=None), MARK)
    assert opened.site.calls("POST", VENDORS)[0].json["email"] == []


@pytest.mark.parametrize("answer", [{"id": 12, "name": "Another Inc."}, {"name": "Hydra Utilities"}, {}])
def test_an_answer_about_another_vendor_is_in_doubt(opened, make_supplier, answer):  # R12
    opened.site.on("POST", VENDORS, Reply(201, {"data": answer}))
    with pytest.raises(OutcomeUnknown):
        suppliers(opened).create(make_supplier(), MARK)


def test_a_currency_that_is_not_switched_on_is_refused_before_anything_leaves(opened, make_supplier):
    with pytest.raises(Refused) as refused:
        suppliers(opened).create(make_supplier(currency="JPY"), MARK)
    assert refused.value.code == "currency_not_allowed" and "HYD005" in str(refused.value)
    assert opened.site.writes() == []


def filtered(opened, rows: list[dict[str, Any]], *, heeds: bool = True) -> None:
    """A list of vendors that heeds its filters, or passes them over."""

    def answer(seen: Seen) -> Reply:
        wanted = {name: value for name, value in seen.query.items() if name in {"external_id", "name"}}
        kept = [row for row in rows if not heeds or all(row[name] == value for name, value in wanted.items())]
        return page(opened.site.url, seen, kept)

    opened.site.on("GET", VENDORS, answer)


@pytest.mark.parametrize("heeds", [True, False])
def test_a_vendor_is_found_by_the_code_before_the_name(opened, make_supplier, heeds):  # R40
    rows = [vendor(1, name="Hydra Utilities", external_id=None), vendor(2, name="Hydra Inc.", external_id="HYD005")]
    filtered(opened, rows, heeds=heeds)
    (found,) = suppliers(opened).find(make_supplier(), MARK)
    assert (found.key, found.mark) == ("2", MARK)
    assert suppliers(opened).identity_differences(make_supplier(), found.record) == []


@pytest.mark.parametrize("heeds", [True, False])
def test_a_vendor_of_the_name_without_the_code_is_a_suggestion(opened, make_supplier, heeds):  # R46
    filtered(opened, [vendor(1, name="Hydra Utilities", external_id=None), vendor(3)], heeds=heeds)
    (found,) = suppliers(opened).find(make_supplier(), MARK)
    assert (found.key, found.mark) == ("1", None)
    assert suppliers(opened).identity_differences(make_supplier(), found.record) == ["code"]


def test_nothing_is_found_where_there_is_nothing(opened, make_supplier):
    filtered(opened, [vendor()])
    assert suppliers(opened).find(make_supplier(), MARK) == []


def test_only_owned_fields_that_differ_are_sent(opened, make_supplier):  # R45
    opened.site.object(f"{VENDORS}11/", vendor(name="Hydra", external_id="HYD005"))
    supplier = make_supplier(phone="1", email="new@hydra.example")
    suppliers(opened).update(Ref("11"), supplier, MARK)
    (sent,) = opened.site.calls("PATCH", f"{VENDORS}11/")
    assert sent.json == {"name": "Hydra Utilities"}
    suppliers(opened).update(Ref("11"), supplier, MARK)
    assert len(opened.site.calls("PATCH", f"{VENDORS}11/")) == 1


def test_what_the_flow_owns_can_be_said(opened, make_supplier):  # R45
    opened.site.object(f"{VENDORS}11/", vendor(external_id="HYD005"))
    target = suppliers(opened, owns=["phone", "address"])
    supplier = make_supplier(phone="+1 (937) 555-0100", address=Address(line1="9 Water St", postal_code="45402"))
    assert target.differences(supplier, target.get("11").record) == ["address.line1"]
    target.update(Ref("11"), supplier, MARK)
    (sent,) = opened.site.calls("PATCH", f"{VENDORS}11/")
    assert sent.json == {"addressLineOne": "9 Water St"}


def test_a_vendor_that_is_gone_cannot_be_amended(opened, make_supplier):
    for call in (
        lambda: suppliers(opened).update(Ref("9"), make_supplier(), MARK),
        lambda: suppliers(opened).cancel(Ref("9"), "gone"),
    ):
        with pytest.raises(NotFound, match="vendor 9"):
            call()
    assert suppliers(opened).get("9") is None


def test_a_vendor_is_made_inactive_once(opened):
    opened.site.object(f"{VENDORS}11/", vendor())
    suppliers(opened).cancel(Ref("11"), "gone")
    suppliers(opened).cancel(Ref("11"), "gone")
    assert [one.json for one in opened.site.calls("PATCH", f"{VENDORS}11/")] == [{"active": False}]
    assert suppliers(opened).get("11").state is DocumentState.ARCHIVED


def test_the_erps_code_is_written_back_once(opened):
    opened.site.object(f"{VENDORS}11/", vendor(external_id=None))
    suppliers(opened).write_code("11", "HYD005")
    suppliers(opened).write_code("11", "HYD005")
    assert [one.json for one in opened.site.calls("PATCH", f"{VENDORS}11/")] == [{"external_id": "HYD005"}]
    with pytest.raises(Conflict, match="HYD005"):
        suppliers(opened).write_code("11", "ELC001")


# --- departments and account codes

CENTER = CostCenter(code="WH1", name="Warehouse 1", dimension="segment")


def department(**more: Any) -> dict[str, Any]:
    row = {"id": 21, "name": "Warehouse 1", "branch": {"id": 7, "name": "HQ"}, "external_id": "WH1", "active": True}
    return {**row, **more}


def test_a_cost_center_becomes_a_department_of_the_default_branch(opened):
    opened.site.on("POST", DEPARTMENTS, made(21, lambda body: {**body, "branch": {"id": body["branch"]}}))
    assert opened.client.target("cost_center", {}).create(CENTER, MARK) == Ref("21")
    (sent,) = opened.site.calls("POST", DEPARTMENTS)
    assert sent.json == {"name": "Warehouse 1", "branch": 1, "external_id": "WH1", "active": True}


def test_a_department_is_found_by_the_code_else_suggested_by_its_name(opened):
    target = opened.client.target("cost_center", {})
    opened.site.rows(DEPARTMENTS, [department(), department(id=22, external_id=None)])
    (found,) = target.find(CENTER, MARK)
    assert (found.key, found.mark, target.identity_differences(CENTER, found.record)) == ("21", MARK, [])
    opened.site.rows(DEPARTMENTS, [department(id=22, external_id=None), department(id=23, external_id="WH9")])
    (found,) = target.find(CENTER, MARK)
    assert (found.key, found.mark, target.identity_differences(CENTER, found.record)) == ("22", None, ["code"])


def test_a_department_is_renamed_where_it_is(opened):
    opened.site.rows(DEPARTMENTS, [department(punchout_email="p@x.example")])
    opened.site.object(f"{DEPARTMENTS}21/", department())
    target = opened.client.target("cost_center", {})
    assert target.update(Ref("21"), CENTER, MARK) == Ref("21")
    assert opened.site.writes() == []
    renamed = CostCenter(code="WH1", name="Warehouse One", dimension="segment", postable=False)
    assert target.differences(renamed, target.get("21").record) == ["name", "postable"]
    target.update(Ref("21"), renamed, MARK)
    (sent,) = opened.site.calls("PUT", f"{DEPARTMENTS}21/")
    assert sent.json == {
        "name": "Warehouse One", "branch": 7, "external_id": "WH1", "active": False, "punchout_email": "p@x.example",
    }  # fmt: skip


def test_a_closed_department_is_made_inactive(opened):
    opened.site.rows(DEPARTMENTS, [department()])
    opened.site.object(f"{DEPARTMENTS}21/", department())
    opened.client.target("cost_center", {}).cancel(Ref("21"), "closed")
    (sent,) = opened.site.calls("PUT", f"{DEPARTMENTS}21/")
    assert sent.json == {"name": "Warehouse 1", "branch": 7, "external_id": "WH1", "active": False}
    opened.site.rows(DEPARTMENTS, [department(active=False)])
    opened.client.target("cost_center", {}).cancel(Ref("21"), "closed")
    assert len(opened.site.writes()) == 1


ACCOUNT = GlAccount(code="6100", name="Components", type=AccountType.EXPENSE, postable=True)
ROW = {"id": 61, "code": "6100", "description": "Components", "account_type": 2, "active": True}


def test_an_account_becomes_an_account_code_and_is_amended_in_place(opened):
    target = opened.client.target("gl_account", {})
    opened.site.on("POST", CODES, made(61))
    assert target.create(ACCOUNT, MARK) == Ref("61")
    opened.site.rows(CODES, [ROW, {**ROW, "id": 60, "active": False}])
    opened.site.object(f"{CODES}61/", ROW)
    (found,) = target.find(ACCOUNT, MARK)
    assert (found.key, target.differences(ACCOUNT, found.record)) == ("61", [])
    assert target.update(Ref("61"), ACCOUNT, MARK) == Ref("61")
    moved = GlAccount(code="6100", name="Parts", type=AccountType.ASSET, postable=True)
    assert target.differences(moved, found.record) == ["name", "type"]
    target.update(Ref("61"), moved, MARK)
    (sent,) = opened.site.calls("PUT", f"{CODES}61/")
    assert sent.json == {"code": "6100", "description": "Parts", "account_type": 0}
    with pytest.raises(NotFound):
        target.update(Ref("99"), ACCOUNT, MARK)


def test_an_account_code_cannot_be_closed_from_outside(opened):
    opened.site.rows(CODES, [ROW])
    with pytest.raises(NoLonger, match="6100"):
        opened.client.target("gl_account", {}).cancel(Ref("61"), "held")
    assert opened.site.writes() == []


# --- paid


def payment(amount: str = "1620.00", **changes: Any) -> Payment:
    given = Decimal(amount)
    part = PaymentAllocation(invoice=UUID_1, gross=given, net=given)
    row: dict[str, Any] = {
        "supplier": "11", "date": date(2026, 11, 16), "amount": given, "currency": "USD", "method": "check",
        "reference": "70011", "status": PaymentStatus.ISSUED, "allocations": (part,),
    }  # fmt: skip
    return Payment(**{**row, **changes})


def serve_bill(opened, *bills: Any) -> None:
    opened.site.on("GET", BILL, *(single(one) for one in bills))
    opened.site.rows(PAYMENTS, [])


def test_a_bill_is_marked_as_paid_and_looked_at_before_and_after(opened):  # R11
    serve_bill(opened, bill(), bill(status=4))
    opened.site.on("POST", PAID, lambda seen: Reply(200, seen.json))
    assert opened.client.target("payment", {}).create(payment(), MARK) == Ref(UUID_1)
    (sent,) = opened.site.calls("POST", PAID)
    assert sent.json == {"bill_uuids": [UUID_1], "payment_date": "2026-11-16"}
    assert len(opened.site.calls("GET", BILL)) == 2


def test_the_answers_body_does_not_matter_but_the_bill_does(opened):  # R12
    serve_bill(opened, bill(), bill(status=4))
    opened.site.on("POST", PAID, Reply(200, b""))
    assert opened.client.target("payment", {}).create(payment(), MARK) == Ref(UUID_1)
    serve_bill(opened, bill())
    opened.site.on("POST", PAID, Reply(200, {"bill_uuids": [UUID_1]}))
    with pytest.raises(OutcomeUnknown, match="ELC-1001"):
        opened.client.target("payment", {}).create(payment(), MARK)


def test_a_mark_whose_answer_was_lost_is_found(opened):  # R3
    target = opened.client.target("payment", {})
    serve_bill(opened, bill())
    opened.site.on("POST", PAID, None)
    with pytest.raises(OutcomeUnknown):
        target.create(payment(), MARK)
    assert target.find(payment(), MARK) == []
    serve_bill(opened, bill(status=4))
    (found,) = target.find(payment(), MARK)
    assert found.state is DocumentState.PAID
    assert target.identity_differences(payment(), found.record) == []
    assert target.differences(payment(), found.record) == []
    assert target.get(UUID_1).record.amount == Decimal("1620.00")


@pytest.mark.parametrize(
    ("row", "sent", "code"),
    [
        ({}, {"amount": "250.00"}, "part_paid"),
        ({}, {"currency": "EUR"}, "currency_not_allowed"),
        ({}, {"status": PaymentStatus.VOIDED}, "void_after_payment"),
        ({}, {"allocations": ()}, "unsupported"),
        ({"status": 1}, {}, "not_approved"),
        ({"status": 3}, {}, "not_approved"),
        ({"status": 6}, {}, "paid_elsewhere"),
        ({"bill_payment": {"id": 3, "amount": "1620.00"}}, {}, "paid_elsewhere"),
    ],
)
def test_what_cannot_be_marked_is_refused_before_anything_leaves(opened, row, sent, code):
    serve_bill(opened, bill(**row))
    with pytest.raises(Refused) as refused:
        opened.client.target("payment", {}).create(payment(**sent), MARK)
    assert refused.value.code == code
    assert opened.site.writes() == []


def own_payment(**more: Any) -> dict[str, Any]:
    return {"id": 1, "status": "scheduled", "bill_groups": [44], "amount": "1620.00", **more}


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        ([own_payment()], False),
        ([own_payment(status="failed")], True),
        ([own_payment(status="denied")], True),
        ([own_payment(bill_groups=[45])], True),
        ([], True),
    ],
)
def test_a_bill_that_procurify_pays_itself_is_not_marked(opened, found, allowed):
    serve_bill(opened, bill(), bill(status=4))
    opened.site.rows(PAYMENTS, found)
    opened.site.on("POST", PAID, Reply(200, {}))
    target = opened.client.target("payment", {})
    if allowed:
        target.create(payment(), MARK)
    else:
        with pytest.raises(NoLonger, match="twice"):
            target.create(payment(), MARK)
    assert opened.site.calls("GET", PAYMENTS)[0].query["bill_groups"] == "44"


def test_a_path_that_is_not_there_yet_or_any_more_is_gone_around(opened):
    opened.site.on("POST", PAID, Reply(200, {}))
    opened.site.on("GET", BILL, single(bill()), single(bill(status=4)))
    opened.site.on("GET", PAYMENTS, Reply(404))
    opened.site.rows(OLD_PAYMENTS, [{"id": 1, "status": 9, "bill_payments": [{"bill": 31}]}])
    with pytest.raises(NoLonger, match="twice"):
        opened.client.target("payment", {}).create(payment(), MARK)
    opened.site.on("GET", BILL, single(bill()), single(bill(status=4)))
    opened.site.on("GET", OLD_PAYMENTS, Reply(404))
    assert opened.client.target("payment", {}).create(payment(), MARK) == Ref(UUID_1)


def test_a_mark_is_never_taken_back(opened):
    target = opened.client.target("payment", {})
    with pytest.raises(NoLonger, match="taken back"):
        target.update(Ref(UUID_1), payment(status=PaymentStatus.VOIDED), MARK)
    with pytest.raises(NoLonger):
        target.cancel(Ref(UUID_1), "void")
    assert target.update(Ref(UUID_1), payment(), MARK) == Ref(UUID_1)
    assert opened.site.seen == []


def test_a_bill_that_is_gone_cannot_be_marked(opened):
    with pytest.raises(NotFound, match=UUID_1):
        opened.client.target("payment", {}).create(payment(), MARK)
    assert opened.client.target("payment", {}).get(UUID_1) is None


# --- the test of the Connection


def whole_domain(opened) -> None:
    for path in (VENDORS, CODES, DEPARTMENTS, "/api/v3/accounts/", "/api/v3/ap/bills/", PAYMENTS):
        opened.site.rows(path, [])
    opened.site.rows("/api/v2/purchase_orders/purchased/all/", [])
    opened.site.rows("/api/v3/receipt/items/", [], top=True)
    opened.site.rows(VENDORS, [vendor()])
    opened.site.on("GET", "/api/v3/users/me/", single({"id": 7, "is_active": True, "role": 2, "position": "Robot"}))


def steps(opened, *types: str, **more: bool) -> dict[str, Any]:
    return {step.name: step for step in opened.client.ping(list(types), **more)}


def test_the_test_says_what_works(opened):
    whole_domain(opened)
    found = steps(opened)
    assert {name for name, step in found.items() if step.ok} == set(found) - {"write"}
    assert found["write"].ok is None
    assert "role 2, Robot" in found["user"].text
    assert found["domain"].text == "Procurify domain acme, base currency USD."
    assert found["read vendors"].text == "vendors can be read. There are 1."
    assert SECRETS["client_secret"] not in str(found) and "token-1" not in str(found)
    assert opened.site.writes() == []


def test_only_what_the_flows_need_is_read(opened):
    whole_domain(opened)
    assert [name for name in steps(opened, "invoice", "currency") if name.startswith("read")] == [
        "read ap bills", "read currencies",
    ]  # fmt: skip


def test_a_failed_sign_in_ends_the_test_after_one_try(opened):  # R61
    opened.site.on("POST", "/oauth/token", Reply(401, {"error": "invalid_client"}))
    found = steps(opened)
    assert not found["sign in"].ok and "client_secret" in found["sign in"].fix
    assert all(step.ok is None for name, step in found.items() if name != "sign in")
    assert len(opened.site.seen) == 1


def test_each_failing_step_says_what_to_do(opened):
    whole_domain(opened)
    opened.site.on("GET", "/api/v3/users/me/", single({"id": 7, "is_active": False}))
    opened.site.on("GET", "/api/v3/accounts/", Reply(403, {"detail": "No."}))
    opened.site.on("GET", "/api/v3/receipt/items/", Reply(404))
    opened.site.on("GET", PAYMENTS, Reply(429))
    found = steps(opened)
    failed = {name: step.fix for name, step in found.items() if step.ok is False}
    assert set(failed) == {"user", "read accounts", "read receipt items", "read payments"}
    assert "role" in failed["read accounts"] and "limit" in failed["read payments"] and all(failed.values())


def test_a_domain_without_a_base_currency_is_noticed(opened):
    whole_domain(opened)
    opened.site.rows("/api/v2/currencies/", [])
    assert not steps(opened)["domain"].ok


def test_writing_is_tried_with_a_vendor_that_somebody_named(connect):
    opened = connect({"test_vendor": "11"})
    whole_domain(opened)
    opened.site.object(f"{VENDORS}11/", vendor())
    assert steps(opened)["write"].ok is None and opened.site.writes() == []
    assert steps(opened, try_writing=True)["write"].ok
    assert opened.site.calls("PATCH", f"{VENDORS}11/")[0].json == {"external_id": "ELC001"}
    opened.site.object(f"{VENDORS}11/", vendor(external_id=None))
    assert steps(opened, try_writing=True)["write"].ok is False
