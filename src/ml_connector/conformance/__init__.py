"""The suite that every system and every pair must pass: reading, writing under faults, limits, sessions, hygiene.

    from ml_connector.conformance import Declaration
    from ml_connector.conformance.suite import suite

    TestMyPair = suite(Declaration(name="My ERP -> my platform", open=..., writes=(...), reads=(...)))

in a file of pytest's gives every test. `docs/conformance.md` says what the suite found for the systems that ship, and
`docs/extending.md` how to write a Declaration.
"""

from __future__ import annotations

from ml_connector.conformance.declaration import Declaration, Limits, ReadCall, WriteCall

__all__ = ["Declaration", "Limits", "ReadCall", "WriteCall"]
