"""HEALTH CONNECT: reads the settings, opens the workbench, lays out the page, serves it. No logic lives here."""

from __future__ import annotations

import os
from contextlib import closing

from components.gradio_stubs import leave_stubs_alone
from domain.settings import load_settings, telemetry_off

telemetry_off()  # before any library that would call home is imported
leave_stubs_alone()  # before gradio is imported

from components.page import build_page, launch_options  # noqa: E402
from pipelines.demo import seed  # noqa: E402
from pipelines.workbench import open_workbench  # noqa: E402


def main() -> None:
    """Serve the page until the process is stopped."""
    settings = load_settings()
    os.environ["GRADIO_TEMP_DIR"] = str((settings.data_dir / "uploads").resolve())  # nothing outside the data folder
    with closing(open_workbench(settings)) as workbench:
        if settings.demo:
            seed(workbench)
        build_page(workbench, settings.upload_age_hours).launch(**launch_options(workbench, settings))


if __name__ == "__main__":
    main()
