"""The tools of one directory, in one explicit list."""

from typing import Any

from opencode.agent.service import AgentService
from opencode.config.environment import Environment
from opencode.core.wire import set_or
from opencode.file.announcer import FileAnnouncer
from opencode.file.editor import FileEditor
from opencode.file.search import open_search
from opencode.instance.ground import Ground
from opencode.instance.planning import hands_over_plans, plan_mode
from opencode.loop.instructions import InstructionFiles
from opencode.question.service import QuestionService
from opencode.session.schema import SessionDeleted
from opencode.skill.service import SkillService
from opencode.tool.builtin.apply_patch import ApplyPatchTool
from opencode.tool.builtin.bash import DEFAULT_TIMEOUT_MS, BashSettings, BashTool
from opencode.tool.builtin.edit import EditTool
from opencode.tool.builtin.glob import GlobTool
from opencode.tool.builtin.grep import GrepTool
from opencode.tool.builtin.invalid import InvalidTool
from opencode.tool.builtin.list import ListTool
from opencode.tool.builtin.plan_exit import PlanExitTool
from opencode.tool.builtin.question import AskTool
from opencode.tool.builtin.read import ReadTool
from opencode.tool.builtin.skill import SkillTool
from opencode.tool.builtin.task import RunSubagent, StartSubagent, TaskTool
from opencode.tool.builtin.todoread import TodoReadTool
from opencode.tool.builtin.todowrite import TodoWriteTool
from opencode.tool.builtin.webfetch import WebFetchTool
from opencode.tool.builtin.write import WriteTool
from opencode.tool.file_time import FileTimes
from opencode.tool.images import ImageLimits
from opencode.tool.registry import ToolRegistry
from opencode.tool.shell_choice import tool_shell
from opencode.tool.tool import Tool
from opencode.tool.truncate import OutputLimits, OutputTruncator


def open_tools(
    ground: Ground,
    agents: AgentService,
    skills: SkillService,
    questions: QuestionService,
    instructions: InstructionFiles,
    run_subagent: RunSubagent,
    start_subagent: StartSubagent | None = None,
) -> tuple[ToolRegistry, ReadTool]:
    """The registry, and the read tool by itself: files in prompts are read with it."""
    shared, environment = ground.shared, ground.shared.environment
    limits = OutputLimits.from_config(ground.config.tool_output)
    truncator = OutputTruncator(limits, shared.paths.tool_output, shared.ids.tool_output)
    times = FileTimes(shared.clock, enabled=not environment.flag("OPENCODE_DISABLE_FILETIME_CHECK"))
    ground.events.subscribe_function(SessionDeleted, lambda event: times.forget_session(event.session_id))
    editor = FileEditor(FileAnnouncer(ground.events))
    search = open_search(ground.environ)
    read = ReadTool(times, instructions.nested)
    bash = BashSettings(
        shell=tool_shell(set_or(ground.config.shell, None), ground.environ),
        environ=ground.environ,
        home=shared.paths.home,
        directory=ground.directory,
        default_timeout_ms=environment.positive("OPENCODE_EXPERIMENTAL_BASH_DEFAULT_TIMEOUT_MS") or DEFAULT_TIMEOUT_MS,
    )
    tools: list[Tool[Any]] = [
        InvalidTool(),
        BashTool(bash, truncator),
        read,
        GlobTool(search),
        GrepTool(search),
        ListTool(search),
        EditTool(editor, times),
        WriteTool(editor, times),
        ApplyPatchTool(editor, times),
        WebFetchTool(),
        TodoWriteTool(ground.sessions),
        TodoReadTool(ground.sessions),
        SkillTool(skills),
        TaskTool(agents, run_subagent, start_subagent),
    ]
    if asks_questions(environment):
        tools.append(AskTool(questions))
    if hands_over_plans(environment) and (plans := plan_mode(ground)) is not None:
        tools.append(PlanExitTool(questions, plans))
    return ToolRegistry(tools, truncator, ImageLimits.from_config(ground.config.attachment)), read


def asks_questions(environment: Environment) -> bool:
    """Whether the client of this server can show questions (spec: agents and permissions, section 5)."""
    client = environment.get("OPENCODE_CLIENT") or "cli"
    return client in ("app", "cli", "desktop") or environment.flag("OPENCODE_ENABLE_QUESTION_TOOL")
