from opencode.loop.usage import price_for, step_cost, token_counts, tokens_and_cost
from opencode.provider.schema import CacheCost, CostTier, CostTierRule, LongContextCost, ModelCost
from opencode.provider.stream import Usage
from opencode.session.schema import CacheTokens, Tokens

SONNET = ModelCost(input=3, output=15, cache=CacheCost(read=0.3, write=3.75))


def tier(size: int, price: int) -> CostTier:
    return CostTier(input=price, output=price, cache=CacheCost(), tier=CostTierRule(type="context", size=size))


def test_cached_tokens_and_reasoning_are_counted_apart() -> None:
    usage = Usage(input=500, output=50, reasoning=10, cache_read=100, cache_write=40, total=550)
    assert token_counts(usage) == Tokens(
        total=550, input=360, output=40, reasoning=10, cache=CacheTokens(read=100, write=40)
    )


def test_a_missing_total_is_the_sum_of_what_went_in_and_out() -> None:
    assert token_counts(Usage(input=7, output=3)).total == 10


def test_contradictory_counts_never_become_negative() -> None:
    counts = token_counts(Usage(input=5, output=1, reasoning=4, cache_read=9))
    assert (counts.input, counts.output) == (0, 0)


def test_every_kind_of_token_has_its_price_and_reasoning_is_charged_once() -> None:
    usage = Usage(input=500, output=50, reasoning=10, cache_read=100)
    assert tokens_and_cost(usage, SONNET)[1] == 0.00198


def test_the_sum_is_exact_in_decimal() -> None:
    assert step_cost(Usage(input=540, output=50, cache_read=100, cache_write=40), SONNET) == 0.00213


def test_a_model_without_prices_costs_nothing() -> None:
    cost = step_cost(Usage(input=10**6, output=10**6), ModelCost())
    assert cost == 0
    assert isinstance(cost, int)


def test_the_largest_tier_that_is_exceeded_sets_the_price() -> None:
    cost = ModelCost(input=1, output=1, tiers=[tier(100, 5), tier(1000, 9), tier(200, 7)])
    assert [price_for(cost, size).input for size in (100, 101, 201, 5000)] == [1, 5, 7, 9]


def test_long_contexts_have_their_own_price_above_two_hundred_thousand_tokens() -> None:
    cost = ModelCost(input=1, output=1, over_200k=LongContextCost(input=2, output=2, cache=CacheCost()))
    assert [price_for(cost, size).input for size in (200_000, 200_001)] == [1, 2]


def test_an_amount_billed_by_the_provider_replaces_our_sum() -> None:
    metadata = {"copilot": {"totalNanoAiu": 250_000_000}}
    assert step_cost(Usage(input=1000), SONNET, metadata) == 0.0025


def test_the_providers_own_total_is_kept_and_nothing_is_nothing() -> None:
    assert token_counts(Usage(input=7, output=3, total=25)).total == 25
    assert token_counts(Usage()).total == 0


def test_the_size_of_a_step_decides_about_its_price() -> None:
    cost = ModelCost(input=1, output=1, tiers=[tier(100, 5)])
    assert [step_cost(Usage(input=size), cost) for size in (100, 200)] == [0.0001, 0.001]


def test_what_the_provider_billed_is_what_a_step_cost() -> None:
    assert tokens_and_cost(Usage(input=1), SONNET, {"copilot": {"totalNanoAiu": 10**11}}) == (
        token_counts(Usage(input=1)),
        1.0,
    )
