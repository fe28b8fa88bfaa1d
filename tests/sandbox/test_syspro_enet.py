"""The SYSPRO stand-in's e.net over REST, as a client meets it on a socket."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx2
import pytest

from ml_connector import sandbox

DEAD = (
    "ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)


@pytest.fixture(scope="module")
def running():
    with sandbox.start("syspro", seed=1, options={"invoices": 60}) as stand_in:
        yield stand_in


@pytest.fixture
def syspro(running):
    """The shared stand-in with nobody logged in and every switch as at the start."""
    before = running.options()
    running.edit("sessions", [{**row, "_delete": True} for row in running.state("sessions")])
    running.clear_requests()
    yield running
    running.options(before)
    running.faults([])
    running.clock()


@pytest.fixture
def enet(syspro):
    with httpx2.Client(timeout=10) as http:
        yield Enet(http, syspro)


class Enet:
    def __init__(self, http, syspro):
        self.http, self.base = http, syspro.settings["enet_rest_base"]
        self.credentials = {
            "Operator": syspro.settings["operator"],
            "OperatorPassword": syspro.secrets["operator_password"],
            "CompanyId": syspro.settings["company_id"],
            "CompanyPassword": syspro.secrets["company_password"],
        }

    def get(self, path, **params):
        answer = self.http.get(f"{self.base}{path}", params=params)
        assert answer.status_code == 200
        return answer

    def logon(self, **other):
        return self.get("/Logon", **{**self.credentials, **other}).text

    def find(self, user_id, table, where="", columns=("Supplier",), rows="", order=""):
        xml = "<Query><TableName>{}</TableName>{}<Columns>{}</Columns>{}<OrderBy>{}</OrderBy></Query>".format(
            table,
            f"<ReturnRows>{rows}</ReturnRows>" if rows else "",
            "".join(f"<Column>{column}</Column>" for column in columns),
            f"<Where>{where}</Where>" if where else "",
            "".join(f"<Column>{column}</Column>" for column in order.split()),
        )
        return self.get("/Query/Query", UserId=user_id, BusinessObject="COMFND", XmlIn=xml)

    def values(self, user_id, column, table="ApSupplier", **more):
        body = self.find(user_id, table, columns=(column,), **more).content.decode("cp1252")
        assert not body.startswith("ERROR"), body
        return [value.strip() for value in re.findall(rf"<Row>\n<{column}>(.*)</{column}>", body)]


def expression(column, condition, value, and_or="", opening="", closing=""):
    return (
        f"<Expression><AndOr>{and_or}</AndOr><OpenBracket>{opening}</OpenBracket><Column>{column}</Column>"
        f"<Condition>{condition}</Condition><Value>{value}</Value><CloseBracket>{closing}</CloseBracket></Expression>"
    )


# --- logon and sessions ----------------------------------------------------------------------------------


def test_a_logon_answers_a_bare_id_of_36_characters(enet):
    answer = enet.get("/logon", **enet.credentials)
    assert re.fullmatch(r"[0-9A-F]{32}00  ", answer.text)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["server"] == "Microsoft-HTTPAPI/2.0"
    assert answer.headers["content-length"] == "36"


@pytest.mark.parametrize(
    ("form", "pattern"), [("json", r'"[0-9A-F]{32}00  "'), ("xml", r"<string>[0-9A-F]{32}00  </string>")]
)
def test_some_versions_wrap_the_id(enet, syspro, form, pattern):
    syspro.options({"logon_answer": form})
    assert re.fullmatch(pattern, enet.logon())


def test_the_id_is_good_with_and_without_its_blanks(enet):
    user_id = enet.logon()
    assert "<UserInfo " in enet.get("/GetLogonProfile", UserId=user_id).text
    assert "<UserInfo " in enet.get("/getlogonprofile", userid=user_id.strip()).text


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"OperatorPassword": "nope"}, "ERROR: Invalid operator password"),
        ({"Operator": "NOBODY"}, "ERROR"),
        ({"CompanyId": "XXX"}, "ERROR"),
        ({"CompanyPassword": "x"}, "ERROR"),
    ],
)
def test_a_refused_logon_is_a_200_that_begins_with_error(enet, wrong, text):
    assert enet.logon(**wrong).startswith(text)


def test_a_logon_must_name_the_company_password_even_when_it_is_blank(enet):
    del enet.credentials["CompanyPassword"]
    assert enet.logon().startswith("ERROR")


def test_a_locked_operator_gets_no_session(enet, syspro):
    syspro.edit("operators", {"OperatorCode": "MLCONN", "OperatorLockedOut": "Y"})
    assert enet.logon().startswith("ERROR")
    syspro.edit("operators", {"OperatorCode": "MLCONN", "OperatorLockedOut": "N"})


def test_the_version_needs_no_logon(enet):
    assert re.fullmatch(r"[\d.]+", enet.get("/GetVersion").text)


def test_a_dead_session_is_told_in_exactly_these_words(enet):
    assert enet.get("/GetLogonProfile", UserId="0" * 32 + "00").text == DEAD


def test_log_off_answers_0_and_ends_the_session(enet):
    user_id = enet.logon()
    assert enet.get("/Logoff", UserId=user_id).text == "0"
    assert enet.get("/GetLogonProfile", UserId=user_id).text == DEAD


def test_log_off_of_another_instances_id_names_its_registry_value(enet):
    answer = enet.get("/Logoff", UserId="A" * 32 + "80").text
    assert answer == "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"


def test_a_second_logon_of_the_operator_ends_the_first(enet):
    first, second = enet.logon(), enet.logon()
    assert enet.get("/GetLogonProfile", UserId=first).text == DEAD
    assert "<UserInfo " in enet.get("/GetLogonProfile", UserId=second).text


def test_a_site_may_refuse_the_second_logon(enet, syspro):
    syspro.options({"second_logon": "refuse"})
    first = enet.logon()
    assert enet.logon().startswith("ERROR")
    assert "<UserInfo " in enet.get("/GetLogonProfile", UserId=first).text


def test_a_person_who_takes_the_operator_evicts_the_integration(enet, syspro):
    user_id = enet.logon()
    syspro.edit("actions", {"do": "log_in", "operator": "MLCONN"})
    assert enet.get("/GetLogonProfile", UserId=user_id).text == DEAD


def test_an_idle_session_dies_and_a_call_keeps_it_alive(enet, syspro):
    syspro.options({"idle_seconds": 600})
    syspro.clock(now="2026-11-16T12:00:00Z", running=False)
    user_id = enet.logon()
    for _ in range(3):
        syspro.clock(advance=500)
        assert "<UserInfo " in enet.get("/GetLogonProfile", UserId=user_id).text
    syspro.clock(advance=601)
    assert enet.get("/GetLogonProfile", UserId=user_id).text == DEAD


def test_a_session_can_be_expired_on_demand(enet, syspro):
    user_id = enet.logon()
    syspro.faults([{"match": {"path": "*/query/query"}, "do": "expire_session", "times": 1}])
    assert enet.find(user_id, "TblCurrency", columns=("Currency",)).text == DEAD


def test_the_profile_tells_company_dates_and_formats(enet, syspro):
    syspro.clock(now="2026-11-16T03:00:00Z", running=False)  # still the 15th in Chicago
    body = enet.get("/GetLogonProfile", UserId=enet.logon()).text
    assert "<CompanyDate>2026-11-15</CompanyDate>" in body
    assert "<LocalCurrencyCode>USD</LocalCurrencyCode>" in body
    assert "<DecimalFormat>1</DecimalFormat>" in body


def test_a_site_may_refuse_a_call_beside_another(enet, syspro):
    syspro.options({"parallel_calls": "refuse", "latency": 0.2})
    user_id = enet.logon()
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(enet.get, "/GetLogonProfile", UserId=user_id) for _ in range(2)]
        texts = sorted(call.result().text[:5] for call in calls)
    assert texts == ["<?xml", "ERROR"]
    assert syspro.summary()["max_in_flight"] == {"enet MLCONN": 2}


def test_secrets_do_not_reach_the_list_of_requests(enet, syspro):
    enet.get("/GetLogonProfile", UserId=enet.logon())
    listed = " ".join(request["query"] for request in syspro.requests())
    assert syspro.secrets["operator_password"] not in listed
    assert "UserId=***" in listed


# --- COMFND ----------------------------------------------------------------------------------------------


def test_comfnd_answers_in_the_recorded_form(enet):
    """Declaration, single-quoted root attributes, a newline after each tag, padded count, newline and blank."""
    where = expression("Currency", "EQ", "EUR")
    answer = enet.find(enet.logon(), "TblCurrency", where, ("Currency", "SellMulDiv", "IntermediateCur"))
    assert answer.content == (
        b'<?xml version="1.0" encoding="Windows-1252"?>\n'
        b"<TblCurrency Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' "
        b"Version='7.0.053' OperatorPrimaryRole='   '>\n"
        b"<HeaderDetails>\n<TableName>TblCurrency</TableName>\n"
        b"<Columns>\n<Column>Currency</Column>\n<Column>SellMulDiv</Column>\n<Column>IntermediateCur</Column>\n"
        b"</Columns>\n<OrderBy>\n</OrderBy>\n</HeaderDetails>\n"
        b"<Row>\n<Currency>EUR</Currency>\n<SellMulDiv>M</SellMulDiv>\n<IntermediateCur/>\n</Row>\n"
        b"<RowsReturned>       1</RowsReturned>\n</TblCurrency>\n "
    )
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("condition", "value", "found"),
    [
        ("EQ", "CAD", ["CAD"]),
        ("NE", "CAD", ["EUR", "GBP", "USD"]),
        ("GT", "EUR", ["GBP", "USD"]),
        ("GE", "EUR", ["EUR", "GBP", "USD"]),
        ("LT", "EUR", ["CAD"]),
        ("LE", "EUR", ["CAD", "EUR"]),
        ("LIKE", "*D", ["CAD", "USD"]),
        ("LIKE", "?BP", ["GBP"]),
        ("EQ", "cad", []),
    ],
)
def test_comfnd_has_seven_conditions(enet, condition, value, found):
    where = expression("Currency", condition, value)
    assert enet.values(enet.logon(), "Currency", table="TblCurrency", where=where) == found


def test_and_binds_closer_than_or_and_brackets_closer_than_both(enet):
    user_id = enet.logon()
    loose = (
        expression("Currency", "EQ", "USD")
        + expression("Currency", "EQ", "EUR", "Or")
        + expression("BuyExchangeRate", "GT", "2", "And")
    )
    tight = (
        expression("Currency", "EQ", "USD", "And", "((")
        + expression("Currency", "EQ", "EUR", "Or", "", ")")
        + expression("BuyExchangeRate", "GT", "2", "And", "", ")")
    )
    assert enet.values(user_id, "Currency", table="TblCurrency", where=loose) == ["USD"]
    assert enet.values(user_id, "Currency", table="TblCurrency", where=tight) == []


def test_a_table_is_read_in_pages_by_its_key(enet, syspro):
    user_id, seen, where = enet.logon(), [], ""
    while page := enet.values(user_id, "Supplier", where=where, rows=37, order="Supplier"):
        seen += page
        where = expression("Supplier", "GT", page[-1])
    assert seen == sorted(row["Supplier"] for row in syspro.state("ApSupplier"))


def test_a_composite_key_is_paged_with_brackets(enet, syspro):
    user_id, seen, where = enet.logon(), 0, ""
    columns = ("Supplier", "Invoice")
    while True:
        found = enet.find(user_id, "ApInvoice", where, columns, rows=7, order="Supplier Invoice")
        page = re.findall(r"<Supplier>(.*)</Supplier>\n<Invoice>(.*)</Invoice>", found.content.decode("cp1252"))
        seen += len(page)
        if len(page) < 7:
            break
        supplier, invoice = page[-1]
        where = (
            expression("Supplier", "GT", supplier)
            + expression("Supplier", "EQ", supplier, "Or", "(")
            + expression("Invoice", "GT", invoice, "And", "", ")")
        )
    assert seen == len(syspro.state("ApInvoice")) == 60


def test_without_return_rows_comfnd_gives_the_whole_table(enet):
    assert len(enet.values(enet.logon(), "Supplier")) == 200


def test_a_sequence_turns_the_order_round(enet):
    xml = (
        "<Query><TableName>TblCurrency</TableName><Columns><Column>Currency</Column></Columns>"
        '<OrderBy><Column>Currency</Column></OrderBy><Sequence><Column Name="Currency" Orderby="D"/></Sequence></Query>'
    )
    body = enet.get("/Query/Query", UserId=enet.logon(), BusinessObject="COMFND", XmlIn=xml).text
    assert re.findall("<Row>\n<Currency>(.*)</Currency>", body) == ["USD", "GBP", "EUR", "CAD"]


def test_numbers_come_padded_and_empty_dates_empty(enet):
    user_id = enet.logon()
    body = enet.find(user_id, "ApInvoice", columns=("OrigInvValue", "DiscountDate", "InvoiceDate"), rows=1).text
    assert re.search(r"<OrigInvValue> +\d+\.\d\d</OrigInvValue>", body)
    assert "<DiscountDate/>" in body
    assert re.search(r"<InvoiceDate>\d{4}-\d\d-\d\d</InvoiceDate>", body)


def test_text_outside_ascii_comes_in_windows_1252_bytes(enet, syspro):
    names = {row["SupplierName"]: row["Supplier"] for row in syspro.state("ApSupplier")}
    user_id = enet.logon()
    for name in ("“Best Fit” Fasteners Inc.", "Société Générale de Câbles"):
        body = enet.find(user_id, "ApSupplier", expression("Supplier", "EQ", names[name]), ("SupplierName",)).content
        assert f"<SupplierName>{name}</SupplierName>".encode("cp1252") in body


def test_a_value_may_be_percent_encoded_in_either_encoding(enet):
    user_id = enet.logon().strip()
    where = expression("SupplierName", "EQ", "Société Générale de Câbles")
    xml = (
        "<Query><TableName>ApSupplier</TableName><Columns><Column>Supplier</Column></Columns>"
        f"<Where>{where}</Where></Query>"
    )
    for encoding in ("utf-8", "cp1252"):
        url = f"{enet.base}/Query/Query?UserId={user_id}&BusinessObject=COMFND&XmlIn={quote(xml.encode(encoding))}"
        assert "<RowsReturned>       1</RowsReturned>" in enet.http.get(url).text


@pytest.mark.parametrize(
    ("table", "column"), [("APSUPPLIER", "Supplier"), ("ApSupplier", "supplier"), ("ApPosting", "Invoice")]
)
def test_names_of_tables_and_columns_are_case_sensitive(enet, table, column):
    assert enet.find(enet.logon(), table, columns=(column,)).text.startswith("ERROR: ")


def test_an_input_with_or_without_declaration_is_taken(enet):
    declaration = '<?xml version="1.0" encoding="Windows-1252"?>\n'
    xml = declaration + "<Query><TableName>TblCurrency</TableName><AllColumns>Y</AllColumns></Query>"
    body = enet.get("/Query/Query", UserId=enet.logon(), BusinessObject="COMFND", XmlIn=xml).text
    assert "<BuyExchangeRate>      1.080000</BuyExchangeRate>" in body


def test_a_query_document_that_does_not_match_its_schema_is_an_error(enet):
    xml = "<Query><TableName>TblCurrency</TableName><AllColumns>Y</AllColumns><Filter/></Query>"
    body = enet.get("/Query/Query", UserId=enet.logon(), BusinessObject="COMFND", XmlIn=xml).text
    assert body.startswith("ERROR: ")


# --- other business objects ------------------------------------------------------------------------------


def test_comfch_fetches_one_row_with_zero_dates(enet):
    user_id = enet.logon()
    xml = "<Fetch><TableName>AdmTax</TableName><Key>{}</Key></Fetch>"
    body = enet.get("/Query/Fetch", UserId=user_id, XmlIn=xml.format("A")).text
    assert "<ApTaxGlCode>10-2250</ApTaxGlCode>" in body
    assert "<TaxEffDate>0000-00-00</TaxEffDate>" in body
    assert enet.get("/Query/Fetch", UserId=user_id, XmlIn=xml.format("Q")).text.startswith("ERROR")


def test_a_ledger_code_can_be_checked(enet):
    user_id = enet.logon()
    xml = "<Query><key><LedgerCode>{}</LedgerCode></key></Query>"
    known = enet.get("/Query/Query", UserId=user_id, BusinessObject="GENQGL", XmlIn=xml.format("10-6400-WH1"))
    assert "<AccountType>E</AccountType>" in known.text
    unknown = enet.get("/Query/Query", UserId=user_id, BusinessObject="GENQGL", XmlIn=xml.format("99"))
    assert unknown.text.startswith("ERROR")


def test_companies_and_users_are_listed(enet):
    user_id = enet.logon()
    companies = enet.get("/Query/Query", UserId=user_id, BusinessObject="COMQCO", XmlIn="<Query/>").text
    assert "<CompanyId>RIL</CompanyId>" in companies
    users = enet.get("/Query/Query", UserId=user_id, BusinessObject="COMQUS", XmlIn="<Query/>").text
    assert users.count("<Operator>MLCONN</Operator>") == 1


def test_an_unlicensed_business_object_answers_100000(enet, syspro):
    syspro.options({"unlicensed": ["COMFND"]})
    assert enet.find(enet.logon(), "ApSupplier").text == "ERROR: e.net exception raised: 100000"


@pytest.mark.parametrize("path", ["/Setup/Add", "/Setup/Update", "/Setup/Delete", "/Transaction/Post"])
def test_posts_need_a_session_and_are_counted(enet, syspro, path):
    given = {"BusinessObject": "SORTOI", "XmlParameters": "<SalesOrders/>", "XmlIn": "<SalesOrders/>"}
    assert enet.get(path, UserId="none", **given).text == DEAD
    assert enet.get(path, UserId=enet.logon(), **given).text == "ERROR: e.net exception raised: 100000"
    assert syspro.summary()["writes"] == 2


def test_a_post_that_only_validates_is_no_write(enet, syspro):
    parameters = "<PostApInvoice><Parameters><ValidateOnly>Y</ValidateOnly></Parameters></PostApInvoice>"
    given = {"BusinessObject": "APSTIN", "XmlParameters": parameters, "XmlIn": "<PostApInvoice/>"}
    enet.get("/Transaction/Post", UserId=enet.logon(), **given)
    assert syspro.summary()["writes"] == 0


def test_large_documents_are_posted_in_a_body(enet, syspro):
    body = (
        '<TransactionPostLD xmlns="http://SYSPROWcfService"><UserId>{}</UserId><BusinessObject>SORTOI</BusinessObject>'
        "<XmlParameters><![CDATA[<PostApInvoice/>]]></XmlParameters><XmlIn>&lt;PostApInvoice/&gt;</XmlIn>"
        "</TransactionPostLD>"
    )
    headers = {"Content-Type": "application/xml"}
    url = f"{enet.base}/transaction/postld"
    assert enet.http.post(url, content=body.format("none"), headers=headers).text == DEAD
    answer = enet.http.post(url, content=body.format(enet.logon()), headers=headers)
    assert (answer.status_code, answer.text) == (200, "ERROR: e.net exception raised: 100000")
    assert syspro.summary()["writes"] == 2


@pytest.mark.parametrize("status", [414, 400])
def test_a_long_url_is_refused_before_syspro_sees_it(enet, syspro, status):
    syspro.options({"long_url_status": status, "max_url_bytes": 16_384})
    url = f"{enet.base}/Query/Query?UserId=x&XmlIn="
    longest = 16_384 - len("/SYSPROWCFService/Rest/Query/Query?UserId=x&XmlIn=")
    assert enet.http.get(url + "x" * longest).text == DEAD
    assert enet.http.get(url + "x" * (longest + 1)).status_code == status


def test_only_a_wrong_path_is_a_404(enet):
    assert enet.http.get(f"{enet.base}/Query/Nothing").status_code == 404


def test_an_in_band_error_is_a_200(enet, syspro):
    syspro.faults([{"match": {"path": "*/query/query"}, "do": "in_band_error", "text": "Table locked"}])
    assert enet.find(enet.logon(), "ApSupplier").text == "ERROR: Table locked"


def test_a_session_lost_after_a_call_is_refused_in_syspros_own_words(enet, syspro):
    syspro.faults([{"match": {"path": "*/Transaction/Post"}, "do": "commit_then_expire_session", "times": 1}])
    user_id = enet.logon()
    given = {"BusinessObject": "APSTIN", "XmlParameters": "<PostApInvoice/>", "XmlIn": "<PostApInvoice/>"}
    assert enet.get("/Transaction/Post", UserId=user_id, **given).text == DEAD
    assert syspro.state("sessions") == []
    assert enet.find(user_id, "ApSupplier").text == DEAD


def test_an_in_band_error_of_enet_is_a_text_with_status_200(enet, syspro):
    syspro.faults([{"match": {"path": "*/Transaction/Post"}, "do": "in_band_error", "text": "Disk full"}])
    assert enet.get("/Transaction/Post", UserId=enet.logon()).text == "ERROR: Disk full"
