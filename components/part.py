"""A part of the page that draws itself in the browser from one value, and sends named events back.

The value is plain data; the scripts in assets/ build elements from it with textContent only, so text that was read
from a record can never become markup. The template is constant: nothing is interpolated into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr


def part(name: str, events: Sequence[str] = (), value: Any = None, elem_id: str | None = None) -> gr.HTML:
    """The part `name` of assets/*.js. Each of `events` becomes a listener: part(...).open(handler, ...)."""
    # Gradio offers a custom event as a listener only when its quoted name stands in the script.
    announced = ", ".join(f'"{event}"' for event in events)
    return gr.HTML(
        value,
        html_template='<div class="hc-part"></div>',
        js_on_load=f"const events = [{announced}];\n"
        f'HealthConnect.mount("{name}", {{ element, props, trigger, watch }});',
        apply_default_css=False,
        elem_id=elem_id or f"hc-{name.replace('_', '-')}",
    )
