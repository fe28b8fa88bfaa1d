"""ml-connector: keeps an ERP and an accounts-payable platform in agreement."""

__version__ = "0.2.0"
