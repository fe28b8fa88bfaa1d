"""Command groups that also take what they show: `problem 7` beside `problem retry 7`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class ShowsById(TyperGroup):
    """`GROUP ID` is `GROUP show ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = any(arg in self.commands for arg in args)
        if args and not named and not {"--help", "-h"} & set(args):
            args = ["show", *args]
        return super().parse_args(ctx, args)
