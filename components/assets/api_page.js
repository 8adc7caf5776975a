/* Gradio's page of the API, which lies over ours: the address ?view=api opens it, Escape closes it, the keyboard starts in
   it, and its buttons have names. Gradio 6.31 does none of these itself. */
(function () {
  const OPENER = "footer .show-api";
  const PAGE = ".api-docs[role=dialog]";

  function close() {
    const page = document.querySelector(PAGE);
    if (!page) return;
    page.querySelector("h2 button, .banner-wrap button").click();
    const opener = document.querySelector(OPENER);
    if (opener) opener.focus();
  }

  function name(page) {
    const leave = page.querySelector("h2 button, .banner-wrap button");
    if (leave) leave.setAttribute("aria-label", "Close");
    for (const button of page.querySelectorAll("button:not([aria-label])")) if (!button.textContent.trim()) button.setAttribute("aria-label", "Copy");
    for (const box of page.querySelectorAll("input.tool-checkbox:not([aria-label])")) box.setAttribute("aria-label", (box.parentElement.querySelector(".tool-name") || box.parentElement).textContent.trim().split(/\s+/)[0]);
    return leave;
  }

  let entered = null; /* the button to leave by, once the focus was put there; the page is drawn in steps */
  new MutationObserver(() => {
    const page = document.querySelector(PAGE);
    const leave = page && name(page);
    if (leave && leave !== entered) leave.focus();
    entered = leave;
  }).observe(document.documentElement, { subtree: true, childList: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  if (new URLSearchParams(window.location.search).get("view") !== "api") return;
  /* The button is drawn before it listens. */
  let tries = 0;
  const again = setInterval(() => {
    const opener = document.querySelector(OPENER);
    if (document.querySelector(PAGE) || tries++ > 60) clearInterval(again);
    else if (opener && document.getElementById("hc-choose-patient")) opener.click();
  }, 500);
})();
