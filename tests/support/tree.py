"""The source tree as tests of the house's rules see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("carrel", "gateway", "devices", "rfid", "environment", "security", "server", "firmware-sim/firmware_sim")


@dataclass(frozen=True)
class Module:
    """One Python file of the product."""

    path: Path
    root: Path

    @property
    def name(self) -> str:
        """Where it is, from the root."""
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def text(self) -> str:
        """Its source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    def imports(self) -> Iterator[str]:
        """Full names of what it imports: `a.b.c` for `from a.b import c`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(root: Path = ROOT) -> list[Module]:
    """All product modules below a root."""
    found = []
    for package in PACKAGES:
        paths = sorted((root / package).rglob("*.py"))
        found += [Module(path, root) for path in paths if "node_modules" not in path.parts]
    return found
