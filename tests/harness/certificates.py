"""Certificates with an end of one's choice."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(ends: datetime) -> bytes:
    """One in DER that nobody else signed."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_KEY.public_key())
    builder = builder.serial_number(7).not_valid_before(ends - timedelta(days=4000)).not_valid_after(ends)
    return builder.sign(_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
