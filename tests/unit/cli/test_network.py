import pytest

from opencode.cli.errors import CliError
from opencode.cli.network import Credentials, NetworkSettings, network_settings
from opencode.cli.options import NetworkOptions
from opencode.cli.server import known_hosts
from opencode.config.environment import Environment
from opencode.config.server_schema import BasicAuthConfig, BearerAuthConfig, CorsConfig, ServerConfig


def settings(
    options: NetworkOptions | None = None, config: ServerConfig | None = None, **variables: str
) -> NetworkSettings:
    return network_settings(options or NetworkOptions(), config or ServerConfig(), Environment(variables))


def test_without_options_and_configuration_the_loopback_is_served_to_everybody_on_it() -> None:
    assert settings() == NetworkSettings(hostname="127.0.0.1", port=0, mdns=False, credentials=Credentials())


def test_the_configuration_stands_in_for_options_that_were_not_given() -> None:
    config = ServerConfig(port=5000, hostname="::1", mdns=True, mdns_domain="x.local", cors=["http://a"])
    assert settings(config=config) == NetworkSettings(
        hostname="::1", port=5000, mdns=True, mdns_domain="x.local", cors=("http://a",)
    )


def test_options_win_even_with_the_values_of_the_defaults_and_origins_add_up() -> None:
    config = ServerConfig(port=5000, hostname="::1", mdns=True, cors=CorsConfig(origins=["http://a"]))
    options = NetworkOptions(port=0, hostname="127.0.0.1", mdns=False, cors=("http://b",))
    assert settings(options, config) == NetworkSettings(cors=("http://a", "http://b"))


def test_a_default_port_of_the_command_yields_to_the_configuration() -> None:
    options = NetworkOptions(default_port=3000)
    assert settings(options).port == 3000
    assert settings(options, ServerConfig(port=5000)).port == 5000


def test_the_older_name_of_the_host_counts_when_the_newer_is_absent() -> None:
    assert settings(config=ServerConfig(host="::1")).hostname == "::1"
    assert settings(config=ServerConfig(host="::1", hostname="127.0.0.2")).hostname == "127.0.0.2"


def test_announcing_on_the_network_means_listening_there_unless_a_host_is_given() -> None:
    assert settings(NetworkOptions(mdns=True)).hostname == "0.0.0.0"
    assert settings(NetworkOptions(mdns=True, hostname="10.0.0.1")).hostname == "10.0.0.1"


def test_the_password_of_the_environment_goes_before_the_configured_one() -> None:
    config = ServerConfig(auth=BasicAuthConfig(username="ada", password="from file"))
    assert settings(config=config).credentials == Credentials(username="ada", password="from file")
    assert settings(
        config=config, OPENCODE_SERVER_PASSWORD="pw", OPENCODE_SERVER_USERNAME="bob"
    ).credentials == Credentials(username="bob", password="pw")


def test_bearer_tokens_and_a_password_can_both_be_set() -> None:
    config = ServerConfig(auth=BearerAuthConfig(tokens=["t"]))
    found = settings(config=config, OPENCODE_SERVER_PASSWORD="pw").credentials
    assert (found, found.is_open) == (Credentials(password="pw", tokens=("t",)), False)


def test_credentials_do_not_show_in_tracebacks_and_logs() -> None:
    assert "pw" not in repr(NetworkSettings(credentials=Credentials(password="pw")))


def test_a_switched_off_server_starts_only_by_force() -> None:
    config = ServerConfig(enabled=False)
    with pytest.raises(CliError, match="--force"):
        settings(config=config)
    assert settings(NetworkOptions(force=True), config) == NetworkSettings()


def test_the_variable_that_allows_unauthenticated_access_must_be_true() -> None:
    assert settings(OPENCODE_SERVER_ALLOW_UNAUTHENTICATED="1").allow_unauthenticated
    assert not settings(OPENCODE_SERVER_ALLOW_UNAUTHENTICATED="no").allow_unauthenticated
    assert settings(NetworkOptions(allow_unauthenticated=True)).allow_unauthenticated


def test_pages_of_configured_origins_may_be_limited_to_methods_and_headers() -> None:
    config = ServerConfig(cors=CorsConfig(origins=["https://a"], methods=["GET"], headers=["X-Team"]))
    found = settings(config=config)
    assert (found.cors, found.cors_methods, found.cors_headers) == (("https://a",), ("GET",), ("X-Team",))


def test_a_proxy_may_use_the_name_of_an_allowed_origin_where_a_password_is_wanted() -> None:
    options = NetworkOptions(cors=("https://opencode.example.org",))
    assert "opencode.example.org" in (known_hosts(settings(options, OPENCODE_SERVER_PASSWORD="pw")) or ())
    assert "opencode.example.org" not in (known_hosts(settings(options)) or ())
    assert known_hosts(settings(NetworkOptions(hostname="0.0.0.0"))) is None
