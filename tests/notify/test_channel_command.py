"""`channel`: the same by command."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_connector.sync.models import Channel
from tests.cli.conftest import run

__all__ = ["run"]


@pytest.fixture
def address(run, hook) -> str:
    Path("address").write_text(f"{hook.url}\n")
    return "address"


def test_a_channel_is_added_tested_listed_and_removed(run, workspace, hook, address):
    told = ("--tell", "problem", "--tell", "digest")
    said = run("channel", "add", "AP team", "--kind", "webhook", "--address-file", address, *told)
    assert said.status == 0, said.err
    assert Channel.objects.of(workspace).get().events == ["problem", "digest"]
    assert run("channel", "test", "AP team").status == 0
    assert [row["title"] for row in hook.seen] == ["[ml-connector acme] Test"]
    hook.status = 404
    said = run("channel", "test", "AP team")
    assert (said.status, "status 404" in said.err) == (1, True)
    listed = run("channel", "list")
    assert "AP team" in listed.out and "s3cretpath" not in listed.out + run("channel", "list", "--json").out
    assert run("channel", "remove", "AP team").status == 0
    assert not Channel.objects.of(workspace).exists()


def test_what_cannot_be_is_said(run, workspace, hook, address):
    add = ("channel", "add", "x", "--kind")
    assert "no kind" in run(*add, "exec", "--address-file", address).err
    assert "Choose of" in run(*add, "webhook", "--address-file", address, "--tell", "everything").err
    assert "no Integration" in run(*add, "webhook", "--address-file", address, "--integration", "nowhere").err
    assert "--address-file" in run(*add, "webhook").err
    assert "not set" in run(*add, "webhook", "--address-env", "NOT_SET_ANYWHERE").err
    assert "cannot be read" in run(*add, "webhook", "--address-file", "nothing").err
    assert "no channel" in run("channel", "test", "nothing").err
    assert not Channel.objects.of(workspace).exists()
