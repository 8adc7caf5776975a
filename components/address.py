"""Where the page is served: looked at before anything is opened, so that a taken port is said in one line."""

from __future__ import annotations

import errno
import socket

from domain.errors import SettingsInvalid


def refuse_what_is_taken(name: str, port: int) -> None:
    """Raises SettingsInvalid where nothing can listen at this name and port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # Without this a port that was left a moment ago counts as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            said = "is taken by another program" if error.errno == errno.EADDRINUSE else "may not be used by this user"
            raise SettingsInvalid(
                f"Port {port} {said}, so the page cannot be served there. It may be this very program, started before. "
                "Stop that, or name another port in GRADIO_SERVER_PORT."
            ) from error
        raise SettingsInvalid(
            "GRADIO_SERVER_NAME is no address of this machine, so the page cannot be served. Use 127.0.0.1 for this "
            "machine alone, or 0.0.0.0 for the network."
        ) from error
