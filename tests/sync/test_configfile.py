"""The configuration file: every fault with its line and what to do, all of them at once, and nothing read wrongly."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.sync.configfile import (
    Configuration,
    ConfigurationRefused,
    Known,
    KnownConnection,
    KnownIntegration,
    _configuration,
    interval_text,
    read,
)
from ml_connector.sync.configfile.tree import load
from ml_connector.sync.configfile.values import setting_value
from ml_connector.systems.base import Setting

GOOD = """\
workspace: acme
connections:
  erp:
    system: syspro
    settings:
      enet_rest_base: https://erp.example/SYSPROWCFService/Rest
      operator: MLCONN
      company_id: 001
      company_time_zone: America/Chicago
    secrets: {operator_password: {env: SYSPRO_PASSWORD}}
  bill:
    system: bill
    settings: {environment: sandbox, username: ap@example.com, organizationId: 00801}
    secrets: {password: {file: bill-password}, devKey: {file: bill-key}}
integrations:
  payables:
    kind: syspro-bill
    erp: erp
    platform: bill
    flows:
      invoices: {every: 10m, policies: {from_date: 2026-10-01, near_duplicate_days: 3}}
      suppliers: {every: 1h, paused: yes}
    mappings:
      gl_account: {file: accounts.csv}
      country: {entries: {DEU: DE, NO: NO}}
"""


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets and the table that GOOD points to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYSPRO_PASSWORD", "operator-secret")
    Path("bill-password").write_text("bill-secret\n")
    Path("bill-key").write_text("bill-key-secret")
    Path("accounts.csv").write_text("source,target,note\n10-6100,6100,Components\n010,10,\n")


def configuration(text: str, known: Known | None = None) -> Configuration:
    Path("acme.yaml").write_text(dedent(text))
    return read(Path("acme.yaml"), lambda _: known or Known())


def faults(text: str, known: Known | None = None) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refused:
        configuration(text, known)
    *lines, last = str(refused.value).splitlines()
    assert last == "Nothing was changed."
    return lines


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


# --- what is read


def test_a_file_of_the_contracts_shape_is_read() -> None:
    found = configuration(GOOD)
    assert found.workspace == "acme"
    erp, bill = found.connections
    assert (erp.name, erp.system.name, erp.secrets) == ("erp", "syspro", {"operator_password": "operator-secret"})
    assert bill.secrets == {"password": "bill-secret", "devKey": "bill-key-secret"}
    (payables,) = found.integrations
    assert (payables.spec.kind, payables.erp, payables.platform) == ("syspro-bill", "erp", "bill")
    invoices, suppliers = payables.flows
    assert (invoices.every, invoices.policies) == (600, {"from_date": "2026-10-01", "near_duplicate_days": 3})
    assert (suppliers.every, suppliers.paused) == (3600, True)


def test_texts_stay_what_was_typed_whatever_they_look_like() -> None:
    found = configuration(GOOD)
    assert found.connections[0].settings["company_id"] == "001"
    assert found.connections[1].settings["organizationId"] == "00801"
    table, country = found.integrations[0].mappings
    assert table.entries == {"10-6100": "6100", "010": "10"}
    assert country.entries == {"DEU": "DE", "NO": "NO"}


def test_settings_of_a_ready_line_can_be_pasted_as_json() -> None:
    found = configuration(
        changed(
            "settings: {environment: sandbox, username: ap@example.com, organizationId: 00801}",
            'settings: {"environment":"sandbox","username":"ap@example.com","organizationId":"00801"}',
        )
    )
    assert found.connections[1].settings["organizationId"] == "00801"


@pytest.mark.parametrize(("seconds", "text"), [(60, "1m"), (600, "10m"), (3600, "1h"), (86_400, "1d"), (5400, "90m")])
def test_intervals_are_written_as_they_are_read(seconds: int, text: str) -> None:
    assert interval_text(seconds) == text
    written = text if text != "1d" else "24h"
    assert configuration(changed("every: 10m", f"every: {written}")).integrations[0].flows[0].every == seconds


# --- what is refused


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "organizationId: 00801",
            "organisationId: 00801",
            [
                "acme.yaml:11: connections.bill.settings.organizationId is missing. {help}",
                "acme.yaml:13: connections.bill.settings.organisationId is unknown. Did you mean organizationId?",
            ],
        ),
        (
            "system: bill",
            "system: bil",
            ['acme.yaml:12: connections.bill.system: there is no system "bil". Did you mean bill?'],
        ),
        (
            "kind: syspro-bill",
            "kind: sysporo-bill",
            ['acme.yaml:17: integrations.payables.kind: there is no kind "sysporo-bill". Did you mean syspro-bill?'],
        ),
        (
            "erp: erp",
            "erp: bill",
            [
                "acme.yaml:18: integrations.payables.erp is bill, a Connection to BILL; syspro-bill needs one to"
                " SYSPRO here."
            ],
        ),
        (
            "platform: bill",
            "platform: bil",
            ['acme.yaml:19: integrations.payables.platform: there is no Connection "bil". Did you mean bill?'],
        ),
        (
            "{env: SYSPRO_PASSWORD}",
            "{env: NOT_SET}",
            [
                "acme.yaml:10: connections.erp.secrets.operator_password: the environment variable NOT_SET is not set."
                " Set it and apply the file again."
            ],
        ),
        (
            "{file: bill-key}",
            "{file: nowhere}",
            [
                "acme.yaml:14: connections.bill.secrets.devKey.file: the file nowhere cannot be read (No such file or"
                " directory). Paths are relative to this file."
            ],
        ),
        (
            "{env: SYSPRO_PASSWORD}",
            "hunter2",
            [
                "acme.yaml:10: connections.erp.secrets.operator_password is written into the file. Put it into an"
                " environment variable or a file of its own and write {env: NAME} or {file: PATH}; leave the line out"
                " when there is no such secret."
            ],
        ),
        (
            "every: 10m",
            "every: 10",
            [
                "acme.yaml:21: integrations.payables.flows.invoices.every must be a number with a unit, such as 10m,"
                ' 1h or 1d, not "10".'
            ],
        ),
        (
            "every: 10m",
            "every: 30s",
            ["acme.yaml:21: integrations.payables.flows.invoices.every is 30s; the shortest is 1m, the longest 1d."],
        ),
        (
            "paused: yes",
            'paused: "yes"',
            [
                'acme.yaml:22: integrations.payables.flows.suppliers.paused must be true or false, not "yes". Leave'
                " out the quotes."
            ],
        ),
        (
            "near_duplicate_days: 3",
            "near_duplicate_days: three",
            [
                "acme.yaml:21: integrations.payables.flows.invoices.policies.near_duplicate_days must be a whole"
                ' number, not "three".'
            ],
        ),
        (
            "invoices: {every",
            "invoises: {every",
            ["acme.yaml:21: integrations.payables.flows.invoises is unknown. Did you mean invoices?"],
        ),
        (
            "environment: sandbox",
            "environment: sandbax",
            ['acme.yaml:13: connections.bill.settings.environment must be one of sandbox, production, not "sandbax".'],
        ),
        (
            "operator: MLCONN",
            "operator: MLCONN\n      operator: OTHER",
            ["acme.yaml:8: connections.erp.settings.operator is given twice, first in line 7. Keep one of them."],
        ),
        (
            "operator: MLCONN",
            "operator: MLCONN\n      operator_password: hunter2",
            [
                "acme.yaml:8: connections.erp.settings.operator_password is a secret. Move it under secrets, as {env:"
                " NAME} or {file: PATH}."
            ],
        ),
        (
            "workspace: acme",
            "workspace: 'a/b'",
            [
                "acme.yaml:1: workspace is no name: use letters, digits, - _ and . only, at most 60, beginning with a"
                " letter or digit."
            ],
        ),
        ("workspace: acme", "workspaces: acme", ["acme.yaml:1: workspaces is unknown. Did you mean workspace?"]),
        (
            "{file: accounts.csv}",
            "{file: accounts.csv, entries: {}}",
            [
                "acme.yaml:24: integrations.payables.mappings.gl_account must hold either entries (source code: target"
                " code) or the file of a CSV table."
            ],
        ),
    ],
)
def test_each_fault_says_where_and_what_to_do(old: str, new: str, said: list[str]) -> None:
    found = faults(changed(old, new))
    assert len(found) == len(said)
    for line, expected in zip(found, said, strict=True):
        assert line.startswith(expected.removesuffix("{help}"))
        assert line == expected or expected.endswith("{help}")


def test_all_faults_are_told_at_once() -> None:
    text = (
        changed("every: 10m", "every: soon").replace("system: bill", "system: bil").replace("company_id: 001", "x: y")
    )
    assert [line.split(":")[1] for line in faults(text)] == ["3", "8", "12", "21"]


def test_a_missing_setting_says_where_to_find_it() -> None:
    (said,) = faults(changed("      operator: MLCONN\n", ""))
    assert said.startswith(
        "acme.yaml:3: connections.erp.settings.operator is missing. A SYSPRO operator that nobody else uses"
    )


def test_a_missing_secret_is_told() -> None:
    (said,) = faults(changed(", devKey: {file: bill-key}", ""))
    assert said.startswith("acme.yaml:11: connections.bill.secrets.devKey is missing. ")


def test_faults_of_a_table_name_its_own_lines() -> None:
    Path("accounts.csv").write_text("source,target\n10-6100,6100\n10-6100,6200\n,6300\n")
    found = faults(GOOD)
    assert all(line.startswith("accounts.csv:") for line in found)


def test_no_yaml_is_said_with_its_line() -> None:
    assert faults("workspace: acme\nconnections:\n\terp: {}\n") == [
        "acme.yaml:3: this is no YAML: found character '\\t' that cannot start any token. Indent with spaces, not tabs."
    ]


def test_an_alias_is_refused() -> None:
    (said,) = faults(
        changed("{environment: sandbox", "&s {environment: sandbox").replace(
            "invoices: {every: 10m", "invoices: {every: *s"
        )
    )[:1]
    assert "refers to another place. Write the value out." in said


def test_a_python_tag_is_refused() -> None:
    said = faults(changed("workspace: acme", "workspace: !!python/name:os.system acme"))
    assert said[0] == "acme.yaml:1: !!python/name:os.system is a type tag. Leave it out."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "acme.yaml:1: the file is empty. It must name a workspace, its connections and integrations."),
        ("- a\n", "acme.yaml:1: the file must hold names and values, not a list."),
        (
            "workspace: acme\n---\nworkspace: b\n",
            "acme.yaml:2: this is no YAML: but found another document. Write one workspace per file.",
        ),
    ],
)
def test_a_file_of_another_shape_is_refused(text: str, said: str) -> None:
    assert faults(text)[0] == said


def test_no_secret_of_the_file_is_repeated_in_a_fault() -> None:
    assert "hunter2" not in "\n".join(faults(changed("{env: SYSPRO_PASSWORD}", "hunter2")))


# --- what is stored already


STORED = Known(
    {
        "erp": KnownConnection(
            "syspro",
            {
                "enet_rest_base": "https://erp.example/Rest",
                "operator": "A",
                "company_id": "1",
                "company_time_zone": "UTC",
            },
            frozenset({"operator_password"}),
        )
    },
    {"payables": KnownIntegration("syspro-bill", "erp", "bill")},
)


def test_what_is_stored_already_may_be_left_out() -> None:
    found = configuration("workspace: acme\nconnections:\n  erp: {settings: {operator: NEW}}\n", STORED)
    assert found.connections[0].settings == {"operator": "NEW"}
    assert found.connections[0].secrets == {}


def test_an_empty_value_puts_a_setting_back_to_its_default() -> None:
    text = "workspace: acme\nconnections:\n  erp: {settings: {odata_page_size: ~}}\n"
    assert configuration(text, STORED).connections[0].settings == {"odata_page_size": None}


def test_a_required_setting_cannot_be_emptied() -> None:
    (said,) = faults("workspace: acme\nconnections:\n  erp: {settings: {operator: ~}}\n", STORED)
    assert said.startswith("acme.yaml:3: connections.erp.settings.operator is missing.")


def test_a_connection_keeps_its_system() -> None:
    assert faults("workspace: acme\nconnections:\n  erp: {system: bill}\n", STORED) == [
        "acme.yaml:3: connections.erp.system was syspro and cannot become bill. Add a Connection under another name."
    ]


def test_an_integration_keeps_its_connections() -> None:
    text = "workspace: acme\nintegrations:\n  payables: {platform: other}\n"
    assert faults(text, STORED) == [
        "acme.yaml:3: integrations.payables.platform was bill and cannot become other: what was delivered belongs to"
        " it. Add an Integration under another name."
    ]


# --- kinds of values that a form may declare


AMOUNT = Setting("highest_amount", "", type=Decimal)
DAY = Setting("from_date", "", type=date)


@pytest.mark.parametrize(
    ("setting", "written", "said"),
    [
        (AMOUNT, "25000.00", None),
        (AMOUNT, "25,000", 'a.yaml:1: v must be an amount such as 25000.00, not "25,000".'),
        (AMOUNT, ".nan", 'a.yaml:1: v must be an amount such as 25000.00, not ".nan".'),
        (DAY, "2026-11-01", None),
        (DAY, "01.11.2026", 'a.yaml:1: v must be a date such as 2026-11-01, not "01.11.2026".'),
        (Setting("n", "", type=int), "--5", 'a.yaml:1: v must be a whole number, not "--5".'),
        (Setting("l", "", type=list), "[a, 010]", None),
        (Setting("l", "", type=list), "a", "a.yaml:1: v must be a list, not a single value."),
        (Setting("d", "", type=dict), "{H: hold, N: no}", None),
        (Setting("d", "", type=dict), "[a]", "a.yaml:1: v must hold names and values, not a list."),
        (Setting("t", ""), "{a: b}", "a.yaml:1: v must be a text, not names and values."),
    ],
)
def test_each_kind_of_value_is_checked(setting: Setting, written: str, said: str | None) -> None:
    root, noted = load(f"v: {written}\n", "a.yaml")
    assert root is not None
    value = setting_value(root.table()["v"], setting)
    assert [str(fault) for fault in noted.found] == ([said] if said else [])
    assert said is not None or value in ("25000.00", "2026-11-01", ["a", "010"], {"H": "hold", "N": "no"})


@given(st.data())
def test_whatever_a_file_holds_it_is_read_or_refused(data: st.DataObject) -> None:
    """Never an error of ours: lines of a good file in any order, with anything in between."""
    lines = data.draw(
        st.lists(st.sampled_from(GOOD.splitlines()) | st.text(alphabet=" -:{}[]'\"ab&*!#|\t1", max_size=12))
    )
    root, noted = load("\n".join(lines), "a.yaml")
    if root is not None:
        _configuration(root, Path("a.yaml"), lambda _: Known(), {})
    assert all(fault.line >= 1 for fault in noted.found)
