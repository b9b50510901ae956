"""``/config``: the configuration of an instance."""

from functools import partial

from opencode.config.present import presented
from opencode.config.schema import Config
from opencode.core.wire import encode
from opencode.http.answer import Later, Raw
from opencode.http.decoding import Unchecked
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.instance.registry import InstanceRegistry
from opencode.instance.shared import Shared
from opencode.provider.service import ConfigProviders


@operation("config.get", "GET", "/config")
def get_config(instance: Instance) -> Raw[Config]:
    """The configuration that applies in the directory."""
    return Raw(encode(presented(instance.config)))


@operation("config.update", "PATCH", "/config")
async def update_config(
    instance: Instance, shared: Shared, registry: InstanceRegistry, body: Unchecked[Config]
) -> Later[Config]:
    """Merge into the project's configuration; the instance is opened anew. Answers what was sent."""
    changed = await shared.config.update_project(instance.directory, instance.worktree, body.value)
    return Later(Raw(encode(changed)), partial(registry.dispose, str(instance.directory)))


@operation("config.providers", "GET", "/config/providers")
def list_providers(instance: Instance) -> ConfigProviders:
    """Providers that can be used, and the best model of each."""
    return instance.providers.config_providers()


operations = (get_config, update_config, list_providers)
