"""The sign-ins of one directory that have begun and are not done (operations ``provider.oauth.*``)."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus

from opencode.auth.store import CredentialStore
from opencode.core.clock import Clock
from opencode.core.log import Logger
from opencode.core.tasks import task_group
from opencode.provider.sign_in.errors import (
    CodeMissing,
    InputInvalid,
    NotBegun,
    ServerRefused,
    ServerUnreachable,
    SignInFailed,
    WrongInput,
)
from opencode.provider.sign_in.inputs import checked_inputs
from opencode.provider.sign_in.method import (
    Flow,
    Inputs,
    SignedIn,
    SignInContext,
    SignInMethod,
    SignInProvider,
    SignInSettings,
)
from opencode.provider.sign_in.registry import SIGN_INS
from opencode.provider.sign_in.schema import ProviderAuthAuthorization, ProviderAuthMethod
from opencode.provider.sign_in.token_server import open_token_server

log = Logger("provider")

BEGIN_SECONDS = 60.0
"""How long a provider may take to say where the user signs in."""
OVER = "it took too long, another sign-in has begun, or the directory was closed"


class Pending:
    """A sign-in that has begun. One caller at a time waits for its end."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = anyio.Lock()
        self.life = anyio.CancelScope()
        self.is_over = False
        self.closed = anyio.Event()
        self._waiting: set[anyio.CancelScope] = set()

    @contextmanager
    def waited_for(self) -> Iterator[anyio.CancelScope]:
        """A scope that is cancelled when the sign-in ends before what is done in it."""
        with anyio.CancelScope() as scope:
            self._waiting.add(scope)
            try:
                yield scope
            finally:
                self._waiting.discard(scope)

    def end(self) -> None:
        """Nobody can finish it any more."""
        self.is_over = True
        self.life.cancel()
        for scope in list(self._waiting):
            scope.cancel()


class SignIns:
    """Begins sign-ins and stores what they lead to. Open with :func:`open_sign_ins`.

    Of one provider only the latest counts. A sign-in ends when it is done, refused, or too old, and with the
    directory's instance. A caller that leaves stops waiting, and may come back and wait again.
    """

    def __init__(
        self,
        tasks: TaskGroup,
        store: CredentialStore,
        options_of: Callable[[str], Mapping[str, Any]],
        refusal_of: Callable[[str], str | None],
        clock: Clock,
        providers: Mapping[str, SignInProvider],
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._options_of = options_of
        self._refusal_of = refusal_of
        self._clock = clock
        self._providers = providers
        self._pending: dict[str, Pending] = {}
        self._beginning: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    def methods(self) -> dict[str, list[ProviderAuthMethod]]:
        """Ways to sign in by provider id; providers that only take an API key are left out."""
        return {key: [method.record() for method in provider.methods] for key, provider in self._providers.items()}

    @property
    def has_begun(self) -> bool:
        """Whether somebody is signing in."""
        return bool(self._pending)

    async def authorize(self, provider_id: str, index: float, inputs: Inputs) -> ProviderAuthAuthorization:
        """Begin to sign in, in place of what has begun before. Raises ``InputInvalid``, ``SignInFailed``."""
        method = self._method(provider_id, index)
        if refusal := self._refusal_of(provider_id):
            raise SignInFailed(provider_id, refusal)
        try:
            checked = checked_inputs(method.prompts, inputs)
            with anyio.fail_after(BEGIN_SECONDS):
                async with self._beginning[provider_id]:
                    await self._end(provider_id)
                    flow: Flow = await self._tasks.start(self._hold, provider_id, method, checked)
        except WrongInput as wrong:
            raise InputInvalid(provider_id, wrong.field, wrong.problem) from None
        except (ServerRefused, ServerUnreachable) as error:
            raise SignInFailed(provider_id, f"The sign-in could not begin: {error}") from None
        except TimeoutError:
            raise SignInFailed(provider_id, "The sign-in could not begin: the provider does not answer") from None
        return ProviderAuthAuthorization(url=flow.url, method=flow.kind, instructions=flow.instructions)

    async def callback(self, provider_id: str, code: str | None) -> bool:
        """Wait until the user has signed in, and store it; always True.

        Raises ``NotBegun``, ``CodeMissing``, ``SignInFailed``.
        """
        pending = self._pending.get(provider_id)
        if pending is None:
            raise NotBegun(provider_id)
        if pending.flow.kind == "code" and not code:
            raise CodeMissing(provider_id)
        with pending.waited_for() as scope:
            async with pending.turn:
                if pending.is_over:
                    raise NotBegun(provider_id)
                await self._finish(provider_id, pending, code or "")
        if scope.cancelled_caught:
            raise SignInFailed(provider_id, f"The sign-in has ended: {OVER}")
        return True

    def _method(self, provider_id: str, index: float) -> SignInMethod:
        """A way to sign in that the server takes part in. Raises ``InputInvalid``."""
        provider = self._providers.get(provider_id)
        if provider is None:
            known = ", ".join(self._providers)
            problem = f"{provider_id} has no sign-in: store its API key with PUT /auth/{provider_id}. Others: {known}"
            raise InputInvalid(provider_id, "providerID", problem)
        if index not in range(len(provider.methods)):
            raise InputInvalid(provider_id, "method", f"method must be 0 to {len(provider.methods) - 1}")
        method = provider.methods[int(index)]
        if method.begin is None:
            raise InputInvalid(provider_id, "method", f"This one is an API key: store it with PUT /auth/{provider_id}")
        return method

    async def _finish(self, provider_id: str, pending: Pending, code: str) -> None:
        try:
            signed_in = await pending.flow.finish(code)
        except ServerUnreachable as error:
            raise SignInFailed(provider_id, str(error)) from None
        except ServerRefused as error:
            pending.end()
            raise SignInFailed(provider_id, str(error)) from None
        # The code has been used: what it was given for must not be lost, whoever leaves now.
        with anyio.CancelScope(shield=True):
            await self._keep(provider_id, signed_in)
        # Not ``end``: that would cancel this very call.
        pending.is_over = True
        pending.life.cancel()

    async def _end(self, provider_id: str) -> None:
        """End what has begun before, so that what it holds is free."""
        if earlier := self._pending.get(provider_id):
            earlier.end()
            await earlier.closed.wait()

    async def _keep(self, provider_id: str, signed_in: SignedIn) -> None:
        stored_for = signed_in.provider_id or provider_id
        await self._store.set(stored_for, signed_in.auth)
        log.info("signed in", provider=stored_for)

    async def _hold(
        self, provider_id: str, method: SignInMethod, inputs: Inputs, *, task_status: TaskStatus[Flow]
    ) -> None:
        """Keep a sign-in open until it is done or too old."""
        assert method.begin is not None
        settings = SignInSettings.of_options(self._options_of(provider_id))
        pending: Pending | None = None
        try:
            async with (
                open_token_server() as server,
                method.begin(inputs, SignInContext(settings, server, self._clock)) as flow,
            ):
                self._pending[provider_id] = pending = Pending(flow)
                task_status.started(flow)
                with pending.life:
                    await anyio.sleep(flow.lifetime_seconds)
        finally:
            if pending is not None:
                pending.end()
                pending.closed.set()
                del self._pending[provider_id]


@asynccontextmanager
async def open_sign_ins(
    *,
    store: CredentialStore,
    options_of: Callable[[str], Mapping[str, Any]],
    refusal_of: Callable[[str], str | None],
    clock: Clock,
    providers: Mapping[str, SignInProvider] = SIGN_INS,
) -> AsyncIterator[SignIns]:
    """The sign-ins of one directory; on exit those that are not done end.

    ``options_of``: the options of a provider. ``refusal_of``: why nobody signs in at it from here, if so.
    """
    async with task_group() as tasks:
        yield SignIns(tasks, store, options_of, refusal_of, clock, providers)
        tasks.cancel_scope.cancel()
