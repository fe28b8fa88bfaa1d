"""How a Flow writes to SYSPRO: what a pair can name, what it means where it is not named, and what is refused."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from ml_connector.systems.base import Refused
from ml_connector.systems.syspro import policies as declared
from ml_connector.systems.syspro.policies import DECLARED, Policies, policies

from .conftest import Pair

TUPLES = {
    "invoice": declared.INVOICES,
    "journal_entry": declared.JOURNALS,
    "supplier": declared.SUPPLIERS,
    "purchase_order": declared.ORDERS,
    "payment": declared.PAYMENTS,
}


def test_every_policy_is_declared_explained_and_has_a_default_that_it_may_have() -> None:
    assert set(DECLARED) == {each.name for each in fields(Policies)}
    for setting in DECLARED.values():
        assert setting.help.endswith(".")
        assert isinstance(setting.default, setting.type)
        assert not setting.choices or setting.default in setting.choices


def test_what_is_not_named_is_as_declared() -> None:
    assert policies({}) == policies(dict.fromkeys(DECLARED))
    assert policies({}) == policies({name: setting.default for name, setting in DECLARED.items()})


def test_what_a_target_is_told_besides_means_nothing_here() -> None:
    assert policies({"only": "credit_note", "source_label": "Basware", "highest_amount": "1"}) == policies({})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"closed_period": "next"}, "hold, current, ask"),
        ({"rate": "mine"}, "syspro, document"),
        ({"validate_first": "yes"}, "true, false"),
        ({"owns": ["name", "bank_account"]}, "bank_account"),
        ({"owns": "everything"}, "everything"),
    ],
)
def test_a_value_that_a_policy_cannot_have_is_refused_before_anything_is_asked(
    pair: Pair, given: dict[str, Any], said: str
) -> None:  # R52
    for record_type in TUPLES:
        with pytest.raises(Refused, match=said) as refused:
            pair.target(record_type, given)
        assert (refused.value.code, refused.value.field) == ("bad_setting", next(iter(given)))
    assert pair.syspro.requests() == []


@pytest.mark.parametrize("record_type", TUPLES)
def test_a_flow_of_each_record_type_can_name_its_policies(pair: Pair, record_type: str) -> None:
    given = {setting.name: (setting.choices or (setting.default,))[-1] for setting in TUPLES[record_type]}
    target = pair.target(record_type, given)
    assert all(callable(getattr(target, name)) for name in ("find", "get", "create", "update", "cancel"))
