"""The conformance suite on SYSPRO -> BILL."""

from ml_connector.conformance.suite import suite
from tests.conformance.syspro_bill import SYSPRO_BILL

TestSysproBill = suite(SYSPRO_BILL)
