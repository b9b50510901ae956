"""Finding routes."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.http.router import Router


@pytest.fixture
def router() -> Router[str]:
    return Router(
        [
            ("GET", "/", "root"),
            ("GET", "/session", "list"),
            ("GET", "/session/status", "status"),
            ("GET", "/session/{id}", "get"),
            ("PATCH", "/session/{id}", "update"),
            ("GET", "/session/{id}/message/{message}", "message"),
            ("PUT", "/session/status/all", "all"),
            ("DELETE", "/session/{id}/all", "delete"),
        ]
    )


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/", ("root", {})),
        ("GET", "/session", ("list", {})),
        ("GET", "/session/", ("list", {})),
        ("HEAD", "/session", ("list", {})),
        ("GET", "/session/status", ("status", {})),
        ("GET", "/session/ses_1", ("get", {"id": "ses_1"})),
        ("PATCH", "/session/status", ("update", {"id": "status"})),
        ("GET", "/session/a%2Fb/message/%25", ("message", {"id": "a/b", "message": "%"})),
        ("GET", "/session/a/message/b/", ("message", {"id": "a", "message": "b"})),
        ("DELETE", "/session/status/all", ("delete", {"id": "status"})),
    ],
)
def test_paths_lead_to_their_target(router: Router[str], method: str, path: str, found: object) -> None:
    assert router.find(method, path) == found


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/sessions"), ("POST", "/session"), ("GET", "/session/a/b"), ("GET", "/session//")],
)
def test_other_paths_lead_nowhere(router: Router[str], method: str, path: str) -> None:
    assert router.find(method, path) is None


def test_a_route_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        Router([("GET", "/a/{x}", 1), ("GET", "/a/{y}", 2)])


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_any_text_survives_as_a_parameter(first: str, second: str) -> None:
    router = Router([("GET", "/a/{first}/b/{second}", "found")])
    path = f"/a/{quote(first, safe='')}/b/{quote(second, safe='')}"
    assert router.find("GET", path) == ("found", {"first": first, "second": second})
