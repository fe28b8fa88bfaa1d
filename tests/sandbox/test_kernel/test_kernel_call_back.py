"""A system that calls its client before it answers."""

import asyncio

from ml_connector.sandbox.bill import BillStandIn


def test_a_request_is_handled_when_the_call_before_it_has_ended(caller, monkeypatch):
    happened = []

    async def call(stand_in, request):
        await asyncio.sleep(0.01)
        happened.append([row["name"] for row in stand_in.state("vendors")])

    monkeypatch.setattr(BillStandIn, "call_back", call)
    assert caller.create().status_code == 201
    assert happened == [[]]
    assert caller.names() == ["Pakko"]


def test_a_call_that_fails_leaves_the_request_to_be_handled(caller, monkeypatch, capfd):
    async def call(stand_in, request):
        raise RuntimeError("nobody there")

    monkeypatch.setattr(BillStandIn, "call_back", call)
    assert caller.create().status_code == 201
    assert "nobody there" in capfd.readouterr().err
