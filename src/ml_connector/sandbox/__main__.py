"""`python -m ml_connector.sandbox SYSTEM`: runs one stand-in until it is told to stop."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_connector.sandbox.running import SYSTEMS, run


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m ml_connector.sandbox", description="A vendor system on localhost.")
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free port")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same rows, same ids")
    parser.add_argument("--data", type=Path, help='JSON {"TYPE": [rows]}: replaces the seeded rows of these types')
    parser.add_argument("--faults", type=Path, help="JSON list of faults, as for the control URL")
    parser.add_argument("--option", type=_option, action="append", default=[], metavar="NAME=VALUE", help="a switch")
    parser.add_argument("--tied", action="store_true", help="end when standard input ends")
    given = parser.parse_args(arguments)
    options = dict(given.option)
    return run(given.system, given.port, given.seed, given.data, given.faults, options, tied=given.tied)


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
