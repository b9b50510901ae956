"""One request per operation: what ``test_every_operation.py`` sends."""

from dataclasses import dataclass, field
from typing import Any

TEXT = {"parts": [{"type": "text", "text": "hello"}]}


@dataclass(frozen=True)
class Sample:
    """A request that succeeds. ``{session}``, ``{message}``, ``{part}`` and ``{project}`` stand for what exists."""

    parameters: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None


SESSION = {"sessionID": "{session}"}
MESSAGE = {**SESSION, "messageID": "{message}"}
PART = {**MESSAGE, "partID": "{part}"}
LINE = {"service": "test", "level": "info", "message": "x"}
NEW_PART = {"id": "{part}", "sessionID": "{session}", "messageID": "{message}", "type": "text", "text": "new"}

SAMPLES = {
    "app.agents": Sample(),
    "app.log": Sample(body=LINE),
    "app.skills": Sample(),
    "auth.remove": Sample({"providerID": "p"}),
    "auth.set": Sample({"providerID": "p"}, body={"type": "api", "key": "k"}),
    "command.list": Sample(),
    "config.get": Sample(),
    "config.providers": Sample(),
    "config.update": Sample(body={"username": "ann"}),
    "doc.get": Sample(),
    "doc.json": Sample(),
    "doc.openapi": Sample(),
    "experimental.capabilities.get": Sample(),
    "experimental.console.get": Sample(),
    "experimental.resource.list": Sample(),
    "experimental.session.list": Sample(),
    "experimental.workspace.adapter.list": Sample(),
    "experimental.workspace.list": Sample(),
    "experimental.workspace.status": Sample(),
    "formatter.status": Sample(),
    "global.config.get": Sample(),
    "global.config.update": Sample(body={"username": "ann"}),
    "global.dispose": Sample(),
    "global.health": Sample(),
    "instance.dispose": Sample(),
    "lsp.status": Sample(),
    "mcp.status": Sample(),
    "part.delete": Sample(PART),
    "part.update": Sample(PART, body=NEW_PART),
    "path.get": Sample(),
    "permission.list": Sample(),
    "project.current": Sample(),
    "project.directories": Sample({"projectID": "{project}"}),
    "project.list": Sample(),
    "project.update": Sample({"projectID": "{project}"}, body={"name": "x"}),
    "provider.auth": Sample(),
    "provider.list": Sample(),
    "question.list": Sample(),
    "session.abort": Sample(SESSION),
    "session.fork": Sample(SESSION),
    "session.children": Sample(SESSION),
    "session.command": Sample(SESSION, body={"command": "init", "arguments": "briefly"}),
    "session.create": Sample(body={}),
    "session.delete": Sample(SESSION),
    "session.deleteMessage": Sample(MESSAGE),
    "session.diff": Sample(SESSION),
    "session.get": Sample(SESSION),
    "session.init": Sample(SESSION, body={"messageID": "msg_init", "providerID": "{provider}", "modelID": "{model}"}),
    "session.list": Sample(),
    "session.message": Sample(MESSAGE),
    "session.messages": Sample(SESSION),
    "session.prompt": Sample(SESSION, body=TEXT),
    "session.prompt_async": Sample(SESSION, body={**TEXT, "noReply": True}),
    "session.shell": Sample(SESSION, body={"agent": "build", "command": "true"}),
    "session.status": Sample(),
    "session.todo": Sample(SESSION),
    "session.update": Sample(SESSION, body={"title": "x"}),
    "tool.ids": Sample(),
    "tool.list": Sample(query={"provider": "{provider}", "model": "{model}"}),
    "vcs.get": Sample(),
}

ELSEWHERE = {
    "event.subscribe": "test_server.py",
    "global.event": "test_server.py",
    "permission.reply": "test_asking.py",
    "permission.respond": "test_asking.py",
    "question.reject": "test_asking.py",
    "question.reply": "test_asking.py",
}
"""Operations that need more than one request, and the test that makes them."""
