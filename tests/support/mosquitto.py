"""A private Mosquitto: own folder, free port, TLS and users where wanted, gone at the end."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from carrel.sections import MqttConfig
from tests.support.ports import free_port

START_S = 15
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Mosquitto:
    """A broker that runs; `ca_file` signed its certificate where it speaks TLS."""

    port: int
    ca_file: Path | None
    passwords: Mapping[str, str] = field(default_factory=dict)

    def config(self, user: str = "") -> MqttConfig:
        """`[mqtt]` for one of its users."""
        return MqttConfig(
            host=HOST,
            port=self.port,
            embedded=False,
            username=user,
            password=self.passwords.get(user, ""),
            tls=self.ca_file is not None,
            ca_file=self.ca_file,
        )


def require_mosquitto() -> tuple[str, str]:
    """The broker and its password tool; a named skip where they are missing, a failure where CI=true promises them."""
    found = [shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") for name in TOOLS]
    if None in found:
        reason = "Mosquitto is not installed (Debian: apt-get install mosquitto)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return str(found[0]), str(found[1])


TOOLS = ("mosquitto", "mosquitto_passwd")


@contextmanager
def running_mosquitto(
    *, tls: bool = False, users: Mapping[str, str] | None = None, acl: str | None = None
) -> Iterator[Mosquitto]:
    """Start one and stop it again; without users everybody may connect."""
    broker, passwd = require_mosquitto()
    home = Path(tempfile.mkdtemp(prefix="carrel-mosquitto-"))
    port = free_port()
    lines = [f"listener {port} {HOST}", "set_tcp_nodelay true", f"allow_anonymous {'false' if users else 'true'}"]
    if os.geteuid() == 0:
        lines.append("user root")  # or it drops to a user who cannot read this folder
    try:
        if users:
            (home / "passwd").touch()
            for name, password in users.items():
                subprocess.run([passwd, "-b", home / "passwd", name, password], check=True, capture_output=True)
            lines.append(f"password_file {home / 'passwd'}")
        if acl is not None:
            (home / "acl").write_text(acl)
            lines.append(f"acl_file {home / 'acl'}")
        if tls:
            make_certificates(home)
            lines += [f"cafile {home / 'ca.pem'}", f"certfile {home / 'broker.pem'}", f"keyfile {home / 'broker.key'}"]
        (home / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        with (home / "log").open("wb") as log:
            process = subprocess.Popen([broker, "-c", home / "mosquitto.conf"], stdout=log, stderr=log)
        try:
            _await_start(process, port, home / "log")
            yield Mosquitto(port, home / "ca.pem" if tls else None, users or {})
        finally:
            process.terminate()
            process.wait(timeout=15)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def make_certificates(folder: Path) -> None:
    """`ca.pem`, and `broker.pem` with `broker.key` for 127.0.0.1 signed by it."""
    authority = ec.generate_private_key(ec.SECP256R1())
    _write(folder, "ca", _certificate("Carrel test authority", authority, signer=authority), authority)
    own = ec.generate_private_key(ec.SECP256R1())
    _write(folder, "broker", _certificate("broker", own, signer=authority), own)


def _certificate(name: str, key: ec.EllipticCurvePrivateKey, *, signer: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Carrel test authority")])
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=signer is key, crl_sign=signer is key, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is key, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _await_start(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"Mosquitto did not start:\n{log.read_text(errors='replace')}")
