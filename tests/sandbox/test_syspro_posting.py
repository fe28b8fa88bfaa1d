"""What all business objects of the SYSPRO stand-in have in common when they write."""

import pytest
from tests.sandbox.syspro_client import ROOTS, Client, element, parsed, said, text

from ml_connector import sandbox
from ml_connector.sandbox.syspro.schema import TABLES

DEAD = "ERROR: The supplied UserID is invalid."
MONDAY = "2026-11-16T12:00:00Z"

INVOICE = {
    "Supplier": "PAK003",
    "Invoice": "PK-600",
    "TransactionValue": "10.00",
    "LedgerDistribution": {"LedgerCode": "10-6200", "LedgerValue": "10.00"},
}
JOURNAL = {
    "AuthorizeJournal": "A",
    "PostJournal": "Y",
    "JournalReference": "mlcTEST",
    "JournalDetails": [
        {"LedgerCode": "10-6100", "EntryAmount": "5.00"},
        {"LedgerCode": "10-6200", "EntryAmount": "-5.00"},
    ],
}
SUPPLIER = {
    "Key": {"Supplier": "NEW006"},
    "SupplierName": "New Supplies",
    "Branch": "10",
    "TermsCode": "30",
    "Currency": "USD",
}
ORDER = {
    "OrderHeader": {"OrderActionType": "A", "Supplier": "PAK003", "CustomerPoNumber": "PF1 mlcTEST"},
    "OrderDetails": {
        "StockLine": {
            "LineActionType": "A",
            "StockCode": "BOX",
            "Warehouse": "**",
            "OrderQty": "1",
            "Price": "10",
            "LedgerCode": "10-6200",
        }
    },
}
RUN = {"AddPaymentRun": {"Bank": "MAIN"}}
PAYMENT = {
    "PaymentNumber": "R1",
    "Supplier": "PAK003",
    "Cheque": "700",
    "ChequeValue": "100.00",
    "ReleasedInvoice": {"Invoice": "PK-500", "GrossPayValue": "100.00"},
}
VOID = {"PaymentNumber": "R0", "Supplier": "PAK003", "Cheque": "1"}

# business object: path, item element, item, parameters, and the table with what a row of it has to show
WRITES = {
    "APSTIN": ("/Transaction/Post", "Item", INVOICE, {}, ("ApInvoice", "Invoice", "PK-600")),
    "GENTJL": ("/Transaction/Post", "Item", JOURNAL, {}, ("GenJournalCtl", "Reference", "mlcTEST")),
    "APSSSP": ("/Setup/Add", "Item", SUPPLIER, {}, ("ApSupplier", "Supplier", "NEW006")),
    "PORTOI": (
        "/Transaction/Post",
        "Orders",
        ORDER,
        {"AllowNonStockItems": "Y"},
        ("PorMasterHdr", "CustomerPoNumber", "PF1 mlcTEST"),
    ),
    "APSTPY": ("/Transaction/Post", "Item", RUN, {}, ("ApPayRunHdr", "PaymentType", "")),
    "APSTPM": ("/Transaction/Post", "Item", PAYMENT, {}, ("ApPayRunDet", "Cheque", 700)),
    "APSTPV": ("/Transaction/Post", "Item", VOID, {}, ("ApInvoicePay", "TrnType", "V")),
}


@pytest.fixture
def syspro():
    with sandbox.start("syspro", options={"base_set": "bill"}) as stand_in:
        stand_in.clock(now=MONDAY, running=False)
        stand_in.edit("ApPayRunHdr", {"PaymentNumber": "R1", "PostCurrency": "USD", "PaymentType": "M"})
        yield stand_in


@pytest.fixture
def enet(syspro):
    client = Client(syspro).logon()
    yield client
    client.close()


def effects(syspro, code):
    """How many rows show what the write was for."""
    table, column, value = WRITES[code][4]
    return sum(row[column] == value for row in syspro.state(table))


def write(enet, syspro, code, **parameters):
    """The write of a business object; for a void there is a cheque to be voided before."""
    path, item, content, given, _ = WRITES[code]
    if code == "APSTPV" and not any(row["PaymentNumber"] == "R0" for row in syspro.state("ApPayRunHdr")):
        syspro.edit("ApPayRunHdr", {"PaymentNumber": "R0", "PostCurrency": "USD", "PaymentType": "M"})
        cheque = {**PAYMENT, "PaymentNumber": "R0", "Cheque": "1"}
        assert said(enet.post("APSTPM", cheque)) == []
    return enet.say(code, content, path=path, item=item, **given, **parameters)


# --- every write -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", WRITES)
def test_a_write_goes_in_once(enet, syspro, code):
    assert said(parsed(write(enet, syspro, code))) == []
    assert effects(syspro, code) == 1


@pytest.mark.parametrize("code", WRITES)
def test_a_mere_validation_answers_like_a_post_and_writes_nothing(enet, syspro, code):
    first = parsed(write(enet, syspro, code, ValidateOnly="Y"))
    assert said(first) == []
    assert effects(syspro, code) == 0
    posted = parsed(write(enet, syspro, code))
    assert effects(syspro, code) == 1
    assert first.tag == posted.tag
    counters = [[one.text for one in root[-1] if "Item" in one.tag or "Record" in one.tag] for root in (first, posted)]
    assert counters[0] == counters[1]


@pytest.mark.parametrize("code", WRITES)
def test_an_unlicensed_business_object_answers_100000_to_site_and_operator(enet, syspro, code):
    syspro.options({"unlicensed": [code]})
    path, item, content, given, _ = WRITES[code]
    assert enet.say(code, content, path=path, item=item, **given) == b"ERROR: e.net exception raised: 100000"
    syspro.options({"unlicensed": []})
    for denied in ([code], ["*"]):
        syspro.edit("operators", {"OperatorCode": "MLCONN", "NotLicensed": denied})
        assert enet.say(code, content, path=path, item=item, **given) == b"ERROR: e.net exception raised: 100000"
    assert effects(syspro, code) == 0


@pytest.mark.parametrize("code", WRITES)
def test_a_session_that_a_person_took_writes_nothing(enet, syspro, code):
    write(enet, syspro, code, ValidateOnly="Y")
    syspro.edit("actions", {"do": "log_in", "operator": "MLCONN"})
    path, item, content, given, _ = WRITES[code]
    assert enet.say(code, content, path=path, item=item, **given).decode().startswith(DEAD)
    assert effects(syspro, code) == 0


@pytest.mark.parametrize(
    ("fault", "committed"),
    [
        ({"do": "reset"}, 0),
        ({"do": "status", "status": 503}, 0),
        ({"do": "expire_session"}, 0),
        ({"do": "in_band_error", "text": "Disk full"}, 0),
        ({"do": "commit_then_reset"}, 1),
        ({"do": "commit_then_status", "status": 504}, 1),
        ({"do": "commit_then_expire_session"}, 1),
        ({"do": "truncate"}, 1),
        ({"do": "garble"}, 1),
        ({"do": "empty"}, 1),
        ({"do": "late_commit", "seconds": 60, "status": 504}, 0),
    ],
    ids=lambda value: value["do"] if isinstance(value, dict) else None,
)
@pytest.mark.parametrize("code", WRITES)
def test_a_fault_hits_a_write_before_or_after_it_took_effect(enet, syspro, code, fault, committed):
    write(enet, syspro, code, ValidateOnly="Y")
    path, item, content, given, _ = WRITES[code]
    syspro.faults([{"match": {"path": f"*{path}"}, "times": 1, **fault}])
    arguments = enet.arguments(code, content, given, item=item)
    try:
        answer = enet.http.get(f"{enet.base}{path}", params=arguments)
        whole = answer.status_code == 200 and answer.content.endswith(b">\n ")
    except Exception as error:  # a reset or an end in the middle, in the client library's own classes
        assert "httpx" in type(error).__module__
        whole = False
    assert not whole
    assert effects(syspro, code) == committed
    if fault["do"] == "late_commit":
        syspro.clock(advance=61)
        assert effects(syspro, code) == 1


@pytest.mark.parametrize("code", WRITES)
def test_a_large_document_goes_in_by_postld_but_a_setup(enet, syspro, code):
    write(enet, syspro, code, ValidateOnly="Y")
    _, item, content, given, _ = WRITES[code]
    arguments = enet.arguments(code, content, given, item=item)
    arguments["XmlIn"] = arguments["XmlIn"].replace("</", " " * 40_000 + "</", 1)
    body = element("TransactionPostLD", arguments).replace(
        "<TransactionPostLD>", '<TransactionPostLD xmlns="http://SYSPROWcfService">', 1
    )
    answer = enet.http.post(
        f"{enet.base}/Transaction/PostLD", content=body.encode(), headers={"Content-Type": "application/xml"}
    )
    if code == "APSSSP":
        assert answer.text == "ERROR: e.net exception raised: 100000"
    else:
        assert said(parsed(answer.content)) == []
        assert effects(syspro, code) == 1
        assert enet.http.get(f"{enet.base}/Transaction/Post", params=arguments).status_code == 414


def test_a_site_may_be_without_postld(enet, syspro):
    syspro.options({"large_posts": False})
    assert enet.http.post(f"{enet.base}/Transaction/PostLD", content=b"<x/>").status_code == 404


# --- documents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", WRITES)
@pytest.mark.parametrize("xml", ["", "<Post", "<Wrong/>", "plain"])
def test_a_document_that_is_none_is_an_error_text(enet, code, xml):
    path = WRITES[code][0]
    params = {"UserId": enet.user_id, "BusinessObject": code, "XmlParameters": "", "XmlIn": xml}
    answer = enet.http.get(f"{enet.base}{path}", params=params)
    assert answer.status_code == 200
    assert answer.text.startswith("ERROR: ")


@pytest.mark.parametrize(
    "parameters", ["", "<Parameters />", "<PostApInvoice/>", "<PostApInvoice><Parameters/></PostApInvoice>"]
)
def test_parameters_may_have_nothing_to_say(enet, syspro, parameters):
    params = {"UserId": enet.user_id, "BusinessObject": "APSTIN", "XmlParameters": parameters}
    answer = enet.http.get(
        f"{enet.base}/Transaction/Post", params={**params, "XmlIn": element("PostApInvoice", {"Item": INVOICE})}
    )
    assert said(parsed(answer.content)) == []
    assert effects(syspro, "APSTIN") == 1


@pytest.mark.parametrize("code", WRITES)
def test_a_document_without_items_counts_to_nothing(enet, code):
    path, *_ = WRITES[code]
    params = {"UserId": enet.user_id, "BusinessObject": code, "XmlParameters": "", "XmlIn": f"<{ROOTS[code]}/>"}
    answer = parsed(enet.http.get(f"{enet.base}{path}", params=params).content)
    assert len(answer) == 1
    assert {int(one.text or 0) for one in answer[0] if not len(one)} == {0}


def test_a_transaction_is_no_setup_and_the_other_way_round(enet):
    for code, path in (("APSTIN", "/Setup/Add"), ("APSSSP", "/Transaction/Post"), ("SORTOI", "/Transaction/Post")):
        params = {"UserId": enet.user_id, "BusinessObject": code, "XmlIn": "<x/>"}
        assert enet.http.get(f"{enet.base}{path}", params=params).text == "ERROR: e.net exception raised: 100000"


# --- several items ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("whole", "posted"), [("Y", []), ("N", ["PK-600", "PK-602"])])
def test_one_bad_item_stops_all_or_only_itself(enet, syspro, whole, posted):
    items = [{**INVOICE, "Invoice": f"PK-60{n}"} for n in range(3)]
    items[1]["Supplier"] = "NOBODY"
    answer = enet.post("APSTIN", items, ApplyIfEntireDocumentValid=whole)
    held = [row["Invoice"] for row in syspro.state("ApInvoice") if row["Invoice"].startswith("PK-60")]
    assert held == posted
    assert [text(item, "Invoice") or text(item, "Transaction/Invoice") for item in answer.findall("Item")] == [
        "PK-600",
        "PK-601",
        "PK-602",
    ]
    assert [item.find("Transaction") is not None for item in answer.findall("Item")] == [
        name in posted for name in ("PK-600", "PK-601", "PK-602")
    ]
    assert len(said(answer)) == 1
    counters = answer.find("StatusOfItems")
    assert int(counters.findtext("ItemsProcessed")) == len(posted)
    assert int(counters.findtext("ItemsInvalid")) == 1


def test_the_second_of_two_equal_items_is_a_duplicate(enet, syspro):
    answer = enet.post("APSTIN", [INVOICE, INVOICE])
    assert len(said(answer)) == 1
    assert effects(syspro, "APSTIN") == 1


def test_what_was_taken_back_uses_up_no_numbers(enet):
    for _ in range(3):
        enet.post("APSTIN", INVOICE, ValidateOnly="Y")
        enet.post("APSTIN", {**INVOICE, "Supplier": "NOBODY"}, ApplyIfEntireDocumentValid="Y")
    answer = enet.post("APSTIN", INVOICE)
    assert text(answer, "Item/Transaction/Key/Journal") == "01047"
    assert text(answer, "StatusOfItems/GlJournal/GlJournal") == "00001"


def test_what_was_taken_back_leaves_every_table_as_it_was(enet, syspro):
    before = {name: syspro.state(name) for name in TABLES}
    for code, (path, item, content, given, _) in WRITES.items():
        if code != "APSTPV":
            enet.say(code, content, path=path, item=item, **given, ValidateOnly="Y")
    assert {name: syspro.state(name) for name in TABLES} == before


# --- visible later ---------------------------------------------------------------------------------------


def test_a_post_may_be_seen_only_after_a_while_on_the_held_clock(enet, syspro):
    syspro.options({"settle_seconds": 300})
    enet.post("APSTIN", INVOICE)
    assert enet.find("ApInvoice", "Invoice", "PK-600", "Supplier") == []
    assert enet.odata("ApInvoice", "Invoice eq 'PK-600'") == []
    assert effects(syspro, "APSTIN") == 1
    syspro.clock(advance=299)
    assert enet.find("ApInvoice", "Invoice", "PK-600", "Supplier") == []
    syspro.clock(advance=1)
    assert enet.find("ApInvoice", "Invoice", "PK-600", "Supplier") == [("PAK003",)]
    assert len(enet.odata("ApInvoice", "Invoice eq 'PK-600'")) == 1


def test_a_change_that_has_not_settled_shows_the_row_as_it_was(enet, syspro):
    syspro.options({"settle_seconds": 300})
    credit = {**INVOICE, "Invoice": "PK-500", "TransactionCode": "C"}
    enet.post("APSTIN", credit)
    syspro.clock(advance=100)
    enet.post("APSTIN", credit)
    balances = []
    for seconds in (0, 200, 100):
        syspro.clock(advance=seconds)
        [(balance,)] = enet.find("ApInvoice", "Invoice", "PK-500", "MthInvBal1")
        balances.append(balance)
    assert balances == ["600.00", "590.00", "580.00"]


def test_odata_alone_may_lag(enet, syspro):
    syspro.options({"settle_seconds": 300, "settles": "odata"})
    enet.post("APSTIN", INVOICE)
    assert enet.find("ApInvoice", "Invoice", "PK-600", "Supplier") == [("PAK003",)]
    assert enet.odata("ApInvoice", "Invoice eq 'PK-600'") == []


def test_a_second_post_of_what_is_not_seen_yet_is_refused_all_the_same(enet, syspro):
    syspro.options({"settle_seconds": 300})
    enet.post("APSTIN", INVOICE)
    assert [path for path, *_ in said(enet.post("APSTIN", INVOICE))] == ["Invoice"]
