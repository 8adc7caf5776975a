"""HEALTH CONNECT: reads the settings, opens the workbench, lays out the page, serves it. No logic lives here."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack, closing

from components.gradio_stubs import leave_stubs_alone
from domain.errors import HealthConnectError
from domain.people import Mode
from domain.settings import Settings, load_settings, telemetry_off, waiting_threads_sleep

telemetry_off()  # before any library that would call home is imported
waiting_threads_sleep()
leave_stubs_alone()  # before gradio is imported

from components.address import refuse_what_is_taken  # noqa: E402
from components.door import guarded  # noqa: E402
from components.page import build_page, launch_options  # noqa: E402
from pipelines.demo import seed  # noqa: E402
from pipelines.workbench import open_workbench  # noqa: E402
from pipelines.workspaces import template_settings, workspaces_of  # noqa: E402


def main() -> None:
    """Serve the page until the process is stopped. What cannot be used is said in one line, and ends the program."""
    # A person is given a reference when the fault is ours: whoever looks for it must find its traceback.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        serve(load_settings())
    except HealthConnectError as error:
        sys.exit(error.user_message)


def serve(settings: Settings) -> None:
    """Open the stores, lay out the page, and answer."""
    refuse_what_is_taken(settings.server_name, settings.server_port)
    os.environ["GRADIO_TEMP_DIR"] = str((settings.data_dir / "uploads").resolve())  # nothing outside the data folder
    with ExitStack() as opened:
        bench = opened.enter_context(closing(open_workbench(template_settings(settings))))
        bench.people.check_somebody_can_sign_in(settings.mode)
        bench.trail_desk.keep_checkpoint()  # also opens the signing key, so that a bad one is refused now
        if settings.demo and settings.mode is not Mode.CLINIC:
            seed(bench)
        workspaces = opened.enter_context(workspaces_of(bench, settings))
        entrance, door = guarded(bench, workspaces)
        page = build_page(door, settings.upload_age_hours)
        entrance.open()
        page.launch(**launch_options(door, bench))


if __name__ == "__main__":
    main()
