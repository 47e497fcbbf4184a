"""Envelopes open with the right key in the right place, unaltered, and in no other case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.trust import crypto

KEY = bytes(range(32))
CONTEXT = "credential:11111111-1111-1111-1111-111111111111"


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_was_sealed_opens_again(plaintext: bytes, context: str) -> None:
    assert crypto.unseal(KEY, crypto.seal(KEY, plaintext, context), context) == plaintext


@given(st.binary(min_size=1, max_size=60), st.data())
def test_an_altered_byte_at_any_position_is_refused(plaintext: bytes, data: st.DataObject) -> None:
    envelope = bytearray(crypto.seal(KEY, plaintext, CONTEXT))
    position = data.draw(st.integers(0, len(envelope) - 1))
    envelope[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(KEY, bytes(envelope), CONTEXT)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_shortened_envelope_is_refused(plaintext: bytes, data: st.DataObject) -> None:
    envelope = crypto.seal(KEY, plaintext, CONTEXT)
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(KEY, envelope[: data.draw(st.integers(0, len(envelope) - 1))], CONTEXT)


def test_an_envelope_that_was_moved_to_another_place_does_not_open() -> None:
    envelope = crypto.seal(KEY, b"content", "blob:one")
    with pytest.raises(crypto.SealBroken, match="altered, moved, or encrypted with another key"):
        crypto.unseal(KEY, envelope, "blob:two")


def test_another_key_does_not_open_an_envelope() -> None:
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(crypto.new_key(), crypto.seal(KEY, b"content", CONTEXT), CONTEXT)


def test_sealing_the_same_twice_gives_unlike_envelopes() -> None:
    assert crypto.seal(KEY, b"content", CONTEXT) != crypto.seal(KEY, b"content", CONTEXT)


def test_each_purpose_has_its_own_key() -> None:
    keys = {
        KEY,
        crypto.derive(KEY, "digest"),
        crypto.derive(KEY, "ledger"),
        crypto.derive(bytes(32), "digest"),
    }
    assert len(keys) == 4
    assert crypto.derive(KEY, "digest") == crypto.derive(KEY, "digest")
    assert {len(key) for key in keys} == {crypto.KEY_BYTES}
