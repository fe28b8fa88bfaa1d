"""What waits for a second person: nobody is their own, and nothing of it happens before (R41, R72)."""

from __future__ import annotations

import json

import pytest

from ml_connector import audit, clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.sync import approvals, connecting, mappings, problems, second_person
from ml_connector.sync.approvals import NotDecided
from ml_connector.sync.models import Approval, ApprovalKind, MappingVersion, Problem
from ml_connector.vault.models import Secret
from ml_connector.workspaces.models import Membership, Person
from ml_connector.workspaces.roles import Role

SECRET = "a-new-Password-4711"


def person(workspace, name: str, role: str) -> str:
    row = Person(email=f"{name}@acme.test", name=name, created_at=clock.now())
    row.set_password(None)
    row.save()
    Membership.objects.create(workspace=workspace, person=row, role=role, since=clock.now())
    return row.actor


@pytest.fixture
def maker(mapped) -> str:
    return person(mapped.workspace, "maker", Role.OWNER)


@pytest.fixture
def checker(mapped) -> str:
    return person(mapped.workspace, "checker", Role.APPROVER)


def told(workspace, action: str) -> list[tuple[str, dict]]:
    rows = AuditEntry.objects.of(workspace).filter(action=action).order_by("sequence")
    return [(row.actor, json.loads(row.detail)) for row in rows]


def publish(pair, actor: str, target: str | None = "10-6100"):
    return second_person.publish_mapping(pair.integration, "gl_account", {"10-6999": target}, actor, "Until then.")


def versions(pair) -> int:
    return MappingVersion.objects.of(pair.workspace).filter(mapping__name="gl_account").count()


def test_one_person_alone_publishes_at_once_and_the_trail_says_so(mapped, maker):  # R72
    before = versions(mapped)
    person(mapped.workspace, "helper", Role.OPERATOR)
    assert isinstance(publish(mapped, maker), MappingVersion)
    assert versions(mapped) == before + 1
    assert told(mapped.workspace, "mapping_change")[-1][1]["second_person"] == approvals.ALONE


def test_a_mapping_waits_and_is_published_by_the_second_person(mapped, maker, checker):  # R72
    before = versions(mapped)
    asked = publish(mapped, maker)
    assert isinstance(asked, Approval) and versions(mapped) == before
    assert "10-6999" not in mappings.mapped(mapped.integration, "gl_account")
    with pytest.raises(NotDecided, match="somebody else"):
        second_person.approve(asked, maker, "Fine.")
    with pytest.raises(NotDecided, match="needs a reason"):
        second_person.approve(asked, checker, " ")
    assert versions(mapped) == before
    assert "is published" in second_person.approve(asked, checker, "Checked.")
    version = MappingVersion.objects.of(mapped.workspace).order_by("-pk").first()
    assert (version.published_by, version.reason, versions(mapped)) == (maker, "Until then.", before + 1)
    actor, entry = told(mapped.workspace, "mapping_change")[-1]
    assert (actor, entry["second_person"]) == (maker, checker)
    assert [actor for actor, _ in told(mapped.workspace, "approval_asked")] == [maker]
    actor, entry = told(mapped.workspace, "approval")[-1]
    assert (actor, entry["state"], entry["reason"]) == (checker, "approved", "Checked.")
    with pytest.raises(NotDecided, match="already"):
        second_person.approve(asked, checker, "Again.")


def test_the_command_line_is_the_hosts_hand(mapped, maker, checker):  # R72
    assert isinstance(publish(mapped, "os:root"), MappingVersion)
    assert told(mapped.workspace, "mapping_change")[-1][1]["second_person"] == approvals.HOST
    assert not Approval.objects.of(mapped.workspace).exists()


def test_a_mapping_that_moved_on_meanwhile_is_not_overwritten(mapped, maker, checker):  # R72
    asked = publish(mapped, maker)
    mappings.set_entries(mapped.integration, "gl_account", {"10-6999": "10-6200"}, "os:root")
    before = versions(mapped)
    with pytest.raises(NotDecided, match="Meanwhile another version"):
        second_person.approve(asked, checker, "Checked.")
    assert versions(mapped) == before
    asked.refresh_from_db()
    assert asked.state == "waiting", "it can still be refused"


def test_several_mappings_wait_beside_each_other(mapped, maker, checker):
    first = publish(mapped, maker)
    second = second_person.publish_mapping(mapped.integration, "gl_account", {"10-6100": "10-6200"}, maker)
    second_person.approve(first, checker, "Yes.")
    second_person.approve(second, checker, "Yes.")
    assert mappings.mapped(mapped.integration, "gl_account")["10-6999"]


def test_what_is_refused_or_withdrawn_does_nothing(mapped, maker, checker):  # R72
    before = versions(mapped)
    asked = publish(mapped, maker)
    with pytest.raises(NotDecided, match="Only who asked"):
        second_person.withdraw(asked, checker)
    with pytest.raises(NotDecided, match="needs a reason"):
        second_person.refuse(asked, checker, "")
    second_person.refuse(asked, checker, "Wrong account.")
    other = publish(mapped, maker)
    second_person.withdraw(other, maker)
    assert versions(mapped) == before
    states = [entry["state"] for _, entry in told(mapped.workspace, "approval")]
    assert states == ["refused", "withdrawn"]
    with pytest.raises(NotDecided, match="refused already"):
        second_person.approve(asked, checker, "After all.")


def test_a_secret_waits_sealed_and_takes_effect_with_the_second_person(mapped, maker, checker):  # R72, R75
    row = mapped.platform
    before = connecting.stored_secrets(row)["password"]
    asked = second_person.change_connection(row, {}, {"password": SECRET}, maker, "The old one ran out.")
    assert isinstance(asked, Approval) and asked.detail["secrets"] == ["password"]
    assert connecting.stored_secrets(row)["password"] == before
    everything = " ".join(str(value) for value in Approval.objects.of(mapped.workspace).values().get().values())
    sealed = Secret.objects.of(mapped.workspace).get(owner=f"approval:{asked.pk}")
    assert SECRET not in everything and SECRET.encode() not in bytes(sealed.ciphertext)
    serial = row.session_serial
    second_person.approve(asked, checker, "Called the bank of the supplier.")
    row.refresh_from_db()
    assert connecting.stored_secrets(row)["password"] == SECRET
    assert row.session_serial > serial, "the old session ends"
    assert not Secret.objects.of(mapped.workspace).filter(owner=f"approval:{asked.pk}").exists()
    actor, entry = told(mapped.workspace, "config_change")[-1]
    assert (actor, entry["fields"], entry["second_person"]) == (checker, ["secrets.password"], f"{maker}, {checker}")
    details = AuditEntry.objects.of(mapped.workspace).values_list("detail", flat=True)
    assert not [detail for detail in details if SECRET in detail]


def test_a_setting_waits_too_and_a_newer_request_takes_the_place_of_the_older(mapped, maker, checker):  # R72
    row = mapped.platform
    older = second_person.change_connection(row, {"invoice_number_max": 20}, {"password": SECRET}, maker)
    newer = second_person.change_connection(row, {"invoice_number_max": 19}, {}, maker)
    older.refresh_from_db()
    assert older.state == "lapsed"
    assert not Secret.objects.of(mapped.workspace).filter(owner=f"approval:{older.pk}").exists()
    second_person.approve(newer, checker, "Yes.")
    row.refresh_from_db()
    assert row.settings["invoice_number_max"] == 19


def test_a_refused_secret_is_gone(mapped, maker, checker):  # R72, R75
    asked = second_person.change_connection(mapped.platform, {}, {"password": SECRET}, maker)
    second_person.refuse(asked, checker, "Not agreed with us.")
    assert not Secret.objects.of(mapped.workspace).filter(owner=f"approval:{asked.pk}").exists()
    assert connecting.stored_secrets(mapped.platform)["password"] != SECRET


def test_one_person_alone_changes_a_secret_at_once(mapped, maker):  # R72
    fields = second_person.change_connection(mapped.platform, {}, {"password": SECRET}, maker)
    assert fields == ["secrets.password"]
    assert vault.get(mapped.workspace, connecting.owner(mapped.platform), "password") == SECRET
    assert told(mapped.workspace, "config_change")[-1][1]["second_person"] == approvals.ALONE


def test_a_decision_lapses_with_its_problem(delivered):  # R41
    problem = Problem.objects.of(delivered.workspace).select_related("workspace", "integration").get(
        cause="unmapped_code", state="open"
    )  # fmt: skip
    problems.solve(problem, "write_off", "The supplier is gone.", "os:anna")
    (asked,) = Approval.objects.of(delivered.workspace)
    assert asked.kind == "write_off"
    mappings.set_entries(delivered.integration, "gl_account", {"10-6999": "10-6100"}, "os:anna")
    delivered.sync()
    asked.refresh_from_db()
    assert asked.state == "lapsed"


def test_evidence_is_kept_and_the_trail_holds_its_hash(mapped):  # R53
    row = approvals.ask(
        mapped.workspace,
        ApprovalKind.CREDENTIALS,
        "connection:0",
        "Something",
        "os:anna",
        evidence="Called Mrs. Ames back under +1 555 0100.",
    )
    assert row.evidence.startswith("Called Mrs. Ames")
    _, entry = told(mapped.workspace, "approval_asked")[-1]
    assert len(entry["evidence"]) == 64 and "Ames" not in json.dumps(entry)


def test_a_request_and_its_entries_are_stored_together_or_not_at_all(mapped, maker, checker):
    with pytest.raises(RuntimeError), audit.recording(mapped.workspace, actor=maker):
        publish(mapped, maker)
        raise RuntimeError
    assert not Approval.objects.of(mapped.workspace).exists()
    assert not told(mapped.workspace, "approval_asked")
