"""``/share`` and ``/session/{sessionID}/share``: sessions that anyone with the link may read."""

import secrets
from importlib.resources import files

from opencode.core.ids import SessionID
from opencode.http.answer import Answer, Header, Raw
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.instance.shared import Shared
from opencode.session.schema import Session
from opencode.session.share import SharedHistory

KNOWN = ("NotFoundError", "effect_HttpApiError_InternalServerError")
PRIVATE: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"))


@operation("session.share", "POST", "/session/{sessionID}/share", errors=KNOWN)
async def share_session(instance: Instance, session_id: SessionID) -> Session:
    """Make a link under which anyone may read a session."""
    return await instance.shares.share(session_id)


@operation("session.unshare", "DELETE", "/session/{sessionID}/share", errors=KNOWN)
async def unshare_session(instance: Instance, session_id: SessionID) -> Session:
    """Take the link of a session back."""
    return await instance.shares.unshare(session_id)


@operation("share.page", "GET", "/share/{shareID}", source="ours", listed=False)
def get_share_page(share_id: str) -> Answer:
    """A page that shows a shared session; it needs nothing from anywhere else."""
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src 'self'"
    )
    page = files("opencode.http").joinpath("share.html").read_text().replace("__NONCE__", nonce)
    headers = ((b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", policy.encode()), *PRIVATE)
    return Answer(200, page.encode(), headers)


@operation("share.data", "GET", "/share/{shareID}/data", source="ours", errors=("NotFoundError",))
async def get_shared(shared: Shared, share_id: str) -> Raw[SharedHistory]:
    """A shared session with its messages; needs no credentials."""
    return Raw(await shared.sharing.read(share_id), PRIVATE)


operations = (share_session, unshare_session, get_share_page, get_shared)
