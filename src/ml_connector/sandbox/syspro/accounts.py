"""Which ledger codes a client may post to."""

from ml_connector.sandbox.syspro.books import COMPANY_ID
from ml_connector.sandbox.syspro.item import MISSING, NOT_FOUND, Item
from ml_connector.sandbox.syspro.posting import Call

NOT_POSTABLE = 190101
ANALYSIS_NEEDED = 190102


def check_account(item: Item, call: Call, business_object: str, path: str, where: str) -> None:
    """Says what keeps a ledger code from being posted to: unknown, held, a template, control, no analysis."""
    code = item.plain(path)
    if not code:
        item.wrong(where, MISSING, f"{path} is needed", "")
        return
    row = call.books.row("GenMaster", COMPANY_ID, code)
    if row is None:
        item.wrong(where, NOT_FOUND, f"Ledger code '{code}' not found", code)
        return
    if row["AccOnHldFlag"] == "Y":
        item.wrong(where, NOT_POSTABLE, f"Ledger code '{code}' is on hold", code)
    if row["AccountType"] == "T":
        item.wrong(where, NOT_POSTABLE, f"Ledger code '{code}' is a template", code)
    if row["ControlAccFlag"] == "Y":
        how = call.options.control_accounts.get(business_object, "refuse")
        item.judge(how, where, NOT_POSTABLE, f"Ledger code '{code}' is a control account", code)
    if row["AnalysisRequired"] == "Y" and not call.flag("IgnoreAnalysis") and not item.has("AnalysisLineEntry"):
        item.wrong(where, ANALYSIS_NEEDED, f"Ledger code '{code}' needs analysis entries", code)
