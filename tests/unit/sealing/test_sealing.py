"""A sealed text opens with its key and record only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sealing import SealError, associated, derive_key, new_key, seal, unseal, unwrap_key, wrap_key

KEY = bytes(range(32))


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_again(plain: bytes, record: str) -> None:
    sealed = seal(KEY, plain, associated(record))
    assert plain not in sealed or len(plain) < 4
    assert unseal(KEY, sealed, associated(record)) == plain


def test_another_key_record_or_text_is_refused() -> None:
    sealed = seal(KEY, b"template", associated("person", "photo"))
    for key, text, aad in [
        (new_key(), sealed, associated("person", "photo")),
        (KEY, sealed, associated("person", "other")),
        (KEY, sealed[:-1] + bytes([sealed[-1] ^ 1]), associated("person", "photo")),
        (KEY, b"", associated("person", "photo")),
        (KEY, b"\x02" + sealed[1:], associated("person", "photo")),
    ]:
        with pytest.raises(SealError):
            unseal(key, text, aad)


def test_parts_cannot_run_into_each_other() -> None:
    assert associated("ab", "c") != associated("a", "bc")


def test_each_purpose_has_its_key_and_it_never_changes() -> None:
    assert derive_key(KEY, "people") == derive_key(KEY, "people") != derive_key(KEY, "evidence")
    assert derive_key(KEY, "people").hex() == "4f124594dd86d94e363430245bc79f8876dfaf71be81df17f81daab154b7c7a6"


def test_a_wrapped_key_belongs_to_its_owner() -> None:
    wrapped = wrap_key(KEY, new_key(), "p1")
    assert len(unwrap_key(KEY, wrapped, "p1")) == 32
    with pytest.raises(SealError):
        unwrap_key(KEY, wrapped, "p2")
