"""Where the page cannot be served, the start says so before it opens anything."""

from __future__ import annotations

import socket

import pytest

from components.address import refuse_what_is_taken
from domain.errors import SettingsInvalid


def test_a_taken_port_is_named_and_a_free_one_passes() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsInvalid, match=f"Port {port} is taken.*GRADIO_SERVER_PORT"):
            refuse_what_is_taken("127.0.0.1", port)
    refuse_what_is_taken("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused_by_the_setting() -> None:
    with pytest.raises(SettingsInvalid, match="GRADIO_SERVER_NAME"):
        refuse_what_is_taken("192.0.2.7", 7860)  # RFC 5737: nobody's
