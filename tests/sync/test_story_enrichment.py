"""What people changed in Basware comes back to SYSPRO: proposed, applied by one person or two, and never echoed."""

from __future__ import annotations

import msgspec
import pytest

from ml_connector.audit.models import AuditEntry
from ml_connector.integrations.base import Side
from ml_connector.sync import approvals, erasing, problems, second_person
from ml_connector.sync.models import Approval, Attempt, Exchange, Problem, Record, RunKind
from ml_connector.sync.queries.run_page import run_page
from tests.sync.test_story_syspro_basware_out import out_pair

BACK = "supplier_enrichment"
TAX_ID = "98-7654321"
MASTERS = ("terms", "suppliers")
HYD = "RIL_V_HYD005"


@pytest.fixture
def pair(workspace):
    with out_pair(workspace, tax_scheme_id="TAX") as made:
        made.out(*MASTERS)
        yield made
        made.check()


def enrich(pair, terms: str = "", tax_id: str = "", vendor: str = HYD) -> None:
    """What a person does in P2P."""
    changes: dict = {"paymentTerms": {"paymentTermCode": terms}} if terms else {}
    if tax_id:
        changes["identifiers"] = [{"id": tax_id, "schemeId": "TAX"}]
    pair.basware.edit("vendors", {"externalCode": vendor, **changes})


def open_(pair, cause: str) -> Problem | None:
    return Problem.objects.of(pair.workspace).filter(cause=cause, state="open").first()


def supplier(pair, code: str = "HYD005"):
    return next(row for row in pair.syspro.state("ApSupplier") if row["Supplier"].strip() == code)


def shown(pair) -> tuple[str, str]:
    row = supplier(pair)
    return row["TermsCode"].strip(), (row["TaxRegnNum"] or "").strip()


def heard(pair) -> str:
    """What the page of runs says of the Flow."""
    return next(row.heard for row in run_page(pair.workspace, ()).flows if row.name == BACK)


def back(pair) -> None:
    pair.later(days=1)
    pair.sync(BACK)


def test_terms_after_one_approval_tax_id_after_two_and_no_echo(pair):  # R12, R45, R52, R72
    enrich(pair, "30", TAX_ID)
    back(pair)
    assert pair.problems() == {("terms_proposed", "HYD005"), ("tax_id_proposed", "HYD005")}
    assert shown(pair) == ("14", ""), "nothing is written by itself"
    written, sent = pair.writes(Side.ERP), pair.writes(Side.PLATFORM)
    terms, tax_id = open_(pair, "terms_proposed"), open_(pair, "tax_id_proposed")
    assert terms.text == "Basware has payment terms 30 for supplier HYD005 (Hydra Utilities), SYSPRO has 14."
    assert not terms.blocks

    problems.solve(tax_id, "apply", "on the W-9", "anna")
    pair.sync(BACK)
    assert shown(pair) == ("14", ""), "one person alone does not change a tax id"
    problems.solve(terms, "apply", "agreed with them", "anna")
    pair.sync(BACK)
    assert shown(pair) == ("30", "")
    assert open_(pair, "tax_id_proposed") is not None
    assert pair.writes(Side.ERP) > written

    asked = approvals.waiting_about(pair.workspace, f"problem:{tax_id.pk}").get()
    with pytest.raises(approvals.NotDecided, match="somebody else"):
        second_person.approve(asked, "anna", "mine")
    problems.solve(tax_id, "apply", "seen", "bert")
    pair.sync(BACK)
    assert shown(pair) == ("30", TAX_ID)
    assert supplier(pair)["SupplierName"].strip() == "Hydra Utilities", "nothing else is written"

    pair.out("suppliers")
    assert pair.writes(Side.PLATFORM) == sent, "what came from Basware is not sent back to it"
    written = pair.writes(Side.ERP)
    for _ in range(2):
        back(pair)
        pair.out("suppliers")
    assert (pair.writes(Side.ERP), pair.writes(Side.PLATFORM)) == (written, sent)
    assert pair.problems() == set()
    pair.check_settled()


def test_no_tax_id_is_anywhere_to_be_read(pair, caplog):  # R71
    enrich(pair, tax_id=TAX_ID)
    back(pair)
    proposed = open_(pair, "tax_id_proposed")
    assert "***321" in proposed.text
    problems.solve(proposed, "apply", "on the W-9", "anna")
    problems.solve(proposed, "apply", "seen", "bert")
    pair.sync(BACK)
    assert shown(pair)[1] == TAX_ID
    everything = [
        *Problem.objects.of(pair.workspace).values_list("text", "fix", "detail", "reason"),
        *AuditEntry.objects.of(pair.workspace).values_list("subject", "detail"),
        *Approval.objects.of(pair.workspace).values_list("title", "detail", "reason", "evidence"),
        *Exchange.objects.of(pair.workspace).values_list("request", "answer", "path"),
        *Attempt.objects.of(pair.workspace).values_list("error_text", "natural_key", "codes"),
        *Record.objects.of(pair.workspace).values_list("reason", "observed", "invalid"),
    ]
    assert len(everything) > 50
    for spelling in (TAX_ID, TAX_ID.replace("-", ""), "36-4567812"):
        assert spelling not in str(everything)
        assert spelling not in caplog.text


def test_bank_details_are_never_proposed(pair):  # R52
    account = {"financialAccountIdentifiers": [{"id": "DE89370400440532013000", "schemeId": "IBAN"}]}
    means = [
        {
            "paymentMeansCode": "BANK", "currencyCode": "USD", "default": True,
            "financialAccounts": [account],
        }
    ]  # fmt: skip
    pair.basware.edit("vendors", {"externalCode": HYD, "paymentMeans": means, "name": "Hydra Utilities, Inc."})
    back(pair)
    assert pair.problems() == set()
    assert pair.states(BACK) == {"skipped": 5}


def test_what_syspro_changes_itself_is_no_proposal(pair):  # R45
    action = {"do": "change_supplier", "supplier": "HYD005", "columns": {"TermsCode": "15"}}
    pair.syspro.edit("actions", action)
    back(pair)
    assert pair.problems() == set(), "Basware was last sent 14, and SYSPRO's change was not read yet"
    pair.run("suppliers", RunKind.PULL)
    back(pair)
    assert pair.problems() == set(), "it is on its way"
    pair.out("suppliers")
    back(pair)
    assert pair.problems() == set()


def test_a_proposal_that_is_left_is_not_made_again_until_it_is_another(pair):
    enrich(pair, "30")
    back(pair)
    problems.solve(open_(pair, "terms_proposed"), "accept", "a mistake in P2P", "anna")
    for _ in range(2):
        back(pair)
    assert pair.problems() == set()
    assert shown(pair)[0] == "14"
    enrich(pair, "15")
    back(pair)
    assert "terms 15" in open_(pair, "terms_proposed").text
    enrich(pair, "14")
    back(pair)
    assert pair.problems() == set(), "taken back in Basware"


def test_an_agreement_is_good_for_one_writing(pair):
    enrich(pair, "30")
    back(pair)
    problems.solve(open_(pair, "terms_proposed"), "apply", "agreed", "anna")
    pair.sync(BACK)
    pair.out("suppliers")
    pair.syspro.edit("actions", {"do": "change_supplier", "supplier": "HYD005", "columns": {"TermsCode": "14"}})
    pair.later(days=1)
    pair.out("suppliers")
    sent = {row["vendorCode"]: row["paymentTerms"]["paymentTermCode"] for row in pair.basware.state("vendors")}
    assert sent["HYD005"] == "14", "SYSPRO changed its mind, and owns the field"
    enrich(pair, "30")
    back(pair)
    assert open_(pair, "terms_proposed") is not None, "the same change again is another question"
    assert shown(pair)[0] == "14"


def test_terms_that_syspro_does_not_have_cannot_be_applied(pair):
    pair.basware.edit("paymentTerms", {
        "externalCode": "P60", "paymentTermCode": "60D", "validFrom": "2000-01-01", "validTo": "2099-12-31",
        "paymentTermNames": [{"translation": "60 days", "language": "en-US"}],
        "companies": [{"companyCode": "RIL", "inherit": True, "active": True}],
    })  # fmt: skip
    enrich(pair, "60D")
    back(pair)
    proposed = open_(pair, "terms_proposed")
    assert "no payment term that goes by this code" in proposed.text
    with pytest.raises(problems.DecisionRefused, match="Enter it there"):
        problems.solve(proposed, "apply", "please", "anna")


def test_terms_are_written_by_themselves_where_the_policy_says_so_and_a_tax_id_never(pair):
    flow = pair.flow(BACK)
    flow.policies = {"enrich": "auto"}
    flow.save(update_fields=["policies"])
    enrich(pair, "30", TAX_ID)
    back(pair)
    assert shown(pair) == ("30", "")
    assert pair.problems() == {("tax_id_proposed", "HYD005")}
    sent = pair.writes(Side.PLATFORM)
    pair.out("suppliers")
    back(pair)
    assert pair.writes(Side.PLATFORM) == sent


def test_with_the_route_off_nothing_is_asked_and_nothing_stays_proposed(pair):
    enrich(pair, "30")
    back(pair)
    assert open_(pair, "terms_proposed") is not None
    flow = pair.flow(BACK)
    flow.policies = {"enrichment_route": "off"}
    flow.save(update_fields=["policies"])
    assert heard(pair) == "route off"
    before = len(pair.basware.requests())
    back(pair)
    asked = [row["path"] for row in pair.basware.requests()[before:]]
    assert not [path for path in asked if "vendors" in path]
    assert pair.problems() == set()


@pytest.mark.parametrize("do", ["commit_then_reset", "reset"])
def test_a_lost_answer_of_syspro_is_looked_up(pair, do):  # R3
    enrich(pair, "30")
    back(pair)
    problems.solve(open_(pair, "terms_proposed"), "apply", "agreed", "anna")
    pair.syspro.faults([{"match": {"method": "POST", "contains": "APSSSP"}, "do": do, "times": 1}])
    for _ in range(4):
        pair.sync(BACK)
        pair.later(minutes=10)
    assert shown(pair)[0] == "30"
    pair.check_settled()


def test_one_supplier_of_the_other_side_is_written_once_however_often_it_is_judged(pair):  # R10
    back(pair)
    assert heard(pair) == "route vendors, no yield yet"
    enrich(pair, "30", vendor="RIL_V_PAK003")
    enrich(pair, "15", vendor="RIL_V_ELC001")
    back(pair)
    assert heard(pair) == "route vendors, last yielded something on 2026-11-18"
    assert {subject for _, subject in pair.problems()} == {"ELC001"}, "PAK003 has 30 days in SYSPRO already"
    (attempts,) = (Attempt.objects.of(pair.workspace).filter(record__flow__name=BACK),)
    assert attempts.count() == 0
    problems.solve(open_(pair, "terms_proposed"), "apply", "agreed", "anna")
    for _ in range(3):
        pair.sync(BACK)
    (attempt,) = attempts
    request = msgspec.json.decode(bytes(attempt.request))
    assert request["terms"] == "15" and not request.get("tax_id")


def test_a_supplier_is_erased_as_basware_has_it_too(pair):  # R69
    enrich(pair, "30", TAX_ID)
    back(pair)
    for person in ("anna", "bert"):
        problems.solve(open_(pair, "tax_id_proposed"), "apply", "on the W-9", person)
    pair.sync(BACK)
    pair.out("suppliers")
    erasing.erase(pair.integration, "HYD005", "they asked for it", "anna")
    stored = [
        *Record.objects.of(pair.workspace).values_list("payload", flat=True),
        *Attempt.objects.of(pair.workspace).values_list("request", flat=True),
    ]
    for personal in (TAX_ID, "Hydra Utilities", "Priya Nair", "billing@hydra.example"):
        assert not [content for content in stored if personal.encode() in bytes(content)]
    written = pair.writes(Side.ERP), pair.writes(Side.PLATFORM)
    back(pair)
    assert (pair.writes(Side.ERP), pair.writes(Side.PLATFORM)) == written
