"""The gateway's certificate: a damaged one is made anew, a damaged authority is named, and neither is a traceback."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.api import TlsFiles, ensure_tls
from gateway.errors import PermanentError

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def ensured(folder: Path, at: datetime = NOW) -> TlsFiles:
    return ensure_tls(folder, site="east", names=["gateway.school"], now=at)


def certificate(files: TlsFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def test_a_certificate_is_kept_until_it_ends_soon(tmp_path: Path) -> None:
    first = certificate(ensured(tmp_path))
    assert certificate(ensured(tmp_path)) == first
    assert certificate(ensured(tmp_path, NOW + timedelta(days=340))) != first


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_damaged_certificate_is_made_anew(tmp_path: Path, content: bytes) -> None:
    files = ensured(tmp_path)
    authority = files.ca.read_bytes()
    files.certificate.write_bytes(content)
    assert certificate(ensured(tmp_path)).issuer == x509.load_pem_x509_certificate(authority).subject
    assert files.ca.read_bytes() == authority


def test_a_key_of_another_certificate_is_made_anew_with_it(tmp_path: Path) -> None:
    """As a crash between the writing of the two leaves them."""
    files, other = ensured(tmp_path / "one"), ensured(tmp_path / "other")
    files.key.write_bytes(other.key.read_bytes())
    ensured(tmp_path / "one")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    files.key.write_bytes(b"rot")
    ensured(tmp_path / "one")
    context.load_cert_chain(files.certificate, files.key)


@pytest.mark.parametrize("name", ["ca.crt", "ca.key"])
def test_a_damaged_authority_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    ensured(tmp_path)
    (tmp_path / "tls" / name).write_bytes(b"rot")
    (tmp_path / "tls" / "gateway.crt").unlink()
    with pytest.raises(PermanentError, match=rf"tls/{name}.*cannot be used.*Restore it, or remove"):
        ensured(tmp_path)
