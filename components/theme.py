"""How the page looks: a Gradio theme of our own, with system fonts only, and the styles and scripts of our parts."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (  # parts.js first
    "parts.js", "tabs.js", "patient_bar.js", "lists.js", "record_view.js", "hits.js", "models.js", "prescription.js",
    "imaging.js", "chart.js", "trail.js", "who.js", "consultation.js", "api_page.js",
)  # fmt: skip
STYLES = ("health.css", "prescription.css", "imaging.css", "chart.css", "trail.css", "consultation.css")
FRAME = "frame.css"
SYSTEM_FONTS = ("ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")

# Dark clothes are chosen by the system; a person may choose otherwise, and the browser remembers.
CHOOSE_CLOTHES = """
(function () {
  const kept = localStorage.getItem("hc-theme");
  const asked = new URLSearchParams(location.search).get("__theme");
  if (kept && !asked) document.documentElement.dataset.hcTheme = kept;
  window.addEventListener("DOMContentLoaded", function () {
    if (kept && !asked) document.body.classList.toggle("dark", kept === "dark");
  });
})();
"""


def theme() -> gr.themes.Base:
    """Calm teal on paper; text and background pairs are 4.5 : 1 or better in both clothes."""
    fonts = list(SYSTEM_FONTS)
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=fonts,
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
    ).set(
        body_background_fill="#f3f6f6",
        body_background_fill_dark="#0e171c",
        body_text_color="#14232b",
        body_text_color_dark="#e8eff0",
        body_text_color_subdued="#4c5f69",
        body_text_color_subdued_dark="#a9bac0",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#16232a",
        background_fill_secondary="#f3f6f6",
        background_fill_secondary_dark="#0e171c",
        block_background_fill="#ffffff",
        block_background_fill_dark="#16232a",
        block_label_text_color="#14232b",
        block_label_text_color_dark="#e8eff0",
        block_title_text_color="#14232b",
        block_title_text_color_dark="#e8eff0",
        block_info_text_color="#4c5f69",
        block_info_text_color_dark="#a9bac0",
        border_color_primary="#c9d5d7",
        border_color_primary_dark="#33464f",
        input_background_fill="#ffffff",
        input_background_fill_dark="#0e171c",
        input_border_color="#7b8f96",
        input_border_color_dark="#71868e",
        input_placeholder_color="#4c5f69",
        input_placeholder_color_dark="#a9bac0",
        button_primary_background_fill="#0b5f63",
        button_primary_background_fill_dark="#74d3cb",
        button_primary_background_fill_hover="#084a4d",
        button_primary_background_fill_hover_dark="#93e0d9",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#06211f",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#16232a",
        button_secondary_border_color="#7b8f96",
        button_secondary_border_color_dark="#71868e",
        button_secondary_text_color="#14232b",
        button_secondary_text_color_dark="#e8eff0",
        link_text_color="#0b5f63",
        link_text_color_dark="#74d3cb",
        color_accent="#0b5f63",
        color_accent_soft="#e0f0ef",
        color_accent_soft_dark="#17383a",
    )


def page_css() -> str:
    """The styles of our own parts."""
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in STYLES)


def page_head() -> str:
    """The frame's styles and the scripts of our own parts, inline: the page fetches nothing from elsewhere."""
    frame = (ASSETS / FRAME).read_text(encoding="utf-8")
    scripts = [CHOOSE_CLOTHES, *((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS)]
    return f"<style>{frame}</style>\n" + "\n".join(f"<script>{script}</script>" for script in scripts)
