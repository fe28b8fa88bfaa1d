"""A few lines of client for the tests of SYSPRO's stand-in: documents out of Python values, answers as elements."""

from xml.sax.saxutils import escape

import httpx2
from lxml import etree

ROOTS = {
    "APSTIN": "PostApInvoice",
    "APSSSP": "SetupApSupplier",
    "GENTJL": "PostGlJournal",
    "PORTOI": "PostPurchaseOrders",
    "APSTPY": "PostApPaymentMaint",
    "APSTPM": "PostApManualPay",
    "APSTPV": "PostApVoidPay",
}


def element(name, content):
    """A list repeats the element, a dict nests, None leaves it out."""
    if isinstance(content, list):
        return "".join(element(name, one) for one in content)
    if isinstance(content, dict):
        return f"<{name}>{''.join(element(*pair) for pair in content.items())}</{name}>"
    return "" if content is None else f"<{name}>{escape(str(content))}</{name}>"


class Client:
    """One operator's session."""

    def __init__(self, running, operator=None):
        self.running = running
        self.http = httpx2.Client(timeout=10)
        self.base = running.settings["enet_rest_base"]
        self.operator = operator or running.settings["operator"]
        self.user_id = ""

    def logon(self):
        params = {
            "Operator": self.operator,
            "OperatorPassword": self.running.secrets["operator_password"],
            "CompanyId": self.running.settings["company_id"],
            "CompanyPassword": self.running.secrets["company_password"],
        }
        self.user_id = self.http.get(f"{self.base}/Logon", params=params).text.strip()
        return self

    def close(self):
        self.http.close()

    def arguments(self, code, items, parameters, *, item="Item"):
        root = ROOTS[code]
        return {
            "UserId": self.user_id,
            "BusinessObject": code,
            "XmlParameters": element(root, {"Parameters": parameters}),
            "XmlIn": element(root, {item: items}),
        }

    def say(self, code, items, *, path="/Transaction/Post", item="Item", **parameters):
        """The bytes of the answer, whatever they say."""
        arguments = self.arguments(code, items, parameters, item=item)
        answer = self.http.get(f"{self.base}{path}", params=arguments)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        return answer.content

    def post(self, code, items, **more):
        """The answer's root; fails for an ERROR text."""
        return parsed(self.say(code, items, **more))

    def setup(self, action, items, **parameters):
        return self.post("APSSSP", items, path=f"/Setup/{action}", **parameters)

    def order(self, orders, **parameters):
        return self.post("PORTOI", orders, item="Orders", **parameters)

    def find(self, table, column, value, *columns):
        """COMFND's rows as tuples of stripped texts."""
        where = element("Expression", {"Column": column, "Condition": "EQ", "Value": value})
        xml = (
            f"<Query><TableName>{table}</TableName><Columns>{element('Column', list(columns))}</Columns>"
            f"<Where>{where}</Where></Query>"
        )
        params = {"UserId": self.user_id, "BusinessObject": "COMFND", "XmlIn": xml}
        root = parsed(self.http.get(f"{self.base}/Query/Query", params=params).content)
        return [tuple((cell.text or "").strip() for cell in row) for row in root.findall("Row")]

    def odata(self, table, condition):
        """OData's rows."""
        auth = (self.running.settings["odata_user"], self.running.secrets["odata_password"])
        url = f"{self.running.settings['odata_root']}/RIL/{table}"
        answer = self.http.get(url, params={"$filter": condition}, auth=auth)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


def parsed(body):
    assert not body.startswith(b"ERROR"), body
    assert body.startswith(b'<?xml version="1.0" encoding="Windows-1252"?>\n')
    assert body.endswith(b">\n ")
    return etree.fromstring(body.strip())


def said(root):
    """Every error and warning of an answer as (path of the field, number's kind, text)."""
    tree = root.getroottree()
    return [
        ("/".join(tree.getelementpath(node.getparent()).split("/")[1:]), node.tag[:5], node.text)
        for node in root.iter("ErrorDescription", "WarningDescription")
        if node.getparent().tag != "WarningMessage"
    ]


def text(root, path):
    return (root.findtext(path) or "").strip()
