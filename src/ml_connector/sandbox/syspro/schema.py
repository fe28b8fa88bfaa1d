"""The SQL tables of a SYSPRO company, as far as the stand-in holds them."""

from ml_connector.sandbox.syspro.schema_ledger import LEDGER
from ml_connector.sandbox.syspro.schema_payables import PAYABLES
from ml_connector.sandbox.syspro.schema_purchasing import PURCHASING

TABLES = {definition.name: definition for definition in (*PAYABLES, *LEDGER, *PURCHASING)}
