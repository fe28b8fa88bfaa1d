"""Procurify's settings form."""

from __future__ import annotations

from ml_connector.systems.base import Setting

AUDIENCE = "https://api.procurify.com/"
"""What a token is asked for, with the slash at its end."""

VENDOR_GROUPS = ("", "all", "default", "preferred", "purchasable", "requestable")
STOCKED = ("none", "catalog", "sku")
RATE_DIRECTIONS = ("auto", "multiply", "divide")

FORM: tuple[Setting, ...] = (
    Setting(
        "subdomain",
        "The first part of the address at which you open Procurify: acme for https://acme.procurify.com.",
        default="",
        label="Domain",
    ),
    Setting(
        "client_id",
        "Client id of the application (in Procurify: Settings > Integrations > Procurify API > Create Application). It "
        "acts as the user who made it, with that user's role.",
        required=True,
        label="Client id",
    ),
    Setting("client_secret", "Client secret, shown once when the application is made.", secret=True, label="Secret"),
    Setting(
        "company_time_zone",
        "Time zone in which your people work, such as America/Vancouver: it says on which day an order was made.",
        default="UTC",
        label="Time zone",
    ),
    Setting(
        "vendor_types",
        "Types of vendors that are suppliers: 3 preferred, 4 regular, 7 checkout. Others: 1 other, 2 hidden, 5 "
        "employee, 6 credit card provider.",
        type=list,
        default=("3", "4", "7"),
        label="Types of suppliers",
        group="What is read",
    ),
    Setting(
        "vendor_group",
        "Group of vendors that is listed. Blank: those that are active.",
        default="",
        choices=VENDOR_GROUPS,
        label="Group of vendors",
        group="What is read",
    ),
    Setting(
        "bill_statuses",
        "Statuses of bills that are read: 2 approved; 4 paid, 6 payment confirmed, 7 payment approved may be added.",
        type=list,
        default=("2",),
        label="Statuses of bills",
        group="What is read",
    ),
    Setting(
        "bill_types",
        "Types of bills that are read: 0 order, 1 expense, 2 credit card.",
        type=list,
        default=("0",),
        label="Types of bills",
        group="What is read",
    ),
    Setting(
        "stocked_lines",
        "Which lines of an order are stocked in the ERP: none, those of catalog items, or those with an SKU.",
        default="none",
        choices=STOCKED,
        label="Stocked lines",
        group="Meaning of documents",
    ),
    Setting(
        "tax_account",
        "Account code of the line that carries a bill's tax; it is mapped like any other. Blank: the tax has a line "
        "without an account, for an ERP that books it by its tax code.",
        default="",
        label="Account of tax",
        group="Meaning of documents",
    ),
    Setting(
        "freight_account",
        "Account code of the line that carries a bill's shipping. Blank: a line without an account.",
        default="",
        label="Account of shipping",
        group="Meaning of documents",
    ),
    Setting(
        "rate_direction",
        "How an exchange rate leads to the base currency: multiply, divide, or auto, which takes the one that agrees "
        "with the bill's own converted total.",
        default="auto",
        choices=RATE_DIRECTIONS,
        label="Direction of rates",
        group="Meaning of documents",
    ),
    Setting(
        "default_branch",
        "Id of the location under which new departments are made (in Procurify: Settings > Locations; the number at "
        "the end of its address). Needed only where departments are written.",
        default="",
        label="Location of new departments",
        group="What is written",
    ),
    Setting(
        "new_vendor_type",
        "Type of the vendors that we make: 3 preferred or 4 regular.",
        default="3",
        choices=("3", "4"),
        label="Type of new vendors",
        group="What is written",
    ),
    Setting(
        "test_vendor",
        "Id of a vendor with which the test of the Connection may try writing: it gets the external id that it has.",
        default="",
        label="Vendor for the test",
        group="What is written",
    ),
    Setting(
        "base_url",
        "Address of Procurify; blank: made of the domain. Only for a gateway of your own before it.",
        default="",
        label="Address",
        group="Network and limits",
    ),
    Setting(
        "audience",
        "Audience that a token is asked for.",
        default=AUDIENCE,
        label="Audience of tokens",
        group="Network and limits",
    ),
    Setting(
        "renew_ahead_minutes",
        "A token that ends within so many minutes is renewed at the start of a Run.",
        type=int,
        default=60,
        label="Minutes a token must last",
        group="Network and limits",
    ),
    Setting(
        "extra_headers",
        "Further headers of each request, for a gateway of your own. No secrets: they are shown.",
        type=dict,
        default={},
        label="Further headers",
        group="Network and limits",
    ),
    Setting(
        "page_size",
        "Rows asked for at a time. Procurify names no most; fewer are taken as they come, and fewer asked for where an "
        "answer takes too long.",
        type=int,
        default=100,
        label="Rows of a page",
        group="Network and limits",
    ),
    Setting(
        "requests_per_second",
        "Most requests in a second. Procurify names no number.",
        type=int,
        default=2,
        label="Requests per second",
        group="Network and limits",
    ),
    Setting(
        "parallel",
        "Requests at the same time.",
        type=int,
        default=2,
        label="Requests at a time",
        group="Network and limits",
    ),
    Setting(
        "timeout_seconds",
        "Seconds that one answer may take.",
        type=int,
        default=60,
        label="Seconds for an answer",
        group="Network and limits",
    ),
    Setting(
        "overlap_minutes",
        "Minutes that are read again where changes are asked for by the instant (bills).",
        type=int,
        default=5,
        label="Minutes read again",
        group="Network and limits",
    ),
    Setting(
        "overlap_days",
        "Days that are read again where changes are asked for by the day (orders).",
        type=int,
        default=1,
        label="Days read again",
        group="Network and limits",
    ),
    Setting(
        "tls_ca_bundle",
        "PEM text of your own authority's certificate, where a proxy re-signs traffic.",
        default="",
        label="Certificates of your own authority",
        group="Network and limits",
        lines=True,
    ),
)
