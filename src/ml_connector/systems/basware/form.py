"""Basware's settings form."""

from __future__ import annotations

from ml_connector.systems.base import Setting
from ml_connector.systems.basware.regions import ENVIRONMENTS

SCOPES = (
    "vendors.read", "vendors.write", "accounts.read", "accounts.write", "costCenters.read", "costCenters.write",
    "paymentTerms.read", "paymentTerms.write", "taxCodes.read", "taxCodes.write", "matchingOrders.read",
    "matchingOrders.write", "matchingOrderLines.read", "matchingOrderLines.write", "accountingDocuments.read",
    "accountingDocuments.write", "requestStatus.read", "requestStatus.write", "errorFeedbacks.read",
    "subscriptions.read", "subscriptions.write", "subscriptions.delete", "tasks.read",
)  # fmt: skip
"""What the client needs: nothing that deletes, but for its own subscriptions."""

LIST_SCOPES = ("lists.read", "lists.write")
"""Needed besides where cost centers go to a general list."""

ENCODINGS = ("any", "hex", "sha256=hex", "base64")
DATE_STYLES = ("date-time", "date")

TOUCHED = {
    "vendor": "description",
    "account": "text5",
    "cost_center": "text10",
    "order": "text10",
    "order_line": "text10",
}

FORM: tuple[Setting, ...] = (
    Setting(
        "region",
        "Region in which Basware made your credentials: EU, US, AU or CA. They are never sent to a host of another "
        "region. Ask your Basware consultant where your P2P runs.",
        required=True,
        binds_secrets=True,
        label="Region",
    ),
    Setting(
        "environment",
        "Production, or the test environment. They share no data and no credentials.",
        required=True,
        choices=ENVIRONMENTS,
        binds_secrets=True,
        label="Environment",
    ),
    Setting(
        "sign_in",
        "oauth2 with a client id and secret, or basic with an API user and password.",
        default="oauth2",
        choices=("oauth2", "basic"),
        label="Kind of sign-in",
    ),
    Setting(
        "client_id",
        "Id of the OAuth2 client (Basware's support makes one for you, or your administrator in the Basware API "
        "developer site under Access). For sign_in oauth2.",
        default="",
        label="Client id",
    ),
    Setting(
        "client_secret",
        "Secret of the OAuth2 client, shown once when the client is made.",
        secret=True,
        label="Client secret",
    ),
    Setting(
        "api_user",
        "Name of the API user that Basware gave you. For sign_in basic.",
        default="",
        label="API user",
    ),
    Setting("api_password", "Password of the API user.", secret=True, label="Password of the API user"),
    Setting(
        "company_map",
        "Company of the ERP and its company code in P2P, with the code of an organization element behind a slash: "
        "{RIL: '100/FINANCE'} (in P2P: Administration > Organization). Without a slash the company code is both.",
        type=dict,
        required=True,
        label="Companies",
    ),
    Setting(
        "source_system",
        "Name of the ERP as P2P stores it with orders and responses, at most 32 characters; never change it, orders "
        "are known by it.",
        required=True,
        label="Name of the source system",
    ),
    Setting(
        "tax_account",
        "Account code, as in P2P's coding rows, of the line that carries an invoice's tax. It is mapped like any "
        "other. Empty: an invoice with tax waits.",
        default="",
        label="Account of tax",
        group="Meaning of invoices",
    ),
    Setting(
        "cost_center_field",
        "Field of a coding row that holds the cost center: costCenterCode, or dimCode1 to dimCode10 where P2P's "
        "coding template has it in a list.",
        default="costCenterCode",
        label="Field of the cost center",
        group="Meaning of invoices",
    ),
    Setting(
        "credit_type_codes",
        "Invoice type codes that are credit notes (in P2P: Administration > Invoice types). Invoices below zero always "
        "are.",
        type=list,
        default=(),
        label="Types of credit notes",
        group="Meaning of invoices",
    ),
    Setting(
        "credit_reference_field",
        "Field of a credit note that names the invoice it corrects: referenceNumber, or text1 to text60.",
        default="referenceNumber",
        label="Field of the corrected invoice",
        group="Meaning of invoices",
    ),
    Setting(
        "rate_direction",
        "How exchangeRateCompany leads from the invoice's currency to the company's: multiply, divide, or auto, which "
        "takes the one that agrees with the gross sum in the company's currency.",
        default="auto",
        choices=("auto", "multiply", "divide"),
        label="Direction of rates",
        group="Meaning of invoices",
    ),
    Setting(
        "withdrawn_statuses",
        "Processing statuses that take an invoice back.",
        type=list,
        default=("WaitingToBeRemoved", "WaitingToBeReturned"),
        label="Statuses that take an invoice back",
        group="Meaning of invoices",
    ),
    Setting(
        "languages",
        "Languages in which names are sent, such as en-US, de-DE. Basware asks for en-US always.",
        type=list,
        default=("en-US",),
        label="Languages of names",
        group="Master data",
    ),
    Setting(
        "inherit",
        "Whether units below a company inherit its suppliers, accounts, payment terms and tax codes.",
        type=bool,
        default=True,
        label="Units below inherit",
        group="Master data",
    ),
    Setting(
        "tax_scheme_id",
        "Identifier key under which a supplier's tax id is stored (in P2P: Administration > Identifier configuration). "
        "Empty: tax ids are not sent.",
        default="",
        label="Key of tax ids",
        group="Master data",
    ),
    Setting(
        "default_means_code",
        "Payment means code that carries a supplier's currency (in P2P: Administration > Payment means). Empty: the "
        "currency is not sent.",
        default="",
        label="Payment means of the currency",
        group="Master data",
    ),
    Setting(
        "cost_center_list",
        "Key of the general list that cost centers go to, such as ACC_LIST_1, where P2P's coding template does not use "
        "the cost centers proper. Empty: costCenters.",
        default="",
        label="List of cost centers",
        group="Master data",
    ),
    Setting(
        "valid_from",
        "First day on which payment terms are valid.",
        default="2000-01-01",
        label="Terms valid from",
        group="Master data",
    ),
    Setting(
        "valid_to",
        "Last day on which payment terms are valid.",
        default="2099-12-31",
        label="Terms valid to",
        group="Master data",
    ),
    Setting(
        "receipt_matching",
        "Send receipts with the lines of an order, for matching in three ways.",
        type=bool,
        default=False,
        label="Send receipts",
        group="Orders",
    ),
    Setting(
        "touch_fields",
        "Text field that is changed when a record is sent again whose last sending failed in P2P: Basware skips a "
        "record that did not change. By kind: vendor, account, cost_center, order, order_line; an empty name leaves a "
        "kind out.",
        type=dict,
        default=TOUCHED,
        label="Fields changed at a second try",
        group="Network and formats",
    ),
    Setting(
        "date_style",
        "How days are written: date-time (2026-11-16T00:00:00Z), as the interface's description says, or date.",
        default="date-time",
        choices=DATE_STYLES,
        label="Form of dates",
        group="Network and formats",
    ),
    Setting(
        "webhook_header",
        "Header that carries a notification's signature.",
        default="x-bwapi-signature-256",
        label="Header of the signature",
        group="Notifications",
    ),
    Setting(
        "webhook_encoding",
        "How the signature is written; any takes each of the three.",
        default="any",
        choices=ENCODINGS,
        label="Form of the signature",
        group="Notifications",
    ),
    Setting(
        "require_signature",
        "Refuse notifications without a valid signature.",
        type=bool,
        default=True,
        label="Signature required",
        group="Notifications",
    ),
    Setting(
        "hosts",
        "Addresses of Basware's API by region and environment, as Basware named them to you: {'US production': "
        "'https://...'}. Those of the EU are known.",
        type=dict,
        default={},
        binds_secrets=True,
        label="Addresses of regions",
        group="Network and formats",
    ),
    Setting(
        "base_url",
        "Address of the API; blank: by region and environment. Only for a gateway of your own before it.",
        default="",
        binds_secrets=True,
        label="Address of the API",
        group="Network and formats",
    ),
    Setting(
        "scopes",
        "Rights asked for with each token. All of them must be given to the client (see the list that Basware sent "
        "with the client id); leave out what your Flows do not use.",
        type=list,
        default=SCOPES,
        label="Scopes",
        group="Network and formats",
    ),
    Setting(
        "check_issuer",
        "Refuse a token whose issuer is the host of another region.",
        type=bool,
        default=True,
        label="Compare the token's issuer",
        group="Network and formats",
    ),
    Setting(
        "page_size",
        "Rows asked for at a time, at most. Each list's own limit stays below it.",
        type=int,
        default=500,
        label="Rows of a page",
        group="Network and formats",
    ),
    Setting(
        "overlap_minutes",
        "Minutes that are read again at each poll of changes.",
        type=int,
        default=5,
        label="Minutes read again",
        group="Network and formats",
    ),
    Setting(
        "requests_per_minute",
        "Most requests in a minute. Basware asks for fair use and names no number.",
        type=int,
        default=300,
        label="Requests per minute",
        group="Network and formats",
    ),
    Setting(
        "tls_ca_bundle",
        "PEM text of your own authority's certificate, where a proxy re-signs traffic.",
        default="",
        label="Certificates of your own authority",
        group="Network and formats",
        lines=True,
    ),
)
