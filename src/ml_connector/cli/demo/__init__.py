"""demo: the main job of the product, on the stand-ins, over real HTTP."""

from ml_connector.cli.demo.tour import demo

__all__ = ["demo"]
