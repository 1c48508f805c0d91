"""Runs the office on this machine's loopback."""

import ipaddress

import uvicorn

from tallyman.errors import ConfigurationError
from tallyman.office.app import create_app
from tallyman.runtime.desk import Desk


def serve(desk: Desk, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Prints nothing; what happens is in the log.

    Raises ConfigurationError for an address that others could reach: the office knows no accounts yet.
    """
    if host != "localhost" and not _loopback(host):
        raise ConfigurationError(
            f"The office can't listen on {host}: it has no accounts, so only this machine may reach it.",
            advice='Write host = "127.0.0.1" under [office] in tallyman.toml.',
        )
    server(desk, host, port).run()


def server(desk: Desk, host: str, port: int) -> uvicorn.Server:
    """A quiet server for the office; not yet running."""
    config = uvicorn.Config(
        create_app(desk),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
