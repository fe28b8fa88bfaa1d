"""What never shows: secrets in logs, trail, Problems or rows (R71); and a certificate that is not checked (R64)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.db import connection

from ml_connector.conformance.bench import Bench
from ml_connector.conformance.declaration import Declaration, WriteCall
from ml_connector.conformance.tls_front import TlsFront
from ml_connector.integrations.base import Side
from ml_connector.sync.models import Connection
from ml_connector.sync.pinging import ping_connection
from ml_connector.workspaces.models import Workspace

SHOWN_AT_LEAST = 6
"""Secrets shorter than this would be found by chance."""


class Hygiene:
    """The suite's part on what must never be seen or skipped."""

    declaration: ClassVar[Declaration]

    def test_no_secret_is_written_anywhere_in_clear(
        self, workspace: Workspace, caplog: pytest.LogCaptureFixture, record_property: Any
    ) -> None:  # R71
        """After a delivery in which both systems repeat our secrets in their errors."""
        record_property("declared", [self.declaration.name, "both sides"])
        caplog.set_level(logging.DEBUG)
        with self.declaration.open(workspace) as bench:
            secrets = {
                value
                for stand_in in bench.stand_ins.values()
                for value in stand_in.secrets.values()
                if len(value) >= SHOWN_AT_LEAST
            }
            assert secrets
            echo = " and ".join(sorted(secrets))
            bench.settle()
            for call in self.declaration.writes[:1]:
                _act_under(bench, call, {"do": "status", "status": 400, "body": f"refused: {echo}"})
                _act_under(bench, call, {"do": "status", "status": 500, "body": f"crashed: {echo}"})
            for stand_in in bench.stand_ins.values():
                stand_in.faults([{"do": "in_band_error", "text": f"No access with {echo}", "match": {"nth": [1, 2]}}])
            bench.later(hours=2)
            bench.sync()
            shown = {"log": caplog.text, **_everything_stored()}
            for secret in secrets:
                assert [place for place, text in shown.items() if secret in text] == []

    @pytest.mark.parametrize("side", list(Side))
    def test_a_certificate_is_checked_and_a_private_authority_can_be_given(
        self, workspace: Workspace, tmp_path: Path, side: Side, record_property: Any
    ) -> None:  # R64
        record_property("declared", [self.declaration.name, f"the {side}'s side"])
        with self.declaration.open(workspace) as bench, _in_front_of(bench, side, tmp_path) as front:
            row = bench.connection(side)
            steps = list(ping_connection(row, "clerk"))
            failed = [step for step in steps if step.ok is False]
            assert failed
            assert "certificate" in f"{failed[0].text} {failed[0].fix}"
            assert front.requests == 0, "something was said before the certificate was checked"
            row.settings["tls_ca_bundle"] = front.authority
            row.save(update_fields=["settings"])
            assert [step for step in ping_connection(row, "clerk") if step.ok is False] == []
            assert front.requests > 0


@contextmanager
def _in_front_of(bench: Bench, side: Side, directory: Path) -> Iterator[TlsFront]:
    """Has the Connection of a side speak to its stand-in over TLS."""
    url = bench.stand_ins[side].url
    with TlsFront(url, directory) as front:
        row: Connection = bench.connection(side)
        row.settings = {
            name: value.replace(url, front.url) if isinstance(value, str) else value
            for name, value in row.settings.items()
        }
        row.save(update_fields=["settings"])
        yield front


def _act_under(bench: Bench, call: WriteCall, fault: dict[str, Any]) -> None:
    call.act(bench)
    bench.stand_ins[call.side].faults([{"match": dict(call.match), "times": 1, **fault}])
    bench.sync(*call.flows)


def _everything_stored() -> dict[str, str]:
    """Every row of every table of ours, as text."""
    stored = {}
    for model in apps.get_models():
        columns = [str(field.column) for field in model._meta.concrete_fields if not field.is_relation]
        names = ", ".join(map(connection.ops.quote_name, columns))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608
            rows = cursor.fetchall()
        stored[model._meta.label] = "\n".join(
            bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
            for row in rows
            for value in row
        )
    return stored
