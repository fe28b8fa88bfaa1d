"""The SAP Business One stand-in: the Service Layer of one company, `RIL`, as /b1s/v1 and /b1s/v2 at once.

    ml-connector sandbox sapb1 --port 0 --seed 1

Seeded, it is the believable distributor (option `invoices` scales it). A data file gives rows by set as bodies of a
POST; it replaces the seeded rows of the sets that it names, and with a set of documents, business partners, accounts
or currencies all seeded documents. Written from the vendor's facts alone.
"""

from ml_connector.sandbox.sapb1.stand_in import create

__all__ = ["create"]
