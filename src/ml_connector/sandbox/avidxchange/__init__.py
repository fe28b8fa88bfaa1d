"""The AvidXchange stand-in: one customer's AvidXchange behind the gateway through which partners reach it.

    ml-connector sandbox avidxchange --port 0 --option contract=renamed

AvidXchange shows its interface to partners only, so no name of it stands in the code: all are in a contract file (see
contracts/), and the stand-in speaks what that file says. Rows of `--data` and of the control side have the stand-in's
own names, the same under every contract.
"""

from ml_connector.sandbox.avidxchange.stand_in import create

__all__ = ["create"]
