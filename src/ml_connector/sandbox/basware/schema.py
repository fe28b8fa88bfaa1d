"""The vendor's published contract in a form of our own: what a body may hold, field by field.

Every type is closed: a name that is not here is not of the contract.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from ml_connector.sandbox.basware import schema_documents, schema_masters, schema_orders

Kind = Literal["text", "mail", "whole", "number", "flag", "date", "choice", "object", "list"]

INT32 = 2_147_483_647

CHOICES: dict[str, tuple[str, ...]] = {
    "AddressType": (
        *("AdditionalAddress", "VisitingAddress", "RemittanceAddress", "DeliveryAddress", "PostalAddress"),
        "RegistrationAddress",
    ),
    "CompanyAddressType": (
        *("AdditionalAddress", "VisitingAddress", "RemittanceAddress", "DeliveryAddress", "PostalAddress"),
        *("RegistrationAddress", "InvoicingAddress"),
    ),
    "AddressPart": (
        *("AdditionalField1", "AdditionalField2", "AdditionalStreetName", "BlockName", "BuildingName"),
        *("BuildingNumber", "CitySubDivisionName", "Country", "Department", "District", "Email", "Floor"),
        *("GlobalLocationNumber", "InhouseEmail", "MarkAttention", "MarkCare", "Region", "Room"),
        *("CoordinateSystemCode", "PlotIdentification", "LatitudeDegreesMeasure", "LatitudeDirectionCode"),
        *("LatitudeMinutesMeasure", "LongitudeDegreesMeasure", "LongitudeDirectionCode", "LongitudeMinutesMeasure"),
    ),
    "ContactRole": ("AdditionalContact", "PrimaryContact", "SecondaryContact"),
    "OrderingFormat": ("UBL", "EHFXML21", "email", "other", "none", "BaswareNetwork"),
    "MoveDates": ("0", "1", "2"),
    "ListContent": (
        *("Plant", "ProfitCenter", "BusinessUnit", "Project", "ProjectSub", "Employee", "Vehicle", "Customer"),
        *("AccAssignmentCategory", "Budget", "Service", "BusinessArea", "PartnerProfitCenter", "FixedAsset"),
        *("FixedAssetSubCode", "WorkOrderCode", "WorkOrderSubCode", "CommitmentItem", "ControllingArea"),
        *("FunctionalArea", "Network", "NetworkActivity", "Tax", "TaxJurisdiction"),
        *(f"Dimension{n}" for n in range(1, 11)),
        *("InternalOrder", "SalesOrder", "SalesOrderSub"),
    ),
    "MatchingMode": ("Standard", "Blanket", "Return", "Service"),
    "UserRole": ("Buyer", "Owner", "ReferencePerson", "Other"),
    "ProcessingMode": ("Standard", "InvoiceEnrichment"),
    "ProcessingStatus": (
        *("WaitingForPrebook", "PrebookInProgress", "Prebooked", "PrebookFailed"),
        *("WaitingForTransfer", "TransferInProgress", "Transferred", "TransferFailed"),
        *("WaitingForPrebookCancelation", "PrebookCancelationInProgress", "PrebookCanceled", "PrebookCancelFailed"),
        *("WaitingToBeRemoved", "Removed", "RemoveFailed", "WaitingToBeReturned", "Returned", "ReturnFailed"),
        *("WaitingToBeCompleted", "CompletionInProgress", "Completed", "CompletionFailed", "Paid", "New"),
        *("WaitingForEnrichmentTransfer", "EnrichmentTransferInProgress", "EnrichmentTransferred"),
        *("EnrichmentTransferFailed", "InDocumentFilter", "DocumentFilterReleased"),
    ),
    "RemovalReason": (
        *("NotDefined", "Duplicate", "MissingData", "MissingPO", "Statement", "NonInvoice", "ProcessingTimeExpired"),
        *("InvoiceMatched", "ZeroValue", "Confidential", "Reprocessed", "IncorrectVAT", "ErrorInBankDetails"),
        *("CreditorUnknown", "IncorrectRecipient", "IncorrectValidator", "InvoiceNotCompliantWithOrder"),
        *("SupportingDocumentationMissing", "NotCompliantWithDelivery", "ContractEnded", "IncorrectInvoiceAmount"),
        *("SupplierUnknown", "InvoiceProcessedElsewhere", "PaymentNotReceivedOrCanceled"),
        *("ReasonOtherThanIncorrectValidator", "OtherContactYourBuyer", "Other"),
    ),
}


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    of: str = ""
    """The choices, or the type of an object or of a list's rows; empty for a list of texts."""
    shortest: int = 0
    longest: int | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    required: bool = False
    nullable: bool = False
    server_set: bool = False
    """Set by the vendor: what a client sends for it is not taken."""


Type = dict[str, Field]


def parsed(text: str) -> Type:
    """A type from its notation: `name kind`, separated by commas; `text1..5 s250?` stands for five fields.

    Kinds: s text with its longest or shortest and longest length, m the same for an e-mail address, i whole number,
    c whole number from 0, n number, b true or false, d date and time, e:Choices, {Type} object, [Type] list, [s] list
    of texts. Bounds in brackets.
    Flags: `*` required, `?` may be null, `-` set by the server.
    """
    fields: Type = {}
    for part in text.replace("\n", " ").split(","):
        given, _, notation = part.strip().partition(" ")
        bare = notation.rstrip("*?-")
        for name in _names(given):
            fields[name] = _field(name, bare, notation[len(bare) :])
    return fields


def _names(given: str) -> Iterator[str]:
    series = re.fullmatch(r"(.*?)(\d+)\.\.(\d+)", given)
    if series is None:
        yield given
    else:
        yield from (f"{series[1]}{number}" for number in range(int(series[2]), int(series[3]) + 1))


def _field(name: str, notation: str, flags: str) -> Field:
    kind, of, limits = _kind(notation)
    return Field(
        name,
        kind,
        of,
        **limits,
        required="*" in flags,
        nullable="?" in flags,
        server_set="-" in flags,
    )


def _kind(notation: str) -> tuple[Kind, str, dict[str, Any]]:
    """The kind, what it is of, and its limits."""
    if notation[0] in "{[":
        of = notation[1:-1]
        return ("object" if notation[0] == "{" else "list"), "" if of == "s" else of, {}
    if notation.startswith("e:"):
        return "choice", notation[2:], {}
    if notation == "c":
        return "whole", "", {"least": Decimal(0), "most": Decimal(INT32)}
    bare, _, bounds = notation.rstrip(")").partition("(")
    if bare[0] in "sm":
        shortest, _, longest = bare[1:].rpartition("-")
        return _PLAIN[bare[0]], "", {"shortest": int(shortest or 0), "longest": int(longest) if longest else None}
    least, _, most = bounds.partition("..")
    return _PLAIN[bare], "", {"least": Decimal(least), "most": Decimal(most)} if bounds else {}


_PLAIN: dict[str, Kind] = {"s": "text", "m": "mail", "i": "whole", "n": "number", "b": "flag", "d": "date"}

TYPES: dict[str, Type] = {
    name: parsed(text)
    for module in (schema_masters, schema_orders, schema_documents)
    for name, text in module.TYPES.items()
}
