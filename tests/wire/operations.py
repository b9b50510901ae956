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
OTHER_SESSION = {
    "id": "ses_other",
    "slug": "a-b",
    "projectID": "global",
    "directory": "/nowhere",
    "title": "Other",
    "version": "1.2.15",
    "time": {"created": 1, "updated": 2},
}

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
    "experimental.snapshot.get": Sample(),
    "experimental.stats.get": Sample(query={"days": "7", "project": "{project}"}),
    "experimental.workspace.adapter.list": Sample(),
    "experimental.workspace.list": Sample(),
    "experimental.workspace.status": Sample(),
    "file.list": Sample(query={"path": "."}),
    "file.read": Sample(query={"path": "hello.txt"}),
    "file.status": Sample(),
    "find.files": Sample(query={"query": "hello"}),
    "find.symbols": Sample(query={"query": "main"}),
    "find.text": Sample(query={"pattern": "hello"}),
    "formatter.status": Sample(),
    "global.config.get": Sample(),
    "global.config.update": Sample(body={"username": "ann"}),
    "global.dispose": Sample(),
    "global.health": Sample(),
    "global.session.content": Sample(SESSION),
    "global.session.restore": Sample(body={"info": OTHER_SESSION, "messages": []}),
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
    "seed.message.get": Sample({"messageID": "{message}"}),
    "seed.session.prompt": Sample(SESSION, body=TEXT),
    "session.abort": Sample(SESSION),
    "session.fork": Sample(SESSION),
    "session.revert": Sample(SESSION, body={"messageID": "{message}"}),
    "session.unrevert": Sample(SESSION),
    "session.summarize": Sample(SESSION, body={"providerID": "demo", "modelID": "demo"}),
    "session.children": Sample(SESSION),
    "session.command": Sample(SESSION, body={"command": "init", "arguments": "briefly"}),
    "session.create": Sample(body={}),
    "session.delete": Sample(SESSION),
    "session.deleteMessage": Sample(MESSAGE),
    "session.diff": Sample(SESSION),
    "session.get": Sample(SESSION),
    "session.import": Sample(body={"info": OTHER_SESSION, "messages": []}),
    "session.init": Sample(SESSION, body={"messageID": "msg_init", "providerID": "{provider}", "modelID": "{model}"}),
    "session.list": Sample(),
    "session.message": Sample(MESSAGE),
    "session.messages": Sample(SESSION),
    "session.queue.list": Sample(SESSION),
    "session.queue.resume": Sample(SESSION),
    "session.why": Sample(SESSION),
    "session.prompt": Sample(SESSION, body=TEXT),
    "session.prompt_async": Sample(SESSION, body={**TEXT, "noReply": True}),
    "session.search": Sample(query={"query": "note"}),
    "session.shell": Sample(SESSION, body={"agent": "build", "command": "true"}),
    "session.status": Sample(),
    "session.unshare": Sample(SESSION),
    "session.todo": Sample(SESSION),
    "session.update": Sample(SESSION, body={"title": "x"}),
    "tool.ids": Sample(),
    "tool.list": Sample(query={"provider": "{provider}", "model": "{model}"}),
    "tui.appendPrompt": Sample(body={"text": "x"}),
    "tui.clearPrompt": Sample(),
    "tui.control.response": Sample(body={"ok": True}),
    "tui.executeCommand": Sample(body={"command": "session_new"}),
    "tui.openHelp": Sample(),
    "tui.openModels": Sample(),
    "tui.openSessions": Sample(),
    "tui.openThemes": Sample(),
    "tui.publish": Sample(body={"type": "tui.prompt.append", "properties": {"text": "x"}}),
    "tui.selectSession": Sample(body={"sessionID": "{session}"}),
    "tui.showToast": Sample(body={"message": "x", "variant": "info"}),
    "tui.submitPrompt": Sample(),
    "v1.chat": Sample(body={"messages": [{"role": "user", "content": "hello"}]}),
    "v1.models": Sample(),
    "v1.sessions": Sample(),
    "v1.sessions.create": Sample(body={"title": "x"}),
    "v1.skills": Sample(),
    "v1.tools": Sample(),
    "vcs.get": Sample(),
}

ELSEWHERE = {
    "event.subscribe": "test_server.py",
    "global.event": "test_server.py",
    "permission.reply": "test_asking.py",
    "permission.respond": "test_asking.py",
    "provider.oauth.authorize": "test_sign_in.py",
    "provider.oauth.callback": "test_sign_in.py",
    "question.reject": "test_asking.py",
    "question.reply": "test_asking.py",
    "seed.question.answer": "test_variants.py",
    "seed.question.get": "test_variants.py",
    "seed.session.event": "test_variants.py",
    "session.queue.cancel": "test_queue.py",
    "session.share": "test_share.py",
    "share.data": "test_share.py",
    "share.page": "test_share.py",
    "tui.control.next": "test_tui.py",
    "v1.chat.stream": "test_v1.py",
    "v1.chat.stream.get": "test_v1.py",
}
"""Operations that need more than one request, and the test that makes them."""

DIVERGENCES = {
    "abort": "idle is told once, not twice; asks of the stopped run are settled with `permission.replied` or "
    "`question.rejected`; a pause before another try ends with `MessageAbortedError` on the message",
    "failures": "idle is told once; parts of a failed attempt are taken back with `message.part.removed` before the "
    "next one; an answer without an end is a failure; five tries at most; nothing is repeated once a tool has started",
    "same call ids": "calls of one answer with the same id are kept apart; from the second on the id is ours",
    "errors": "bodies hold the fields of all generations (`name`, `data`, `message`, `_tag`, and `success`, `error`, "
    "`errors` where the request has a fault)",
    "unknown": "an unknown agent or model is 400 with the names there are, not 500; an unknown session is 404 for "
    "`session.abort`, `session.diff` and as `parentID` of `session.create`; a `limit` that is no number is 400",
    "messages": "user messages say their `variant` at the top too; a message id that is stored is not stored again; "
    "messages of a busy session are not deleted (409)",
    "queue": "a prompt that nobody can answer fails alone, and its caller alone hears of it",
    "session.shell": "`agent` may be left out; the user's message comes before the assistant's, also by id",
    "tools": "a model may only see the tools this server has; `webfetch` lists its formats in alphabetical order",
}
"""Where our traces (``tests/trace``) differ on purpose from those of the official server 1.18.33."""
