"""TLS as we speak it: always verified (R64), against the system's authorities and the Connection's own."""

from __future__ import annotations

import ssl
from functools import lru_cache

from ml_connector.systems.base import Refused


@lru_cache(maxsize=256)
def verifying(ca_certificates: str | None, name: str) -> ssl.SSLContext:
    """The system's trusted authorities, and the given ones besides. Kept: reading the authorities takes 20 ms."""
    context = ssl.create_default_context()
    if ca_certificates and ca_certificates.strip():
        try:
            context.load_verify_locations(cadata=ca_certificates)
        except (ssl.SSLError, ValueError):
            readable = False
        else:
            readable = True
        if not readable:
            raise Refused(
                "certificate_unreadable",
                f"The certificate given for {name} cannot be read. It must be PEM text (-----BEGIN CERTIFICATE-----).",
                "tls_ca_bundle",
            )
    return context
