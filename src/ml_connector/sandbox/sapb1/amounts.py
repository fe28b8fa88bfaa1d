"""From a document's lines to its totals: net, freight, discount, tax, and the same in the document's currency."""

from decimal import Decimal

from ml_connector.sandbox.sapb1.books import ZERO, Books, cents, total
from ml_connector.sandbox.sapb1.errors import invalid
from ml_connector.sandbox.standin import Row


def price_lines(books: Books, document: Row, table: str, vat_group: str | None) -> None:
    """Fills every line and freight row in place. Raises Refused for what has no amount, account, rule or tax group."""
    rate = Decimal(document["DocRate"])
    foreign = document["DocTotalFc"] is not None
    keep = 1 - document.get("DiscountPercent", ZERO) / 100
    for number, line in enumerate(document["DocumentLines"]):
        _line(books, line, table, rate, foreign=foreign)
        group = line.get("VatGroup") or vat_group
        percent = books.vat_rate(group, f"{table}.VatGroup")
        tax, tax_fc = _tax(line, keep * percent / 100, rate, foreign=foreign)
        line.update(VatGroup=group, TaxPercentagePerRow=percent, TaxTotal=tax, NetTaxAmount=tax, NetTaxAmountFC=tax_fc)
        line.update(GrossTotal=line["LineTotal"] + tax, GrossTotalFC=line["RowTotalFC"] + tax_fc)
        line.setdefault("LineNum", number)
        line.update(
            VisualOrder=number, LineStatus="bost_Open", Currency=document["DocCurrency"], Rate=document["DocRate"]
        )
        line.update(OpenAmount=line["LineTotal"], OpenAmountFC=line["RowTotalFC"], RowTotalSC=line["LineTotal"])
        line.setdefault("BaseType", -1)
    for number, expense in enumerate(document["DocumentAdditionalExpenses"]):
        _expense(books, expense, number, rate, foreign=foreign)


def _line(books: Books, line: Row, table: str, rate: Decimal, *, foreign: bool) -> None:
    if line.get("ItemCode") is not None:
        raise invalid(f"Item number is missing or unknown [{table}.ItemCode]")
    books.posting_account(line.get("AccountCode"), f"{table}.AcctCode")
    for name in ("CostingCode", "CostingCode2", "CostingCode3", "CostingCode4", "CostingCode5"):
        books.check_rule(line.get(name))
    books.check_reference("Projects", line.get("ProjectCode"), f"{table}.Project")
    amount = line.get("RowTotalFC") if foreign else line.get("LineTotal")
    price = next((line[name] for name in ("UnitPrice", "Price") if line.get(name) is not None), None)
    if amount is None and price is not None:
        share = 1 - line.get("DiscountPercent", ZERO) / 100
        amount = cents(price * (line.get("Quantity") or Decimal(1)) * share)
    if amount is None and line.get("LineTotal") is not None:
        amount = cents(line["LineTotal"] / rate)
    if amount is None:
        raise invalid(f"Enter a total for the line [{table}.LineTotal]")
    if amount != cents(amount):
        raise invalid(f"Amount {amount} has more decimals than the company keeps [{table}.LineTotal]")
    line["LineTotal"] = cents(amount * rate) if foreign else amount
    line["RowTotalFC"] = amount if foreign else ZERO
    line.setdefault("Quantity", Decimal(0))
    line["UnitPrice"] = line["Price"] = price if price is not None else amount


def _tax(line: Row, share: Decimal, rate: Decimal, *, foreign: bool) -> tuple[Decimal, Decimal]:
    """In local and in foreign currency: what the client gave, or the share of the net."""
    tax, tax_fc = line.get("TaxTotal"), line.get("NetTaxAmountFC")
    if tax is None:
        tax = cents(line["LineTotal"] * share)
    if not foreign:
        return tax, ZERO
    return tax, cents(tax / rate) if tax_fc is None else tax_fc


def _expense(books: Books, expense: Row, number: int, rate: Decimal, *, foreign: bool) -> None:
    if expense.get("ExpenseCode") is None or expense.get("LineTotal") is None:
        raise invalid("Enter freight code and amount [PCH3.ExpnsCode]")
    books.check_rule(expense.get("DistributionRule"))
    percent = books.vat_rate(expense.get("VatGroup"), "PCH3.VatGroup")
    tax = expense.get("TaxSum")
    tax = cents(expense["LineTotal"] * percent / 100) if tax is None else tax
    fc = expense.get("LineTotalFC") or cents(expense["LineTotal"] / rate) if foreign else ZERO
    expense.update(LineNum=number, TaxPercent=percent, TaxSum=tax, LineTotalFC=fc, LineTotalSys=expense["LineTotal"])
    expense.update(TaxSumFC=cents(tax / rate) if foreign else ZERO, LineGross=expense["LineTotal"] + tax)


def sum_up(document: Row, table: str) -> None:
    """Sets the totals from lines that are priced. Raises Refused for a total of the client's that is another."""
    lines, expenses = document["DocumentLines"], document["DocumentAdditionalExpenses"]
    _rate, foreign = Decimal(document["DocRate"]), document["DocTotalFc"] is not None
    share = document.get("DiscountPercent", ZERO) / 100
    discount, discount_fc = cents(total(lines, "LineTotal") * share), cents(total(lines, "RowTotalFC") * share)
    vat = total(lines, "TaxTotal") + total(expenses, "TaxSum")
    vat_fc = total(lines, "NetTaxAmountFC") + total(expenses, "TaxSumFC")
    rounding = document.get("RoundingDiffAmount", ZERO) if document.get("Rounding") == "tYES" else ZERO
    gross = total(lines, "LineTotal") - discount + total(expenses, "LineTotal") + vat + rounding
    gross_fc = total(lines, "RowTotalFC") - discount_fc + total(expenses, "LineTotalFC") + vat_fc
    if gross < ZERO:
        raise invalid(f"Document total {gross} must not be negative [{table}.DocTotal]")
    given = document.get("DocTotal")
    if given is not None and given != gross:
        raise invalid(f"Document total {given} differs from the sum of the lines, {gross} [{table}.DocTotal]")
    document.update(
        DocTotal=gross,
        DocTotalSys=gross,
        DocTotalFc=gross_fc if foreign else ZERO,
        VatSum=vat,
        VatSumSys=vat,
        VatSumFc=vat_fc,
        BaseAmount=total(lines, "LineTotal") - discount,
        TotalDiscount=discount,
        TotalDiscountFC=discount_fc,
        TotalDiscountSC=discount,
        RoundingDiffAmount=rounding,
        PaidToDate=ZERO,
        PaidToDateFC=ZERO,
        PaidToDateSys=ZERO,
    )


def spread_installments(document: Row, table: str) -> None:
    """One for the whole unless the client gave several. Raises Refused when they do not add up."""
    gross, gross_fc = document["DocTotal"], document["DocTotalFc"]
    rows = document.get("DocumentInstallments") or [{"DueDate": document["DocDueDate"], "Percentage": Decimal(100)}]
    for number, row in enumerate(rows, 1):
        row["InstallmentId"] = number
        percent = row.get("Percentage") or ZERO
        row.setdefault("DueDate", document["DocDueDate"])
        if not row.get("Total") and not row.get("TotalFC"):
            row["Total"], row["TotalFC"] = cents(gross * percent / 100), cents(gross_fc * percent / 100)
        elif gross_fc and not row.get("TotalFC"):
            row["TotalFC"] = cents(row["Total"] / document["DocRate"])
        row.setdefault("Total", cents((row.get("TotalFC") or ZERO) * document["DocRate"]))
        row.setdefault("TotalFC", ZERO)
    if total(rows, "Total") != gross or total(rows, "TotalFC") != gross_fc:
        raise invalid(f"Installments do not add up to the document total [{table}.Installmnt]")
    document["DocumentInstallments"] = rows
    document["NumberOfInstallments"] = len(rows)
