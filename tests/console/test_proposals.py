"""Payment terms and tax ids that people changed in Basware, as people meet and decide them in the pages (R45, R71)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.sync.models import Approval, Problem, Record
from tests.sync.test_story_enrichment import BACK, MASTERS, TAX_ID, back, enrich, shown
from tests.sync.test_story_syspro_basware_out import OutPair, out_pair


@pytest.fixture
def pair(workspace: Any) -> Iterator[OutPair]:
    with out_pair(workspace, tax_scheme_id="TAX") as made:
        made.out(*MASTERS)
        enrich(made, "30", TAX_ID)
        back(made)
        yield made


def page_of(pair: OutPair, cause: str) -> str:
    problem = Problem.objects.of(pair.workspace).get(cause=cause)
    return f"/w/acme/problems/{problem.pk}"


def test_terms_are_applied_by_one_person(pair, sign_in):  # R45
    path = page_of(pair, "terms_proposed")
    page = sign_in("operator").get(path).content.decode()
    assert "Payment terms proposed" in page and "Basware has payment terms 30" in page
    assert 'value="apply"' in page and 'value="accept"' in page
    assert 'value="retry"' not in page and 'value="write_off"' not in page
    assert sign_in("auditor").post(f"{path}/decide", {"action": "apply", "reason": "x"}).status_code == 403
    assert sign_in("operator").post(f"{path}/decide", {"action": "apply", "reason": ""}).status_code == 400
    assert sign_in("operator").post(f"{path}/decide", {"action": "apply", "reason": "agreed"}).status_code == 302
    assert not Approval.objects.of(pair.workspace).exists()
    pair.sync(BACK)
    assert shown(pair)[0] == "30"


def test_a_tax_id_is_applied_by_two_and_is_not_shown(pair, sign_in):  # R71, R72
    path = page_of(pair, "tax_id_proposed")
    assert sign_in("operator").post(f"{path}/decide", {"action": "apply", "reason": "W-9"}).status_code == 302
    pair.sync(BACK)
    assert shown(pair)[1] == ""
    assert sign_in("operator").post(f"{path}/approve", {"reason": "me again"}).status_code in {403, 409}
    asked = Approval.objects.of(pair.workspace).get(kind="apply")
    record = Record.objects.of(pair.workspace).get(flow__name=BACK, number="HYD005")
    for at in (path, f"/w/acme/approvals/{asked.pk}", "/w/acme/approvals", f"/w/acme/records/{record.pk}"):
        text = sign_in("owner").get(at, follow=True).content.decode()
        assert TAX_ID not in text and TAX_ID.replace("-", "") not in text, at
    assert "***321" in sign_in("owner").get(path).content.decode()
    assert sign_in("owner").post(f"{path}/approve", {"reason": "seen"}).status_code == 302
    pair.sync(BACK)
    assert shown(pair)[1] == TAX_ID


def test_the_page_of_runs_says_the_route_and_when_it_yielded_anything(pair, sign_in):
    page = sign_in("auditor").get("/w/acme/runs").content.decode()
    assert "route vendors, last yielded something on 2026-11-17" in page
