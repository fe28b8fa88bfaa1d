"""PaymentTerm -> payment term, TaxCode -> tax code.

A payment term needs its days of validity. Days and one discount are sent; whole months and a fixed day of the month
cannot be said, so that such a term goes over as a name, and people enter due dates by hand.
"""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter

from ml_connector.domain.records import PaymentTerm, TaxCode
from ml_connector.systems.basware.keys import TAX, TERM, external_code
from ml_connector.systems.basware.masters import (
    Kind,
    companies_active,
    companies_inactive,
    name_in,
    names,
    required,
    within,
)
from ml_connector.systems.basware.rows import number, plain, text, words, written_day
from ml_connector.systems.basware.session import Json
from ml_connector.systems.basware.settings import Company, Options

CODE_MAX = 25
NAME_MAX = 2000
CALCULATED, BY_HAND = 1, 0


def to_term(term: PaymentTerm, key: str, options: Options, company: Company) -> Json:
    """Raises Refused, naming term and field, for what Basware would not take."""
    about = f"Payment term {term.code}"
    code = required(term.code, about, "code")
    body: Json = {
        "externalCode": key,
        "paymentTermCode": within(code, CODE_MAX, about, "code"),
        "paymentTermNames": names(within(term.name, NAME_MAX, about, "name"), code, options.languages),
        "validFrom": written_day(options.valid_from, options.date_style),
        "validTo": written_day(options.valid_to, options.date_style),
        "companies": [{"companyCode": company.code, "inherit": options.inherit, "active": True}],
        "dueDateCalc": BY_HAND,
        "cashDueDateCalc": BY_HAND,
    }
    if term.due_days is not None and term.due_day_of_month is None and not term.due_months:
        body |= {"dueDateCalc": CALCULATED, "dueDateDays": term.due_days}
    if term.discount_days is not None and term.discount_percent is not None:
        body |= {
            "cashDueDateCalc": CALCULATED,
            "cashDueDateDays": term.discount_days,
            "cashDiscount": plain(term.discount_percent),
        }
    return body


def from_term(row: Json) -> PaymentTerm:
    code = text(row, "paymentTermCode")
    calculated = number(row, "dueDateCalc") == CALCULATED
    discounted = number(row, "cashDueDateCalc") == CALCULATED
    return PaymentTerm(
        code=code,
        name=name_in(row, "paymentTermNames") or code,
        due_days=_whole(row, "dueDateDays") if calculated else None,
        discount_percent=number(row, "cashDiscount") if discounted else None,
        discount_days=_whole(row, "cashDueDateDays") if discounted else None,
    )


def to_tax_code(tax: TaxCode, key: str, options: Options, company: Company) -> Json:
    about = f"Tax code {tax.code}"
    code = required(tax.code, about, "code")
    return {
        "externalCode": key,
        "taxCode": within(code, CODE_MAX, about, "code"),
        "taxCodeNames": names(within(tax.name, NAME_MAX, about, "name"), code, options.languages),
        "taxPercentage": plain(tax.percent),
        "companies": [{"companyCode": company.code, "inherit": options.inherit, "active": True}],
    }


def from_tax_code(row: Json) -> TaxCode:
    code = text(row, "taxCode")
    return TaxCode(
        code=code, name=name_in(row, "taxCodeNames") or code, percent=number(row, "taxPercentage") or Decimal(0)
    )


def payment_terms(options: Options, company: Company) -> Kind[PaymentTerm]:
    def touched(body: Json, copy: Json | None) -> Json | None:
        """Ends a day earlier than before, and the next time a day later again."""
        held = words(copy or {}, "validTo") or ""
        last = options.valid_to
        earlier = f"{last[:8]}{max(1, int(last[8:]) - 1):02d}"
        return {**body, "validTo": written_day(last if held[:10] == earlier else earlier, options.date_style)}

    return Kind(
        path="/v1/paymentTerms",
        list_key="paymentTerms",
        entity="PaymentTerm",
        noun="payment term",
        most=500,
        company=company.code,
        code=attrgetter("code"),
        key=lambda term: external_code(company.code, TERM, term.code),
        to_wire=lambda term, key: to_term(term, key, options, company),
        from_wire=from_term,
        active=companies_active,
        deactivated=companies_inactive,
        identity=("code",),
        touched=touched,
    )


def tax_codes(options: Options, company: Company) -> Kind[TaxCode]:
    """Without a field that could be changed for nothing: one that P2P did not take has to change in the source."""
    return Kind(
        path="/v1/taxCodes",
        list_key="taxCodes",
        entity="TaxCode",
        noun="tax code",
        most=500,
        company=company.code,
        code=attrgetter("code"),
        key=lambda tax: external_code(company.code, TAX, tax.code),
        to_wire=lambda tax, key: to_tax_code(tax, key, options, company),
        from_wire=from_tax_code,
        active=companies_active,
        deactivated=companies_inactive,
        identity=("code",),
        touched=lambda _body, _copy: None,
    )


def _whole(row: Json, name: str) -> int | None:
    value = number(row, name)
    return None if value is None else int(value)
