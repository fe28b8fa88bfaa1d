"""Links into the systems' own pages lead to the configured host over https and nowhere else."""

from __future__ import annotations

import pytest

from ml_connector.integrations import SYSTEMS
from ml_connector.systems.weblinks import page_address

SET = {"web_address": "https://erp.example", "web_pages": {"invoice": "/ap/{key}?n={number}", "supplier": "/s/{key}"}}


def test_a_page_is_put_together_of_address_path_and_key():
    assert page_address(SET, "invoice", "HYD/1", "HU 1") == "https://erp.example/ap/HYD%2F1?n=HU%201"
    assert page_address({**SET, "web_address": "https://erp.example:8443/web/"}, "supplier", "7", "") == (
        "https://erp.example:8443/web/s/7"
    )


def test_no_link_where_nothing_is_set():
    assert page_address({}, "invoice", "1", "1") == ""
    assert page_address(SET, "credit_note", "1", "1") == ""
    assert page_address(SET, "invoice", "", "1") == "", "not in the target yet"


@pytest.mark.parametrize(
    "address",
    [
        "http://erp.example",
        "javascript:alert(1)//",
        "//erp.example",
        "erp.example",
        "https://",
        "https://a@erp.example",
    ],
)
def test_only_https_and_a_plain_host(address):
    assert page_address({**SET, "web_address": address}, "invoice", "1", "1") == ""


@pytest.mark.parametrize(
    "path", ["@evil.test/{key}", ".evil.test/{key}", "{key}", ":1/{key}", "/a b/{key}", "/\\x{key}"]
)
def test_a_path_never_changes_the_host(path):
    assert page_address({**SET, "web_pages": {"invoice": path}}, "invoice", "1", "1") == ""


@pytest.mark.parametrize(
    "key", ["//evil.test", "@evil.test/", "../../x", "\\evil.test", "javascript:alert(1)", "a#b?c"]
)
def test_a_key_from_outside_stays_one_part_of_the_path(key):
    address = page_address(SET, "supplier", key, "")
    assert address.startswith("https://erp.example/s/")
    assert not set(address.removeprefix("https://erp.example/s/")) & set("/\\@:#?")


def test_every_form_has_the_settings():
    for system in SYSTEMS.values():
        assert {"web_address", "web_pages"} <= {setting.name for setting in system.settings()}
