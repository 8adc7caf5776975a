/* In a clinic: who is signed in, and the way out. In the demonstration: whose workspace this is. */
(function () {
  const { el, parts } = window.HealthConnect;

  /* Where people sign in, tabs that this role can do nothing with are not offered. */
  parts.tab_rights = function (root, value) {
    if (!value) return;
    const buttons = [...document.querySelectorAll('#hc-tabs button[role="tab"]')];
    for (const button of buttons) button.hidden = value.closed.includes(button.dataset.tabId);
    const chosen = buttons.find((button) => button.getAttribute("aria-selected") === "true");
    if (chosen && chosen.hidden) (buttons.find((button) => !button.hidden) || chosen).click();
  };

  async function show() {
    const place = document.getElementById("hc-who");
    if (!place) { setTimeout(show, 300); return; }
    const answer = await fetch(new URL("who", window.location.origin + window.location.pathname.replace(/[^/]*$/, "")));
    if (answer.status === 401) { window.location.assign("login"); return; }
    if (!answer.ok) return;
    const who = await answer.json();
    if (who.name) place.replaceChildren(el("span", {}, el("b", {}, who.name), " · " + who.role), el("a", { href: "logout" }, "Sign out"));
    else if (who.mode === "demo") place.replaceChildren("A workspace of your own; it is deleted when you have been away for a while.");
  }

  show();
})();
