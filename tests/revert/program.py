"""One session that changes files at random and is taken back and forward at random; every tree is foretold."""

import random
from dataclasses import dataclass
from functools import partial
from typing import Any

from opencode.snapshot import names
from tests.revert.hand import Hand
from tests.revert.tree import Tree, cannot_be_beside, changed, difference, put, read_tree
from tests.support.scripted_model.script import Turn, turn
from tests.support.scripted_model.server import RecordedRequest
from tests.trace.world import World

Json = dict[str, Any]

MODELS = ("m1", "gpt-5")
"""The second is offered ``apply_patch`` instead of ``edit`` and ``write``."""
ROUNDS = 3


@dataclass
class Step:
    """The trees around one call of the model."""

    before: Tree
    after: Tree


class Program:
    """Plays one seed. ``story`` says what was done, for the one who has to find out why it failed."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._hand = Hand(world.directory, self._random)
        self._session = ""
        self._fresh: list[Step] = []
        self._steps: dict[str, Step] = {}
        self._before_revert: Tree | None = None
        self.story: list[str] = [f"SEED={seed}"]

    async def play(self) -> None:
        """Turns, and between them any way back and forward."""
        self._session = await self._world.session()
        for _ in range(ROUNDS):
            for _ in range(self._random.randint(1, 2)):
                await self._turn()
            for _ in range(self._random.randint(2, 5)):
                acts = [self._revert, self._revert, self._unrevert, self._meddle, self._reopen]
                await self._random.choice(acts)()

    async def _turn(self) -> None:
        """Prompt; a revert that is pending becomes final."""
        model = self._random.choice(MODELS)
        steps = self._random.randint(1, 3)
        self.story.append(f"prompt {model} with {steps} steps")
        self._fresh = []
        self._world.model.push(*[partial(self._answer, model != "m1")] * steps, self._last_words)
        chosen = {"providerID": "scripted", "modelID": model}
        await self._world.prompt(self._session, "Go on", model=chosen)
        self._before_revert = None
        messages = await self._messages()
        new = [m["info"]["id"] for m in messages if is_answer(m) and m["info"]["id"] not in self._steps]
        self._steps.update(zip(new, self._fresh, strict=True))
        for message in messages:
            if message["info"]["id"] in new:
                self._check_patch(message)

    def _answer(self, patches: bool, request: RecordedRequest) -> Turn:
        self._note_tree()
        made = self._hand.step(patches=patches)
        self.story.append(f"  {made.ops}")
        return made

    def _last_words(self, request: RecordedRequest) -> Turn:
        self._note_tree()
        return turn("Done.")

    def _note_tree(self) -> None:
        tree = read_tree(self._world.directory)
        if self._fresh:
            self._fresh[-1].after = tree
        self._fresh.append(Step(tree, tree))

    def _check_patch(self, message: Json) -> None:
        """The patch of a step names exactly the files that it changed."""
        step = self._steps[message["info"]["id"]]
        told = [file for part in message["parts"] if part["type"] == "patch" for file in part["files"]]
        expected = [name.encode(errors="surrogateescape") for name in changed(step.before, step.after)]
        root = self._world.directory
        assert told == [names.absolute(root, name) for name in expected], "\n".join(self.story)

    async def _revert(self) -> None:
        messages = await self._messages()
        message = self._random.choice(messages)
        target = {"messageID": message["info"]["id"]}
        if self._random.random() < 0.5:
            target["partID"] = self._random.choice(message["parts"])["id"]
        self.story.append(f"revert to {target}: {_place(messages, target)}")
        expected = await self._forward(messages)
        self._before_revert = self._before_revert or dict(expected)
        handled: set[str] = set()
        for step in self._after(messages, target):
            for name in changed(step.before, step.after):
                if name not in handled:
                    handled.add(name)
                    put(expected, name, step.before)
        answer = await self._world.send("POST", f"/session/{self._session}/revert", target)
        assert "revert" in answer, f"{answer} {self.story}"
        self._check(expected)

    async def _unrevert(self) -> None:
        self.story.append("unrevert")
        expected = await self._forward(await self._messages())
        answer = await self._world.send("POST", f"/session/{self._session}/unrevert")
        assert "revert" not in answer, f"{answer} {self.story}"
        self._before_revert = None
        self._check(expected)

    async def _meddle(self) -> None:
        """A person changes something beside the session, with an editor or a command in it."""
        if self._before_revert is None and self._random.random() < 0.5:
            command = self._hand.command()
            self.story.append(f"shell {command!r}")
            body = {"agent": "build", "command": command}
            await self._world.send("POST", f"/session/{self._session}/shell", body)
        else:
            self.story.append(f"a person changes {self._hand.change_something_small()!r}")

    async def _reopen(self) -> None:
        """The server forgets what it knows of the directory."""
        self.story.append("reopen")
        await self._world.send("POST", "/instance/dispose")

    async def _forward(self, messages: list[Json]) -> Tree:
        """The tree as it is, or what it becomes when a pending revert is taken back."""
        tree = read_tree(self._world.directory)
        pending = (await self._world.get(f"/session/{self._session}")).get("revert")
        if pending is not None and self._before_revert is not None:
            steps = self._after(messages, pending)
            touched = {name for step in steps for name in changed(step.before, step.after)}
            displaced = {old for old in self._before_revert for name in touched if cannot_be_beside(old, name)}
            for name in touched | displaced:
                put(tree, name, self._before_revert)
        return tree

    def _after(self, messages: list[Json], target: Json) -> list[Step]:
        """The steps whose patch comes after a message or part."""
        found, is_after = [], False
        for message in messages:
            for part in message["parts"]:
                if is_after and part["type"] == "patch":
                    found.append(self._steps[message["info"]["id"]])
                is_this = message["info"]["id"] == target["messageID"]
                is_after = is_after or (is_this and target.get("partID", part["id"]) == part["id"])
        return found

    async def _messages(self) -> list[Json]:
        messages: list[Json] = await self._world.get(f"/session/{self._session}/message")
        return messages

    def _check(self, expected: Tree) -> None:
        found = read_tree(self._world.directory)
        story = "\n".join(self.story)
        assert found == expected, f"{story}\n{difference(expected, found)}"


def is_answer(message: Json) -> bool:
    """Whether a message is the model's; a person's shell command has no steps."""
    return any(part["type"] == "step-start" for part in message["parts"])


def _place(messages: list[Json], target: Json) -> str:
    number = next(n for n, message in enumerate(messages) if message["info"]["id"] == target["messageID"])
    kinds = [part["type"] for part in messages[number]["parts"] if part["id"] == target.get("partID")]
    return " ".join([f"message {number} of {len(messages)}", *kinds])
