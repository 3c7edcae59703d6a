"""The rules of the house that no tool knows, as functions from a tree to its breaches."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.tree import PACKAGES, Module

MODULE_LINES = 400
FUNCTION_LINES = 40
FOLDER_MODULES = 12
UNBOUNDED_FOLDERS = {"carrel/contracts", "server/migrations/versions"}
DOMAIN_FILES = {"models", "repository"}
DOMAIN_ORDER = {"endpoints": 4, "service": 3, "repository": 2, "policy": 2, "models": 1}


def too_long(modules: list[Module]) -> list[str]:
    """Modules over 400 lines and functions over 40."""
    found = []
    for module in modules:
        lines = len(module.text.splitlines())
        if lines > MODULE_LINES:
            found.append(f"{module.name}: {lines} lines, {MODULE_LINES} allowed")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(f"{module.name}:{node.lineno}: {node.name} has {length} lines")
    return found


def too_full(modules: list[Module]) -> list[str]:
    """Folders with more than 12 modules."""
    counts: dict[str, int] = {}
    for module in modules:
        if module.path.name != "__init__.py":
            folder = Path(module.name).parent.as_posix()
            counts[folder] = counts.get(folder, 0) + 1
    return [f"{f}: {n} modules" for f, n in counts.items() if n > FOLDER_MODULES and f not in UNBOUNDED_FOLDERS]


def borrowed_tables(modules: list[Module]) -> list[str]:
    """A server domain that imports another domain's repository or models."""
    found = []
    for module in modules:
        parts = Path(module.name).parts
        if parts[0] != "server" or len(parts) < 3:
            continue
        for target in module.imports():
            words = target.split(".")
            foreign = words[0] == "server" and len(words) > 2 and words[1] != parts[1]
            if foreign and words[2] in DOMAIN_FILES and parts[1] not in ("migrations", "demo"):
                found.append(f"{module.name} imports {target}")
    return found


def upside_down(modules: list[Module]) -> list[str]:
    """Inside a domain: endpoints > service > repository | policy > models; policy knows no SQLAlchemy."""
    found = []
    for module in modules:
        parts = Path(module.name).parts
        if parts[0] != "server" or len(parts) != 3:
            continue
        mine = parts[2].removesuffix(".py")
        for target in module.imports():
            words = target.split(".")
            if mine == "policy" and words[0] in ("sqlalchemy", "fastapi"):
                found.append(f"{module.name} imports {target}")
            if words[:2] == ["server", parts[1]] and len(words) > 2 and mine in DOMAIN_ORDER:
                theirs = DOMAIN_ORDER.get(words[2], 0)
                if words[2] != mine and theirs >= DOMAIN_ORDER[mine]:
                    found.append(f"{module.name} imports {target}")
    return found


def undocumented(modules: list[Module]) -> list[str]:
    """Modules and public functions and classes without a docstring."""
    found = []
    for module in modules:
        if ast.get_docstring(module.tree) is None and "migrations/versions" not in module.name:
            found.append(f"{module.name}: no module docstring")
        for node in module.tree.body:
            public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_"
            if public and ast.get_docstring(node) is None and "migrations" not in module.name:
                found.append(f"{module.name}:{node.lineno}: {node.name} has no docstring")
    return found


def stray_packages(root: Path) -> list[str]:
    """Top-level folders with Python in them that the plan does not know."""
    known = {Path(p).parts[0] for p in PACKAGES} | {"tests", "docs", "frontend"}
    return [
        p.name for p in root.iterdir()
        if p.is_dir() and p.name[0] != "." and p.name not in known | {"var", "dist"} and any(p.rglob("*.py"))
    ]  # fmt: skip
