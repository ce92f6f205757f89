"""Certificates for a Redis and its clients, all signed by an authority that nobody else knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


class Authority:
    """Issues certificates into `folder`: `ca.pem` is its own, `NAME.pem` and `NAME.key` others'."""

    def __init__(self, folder: Path) -> None:
        """Make its key and its own certificate."""
        self.folder = folder
        self.name = named("drill authority")
        self.key = ec.generate_private_key(ec.SECP256R1())
        made = self.builder(self.name, self.key, timedelta(days=1)).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def builder(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, valid: timedelta
    ) -> x509.CertificateBuilder:
        """A certificate for `key`, valid until so long from now."""
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(self.name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2)).not_valid_after(now + valid)
        )  # fmt: skip

    def issue(
        self, name: str, *, address: str = "127.0.0.1", passphrase: str = "", days: int = 1
    ) -> str:
        """Certificate and key `name`, for `address`; as options of REDIS_URL."""
        key = ec.generate_private_key(ec.SECP256R1())
        at = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        made = self.builder(named(name), key, timedelta(days=days)).add_extension(at, False)
        certificate, private = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        how = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
        return f"ssl_certfile={certificate}&ssl_keyfile={private}"

    def options(self, port: int, server: str = "server") -> list[str]:
        """Options of a server that speaks TLS at `port` and asks for a certificate."""
        self.issue(server)
        return [
            *("--tls-port", str(port), "--tls-auth-clients", "yes"),
            *("--tls-cert-file", str(self.folder / f"{server}.pem")),
            *("--tls-key-file", str(self.folder / f"{server}.key")),
            *("--tls-ca-cert-file", str(self.ca)),
        ]


def named(name: str) -> x509.Name:
    """A subject with this common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
