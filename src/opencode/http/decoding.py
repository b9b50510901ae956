"""Path parameters, query and body into typed values; every fault names where it is (spec: HTTP 6; endpoints)."""

import math
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import UnsetType

from opencode.core.wire import Wire
from opencode.http.errors import RequestInvalid

T = TypeVar("T")
W = TypeVar("W", bound=Wire)

NULLS_FORGIVEN = 1000
"""How many different optional fields of one body may be null before it is refused."""

DEEPEST = 200
"""Levels of a body: free-form values are kept as they are, and what reads and writes them later goes down to each."""

_PLACE = re.compile(r"(?P<problem>.*?)(?: - at `(?P<key>key in )?(?P<path>\$[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
_JSON_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")


def bare_type(hint: Any) -> tuple[Any, tuple[msgspec.Meta, ...]]:
    """The type under new-type names, annotations and ``| UnsetType``, with the constraints found on the way."""
    metas: tuple[msgspec.Meta, ...] = ()
    while True:
        if hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif get_origin(hint) is Annotated:
            hint, *extras = get_args(hint)
            metas += tuple(extra for extra in extras if isinstance(extra, msgspec.Meta))
        elif UnsetType in get_args(hint):
            rest = [option for option in get_args(hint) if option is not UnsetType]
            hint = rest[0] if len(rest) == 1 else _union(rest)
        else:
            return hint, metas


def _union(options: list[Any]) -> Any:
    union = options[0]
    for option in options[1:]:
        union = union | option
    return union


class PathParameter:
    """One parameter of a path, checked against the prefix of its id type."""

    __slots__ = ("argument", "name", "prefix")

    def __init__(self, name: str, argument: str, hint: Any) -> None:
        self.name = name
        self.argument = argument
        patterns = [meta.pattern for meta in bare_type(hint)[1] if meta.pattern]
        self.prefix = patterns[0].removeprefix("^") if patterns else ""

    def decode(self, value: str) -> str:
        """The value. Raises ``RequestInvalid``."""
        if not value.startswith(self.prefix):
            problem = f'Expected a string starting with "{self.prefix}", got "{value}"'
            raise RequestInvalid(problem, kind="Params", path=(self.name,), code="invalid_format")
        return value


class QueryDecoder(Generic[W]):
    """Reads the query into a record of optional fields; unknown parameters are ignored."""

    def __init__(self, kind: type[W]) -> None:
        self._kind = kind
        self._fields = [(field.encode_name, _reader(field.type)) for field in msgspec.structs.fields(kind)]
        self._empty = None if any(field.required for field in msgspec.structs.fields(kind)) else kind()

    def decode(self, query: dict[str, str]) -> W:
        """The record. Raises ``RequestInvalid``."""
        if not query and self._empty is not None:  # nearly every request
            return self._empty
        values: dict[str, Any] = {}
        for name, read in self._fields:
            text = query.get(name)
            if text is None:
                continue
            try:
                values[name] = read(text)
            except ValueError:
                problem = f'Expected {_EXPECTED[read]}, got "{text}"'
                raise RequestInvalid(problem, kind="Query", path=(name,), code="invalid_type") from None
        try:
            return msgspec.convert(values, self._kind)
        except msgspec.ValidationError as error:
            raise fault(error, kind="Query") from None


def _read_flag(text: str) -> bool:
    if text in ("true", "1"):
        return True
    if text in ("false", "0", ""):
        return False
    raise ValueError


def _read_number(text: str) -> int | float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return int(number) if number.is_integer() else number


_EXPECTED: dict[Callable[[str], Any], str] = {_read_flag: "boolean", _read_number: "number", str: "string"}


def _reader(hint: Any) -> Callable[[str], Any]:
    kind, _ = bare_type(hint)
    options = set(get_args(kind)) or {kind}
    if bool in options:
        return _read_flag
    return _read_number if options & {int, float} else str


class Unchecked(Generic[T]):
    """A body that should be a ``T`` and is checked by the service it is for: an object, as it was sent."""

    __slots__ = ("value",)

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value


class UncheckedDecoder:
    """Reads a JSON object for a service that checks it."""

    def __init__(self) -> None:
        self._object: BodyDecoder[dict[str, Any]] = BodyDecoder(dict[str, Any])

    def decode(self, body: bytes) -> Unchecked[Any]:
        """The object. Raises ``RequestInvalid``."""
        return Unchecked(self._object.decode(body))


class BodyDecoder(Generic[T]):
    """Reads a JSON body, whatever its content type says.

    An empty body counts as ``{}``, a null optional field as absent.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, body: bytes) -> T:
        """The record. Raises ``RequestInvalid``."""
        try:
            record = self._decode(body.strip() or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RequestInvalid(f"Malformed JSON: {error}", kind="Body", code="invalid_json") from None
        if _levels(body) > DEEPEST:
            problem = f"Nested too deeply: more than {DEEPEST} levels"
            raise RequestInvalid(problem, kind="Body", code="invalid_json")
        return record

    def _decode(self, body: bytes) -> T:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            if "got `null`" not in str(error):
                raise fault(error, kind="Payload") from None
            return self._without_nulls(msgspec.json.decode(body))

    def _without_nulls(self, value: Any) -> T:
        """Drops the nulls the record does not allow, and only those: metadata keeps its own."""
        for _ in range(NULLS_FORGIVEN):
            try:
                return msgspec.convert(value, self._kind)
            except msgspec.ValidationError as error:
                invalid = fault(error, kind="Payload")
                if not _drop_nulls(value, invalid.path):
                    raise invalid from None
        raise RequestInvalid("Too many null fields", kind="Payload")


def _levels(body: bytes) -> int:
    """How deep the values of a JSON text are nested; 0 when it cannot be too deep."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:  # nearly every request
        return 0
    brackets = _JSON_STRING.sub(b"", body).translate(None, _NOT_BRACKETS)
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def _drop_nulls(value: Any, path: tuple[str | int, ...]) -> bool:
    """Drop the field that a path leads to where it is null, in all items of the lists on the way; False if nowhere."""
    holders = [value]
    for step in path[:-1]:
        if isinstance(step, int):
            holders = [item for holder in holders if isinstance(holder, list) for item in holder]
        else:
            holders = [holder[step] for holder in holders if isinstance(holder, dict) and step in holder]
    nulls = [holder for holder in holders if path and isinstance(holder, dict) and holder.get(path[-1], ...) is None]
    for holder in nulls:
        del holder[path[-1]]
    return bool(nulls)


def fault(error: msgspec.ValidationError, *, kind: str) -> RequestInvalid:
    """The decoder's complaint in the shape official clients know."""
    found = _PLACE.fullmatch(str(error))
    if found is None:  # pragma: no cover - the pattern takes any text
        return RequestInvalid(str(error), kind=kind)
    steps = _STEP.finditer(found["path"] or "")
    path = [int(step["index"]) if step["index"] else step["name"] for step in steps if step["index"] or step["name"]]
    problem = found["problem"].replace("`", "")
    if missing := _MISSING.fullmatch(found["problem"]):
        return RequestInvalid("Missing key", kind=kind, path=(*path, missing["name"]), code="missing_key")
    return RequestInvalid(problem, kind=kind, path=tuple(path), code="invalid_type")
