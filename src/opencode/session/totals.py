"""What a session has used in all."""

from collections.abc import Iterable
from decimal import Decimal

from opencode.core.wire import UNSET, replace
from opencode.session.schema import AssistantMessage, CacheTokens, MessageWithParts, Number, Session, Tokens


def with_usage(session: Session, tokens: Tokens, cost: Number) -> Session:
    """The session with more tokens and cost in its totals."""
    total = Tokens() if session.tokens is UNSET else session.tokens
    summed = Tokens(
        input=total.input + tokens.input,
        output=total.output + tokens.output,
        reasoning=total.reasoning + tokens.reasoning,
        cache=CacheTokens(read=total.cache.read + tokens.cache.read, write=total.cache.write + tokens.cache.write),
    )
    return replace(session, tokens=summed, cost=added_usd(0 if session.cost is UNSET else session.cost, cost))


def added_usd(amount: Number, more: Number) -> Number:
    """The sum of two amounts, exact in the decimals they were written in."""
    total = Decimal(str(amount)) + Decimal(str(more))
    return float(total) if total else 0


def with_usage_of(session: Session, messages: Iterable[MessageWithParts]) -> Session:
    """The session with the usage of all answers among the messages."""
    for message in messages:
        if isinstance(message.info, AssistantMessage):
            session = with_usage(session, message.info.tokens, message.info.cost)
    return session
