"""List calls: pages, filters, sorting."""

import httpx2
import pytest


@pytest.fixture
def six(bill):
    """Six vendors, one minute apart, V3 archived."""
    ids = []
    for number in range(6):
        bill.stand_in.clock(advance=60)
        ids.append(bill.vendor(f"V{number}", billCurrency="EUR" if number % 2 else "USD")["id"])
    bill.post(f"/vendors/{ids[3]}/archive")
    return ids


def names(rows):
    return [row["name"] for row in rows]


def all_pages(bill, path, **params):
    found, token = [], None
    while True:
        reply = bill.get(path, **params, **({"page": token} if token else {})).json()
        found += reply["results"]
        token = reply.get("nextPage")
        if not token:
            return found


def test_a_page_has_20_rows_by_default(bill):
    bill.stand_in.edit("vendors", [{"name": f"V{n}"} for n in range(25)])
    assert len(bill.rows("/vendors")) == 20
    bill.stand_in.options({"list_default_max": 100})
    assert len(bill.rows("/vendors")) == 25


@pytest.mark.parametrize(("size", "status"), [("1", 200), ("100", 200), ("0", 400), ("101", 400), ("x", 400)])
def test_max_is_1_to_100(bill, size, status):
    assert bill.get("/vendors", max=size).status_code == status


def test_pages_are_followed_by_opaque_tokens(bill, six):
    assert names(all_pages(bill, "/vendors", max=4, sort="name:desc")) == ["V5", "V4", "V3", "V2", "V1", "V0"]
    first = bill.get("/vendors", max=4).json()
    assert "prevPage" not in first
    second = bill.get("/vendors", max=4, page=first["nextPage"]).json()
    assert "nextPage" not in second
    assert names(bill.rows("/vendors", max=4, page=second["prevPage"])) == names(first["results"])


def test_a_token_belongs_to_its_list_call(bill, six):
    token = bill.get("/vendors", max=2).json()["nextPage"]
    assert bill.get("/vendors", max=2, page=token, sort="name:asc").status_code == 400
    assert bill.get("/vendors", max=2, page="rubbish").status_code == 400


def names_of_two_pages_with_a_change_between_them(bill):
    query = {"max": 3, "sort": "updatedTime:asc", "filters": "archived:eq:false"}
    first = bill.get("/vendors", **query).json()
    bill.stand_in.clock(advance=60)
    bill.patch(f"/vendors/{first['results'][0]['id']}", {"phone": "1"})
    return names(first["results"]) + names(bill.rows("/vendors", **query, page=first["nextPage"]))


def test_a_row_that_changes_between_two_pages_hides_another_one(bill, six):
    assert names_of_two_pages_with_a_change_between_them(bill) == ["V0", "V1", "V2", "V5", "V0"]  # no V4


def test_snapshot_pages_show_every_row(bill, six):
    bill.stand_in.options({"page_tokens": "snapshot"})
    assert names_of_two_pages_with_a_change_between_them(bill) == ["V0", "V1", "V2", "V4", "V5"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("name:eq:V2", ["V2"]),
        ('name:eq:"V2"', ["V2"]),
        ('name:sw:"V"', ["V0", "V1", "V2", "V3", "V4", "V5"]),
        ("archived:eq:true", ["V3"]),
        ("archived:ne:true,billCurrency:eq:EUR", ["V1", "V5"]),
        ('billCurrency:in:"EUR,CAD"', ["V1", "V3", "V5"]),
        ('billCurrency:nin:"EUR,CAD"', ["V0", "V2", "V4"]),
        ("address.country:eq:US,name:eq:V1", ["V1"]),
        ('createdTime:gt:"2026-11-16T06:05:00.000Z"', ["V5"]),
        ('createdTime:gte:"2026-11-16T06:05"', ["V4", "V5"]),
        ('createdTime:lt:"2026-11-16T07:02:00.000+01:00"', ["V0"]),
        ('updatedTime:gte:"2026-11-16T06:06:00.000+00:00"', ["V3", "V5"]),
    ],
)
def test_vendors_are_filtered(bill, six, filters, expected):
    assert names(bill.rows("/vendors", filters=filters, sort="name:asc")) == expected


def test_an_id_can_be_searched(bill, six):
    assert names(bill.rows("/vendors", filters=f'id:in:"{six[0]},{six[4]}"')) == ["V0", "V4"]


@pytest.mark.parametrize(
    ("path", "filters", "code"),
    [
        ("/vendors", "shortName:eq:x", "BDC_1130"),
        ("/vendors", "name:gt:x", "BDC_1131"),
        ("/vendors", "name:like:x", "BDC_1131"),
        ("/vendors", "name", "BDC_1131"),
        ("/vendors", "archived:eq:maybe", "BDC_1119"),
        ("/vendors", "updatedTime:gte:2026-11-16T06:00:00.000Z", "BDC_1119"),
        ("/vendors", 'updatedTime:gte:"yesterday"', "BDC_1119"),
        ("/vendors", "name:sw:V", "BDC_1119"),
        ("/vendors", "billCurrency:in:USD", "BDC_1119"),
        ("/bills", "amount:eq:1", "BDC_1130"),
        ("/bills", "dueDate:eq:2026-01-01", "BDC_1131"),
        ("/payments", "billId:eq:00nx", "BDC_1130"),
    ],
)
def test_what_is_not_documented_cannot_be_filtered(bill, refused, path, filters, code):
    assert refused(bill.get(path, filters=filters))[:2] == (400, code)


@pytest.mark.parametrize("sort", ["id:asc", "name", "name:up"])
def test_what_is_not_documented_cannot_be_sorted(bill, sort):
    assert bill.get("/vendors", sort=sort).status_code == 400


def test_rows_are_sorted_by_several_fields(bill, six):
    rows = bill.rows("/vendors", sort="billCurrency:desc,name:desc")
    assert names(rows) == ["V4", "V2", "V0", "V5", "V3", "V1"]


def test_a_value_with_a_comma_or_colon_can_be_quoted(bill):
    bill.vendor("Hydra: Water, Inc.")
    assert names(bill.rows("/vendors", filters='name:eq:"Hydra: Water, Inc."')) == ["Hydra: Water, Inc."]


def test_a_blank_can_be_sent_as_a_plus_or_percent_encoded(bill):
    bill.vendor("Hydra Utilities")
    base = f"{bill.stand_in.settings['base_url']}/v3/vendors?filters="
    for query in ("name:eq:Hydra+Utilities", "name%3Aeq%3AHydra%20Utilities"):
        assert len(bill.http.get(httpx2.URL(base + query)).json()["results"]) == 1


def test_a_bare_parameter_is_silently_ignored(bill, vendor):
    bill.bill(vendor, "1")
    bill.bill(vendor, "2")
    assert len(bill.rows("/bills", invoiceNumber="1")) == 2


def test_bills_are_found_by_vendor_and_perhaps_by_invoice_number(bill, vendor, refused):
    other = bill.vendor("Other")["id"]
    mine = bill.bill(vendor, "1")["id"]
    bill.bill(other, "1")
    assert [row["id"] for row in bill.rows("/bills", filters=f"vendorId:eq:{vendor}")] == [mine]
    number = f"invoice.invoiceNumber:eq:1,vendorId:eq:{vendor}"
    assert [row["id"] for row in bill.rows("/bills", filters=number)] == [mine]
    bill.stand_in.options({"bills_filter_invoice_number": "reject"})
    assert refused(bill.get("/bills", filters=number))[:2] == (400, "BDC_1130")


def test_archived_rows_are_in_the_list_unless_set_otherwise(bill, six):
    assert "V3" in names(bill.rows("/vendors"))
    bill.stand_in.options({"list_includes_archived": False})
    assert "V3" not in names(bill.rows("/vendors"))
    assert names(bill.rows("/vendors", filters="archived:eq:true")) == ["V3"]


def test_payments_are_listed_also_when_archived_rows_are_not(bill, vendor):
    bill.stand_in.options({"list_includes_archived": False})
    bill.stand_in.edit("payments", {"billId": bill.bill(vendor)["id"], "amount": 1})
    assert len(bill.rows("/payments")) == 1


def test_a_vendors_bills_are_found_quickly_among_ten_thousand(bill, vendor):
    rows = [{"vendorId": f"009{n % 500}", "invoice": {"invoiceNumber": f"N{n}"}, "amount": 1} for n in range(10_000)]
    bill.stand_in.edit("bills", rows)
    mine = bill.bill(vendor)["id"]
    reply = bill.get("/bills", filters=f"vendorId:eq:{vendor}", sort="updatedTime:asc", max=100)
    assert [row["id"] for row in reply.json()["results"]] == [mine]
    assert bill.stand_in.requests()[-1]["seconds"] < 0.05
