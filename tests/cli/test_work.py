"""sync, records, record, problems, replay, mapping, links, tie-out, status: the main job by the command line."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ml_connector.audit import offline_verify
from ml_connector.sandbox import Running
from ml_connector.sync import problems
from ml_connector.sync.models import PARK_AT, Flow, Integration, Record
from tests.cli.conftest import Run

RECORD_FIELDS = {
    "id",
    "integration",
    "flow",
    "type",
    "key",
    "number",
    "state",
    "amount",
    "currency",
    "target_key",
    "problem",
}
PROBLEM_FIELDS = {"id", "cause", "text", "fix", "blocks", "records", "amount", "earliest_due_date"}


def numbered(run: Run, number: str) -> dict[str, Any]:
    (row,) = [row for row in run("records", "--search", number, "--json").json if row["number"] == number]
    return row


def caused(run: Run, cause: str) -> dict[str, Any]:
    (row,) = [row for row in run("problems", "--json").json if row["cause"] == cause]
    return row


# --- sync


def test_records_of_a_parked_flow_are_not_waited_for(decided: Run, stand_ins: dict[str, Running]) -> None:
    lost = {"match": {"method": "POST", "path": "/v3/bills", "contains": "PK-500"}, "do": "reset"}
    stand_ins["bill"].faults([{**lost, "times": 1}])
    Integration.objects.across_workspaces().update(policies={"settle_wait": 600})
    decided("sync", "payables")
    assert numbered(decided, "PK-500")["state"] == "in_doubt"
    Flow.objects.across_workspaces().filter(name="invoices").update(deaths=PARK_AT)
    assert decided("sync", "payables", "--until-idle").status == 1
    assert numbered(decided, "PK-500")["state"] == "in_doubt"


def test_a_first_sync_reads_all_and_sends_no_document_that_would_be_coded_to_a_guess(
    applied: Run, stand_ins: dict[str, Running]
) -> None:
    said = applied("sync", "payables", "--json")
    assert said.status == 1
    flows = {row["flow"]: row for row in said.json["flows"]}
    assert (flows["invoices"]["read"], flows["invoices"]["new"], flows["invoices"]["blocked"]) == (11, 11, 11)
    assert flows["invoices"]["amount_blocked"] == {"EUR": "2500.00", "USD": "7306.19"}
    assert stand_ins["bill"].state("bills") == []


def test_what_can_travel_arrives_once_decisions_are_made(travelled: Run, stand_ins: dict[str, Running]) -> None:
    bills = sorted(bill["invoice"]["invoiceNumber"] for bill in stand_ins["bill"].state("bills"))
    assert bills == ["ELC-1001", "ELC-1002", "ELC-1004", "HU-2202", "HU-2203", "NK-77", "PK-500", "PK-502"]
    causes = {row["cause"]: row["amount"] for row in travelled("problems", "--json").json}
    assert causes == {
        "supplier_on_hold": {"USD": "400.00"},
        "unmapped_code": {"USD": "218.40"},
        "duplicate_invoice": {"USD": "1620.00"},
    }


def test_a_second_sync_without_a_change_writes_nothing(travelled: Run, stand_ins: dict[str, Running]) -> None:
    stand_ins["bill"].clear_requests()
    travelled("sync", "payables")
    assert stand_ins["bill"].summary()["writes"] == 0


def test_one_flow_can_be_synced_alone(applied: Run) -> None:
    said = applied("sync", "payables", "--flow", "suppliers", "--json")
    assert [row["flow"] for row in said.json["flows"]] == ["suppliers"]
    assert Flow.objects.across_workspaces().get(name="invoices").records_ever == 0


def test_reading_again_from_a_date_stages_nothing_twice(travelled: Run) -> None:
    said = travelled("sync", "payables", "--flow", "invoices", "--since", "2026-01-01", "--json")
    (row,) = said.json["flows"]
    assert (row["read"], row["new"], row["changed"]) == (11, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sync", "payable"], 'There is no Integration "payable". Did you mean payables?'),
        (["sync", "payables", "--flow", "invoice"], 'There is no Flow "invoice". Did you mean invoices?'),
        (["sync", "payables", "--since", "yesterday"], "--since yesterday is no date. Write it as 2026-11-01."),
        (["ping", "bil"], 'There is no Connection "bil". Did you mean bill?'),
        (["records", "--state", "blokked"], "--state blokked is unknown. Did you mean blocked?"),
        (["records", "--type", "bills"], "--type bills is unknown."),
        (["record", "999"], "There is no record 999 in workspace acme. `records` lists them."),
        (["problem", "999"], "There is no Problem 999 in workspace acme. `problems` lists them."),
        (["problem", "retry", "999"], "There is no Problem 999 in workspace acme. `problems` lists them."),
        (["status", "--workspace", "acmee"], 'There is no workspace "acmee". Did you mean acme?'),
        (["tie-out", "payables", "--period", "October"], "'October' is no period."),
        (["mapping", "list", "accounts"], "payables has no mapping 'accounts'."),
        (["sandbox", "sap"], 'There is no stand-in "sap".'),
        (["audit", "verify", "--anchor", "12"], "--anchor 12 is none. Write SEQUENCE:HASH"),
    ],
)
def test_wrong_usage_says_what_would_be_right(applied: Run, arguments: list[str], said: str) -> None:
    answer = applied(*arguments)
    assert answer.status == 2
    assert answer.err.startswith(said)


def test_a_paused_integration_is_not_synced(applied: Run) -> None:
    assert applied("pause", "payables").out == "payables is paused.\n"
    assert applied("pause", "payables").out == "payables is paused already.\n"
    said = applied("sync", "payables")
    assert (said.status, said.err) == (1, "payables is paused. Resume it with: ml-connector resume payables\n")
    assert applied("resume", "payables").out == "payables is running.\n"
    assert applied("pause", "payables", "--flow", "invoices").out == "payables.invoices is paused.\n"
    flows = {row["flow"]: row for row in applied("status", "--json").json["flows"]}
    assert flows["invoices"]["paused"] is True
    assert flows["suppliers"]["paused"] is False


# --- looking


def test_records_give_programs_what_they_need(travelled: Run) -> None:
    rows = travelled("records", "--json").json
    assert len(rows) == 17
    assert all(set(row) >= RECORD_FIELDS for row in rows)
    assert {row["type"] for row in rows} == {"supplier", "invoice", "credit_note"}
    row = numbered(travelled, "ELC-1001")
    assert (row["state"], row["amount"], row["currency"], row["problem"]) == ("confirmed", "1620.00", "USD", None)
    assert row["target_key"]
    held = numbered(travelled, "HU-2201")
    assert (held["state"], held["target_key"]) == ("blocked", None)
    assert held["problem"] == caused(travelled, "unmapped_code")["id"]


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ("elc-1001", {"ELC-1001", "ELC1001"}),
        ("ELC 1OO1", {"ELC-1001", "ELC1001"}),
        ("NOR002", {"NOR002", "NK-77"}),
        ("nothing", set()),
    ],
)
def test_records_are_found_as_people_write_numbers(travelled: Run, search: str, numbers: set[str]) -> None:
    assert {row["number"] for row in travelled("records", "--search", search, "--json").json} == numbers


def test_records_are_found_by_their_key_in_the_target(travelled: Run) -> None:
    key = numbered(travelled, "PK-500")["target_key"]
    assert [row["number"] for row in travelled("records", "--search", key, "--json").json] == ["PK-500"]


def test_an_empty_list_is_a_list(applied: Run) -> None:
    assert applied("records", "--json").json == []
    assert applied("problems", "--json").json == []


def test_the_story_of_a_record_whose_answer_was_lost(decided: Run, stand_ins: dict[str, Running]) -> None:
    stand_ins["bill"].faults(
        [
            {
                "match": {"method": "POST", "path": "/v3/bills", "contains": "PK-500"},
                "do": "commit_then_reset",
                "times": 1,
            }
        ]
    )
    decided("sync", "payables", "--until-idle")
    row = numbered(decided, "PK-500")
    told = decided("record", str(row["id"]), "--json").json
    events = [event["what"] for event in told["events"]]
    assert events[0] == "read"
    assert [what for what in events if what not in {"read", "blocked", "ready"}] == [
        "intent",
        "no answer",
        "searched",
        "linked",
        "found",
        "confirmed",
    ]
    assert "PK-500" in decided("record", str(row["id"])).out


def test_a_story_hides_the_tax_id(travelled: Run) -> None:
    row = numbered(travelled, "ELC001")
    said = travelled("record", str(row["id"]), "--json")
    assert "12-3456789" not in said.out
    assert said.json["source"]["tax_id"] == "(hidden)"


def test_problems_give_programs_what_they_need(travelled: Run) -> None:
    rows = travelled("problems", "--json").json
    assert all(set(row) >= PROBLEM_FIELDS for row in rows)
    row = caused(travelled, "unmapped_code")
    assert (row["records"], row["amount"], row["earliest_due_date"], row["blocks"]) == (
        1,
        {"USD": "218.40"},
        "2026-11-27",
        True,
    )


def test_a_problem_is_told_in_plain_words(travelled: Run) -> None:
    said = travelled("problem", str(caused(travelled, "unmapped_code")["id"])).out
    assert "GL account 10-6999 has no BILL account. It holds 1 record (USD 218.40)." in said
    assert "HU-2201" in said


def test_status_proves_that_the_states_add_up(travelled: Run) -> None:
    found = travelled("status", "--json").json
    assert found["invariant"]["holds"] is True
    assert found["invariant"]["ever_staged"] == found["invariant"]["total"] == 17
    assert found["invariant"]["states"]["confirmed"] == 14
    assert found["invariant"]["states"]["blocked"] == 3
    assert {row["connection"]: row["health"] for row in found["connections"]} == {"erp": "ok", "bill": "ok"}
    flow = found["flows"][3]
    assert (flow["flow"], flow["paused"], flow["every"]) == ("invoices", False, 600)
    assert flow["last_success"]
    assert flow["next_run"]
    assert flow["cursor"]
    assert found["workers"] == []


def test_status_fails_when_a_record_is_lost(travelled: Run) -> None:
    Flow.objects.across_workspaces().filter(name="invoices").update(records_ever=12)
    said = travelled("status")
    assert said.status == 1
    assert "payables.invoices: 12 were staged, the states add up to 11." in said.out


def test_the_tie_out_explains_every_difference(travelled: Run) -> None:
    travelled("sync", "payables")
    said = travelled("tie-out", "payables")
    assert said.status == 0
    assert "USD: SYSPRO 7,231.19 - BILL 5,067.79 = 2,163.40: blocked 2,238.40, credit not applied -75.00" in said.out
    (_, usd) = travelled("tie-out", "payables", "--json").json["totals"]
    assert (usd["currency"], Decimal(usd["unexplained"])) == ("USD", 0)


# --- deciding


def test_a_code_that_is_mapped_lets_its_invoice_follow(travelled: Run, stand_ins: dict[str, Running]) -> None:
    stand_ins["bill"].edit("chart-of-accounts", {"name": "Sundry", "account": {"type": "EXPENSE", "number": "10-6999"}})
    refused = travelled("mapping", "set", "gl_account", "10-6999", "10-6999")
    assert refused.status == 2
    assert refused.err.splitlines()[-1] == "Nothing was changed."
    travelled("sync", "payables", "--flow", "accounts")
    said = travelled("mapping", "set", "gl_account", "10-6999", "10-6999")
    assert said.out.splitlines()[0] == "gl_account version 2 is published: 7 codes mapped."
    travelled("sync", "payables")
    assert numbered(travelled, "HU-2201")["state"] == "confirmed"
    assert travelled("mapping", "set", "gl_account", "10-6999", "10-6999").out == (
        "gl_account says so already (version 2). Nothing was changed.\n"
    )


def test_a_mapping_goes_out_as_csv_and_comes_in_again(travelled: Run) -> None:
    assert travelled("mapping", "export", "gl_account", "--output", "out.csv").status == 0
    text = Path("out.csv").read_text()
    assert "10-6100,10-6100" in text
    said = travelled("mapping", "import", "gl_account", "out.csv")
    assert (said.status, said.out) == (0, "gl_account says so already (version 1). Nothing was changed.\n")
    Path("bad.csv").write_text("source,target\n10-6999,nowhere\n")
    said = travelled("mapping", "import", "gl_account", "bad.csv")
    assert said.status == 2
    assert said.err.startswith("bad.csv:2: BILL has no GL account 'nowhere'")


def test_mappings_show_what_documents_wait_for_first(travelled: Run) -> None:
    first = travelled("mapping", "list", "gl_account", "--json").json[0]
    assert (first["source"], first["target"], first["waiting"]) == ("10-6999", None, 1)
    rows = {row["mapping"]: row for row in travelled("mapping", "list", "--json").json}
    assert (rows["gl_account"]["version"], rows["gl_account"]["mapped"]) == (1, 6)


def test_a_suggested_link_is_accepted_by_key(applied: Run) -> None:
    applied("sync", "payables", "--flow", "suppliers")
    (suggestion,) = applied("links", "suggest", "--json").json
    assert (suggestion["source_key"], suggestion["name"]) == ("HYD005", "Hydra Utilities, Inc.")
    said = applied("links", "accept", "HYD005")
    assert said.out.startswith("supplier HYD005 is linked to ")
    assert applied("links", "suggest", "--json").json == []
    linked = {row["source_key"]: row["made_by"] for row in applied("links", "list", "--json").json}
    assert linked["HYD005"].startswith("os:")
    assert applied("links", "accept", "HYD005").err.startswith("Nothing is suggested for HYD005.")


def test_a_similar_supplier_can_be_made_new_instead(applied: Run, stand_ins: dict[str, Running]) -> None:
    applied("sync", "payables", "--flow", "suppliers")
    said = applied("links", "accept", "HYD005", "--create")
    assert said.out == "Supplier HYD005 is made new in the target at the next push.\n"
    assert applied("sync", "payables", "--flow", "suppliers").status == 0
    assert sorted(row["name"] for row in stand_ins["bill"].state("vendors") if row["name"].startswith("Hydra")) == [
        "Hydra Utilities",
        "Hydra Utilities, Inc.",
    ]


def test_an_entry_that_is_taken_out_is_missing_again(travelled: Run) -> None:
    assert travelled("mapping", "set", "gl_account", "10-6100", "--remove").status == 0
    row = next(row for row in travelled("mapping", "list", "gl_account", "--json").json if row["source"] == "10-6100")
    assert row["target"] is None
    assert travelled("mapping", "set", "gl_account", "10-6100").status == 2


def test_a_replay_never_makes_a_second_document(travelled: Run, stand_ins: dict[str, Running]) -> None:
    ids = [str(numbered(travelled, number)["id"]) for number in ("ELC-1001", "HU-2201")]
    before = len(stand_ins["bill"].state("bills"))
    for _ in range(2):
        said = travelled("replay", *ids)
        assert said.status == 1
    assert "ELC-1001 is in the target already; nothing to do. Now: confirmed." in said.out
    assert "HU-2201 is judged again with the mappings of today. Now: blocked." in said.out
    assert len(stand_ins["bill"].state("bills")) == before


def test_a_retried_problem_sends_what_it_held(travelled: Run, stand_ins: dict[str, Running]) -> None:
    stand_ins["syspro"].edit("ApSupplier", {"Supplier": "TRN004", "OnHold": "N"})
    travelled("sync", "payables", "--flow", "suppliers")
    said = travelled("problem", "retry", str(caused(travelled, "supplier_on_hold")["id"]))
    assert said.status == 0
    assert numbered(travelled, "TF-90")["state"] == "confirmed"


def test_a_decision_needs_an_action_that_fits_and_a_reason(travelled: Run) -> None:
    problem = str(caused(travelled, "supplier_on_hold")["id"])
    assert travelled("problem", "solve", problem, "--action", "skipp").err.startswith("'skipp' is no action.")
    said = travelled("problem", "solve", problem, "--action", "skip")
    assert (said.status, said.err) == (2, "'skip' needs a reason: it goes into the audit trail.\n")
    said = travelled("problem", "solve", problem, "--action", "skip", "--reason", "Settled by hand")
    assert said.status == 0
    row = numbered(travelled, "TF-90")
    assert (row["state"], row["reason"]) == ("skipped", "Settled by hand")


def test_the_command_line_is_never_its_own_second_person(travelled: Run) -> None:
    problem = str(caused(travelled, "duplicate_invoice")["id"])
    for _ in range(2):
        said = travelled("problem", "solve", problem, "--action", "override", "--reason", "Both are true")
        assert said.out.startswith("Asked for. A second person must do the same")
    assert numbered(travelled, "ELC1001")["state"] == "blocked"
    assert Record.objects.across_workspaces().filter(state="confirmed", number="ELC1001").count() == 0
    assert "override" in problems.NEEDS_SECOND_PERSON


# --- proving


def test_the_trail_holds_here_and_as_a_file_elsewhere(travelled: Run) -> None:
    said = travelled("audit", "export", "--output", "trail.jsonl")
    assert said.status == 0
    first, second = said.err.splitlines()
    anchor = first.removeprefix("Keep this anchor on another machine: ")
    public = second.removeprefix("Keep with it, once, the public key that signs: ")
    assert travelled("audit", "verify", "--anchor", anchor).out.startswith("The trail of workspace acme holds: ")
    command = [sys.executable, offline_verify.__file__, "trail.jsonl", "--anchor", anchor, "--public-key", public]
    assert subprocess.run(command, check=False).returncode == 0
    Path("trail.jsonl").write_text(Path("trail.jsonl").read_text().replace('"intent"', '"intend"', 1))
    assert subprocess.run(command, check=False).returncode == 1


def test_a_trail_that_was_cut_off_does_not_hold(travelled: Run) -> None:
    said = travelled("audit", "verify", "--anchor", f"9999:{'0' * 64}")
    assert said.status == 1
    assert said.err.startswith("The trail of workspace acme does not hold. ")


def test_no_secret_and_no_tax_id_is_in_any_output(travelled: Run, stand_ins: dict[str, Running]) -> None:
    commands = ["records --json", "problems --json", "status --json", "status", "export", "audit export", "ping erp"]
    commands += ["tie-out payables --json", "links list --json", "mapping list gl_account --json", "ping bill"]
    text = "".join(said.out + said.err for said in (travelled(*command.split()) for command in commands))
    hidden = [value for stand_in in stand_ins.values() for value in stand_in.secrets.values() if value]
    for value in (*hidden, "12-3456789", "DE123456789"):
        assert value not in text


def test_keys_are_rotated_while_everything_goes_on(travelled: Run) -> None:
    said = travelled("vault", "rotate")
    assert said.status == 0
    assert "wrapped with a new key" in said.out
    assert travelled("ping", "bill").status == 0


def test_a_dry_run_says_what_the_sync_then_does_and_writes_nothing(applied, stand_ins):
    applied("sync", "payables", "--flow", "accounts")
    applied("sync", "payables", "--flow", "departments")
    for mapping in ("gl_account", "cost_center"):
        assert applied("mapping", "suggest", mapping, "--accept-exact").status == 0
    said = applied("sync", "payables", "--dry-run", "--json")
    assert said.status == 0, said.err
    foreseen = {flow["flow"]: flow for flow in said.json["flows"]}
    assert not [row for row in stand_ins["bill"].requests() if row["write"]]
    assert applied("records", "--json").json == []
    text = applied("sync", "payables", "--dry-run").out
    assert "unmapped_code" in text and "Nothing was written" in text
    done = {flow["flow"]: flow for flow in applied("sync", "payables", "--json").json["flows"]}
    for name in ("suppliers", "invoices", "credit_notes"):
        assert foreseen[name]["created"]["records"] == done[name]["confirmed"], name
        assert foreseen[name]["created"]["amount"] == done[name]["amount_confirmed"], name
        assert foreseen[name]["blocked"]["records"] == done[name]["blocked"], name
    assert foreseen["invoices"]["created"]["records"] > 3
    refused = applied("sync", "payables", "--dry-run", "--flow", "invoices")
    assert refused.status == 2 and "--dry-run" in refused.err
