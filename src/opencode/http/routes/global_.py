"""``/global``: what concerns the whole server."""

from opencode.config.schema import Config
from opencode.core.version import API_VERSION, SERVER_VERSION
from opencode.core.wire import encode
from opencode.http.answer import Later, Raw
from opencode.http.decoding import Unchecked
from opencode.http.operation import operation
from opencode.http.schema import Health
from opencode.instance.registry import InstanceRegistry
from opencode.instance.shared import Shared


@operation("global.health", "GET", "/global/health")
def health() -> Health:
    """Whether the server lives, and which API it speaks."""
    return Health(version=API_VERSION, server=SERVER_VERSION)


@operation("global.config.get", "GET", "/global/config")
async def get_config(shared: Shared) -> Raw[Config]:
    """The configuration of the user, without that of projects."""
    return Raw(encode(await shared.config.global_config()))


@operation("global.config.update", "PATCH", "/global/config")
async def update_config(shared: Shared, registry: InstanceRegistry, body: Unchecked[Config]) -> Later[Config]:
    """Merge into the user's configuration; every instance is opened anew."""
    changed = await shared.config.update_global(body.value)
    return Later(Raw(encode(changed)), registry.dispose_all)


@operation("global.dispose", "POST", "/global/dispose")
def dispose(registry: InstanceRegistry) -> Later[bool]:
    """Close every instance."""
    return Later(True, registry.dispose_all)


operations = (health, get_config, update_config, dispose)
