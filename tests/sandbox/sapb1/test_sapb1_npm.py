"""Public clients of the Service Layer do not notice that it is a stand-in.

Opt in: run `npm install --ignore-scripts node-sapb1 b1-service-layer` in a folder of your own and name it in
SAPB1_NPM. Both packages log in, page, create, amend and read, plain and over TLS.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.sandbox.sapb1.conftest import NOW

from ml_connector import sandbox

PACKAGES = ("node-sapb1", "b1-service-layer")

NODE_SAPB1 = """
const SAPb1 = require('node-sapb1');
const { Equal, MoreThanEqual } = require('node-sapb1/lib/filters.js');
const [host, port, version, username, password, company, ca] = process.argv.slice(2);
const config = { host, port: Number(port), version: Number(version), username, password, company, ca };
const call = (object, name, ...given) => new Promise((done, failed) =>
  object[name](...given, done, (error, kind) => failed(kind === 2 ? error.statusCode() + error.body() : error)));
const tried = (promise) => promise.then(() => null, (error) => String(error));
(async () => {
  const said = {};
  said.wrong = await tried(call(SAPb1, 'createSession', { ...config, password: 'wrong' }));
  const sap = await call(SAPb1, 'createSession', config);
  said.session = Object.keys(sap.session()).sort();
  const invoices = () => sap.resource('PurchaseInvoices').queryBuilder();
  said.pages = [];
  for (let skip = 0; ; skip += 20) {
    const page = await call(invoices().select('DocEntry,DocTotal').orderBy('DocEntry').limit(20, skip), 'findAll');
    if (page.value.length === 0) break;
    said.pages.push(page.value.length);
  }
  said.count = await call(invoices(), 'count');
  said.open = (await call(invoices().where(new Equal('DocumentStatus', 'bost_Open')), 'findAll')).value.length;
  said.late = (await call(invoices().where(new MoreThanEqual('DocEntry', 1)), 'findAll')).value.length;
  const partners = sap.resource('BusinessPartners');
  const made = await call(partners, 'create', { CardCode: 'NODE1', CardName: 'Node', CardType: 'cSupplier' });
  said.made = made.CardCode;
  said.twice = await tried(call(partners, 'create', { CardCode: 'NODE1', CardName: 'Node', CardType: 'cSupplier' }));
  await call(partners, 'update', 'NODE1', { Phone1: '+1 312 555 0100' });
  said.phone = (await call(partners.queryBuilder(), 'find', 'NODE1')).Phone1;
  const invoice = await call(sap.resource('PurchaseInvoices'), 'create', {
    CardCode: 'NODE1', DocType: 'dDocument_Service', NumAtCard: 'N-1',
    DocumentLines: [{ AccountCode: '10-6200', LineTotal: 12.5 }] });
  said.total = invoice.DocTotal;
  await call(sap.resource('PurchaseInvoices'), 'action', invoice.DocEntry, 'Cancel');
  said.cancelled = (await call(invoices(), 'find', invoice.DocEntry)).CancelStatus;
  said.missing = await tried(call(invoices(), 'find', 999999));
  said.posted = await tried(call(sap.resource('PurchaseInvoices'), 'delete', invoice.DocEntry));
  await call(partners, 'create', { CardCode: 'NODE2', CardType: 'cSupplier' });
  await call(partners, 'delete', 'NODE2');
  console.log(JSON.stringify(said));
})().catch((error) => { console.error(error); process.exit(1); });
"""

B1_SERVICE_LAYER = """
const ServiceLayer = require('b1-service-layer');
const [host, port, , username, password, company] = process.argv.slice(2);
(async () => {
  const said = {};
  const sap = new ServiceLayer();
  said.wrong = await sap.createSession({ host, port, company, username, password: 'wrong' })
    .then(() => null, (error) => error.response.status);
  await sap.createSession({ host, port, company, username, password });
  said.minutes = sap.sessionTimeout;
  const rows = await sap.find('PurchaseInvoices?$select=DocEntry,NumAtCard&$orderby=DocEntry');
  said.rows = rows.map((row) => row.DocEntry);
  const partner = { CardCode: 'NODE3', CardName: 'Énergie', CardType: 'cSupplier' };
  said.made = (await sap.post('BusinessPartners', partner)).CardCode;
  await sap.patch("BusinessPartners('NODE3')", { EmailAddress: 'ap@node.example' });
  const read = await sap.get("BusinessPartners('NODE3')");
  said.read = [read.CardName, read.EmailAddress];
  const paid = await sap.post('PurchaseInvoices', { CardCode: 'NODE3', DocType: 'dDocument_Service',
    DocumentLines: [{ AccountCode: '10-6200', LineTotal: 80 }] });
  const payment = await sap.post('VendorPayments', { DocType: 'rSupplier', CardCode: 'NODE3',
    TransferAccount: '10-1090', TransferSum: 80, TransferReference: 'node',
    PaymentInvoices: [{ DocEntry: paid.DocEntry, InvoiceType: 'it_PurchaseInvoice', SumApplied: 80 }] });
  said.status = (await sap.get(`PurchaseInvoices(${paid.DocEntry})`)).DocumentStatus;
  await sap.post(`VendorPayments(${payment.DocEntry})/Cancel`, {});
  said.after = (await sap.get(`PurchaseInvoices(${paid.DocEntry})`)).DocumentStatus;
  said.refused = (await sap.post('BusinessPartners', { CardCode: 'NODE4', Nickname: 'x' })).message.error;
  console.log(JSON.stringify(said));
})().catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.fixture
def node():
    """Runs a script with the packages; its last line is what it found."""
    folder = os.environ.get("SAPB1_NPM")
    if not folder:
        pytest.skip(f"SAPB1_NPM names no folder in which {' and '.join(PACKAGES)} were installed with npm")
    program = shutil.which("node")
    if program is None:
        pytest.skip("there is no node here to run the public clients with")
    modules = Path(folder) / "node_modules"
    missing = [name for name in PACKAGES if not (modules / name).is_dir()]
    if missing:
        pytest.skip(f"{folder} has no {' and no '.join(missing)}: run npm install there")

    def run(script: str, *arguments: str) -> dict:
        environment = {**os.environ, "NODE_PATH": str(modules)}
        command = [program, "-e", script, "script", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def stand_in(request):
    with sandbox.start("sapb1", seed=1, options={"invoices": 50, "tls": request.param}) as running:
        running.clock(now=NOW, running=False)
        yield running


def connection(stand_in, version):
    host, _, port = stand_in.url.rpartition(":")
    settings = stand_in.settings
    ca = settings.get("tls_ca_bundle", "")
    return host, port, version, settings["user"], stand_in.secrets["password"], settings["company_db"], ca


@pytest.mark.parametrize("version", ["1", "2"])
def test_node_sapb1_works_on_it(node, stand_in, version):
    count = len(stand_in.state("PurchaseInvoices"))
    said = node(NODE_SAPB1, *connection(stand_in, version))
    assert said["wrong"].startswith("401")
    assert said["session"] == ["B1SESSION", "ROUTEID"]
    assert sum(said["pages"]) == said["count"] == count
    assert said["pages"][0] == 20
    assert 0 < said["open"] <= 20
    assert (said["made"], said["phone"], said["total"]) == ("NODE1", "+1 312 555 0100", 12.5)
    assert "1320000140" in said["twice"]
    assert said["cancelled"] == "csYes"
    assert said["missing"].startswith("404")
    assert "-5006" in said["posted"]


def test_b1_service_layer_works_on_it(node, stand_in):
    entries = [row["DocEntry"] for row in stand_in.state("PurchaseInvoices")]
    said = node(B1_SERVICE_LAYER, *connection(stand_in, "2"))
    assert said["wrong"] == 401
    assert said["minutes"] == 30
    assert said["rows"] == sorted(entries)
    assert (said["made"], said["read"]) == ("NODE3", ["Énergie", "ap@node.example"])
    assert (said["status"], said["after"]) == ("bost_Close", "bost_Open")
    assert said["refused"]["code"] == "-1000"
