"""A secret gets out only by asking for it."""

import pickle

import msgspec
import pytest

from opencode.auth.schema import ApiAuth, ApiCredential
from opencode.auth.secret import Secret


def test_printing_shows_a_mask() -> None:
    secret = Secret("sk-very-secret")
    shown = f"{secret} {secret!r} {ApiCredential(secret)!r} {ApiAuth(key='sk-very-secret')!r}"
    assert "sk-very-secret" not in shown


def test_no_codec_encodes_it() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(ApiCredential(Secret("x")))
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))


def test_the_value_is_there_for_who_asks() -> None:
    assert Secret("x").reveal() == "x"
    assert Secret("x") == Secret("x") != Secret("y")
