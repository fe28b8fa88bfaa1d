"""What went over the wire is kept with its Attempt: without secrets, bounded, and not for ever."""

from __future__ import annotations

import json

import pytest

from ml_connector import clock, vault
from ml_connector.sync import wire
from ml_connector.sync.models import Attempt, Exchange, MappingUse
from ml_connector.sync.uses import uses
from ml_connector.systems.transport.wire import Body
from tests.sync.pair import base_pair


@pytest.fixture
def pair(workspace):
    with base_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        yield made


def exchanges(pair, number: str) -> list[Exchange]:
    attempts = Attempt.objects.of(pair.workspace).filter(record=pair.record(number))
    wanted = [row.sent_with_id or row.pk for row in attempts]
    return list(Exchange.objects.of(pair.workspace).filter(attempt__in=wanted).order_by("pk"))


def test_a_write_is_kept_as_it_was_sent_and_answered(pair):
    pair.sync()
    (one,) = exchanges(pair, "ELC-1001")
    bill = pair.bills("ELC-1001")[0]
    assert (one.method, one.path, one.status) == ("POST", "/connect/v3/bills", 201) or one.status == 200
    assert json.loads(one.request)["invoice"]["invoiceNumber"] == "ELC-1001"
    assert json.loads(one.answer)["id"] == bill["id"]


def test_a_lost_answer_is_kept_as_such(pair):  # R3
    pair.sync("suppliers")
    pair.bill.faults([{"match": {"method": "POST", "path": "/v3/bills"}, "do": "commit_then_reset", "times": 1}])
    pair.sync()
    lost = [row for row in Exchange.objects.of(pair.workspace) if row.status is None]
    assert len(lost) == 1
    assert "before its answer was complete" in lost[0].answer and lost[0].request


def test_a_refusal_is_kept_with_the_vendors_own_words(pair):
    pair.sync("suppliers")
    answer = {"do": "status", "status": 400, "body": [{"code": "BDC_1000", "message": "No such department."}]}
    pair.bill.faults([{"match": {"method": "POST", "path": "/v3/bills"}, "times": 1, **answer}])
    pair.sync()
    refused = [row for row in Exchange.objects.of(pair.workspace) if row.status == 400]
    assert len(refused) == 1 and "No such department." in refused[0].answer


def test_one_request_for_many_is_kept_once(pair, monkeypatch):
    from ml_connector.sync import push

    monkeypatch.setattr(push, "BATCH_FROM", 2)
    pair.sync()
    together = Attempt.objects.of(pair.workspace).exclude(sent_with=None)
    assert together.exists()
    first = together.first().sent_with
    (one,) = Exchange.objects.of(pair.workspace).filter(attempt=first)
    assert "bulk" in one.path
    assert not Exchange.objects.of(pair.workspace).filter(attempt__in=together).exists()


def test_nothing_secret_is_kept(pair):  # R71
    pair.sync()
    rows = list(Exchange.objects.of(pair.workspace))
    assert len(rows) > 3
    kept = "\n".join(f"{row.path}\n{row.request}\n{row.answer}" for row in rows)
    secrets = [value for running in pair.stand_ins.values() for value in running.secrets.values() if len(value) > 5]
    secrets.append(vault.get_all(pair.workspace, f"connection:{pair.platform.name}").get("session", ""))
    assert [value for value in secrets if value and value in kept] == []
    suppliers = [json.loads(bytes(row.request)) for row in Attempt.objects.of(pair.workspace)]
    tax_ids = [row["tax_id"] for row in suppliers if row.get("tax_id")]
    assert tax_ids and not [value for value in tax_ids if value in kept]


BODY = {
    "name": "Hydra", "taxId": "98-7654321", "amount": 12.10,
    "bankAccount": {"nameOnAccount": "H", "accountNumber": "1"},
    "lines": [{"account": {"number": "6100"}, "routingNumber": "021000021", "sessionId": "s-1"}], "iban": None,
}  # fmt: skip


def test_fields_that_hold_bank_numbers_tax_ids_and_tokens_are_hidden_at_any_depth():  # R52, R71
    shown = json.loads(wire.shown(Body.of(json.dumps(BODY).encode(), "application/json")))
    assert shown == {
        **BODY, "taxId": "***", "bankAccount": "***",
        "lines": [{"account": {"number": "6100"}, "routingNumber": "***", "sessionId": "***"}],
    }  # fmt: skip


def test_amounts_stay_exact():  # R21
    content = b'{"amount": 12345678901234567.10, "rate": 0.1}'
    assert "12345678901234567.10" in wire.shown(Body.of(content, "application/json"))


def test_xml_is_hidden_by_the_names_of_its_elements_and_attributes():  # R71
    content = b'<S><Supplier Bank="7" Id="3"><TaxRegnNum><a>98</a></TaxRegnNum><BankAccount>12-9</BankAccount>'
    content += b"<Name>Hydra</Name></Supplier></S>"
    shown = wire.shown(Body.of(content, "text/xml"))
    assert "Hydra" in shown and 'Id="3"' in shown
    assert "12-9" not in shown and 'Bank="7"' not in shown


def test_what_cannot_be_read_is_not_kept():  # R71
    for content, kind in (
        (b"password hunter22", "text/plain"),
        (b"\xff\xfe\x00", "application/json"),
        (b"<a", "x/xml"),
    ):
        shown = wire.shown(Body.of(content, kind))
        assert shown.startswith("(") and "neither JSON nor XML" in shown


def test_a_value_that_must_not_be_seen_is_hidden_wherever_it_stands():  # R71
    body = Body.of(b'{"message": "vendor 98-7654321 exists"}', "application/json")
    assert "98-7654321" not in wire.shown(body, ["98-7654321"])


def test_the_session_of_a_posting_is_hidden():  # R71
    body = Body.of(b"<TransactionPost xmlns='u'><UserId>3EA613166F</UserId><XmlIn>x</XmlIn></TransactionPost>", "xml")
    shown = wire.shown(body)
    assert "3EA613166F" not in shown and "<XmlIn>x</XmlIn>" in shown


def test_what_is_kept_is_bounded():
    long = json.dumps({"rows": ["x" * 50] * 2_000}).encode()
    shown = wire.shown(Body.of(long, "application/json"))
    assert len(shown) < wire.LONGEST + 50 and "characters more" in shown
    assert "too long to be kept" in wire.shown(Body.of(b" " * 300_000, "application/json"))


def test_uses_of_a_code_are_what_the_target_holds(pair):  # R48
    pair.sync()
    taken = Attempt.objects.of(pair.workspace).filter(
        outcome="confirmed", record__flow__name__in=["invoices", "credit_notes"]
    )
    wanted: dict[str, set[int]] = {}
    for attempt in taken:
        for line in json.loads(bytes(attempt.record.payload))["lines"]:
            wanted.setdefault(line["account"], set()).add(attempt.record_id)
    found = uses(pair.integration, "gl_account")
    assert {code: use.records for code, use in found.items()} == {code: len(ids) for code, ids in wanted.items()}
    assert {use.last for use in found.values()} == {clock.now()}


def test_a_newer_version_moves_a_record_from_one_code_to_another(pair):
    from ml_connector.sync import uses as counting

    pair.sync()
    attempt = Attempt.objects.of(pair.workspace).filter(outcome="confirmed", codes__has_key="gl_account").first()
    (code, *_) = attempt.codes["gl_account"]
    before = uses(pair.integration, "gl_account")[code].records
    newer = Attempt.objects.of(pair.workspace).get(pk=attempt.pk)
    newer.pk, newer.operation, newer.codes = None, "update", {"gl_account": ["10-9999"]}
    newer.save(force_insert=True)
    counting.count(pair.integration, newer)
    after = uses(pair.integration, "gl_account")
    assert after[code].records == before - 1 and after["10-9999"].records == 1
    assert MappingUse.objects.of(pair.workspace).filter(records__lt=0).count() == 0
