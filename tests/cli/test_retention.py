"""retention, hold and erase on the command line."""

from __future__ import annotations

from ml_connector.sync.models import Record
from ml_connector.workspaces.models import Workspace


def test_years_holds_and_erasure_by_command(travelled):  # R69, R70
    run = travelled
    assert run("retention", "show", "--json").json == {"documents": 7, "wire": 7, "audit": None}
    assert "for ever" in run("retention", "show").out
    assert run("retention", "set").status == 2 and run("retention", "set", "--wire", "0").status == 2
    assert "for 9 years, requests and answers for 2" in run("retention", "set", "--documents", "9", "--wire", "2").out
    preview = run("retention", "preview", "--json").json
    assert preview["documents"] == {"count": 0, "held": 0, "oldest": None, "newest": None}
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
