"""Which model goes on, and after which failures."""

from typing import Any

import pytest

from opencode.core.errors import NotFound
from opencode.core.ids import ModelID, ProviderID, SessionID
from opencode.loop.budgets import BudgetSpent, BudgetState
from opencode.loop.fallback import Chains, Fallbacks, is_for_another, name_of, switch_note
from opencode.provider.errors import ApiCallFailed, ContextOverflow, ProviderAuthFailed, StreamFault
from opencode.provider.schema import Model, ModelRef
from opencode.session.schema import APIError, APIErrorData, MessageText, UnknownError
from tests.support.wires import CHAT, model_of

S = SessionID("ses_1")
ASKED = model_of(CHAT, id="a")


def find(wanted: ModelRef) -> Model:
    if wanted.model_id == "gone":
        raise NotFound("there is no such model")
    return model_of(CHAT, id=wanted.model_id)


def used(fallbacks: Fallbacks, session: SessionID = S) -> list[str]:
    """The models that go on one after another until none is left."""
    names = []
    while (model := fallbacks.next(session, ASKED)) is not None:
        assert fallbacks.in_use(session, ASKED) is model
        names.append(name_of(model))
    return names


@pytest.mark.parametrize(
    ("chains", "names"),
    [
        ([], []),
        (["wire/b", "wire/c"], ["wire/b", "wire/c"]),
        (["wire/a", "wire/gone", "wire/b", "wire/b"], ["wire/b"]),
        ({"wire/a": ["wire/b"], "*": ["wire/c"]}, ["wire/b"]),
        ({"wire/b": ["wire/d"], "*": ["wire/c"]}, ["wire/c"]),
        ({"wire/b": ["wire/d"]}, []),
    ],
)
def test_each_model_of_the_chain_goes_on_once(chains: Chains, names: list[str]) -> None:
    assert used(Fallbacks(chains, find)) == names


def test_a_turn_stays_with_its_model_and_the_next_one_does_not() -> None:
    fallbacks = Fallbacks(["wire/b", "wire/c"], find)
    first = fallbacks.next(S, ASKED)
    assert fallbacks.in_use(S, ASKED) is first
    assert fallbacks.in_use(SessionID("ses_2"), ASKED) is ASKED
    fallbacks.end(S)
    assert fallbacks.in_use(S, ASKED) is ASKED
    assert used(fallbacks) == ["wire/b", "wire/c"]


SPENT = BudgetSpent(BudgetState(limit="day_usd", allowed=1, spent=1), 1)


@pytest.mark.parametrize(
    ("failure", "goes_on"),
    [
        (ApiCallFailed("bad key", status_code=401), True),
        (ApiCallFailed("pay", status_code=402), True),
        (ApiCallFailed("gone", status_code=404), True),
        (ApiCallFailed("busy", status_code=503, is_retryable=True), True),
        (ApiCallFailed("reset", is_retryable=True), True),
        (ApiCallFailed("bad schema", status_code=400), False),
        (ApiCallFailed("Your credit balance is too low", status_code=400), True),
        (ApiCallFailed("no", status_code=422, body='{"code": "model_not_found"}'), True),
        (ProviderAuthFailed(ProviderID("p"), "no key"), True),
        (StreamFault("not JSON"), True),
        (ConnectionResetError(), True),
        (ContextOverflow("too long"), False),
        (SPENT, False),
        (RuntimeError("a defect of ours"), False),
    ],
)
def test_another_model_is_asked_where_it_may_succeed(failure: Exception, goes_on: bool) -> None:
    assert is_for_another(failure) is goes_on


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (
            APIError(data=APIErrorData(message="no", is_retryable=True, status_code=503, metadata={"url": "u"})),
            {"message": "no", "is_retryable": True, "status_code": 503, "metadata": {"url": "u"}},
        ),
        (UnknownError(data=MessageText(message="odd")), {"message": "odd", "is_retryable": False, "metadata": {}}),
    ],
)
def test_the_note_says_what_failed_and_what_goes_on(error: Any, kept: dict[str, Any]) -> None:
    refs = [ModelRef(provider_id=ProviderID("p"), model_id=ModelID(id)) for id in ("x", "y/z")]
    metadata = {**kept.pop("metadata"), "failed": "p/x", "fallback": "p/y/z"}
    assert switch_note(error, *refs) == APIError(data=APIErrorData(**kept, metadata=metadata))
