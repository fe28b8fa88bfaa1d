"""The Procurify stand-in: one customer's domain, with the people who request, approve, purchase and enter bills.

    ml-connector sandbox procurify --port 0 --option base_set=syspro

Seeded, it is the believable distributor's domain; `base_set=syspro` is the small company of the story Procurify to
SYSPRO. Written from the vendor's facts alone; what they leave open is an option.
"""

from ml_connector.sandbox.procurify.stand_in import create

__all__ = ["create"]
