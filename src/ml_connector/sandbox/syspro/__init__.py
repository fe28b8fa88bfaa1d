"""The SYSPRO stand-in: e.net over REST and the OData service of one company, `RIL`.

    python -m ml_connector.sandbox syspro --port 0 --seed 1 --data data/base_set.syspro.json

Seeded, it is the believable distributor (option `invoices` scales it); with the option `base_set` it is the small
company of an acceptance story. A data file gives rows by table; what it does not name is seeded, but documents only
when the file names no table of documents, the suppliers or the currencies.
"""

from ml_connector.sandbox.syspro.stand_in import create

__all__ = ["create"]
