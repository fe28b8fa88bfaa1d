"""retention, hold and erase on the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from ml_connector import clock
from ml_connector.audit.models import AuditEntry, Cut
from ml_connector.sync.models import Record
from ml_connector.workspaces.models import Workspace


def test_years_holds_and_erasure_by_command(travelled):  # R69, R70
    run = travelled
    assert run("retention", "show", "--json").json == {"documents": 7, "wire": 7, "audit": None}
    assert "for ever" in run("retention", "show").out
    assert run("retention", "set").status == 2 and run("retention", "set", "--wire", "0").status == 2
    said = run("retention", "set", "--documents", "9", "--wire", "2").out
    assert "for 9 years, requests and answers for 2, the audit trail for ever." in said
    preview = run("retention", "preview", "--json").json
    assert preview["documents"] == {"count": 0, "held": 0, "oldest": None, "newest": None}
    assert preview["audit"] == {"count": 0, "held": 0, "oldest": None, "newest": None, "stops_at": None}
    assert run("retention", "run").status == 0

    assert "None" in run("hold", "list").out
    assert run("hold", "set", "--supplier", "ELC001").status == 2
    assert run("hold", "set", "--supplier", "ELC001", "--everything", "--reason", "x").status == 2
    assert run("hold", "set", "--supplier", "ELC001", "--reason", "Lawsuit").status == 0
    (hold,) = run("hold", "list", "--json").json
    assert (hold["supplier"], hold["reason"]) == ("ELC001", "Lawsuit") and hold["set_by"].startswith("os:")
    refused = run("erase", "supplier", "ELC001", "--reason", "Case 12", "--yes")
    assert refused.status == 1 and "Lift it first" in refused.err
    assert run("hold", "lift", str(hold["id"]), "--reason", "over").status == 0
    assert run("hold", "lift", str(hold["id"]), "--reason", "over").status == 2

    foreseen = run("erase", "supplier", "ELC001", "--json").json
    assert foreseen["erased"] is False and foreseen["rows"]["Exchange"] > 0
    workspace = Workspace.objects.get()
    assert not Record.objects.of(workspace).exclude(erased_at=None).exists()
    assert "Nothing was changed" in run("erase", "supplier", "ELC001").out
    done = run("erase", "supplier", "ELC001", "--reason", "Case 12", "--yes", "--json").json
    assert done == {**foreseen, "erased": True}
    assert Record.objects.of(workspace).exclude(erased_at=None).get().key == "ELC001"
    assert run("audit", "verify").status == 0
    assert run("erase", "supplier", "NOBODY").status == 1


def test_the_trail_is_cut_by_command(travelled, tmp_path):  # R67, R70
    run = travelled
    for given in ("0", "100", "-1", "many"):
        refused = run("retention", "set", f"--audit={given}")
        assert refused.status == 2 and "Write years from 1 to 99, or forever" in refused.err, given
    refused = run("retention", "set", "--audit", "3")
    assert refused.status == 2 and "kept for 7 years: keep it for 7 years or more, or for ever." in refused.err
    assert "the audit trail for 7." in run("retention", "set", "--audit", "7").out
    assert run("retention", "show", "--json").json["audit"] == 7
    exported = run("audit", "export", "-o", str(tmp_path / "before.jsonl"))
    public = exported.err.partition("the public key that signs: ")[2].strip()
    assert len(public) == 64
    hold = run("hold", "set", "--everything", "--reason", "Case 4711")
    assert hold.status == 0
    try:
        clock.hold(clock.now() + timedelta(days=8 * 366))
        held = run("retention", "preview", "--json").json["audit"]
        assert held["count"] == 0 and held["held"] > 50 and held["stops_at"] == 1
        assert "it stops before entry 1, the first that a legal hold covers" in " ".join(
            run("retention", "preview").out.split()
        )
        assert run("hold", "lift", "1", "--reason", "over").status == 0
        foreseen = run("retention", "preview", "--json").json["audit"]
        done = run("retention", "run", "--json").json["audit"]
        assert done["count"] == foreseen["count"] == held["held"]
        first = done["count"] + 1
        said = run("audit", "verify")
        assert said.status == 0 and f"unbroken from entry {first} on" in said.out
        assert f"Entries 1 to {done['count']} were removed by retention, once on " in said.out
        verdict = run("audit", "verify", "--json", "--public-key", public).json
        assert verdict["holds"] and verdict["begins"] == first
        assert run("audit", "export", "-o", str(tmp_path / "after.jsonl")).status == 0
        assert '"cut":' in (tmp_path / "after.jsonl").read_text().splitlines()[1][:10]
        assert "for ever" in run("retention", "set", "--audit", "forever").out
    finally:
        clock.hold(None)
    assert Cut.objects.of(Workspace.objects.get()).get().years == 7


def test_a_broken_trail_is_not_cut_by_command(travelled):  # R67, R70
    run = travelled
    assert run("retention", "set", "--audit", "7").status == 0
    assert run("audit", "export").status == 0
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            pytest.skip("the same on both databases; this one is quick to unlock")
        cursor.execute("DROP TRIGGER audit_auditentry_UPDATE")
        cursor.execute("UPDATE audit_auditentry SET actor = 'someone' WHERE sequence = 3")
    before = AuditEntry.objects.of(Workspace.objects.get()).count()
    try:
        clock.hold(clock.now() + timedelta(days=8 * 366))
        said = run("retention", "run")
    finally:
        clock.hold(None)
    assert said.status == 1 and "Entry 3 was changed" in said.err and "audit verify" in said.err
    assert AuditEntry.objects.of(Workspace.objects.get()).filter(sequence__lte=before).count() == before
