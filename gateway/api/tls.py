"""The site's own CA and the gateway's certificate, made at first start and renewed before they end."""

import ipaddress
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import PermanentError

_log = logging.getLogger(__name__)
_CA_DAYS = 3650
_LEAF_DAYS = 390
_RENEW_DAYS = 60


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the CA's certificate, the gateway's certificate and its key are."""

    ca: Path
    certificate: Path
    key: Path


def ensure_tls(directory: Path, *, site: str, names: Sequence[str], now: datetime) -> TlsFiles:
    """Make what is missing, renew what ends within 60 days.

    Args:
        directory: of the state; the files lie in its ``tls`` folder, keys with mode 0600.
        site: part of the CA's name.
        names: host names and addresses of the gateway, beside the loopback's and this machine's name.
        now: aware.

    Raises:
        PermanentError: a certificate must be made, and the authority's files are damaged.
    """
    folder = directory / "tls"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = TlsFiles(folder / "ca.crt", folder / "gateway.crt", folder / "gateway.key")
    ca_key_path = folder / "ca.key"
    if not files.ca.exists() or not ca_key_path.exists():
        _make_ca(files.ca, ca_key_path, site, now)
    wanted = sorted({"localhost", socket.gethostname(), "127.0.0.1", "::1", *names})
    if _needs_leaf(files, wanted, now):
        _make_leaf(files, ca_key_path, site, wanted, now)
    return files


def _needs_leaf(files: TlsFiles, names: list[str], now: datetime) -> bool:
    if not files.certificate.exists() or not files.key.exists():
        return True
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        issuer = x509.load_pem_x509_certificate(files.ca.read_bytes()).subject
        key = load_pem_private_key(files.key.read_bytes(), None)
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        _log.error("the gateway's certificate or its key is damaged, and both are made anew: %s", error)
        return True
    if key.public_key() != certificate.public_key():  # the process ended between the two
        return True
    covered = {str(name.value) for name in found}
    ends_soon = certificate.not_valid_after_utc < now + timedelta(days=_RENEW_DAYS)
    return ends_soon or certificate.issuer != issuer or not set(names) <= covered


def _make_ca(path: Path, key_path: Path, site: str, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Campus Gateway CA {site}"[:64])])
    builder = _builder(name, name, key.public_key(), now, _CA_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    _write(key_path, _private(key), 0o600)
    _write(path, builder.sign(key, SHA256()).public_bytes(Encoding.PEM), 0o644)


def _make_leaf(files: TlsFiles, ca_key_path: Path, site: str, names: list[str], now: datetime) -> None:
    ca, ca_key = _authority(files.ca, ca_key_path)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Campus Gateway {site}"[:64])])
    builder = _builder(subject, ca.subject, key.public_key(), now, _LEAF_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = builder.add_extension(authority, critical=False)
    _write(files.key, _private(key), 0o600)
    _write(files.certificate, builder.sign(ca_key, SHA256()).public_bytes(Encoding.PEM), 0o644)


def _authority(path: Path, key_path: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    looked_at = path
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        looked_at = key_path
        key = load_pem_private_key(key_path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the key is of another kind")
    except (ValueError, TypeError) as error:
        what = f"the site's own authority cannot be used: {str(error).partition('.')[0]}"
        remedy = f"Restore it, or remove {path.parent}: then every browser must trust the authority that is made anew."
        raise PermanentError(what, where=str(looked_at), remedy=remedy) from None
    return certificate, key


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    part = path.with_suffix(path.suffix + ".part")
    descriptor = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
