"""Pages, filters, order, CSV."""

import csv
import io

import pytest
from tests.sandbox.procurify.conftest import errors, vendor

BILLS = "/api/v3/ap/bills/"
ORDERS = "/api/v2/purchase_orders/purchased/all/"
RECEIPTS = "/api/v3/receipt/items/"


def numbers(api, **query):
    return sorted(row["invoice_number"] for row in api.rows(BILLS, **query))


def orders(api, path=ORDERS, **query):
    return sorted(row["number"] for row in api.rows(path, **query))


def test_pages_follow_each_other(api):
    first = api.answer(BILLS)["metadata"]["pagination"]
    assert first == {
        "count": 12,
        "next": f"{api.stand_in.url}{BILLS}?page=2",
        "previous": None,
        "page_size": 10,
        "num_pages": 2,
        "current_page": 1,
    }
    seen = []
    path, query = BILLS, {"page_size": 5, "search": "-"}
    while path:
        body = api.answer(path, **query)
        seen += [row["id"] for row in body["data"]]
        path, query = body["metadata"]["pagination"]["next"], {}
    assert seen == [12, 11, 10, 8, 7, 6, 5, 4, 3, 2, 1]


def test_next_may_name_another_host(api):
    api.stand_in.options({"next_origin": "https://rilling.procurify.com"})
    link = api.answer(BILLS, page_size=5, page=2)["metadata"]["pagination"]
    assert link["next"] == f"https://rilling.procurify.com{BILLS}?page_size=5&page=3"
    assert link["previous"] == f"https://rilling.procurify.com{BILLS}?page_size=5&page=1"


def test_a_page_beyond_the_last_and_sizes_beyond_the_limit(api):
    reply = api.get(BILLS, page=3)
    assert (reply.status_code, reply.json()) == (404, {"detail": "Invalid page."})
    assert api.get(BILLS, page=0).status_code == 404
    assert api.get(BILLS, page="x").status_code == 404
    assert errors(api.get(BILLS, page_size=0)) == {"page_size": "INVALID"}
    api.stand_in.options({"max_page_size": 4})
    assert api.answer(BILLS, page_size=1000)["metadata"]["pagination"]["page_size"] == 4
    api.stand_in.options({"beyond_last_page": "empty"})
    assert api.answer(BILLS, page=9)["data"] == []


def test_the_pagination_stands_in_one_of_two_places(api):
    assert set(api.answer(RECEIPTS)) == {"pagination", "data"}
    methods = "/api/v2/ap/vendor-payment-methods/"
    api.stand_in.edit("payment-methods", {"name": "Bank", "vendor": 2})
    assert set(api.answer(methods)) == {"metadata", "data"}
    api.stand_in.options({"method_pagination": "top"})
    assert set(api.answer(methods)) == {"pagination", "data"}


def test_rows_that_move_between_pages_come_twice(api):
    api.stand_in.options({"repeat_last_row": True})
    pages = [api.answer(BILLS, page_size=5, page=page)["data"] for page in (1, 2, 3)]
    assert [row["id"] for row in pages[1]] == [8, 7, 6, 5, 4, 3]
    assert len({row["id"] for page in pages for row in page}) == 12


def test_bills_are_asked_for_by_the_instant_of_their_change(api):
    assert numbers(api, last_modified_datetime_0="2026-11-14T18:11:00Z") == ["HU-2203", "PK-502-2026-NOVEMBER-0042"]
    assert numbers(api, last_modified_datetime_0="2026-11-14T12:11:00.000001-06:00") == ["HU-2203"]
    assert numbers(api, last_modified_datetime_1="2026-11-09T18:03:00+00:00") == ["NK-77"]
    api.stand_in.clock(now="2026-11-16T13:00:00.250Z")
    api.do("edit_bill", invoice="ELC-1002", fields={"due_date": "2026-12-18T00:00:00Z"})
    assert numbers(api, last_modified_datetime_0="2026-11-16T13:00:00.25Z") == ["ELC-1002"]
    assert errors(api.get(BILLS, last_modified_datetime_0="2026-11-16")) == {"last_modified_datetime_0": "INVALID"}


def test_orders_are_asked_for_by_days_of_the_site(api):
    assert orders(api, modified_date_0="2026-11-05") == ["PF151", "PF152"]
    assert orders(api, modified_date_0="2026-11-05", modified_date_1="2026-11-05") == ["PF151"]
    api.stand_in.edit("purchase-orders", {"procurify_PO": 1, "last_modified": "2026-11-16T03:00:00Z"})
    assert orders(api, modified_date_0="2026-11-16") == ["PF150"]
    api.stand_in.options({"time_zone": "America/Vancouver"})
    assert orders(api, modified_date_0="2026-11-16") == []
    assert orders(api, modified_date_0="2026-11-15") == ["PF150"]
    assert errors(api.get(ORDERS, modified_date_0="2026-11-15T00:00:00Z")) == {"modified_date_0": "INVALID"}


def test_vendors_have_no_filter_by_change_and_an_unknown_one_returns_everything(api):
    assert len(api.rows("/api/v3/vendors/", modified_date_0="2030-01-01")) == 7
    assert len(numbers(api, status=0)) == 12


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"vendor": 6}, ["HU-2201", "HU-2202", "HU-2203"]),
        ({"vendor[]": "3,5"}, ["NK-77", "TF-90"]),
        ({"currency": 2}, ["NK-77"]),
        ({"has_posting_date": "false"}, ["HU-2202"]),
        ({"invoice_date_1": "2026-09-30"}, ["HU-2202"]),
        ({"due_date_0": "2026-12-13"}, ["ELC-1004", "PK-502-2026-NOVEMBER-0042"]),
        ({"account_code": 8}, ["HU-2201"]),
        ({"search": "pk-50"}, ["PK-500", "PK-501", "PK-502-2026-NOVEMBER-0042"]),
        ({"has_payment": "true"}, []),
        ({"type": 1}, []),
    ],
)
def test_filters_of_bills(api, query, expected):
    assert numbers(api, **query) == expected


def test_several_values_may_be_given_by_repeating(api):
    reply = api.http.get(f"{BILLS}?vendor[]=3&vendor[]=5")
    assert sorted(row["invoice_number"] for row in reply.json()["data"]) == ["NK-77", "TF-90"]
    reply = api.http.get("/api/v3/vendors/?type__in=employee&type__in=other")
    assert [row["id"] for row in reply.json()["data"]] == [1, 7]


def test_every_parameter_that_cannot_be_taken_is_named(api):
    assert errors(api.get(BILLS, currency="x", has_payment=2, due_date_0="16.11.2026", type=9)) == dict.fromkeys(
        ("currency", "has_payment", "due_date_0", "type"), "INVALID"
    )


def test_order_by_sorts_by_a_field_and_only_payments_say_which(api):
    names = [row["name"] for row in api.rows("/api/v3/vendors/", order_by="-name")]
    assert names == sorted(names, reverse=True)
    assert api.get("/api/v3/vendors/", order_by="nothing").status_code == 200
    assert errors(api.get("/api/public/v1/payments/", order_by="amount")) == {"order_by": "INVALID"}


def test_a_list_or_a_document_as_csv(api):
    reply = api.get("/api/v3/account-codes/", format="csv")
    assert reply.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert (len(rows), rows[0]["code"], rows[0]["parent"]) == (8, "10-2250", "")
    assert "PF150" in api.get("/api/v2/purchase_orders/1/", format="csv").text
    assert api.get("/api/v3/account-codes/", format="xml").status_code == 404


def test_a_write_asked_for_in_a_format_that_there_is_not_changes_nothing(api):
    assert api.call("POST", "/api/v3/vendors/", vendor(), format="xml").status_code == 404
    assert len(api.stand_in.state("vendors")) == 7
    reply = api.call("POST", "/api/v3/vendors/", vendor(), format="csv")
    assert (reply.status_code, reply.headers["content-type"]) == (201, "text/csv; charset=utf-8")
    assert len(api.stand_in.state("vendors")) == 8
