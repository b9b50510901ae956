"""A model whose answers follow from what it was asked, so that a seed gives the same turns again."""

import json
import re
from random import Random

from tests.support.scripted_model.script import Call, Op, Repeat, Text, Turn, turn
from tests.support.scripted_model.server import RecordedRequest, ScriptedModel

PROMPT = re.compile(r"prompt-\w+")
MAX_STEPS = 4
ASKS_FIRST = "touch asked-*"
"""Commands that need a permission; everything else is allowed."""


def answer_by_seed(model: ScriptedModel, seed: str) -> None:
    """Let the model answer every prompt with up to ``MAX_STEPS`` rounds of tool calls, then a text."""
    model.answer = lambda request: answer(seed, request)  # type: ignore[method-assign]


def answer(seed: str, request: RecordedRequest) -> Turn:
    if request.is_title:
        return turn("A title")
    prompt, step = _asked(request)
    random = Random(f"{seed}/{prompt}/{step}")
    if step >= MAX_STEPS or random.random() < 0.25:
        return turn(Text(f"answer to {prompt}", chunks=3), Repeat(" more", random.choice([1, 200])))
    calls = [_call(random, f"{prompt}-{step}-{n}") for n in range(random.choice([1, 1, 2]))]
    words: list[Op] = [Text(f"step {step} of {prompt}")] if random.random() < 0.5 else []
    return turn(*words, *calls)


def _asked(request: RecordedRequest) -> tuple[str, int]:
    """The newest prompt, and how many answers it has so far."""
    messages = request.body["messages"]
    newest = max(n for n, message in enumerate(messages) if message["role"] == "user")
    found = PROMPT.findall(json.dumps(messages[newest]))
    return found[-1] if found else "none", sum(m["role"] == "assistant" for m in messages[newest:])


def _call(random: Random, name: str) -> Call:
    match random.choice(["echo", "ask", "write", "write", "read", "todo", "question"]):
        case "echo":
            tool, given = "bash", {"command": f"echo {name}; echo {name} >> echoed.txt", "description": "echo"}
        case "ask":
            tool, given = "bash", {"command": f"touch asked-{name}", "description": "touch"}
        case "write":
            tool, given = "write", {"filePath": f"{name}.txt", "content": f"{name}\n" * 500}
        case "read":
            tool, given = "read", {"filePath": "app.py"}
        case "todo":
            tool, given = "todowrite", {"todos": [{"content": name, "status": "pending", "priority": "low", "id": "1"}]}
        case _:
            options = [{"label": "yes", "description": "Yes."}, {"label": "no", "description": "No."}]
            tool, given = "question", {"questions": [{"question": name, "header": "H", "options": options}]}
    return Call(tool, given, id=f"call_{name}")
