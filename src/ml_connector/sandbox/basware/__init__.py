"""The Basware stand-in: one tenant's P2P API v1, its webhooks, and P2P behind it.

    ml-connector sandbox basware --port 0 --seed 1

Seeded, it is the believable distributor's tenant: the last approved invoices wait (option `documents` scales it), and
no master data were posted yet. Written from the vendor's facts alone; what they leave open is an option.
"""

from ml_connector.sandbox.basware.stand_in import create

__all__ = ["create"]
