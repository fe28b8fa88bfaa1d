"""`python -m ml_connector`: the same as `ml-connector`."""

from ml_connector.cli import main

main()
