"""Statistics as tables of text, 58 characters wide, as scripts and people know them from OpenCode."""

from dataclasses import dataclass
from typing import Final

from opencode.session.schema import Number, Tokens
from opencode.session.statistics_schema import ModelUsage, ToolUsage, UsageStatistics

WIDTH: Final = 56
BAR: Final = 20
TOOL_NAME: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What to show. ``days``: only sessions of so many days, 0 of today; ``models``: so many, 0 all, ``None`` none."""

    days: int | None = None
    tools: int | None = None
    models: int | None = None


def tables(figures: UsageStatistics, shown: Shown) -> str:
    """All tables that are wanted, one below the other."""
    days = figures.days if shown.days is None else max(1, shown.days)
    found = [_table("OVERVIEW", _overview(figures, days)), _table("COST & TOKENS", _cost(figures, days))]
    if shown.models is not None and figures.models:
        blocks = [_model(model) for model in figures.models[: shown.models or None]]
        found.append(_table("MODEL USAGE", *blocks))
    if figures.tools:
        found.append(_table("TOOL USAGE", _tools(figures.tools, shown.tools)))
    return "\n\n".join(found)


def _table(title: str, *blocks: list[str]) -> str:
    rule = "─" * WIDTH
    body = f"\n├{rule}┤\n".join("\n".join(f"│{line.ljust(WIDTH)}│" for line in block) for block in blocks)
    return f"┌{rule}┐\n│{title.center(WIDTH)}│\n├{rule}┤\n{body}\n└{rule}┘"


def _row(label: str, value: str) -> str:
    return label + value.rjust(WIDTH - 1 - len(label)) + " "


def _overview(figures: UsageStatistics, days: int) -> list[str]:
    return [
        _row("Sessions", f"{figures.sessions:,}"),
        _row("Messages", f"{figures.messages:,}"),
        _row("Days", f"{days:,}"),
    ]


def _cost(figures: UsageStatistics, days: int) -> list[str]:
    tokens = figures.tokens
    average = _sum(tokens) / max(1, figures.sessions)
    return [
        _row("Total Cost", f"${figures.cost:.2f}"),
        _row("Avg Cost/Day", f"${figures.cost / max(1, days):.2f}"),
        _row("Avg Tokens/Session", short(round(average))),
        _row("Median Tokens/Session", short(round(figures.median_tokens))),
        *_token_rows(tokens, ("Input", "Output", "Cache Read", "Cache Write")),
    ]


def _token_rows(tokens: Tokens, labels: tuple[str, str, str, str]) -> list[str]:
    counts = (tokens.input, tokens.output, tokens.cache.read, tokens.cache.write)
    return [_row(label, short(count)) for label, count in zip(labels, counts, strict=True)]


def _model(model: ModelUsage) -> list[str]:
    return [
        _cut(f" {model.provider_id}/{model.model_id}", WIDTH),
        _row("  Messages", f"{model.messages:,}"),
        *_token_rows(model.tokens, ("  Input Tokens", "  Output Tokens", "  Cache Read", "  Cache Write")),
        _row("  Cost", f"${model.cost:.4f}"),
    ]


def _tools(tools: list[ToolUsage], most: int | None) -> list[str]:
    total, largest = sum(tool.calls for tool in tools), tools[0].calls
    return [_tool(tool, total, largest) for tool in (tools if most is None else tools[:most])]


def _tool(tool: ToolUsage, total: int, largest: int) -> str:
    bar = "█" * max(1, tool.calls * BAR // largest)
    share = tool.calls / total * 100
    return f" {_cut(tool.tool, TOOL_NAME).ljust(TOOL_NAME)} {bar.ljust(BAR)} {tool.calls:>3} ({share:>4.1f}%)"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2] + ".."


def _sum(tokens: Tokens) -> Number:
    return tokens.input + tokens.output + tokens.reasoning + tokens.cache.read + tokens.cache.write


def short(count: Number) -> str:
    """``1234567`` is ``1.2M``."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f}M"
    return f"{count / 1_000:.1f}K" if count >= 1_000 else f"{count:g}"
