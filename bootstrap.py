"""Fresh machine -> ready .venv. Standard library only; syntax old enough to tell an old Python what is wrong.

    python3 bootstrap.py          what running needs
    python3 bootstrap.py --dev    also what the tests and checks need (as root: their Debian packages too)

Works where `python3 -m venv` has no ensurepip and pip is externally managed: the environment is made without pip
and filled by the machine's own pip. The build tools (Node among them) go to a folder that is deleted afterwards.
"""

import argparse
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
STAMP = os.path.join(VENV, ".carrel-stamp")
OLDEST = (3, 11)
INPUTS = (
    "pyproject.toml", "requirements.lock", "requirements-dev.lock", "requirements-build.lock", "hatch_build.py",
    "frontend/package-lock.json", "frontend/vendor.json",
)  # fmt: skip
DEBIAN = {  # package: a file it brings (* stands for anything), which is how we see that it is there
    "chromium": "/usr/bin/chromium",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "fonts-noto-core": "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "influxdb": "/usr/bin/influxd",
    "libatomic1": "/usr/lib/*/libatomic.so.1",  # for the Node in playwright
    "mbpoll": "/usr/bin/mbpoll",
    "mosquitto": "/usr/sbin/mosquitto",
    "postgresql": "/usr/lib/postgresql",
    "victoria-metrics": "/usr/bin/victoria-metrics",
}


def main():
    """Prepare the environment; ends the program with one sentence when that is impossible."""
    parser = argparse.ArgumentParser(description="Prepare .venv for Carrel.")
    parser.add_argument("--dev", action="store_true", help="also install what tests and checks need")
    options = parser.parse_args()
    if sys.version_info < OLDEST:
        fail("Carrel needs Python 3.11 or later; this is %d.%d." % sys.version_info[:2])
    if options.dev:
        debian_packages()
    mode = "dev" if options.dev else "run"
    wanted = fingerprint()
    if stamp() in (wanted + " " + mode, wanted + " dev"):
        return
    check_pip()
    print("Preparing Carrel in .venv (about %s, once)." % ("700 MB" if options.dev else "200 MB"), flush=True)
    if not os.path.exists(os.path.join(VENV, "bin", "python")):
        run([sys.executable, "-m", "venv", "--without-pip", VENV], "making the environment")
    lock = "requirements-dev.lock" if options.dev else "requirements.lock"
    pip_with_progress("[1/3] packages", ["--python", VENV, "install", "--require-hashes", "-r", lock], lock)
    build = tempfile.mkdtemp(prefix="carrel-build-")
    try:
        lock = "requirements-build.lock"
        arguments = ["install", "--require-hashes", "--target", build, "-r", lock]
        pip_with_progress("[2/3] build tools (Node for the pages' assets: 61 MB, deleted again)", arguments, lock)
        print("[3/3] Carrel itself and its pages' assets", flush=True)
        arguments = ["--python", VENV, "install", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-e", "."]
        run(pip(arguments), "installing Carrel", PYTHONPATH=build)
    finally:
        shutil.rmtree(build, ignore_errors=True)
    with open(STAMP, "w") as file:
        file.write(wanted + " " + mode)
    print("Prepared.", flush=True)


def fingerprint():
    """Changes when anything that the environment is made of changes."""
    digest = hashlib.sha256(("%s %s" % (HERE, sys.version)).encode())
    for name in INPUTS:
        path = os.path.join(HERE, name)
        if os.path.exists(path):
            with open(path, "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()


def stamp():
    """What the environment was made of, or an empty string."""
    try:
        with open(STAMP) as file:
            return file.read()
    except OSError:
        return ""


def pip(arguments):
    """A pip command line of this machine's pip."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]


def check_pip():
    """pip must be there and know --python (22.3, October 2022)."""
    found = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True)
    version = re.match(r"pip (\d+)\.(\d+)", found.stdout)
    if found.returncode or not version:
        fail("pip is missing: install it (Debian: apt-get install python3-pip) and try again.")
    if (int(version[1]), int(version[2])) < (22, 3):
        fail("pip %s.%s is too old: 22.3 or later is needed (python3 -m pip install --upgrade pip)." % version.groups())


def pip_with_progress(title, arguments, lock):
    """Run pip and show how many of the lock's packages have been dealt with."""
    with open(os.path.join(HERE, lock)) as file:
        total = sum("==" in line for line in file)
    tty = sys.stdout.isatty()
    print("%s: %d" % (title, total), flush=True)
    process = subprocess.Popen(
        pip([*arguments, "--progress-bar", "off"]), cwd=HERE, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    seen, tail = 0, []
    for line in process.stdout:
        tail = [*tail[-14:], line]
        if line.startswith("Collecting "):
            seen += 1
            if tty:
                print("\r      %3d/%d %-50.50s" % (seen, total, line.split()[1]), end="", flush=True)
            elif seen % 20 == 0:
                print("      %3d/%d" % (seen, total), flush=True)
        elif line.startswith("Installing collected"):
            print(("\r" if tty else "") + "      unpacking %-55s" % "", flush=True)
    if process.wait():
        sys.stdout.write("".join(tail))
        fail("pip could not install %s; its last lines are above. Is there a network?" % lock)


def debian_packages():
    """As root on Debian: install what the tests drive. Otherwise those tests are skipped by name."""
    missing = sorted(name for name, path in DEBIAN.items() if not glob.glob(path))
    if not missing or not shutil.which("apt-get"):
        return
    if os.geteuid() != 0:
        print("Tests that need %s will be skipped (run as root to have them installed)." % ", ".join(missing))
        return
    print("Installing Debian packages for the tests: " + ", ".join(missing), flush=True)
    quiet = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
    run([*quiet, "update"], "apt-get update", DEBIAN_FRONTEND="noninteractive", stdout=subprocess.DEVNULL)
    install = [*quiet, "install", "--no-install-recommends", *missing]
    plan = subprocess.run([*install, "--assume-no"], capture_output=True, text=True)
    for line in plan.stdout.splitlines():
        if line.startswith(("Need to get", "After this operation")):
            print("  " + line, flush=True)
    run([*install, "-y"], "apt-get install", DEBIAN_FRONTEND="noninteractive", stdout=subprocess.DEVNULL)


def run(command, what, stdout=None, **environment):
    """Run a step; a failure ends the program."""
    if subprocess.run(command, cwd=HERE, stdout=stdout, env={**os.environ, **environment}).returncode:
        fail("%s failed; what it said is above." % what)


def fail(sentence):
    """Say it and end with code 1."""
    sys.exit("bootstrap: " + sentence)


if __name__ == "__main__":
    main()
