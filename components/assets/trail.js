/* The trail: whether it is whole, what can be done about it, and who saw or changed what, newest first. */
(function () {
  const { el, parts } = window.HealthConnect;
  const ROWS = 60;

  function button(text, key, act, disabled) {
    return el("button", { type: "button", class: "hc-button", "data-key": key, onclick: act, disabled }, text);
  }

  function save(text) {
    const link = el("a", { href: URL.createObjectURL(new Blob([text + "\n"], { type: "text/plain" })), download: "trail-checkpoint.txt" });
    document.body.append(link);
    link.click();
    link.remove();
  }

  function glassForm(value, send) {
    if (!value.glass_opens.length) return "";
    const reason = el("input", { id: "hc-glass-reason", type: "text", maxlength: 300, placeholder: "Why you need this patient's records now" });
    return el("form", { class: "hc-trail-form hc-trail-glass", onsubmit: (event) => { event.preventDefault(); send("glass", { reason: reason.value }); } },
      el("label", { for: "hc-glass-reason" }, "Break the glass for this patient, with a reason; it is shown in red to everybody who may see the trail"),
      el("p", { class: "hc-quiet" }, "For a quarter of an hour it opens to you: " + value.glass_opens.join(", ") + "."),
      reason, el("button", { class: "hc-button hc-danger", "data-key": "glass" }, "Break the glass"));
  }

  function compareForm(send) {
    const kept = el("textarea", { id: "hc-kept-checkpoint", rows: 2, spellcheck: "false", placeholder: "Paste a checkpoint that you kept elsewhere" });
    return el("form", { class: "hc-trail-form", onsubmit: (event) => { event.preventDefault(); send("compare", { checkpoint: kept.value }); } },
      el("label", { for: "hc-kept-checkpoint" }, "Compare with a checkpoint you kept"), kept,
      el("button", { class: "hc-button", "data-key": "compare" }, "Compare"));
  }

  function row(event, send) {
    const marks = (event.glass ? " hc-glass" : "") + (event.doubtful ? " hc-doubtful" : "");
    return el("tr", { class: "hc-trail-row" + marks },
      el("td", {}, el("button", { type: "button", class: "hc-link", "data-key": "prove-" + event.index, title: "Prove that this event stands in the trail", onclick: () => send("prove", { index: event.index }) }, "#" + event.index)),
      el("td", {}, event.at),
      el("td", {}, event.who, event.role ? el("span", { class: "hc-quiet" }, " · " + event.role) : ""),
      el("td", {}, event.done + " " + event.thing, event.what ? el("code", {}, " " + event.what) : ""),
      el("td", {}, event.detail, event.model ? el("span", { class: "hc-quiet" }, " " + event.model) : ""));
  }

  parts.trail = function (root, value, send, memory) {
    if (!value) { root.append(el("p", {}, "The trail is being read.")); return; }
    if (value.refused) {
      root.append(value.note ? el("p", { class: "hc-status hc-done", role: "status" }, value.note) : "",
        el("div", { class: "hc-trail-refused", role: "status" }, value.refused), glassForm(value, send));
      return;
    }
    const shown = memory.all ? value.events : value.events.slice(0, ROWS);
    root.append(
      el("section", { class: "hc-trail-state " + (value.intact ? "hc-whole" : "hc-broken"), role: value.intact ? "status" : "alert" },
        el("h2", { class: "hc-h3" }, value.intact ? "✓ The trail is whole" : "✗ The trail was altered"),
        el("p", {}, value.intact
          ? `${value.size} events, each chained to the one before; compared with ${value.compared_with} ${value.compared_with === 1 ? "checkpoint" : "checkpoints"} kept outside the database.`
          : value.reason),
        value.note ? el("p", { class: "hc-trail-note" }, value.note) : "",
        el("p", { class: "hc-quiet" }, "Root ", el("code", {}, value.root.slice(0, 32) + "…"))),
      el("div", { class: "hc-trail-acts" },
        button("Verify again", "verify", () => send("verify")),
        button("Download a checkpoint", "checkpoint", () => save(value.checkpoint), !value.checkpoint),
        value.can_tamper ? button("Tamper with one byte, and watch", "tamper", () => send("tamper")) : ""),
      el("details", {}, el("summary", {}, "Compare, and what a checkpoint is"),
        el("p", {}, "A checkpoint is one signed line that stands for every event so far. Keep it anywhere else: whoever rewrites the whole trail later, however well, cannot make it agree with that line."),
        compareForm(send)),
      glassForm(value, send),
      el("h2", { class: "hc-h3" }, value.whose ? `Who saw or changed what of ${value.whose}` : "Who saw or changed what, all patients"),
      value.events.length
        ? el("div", { class: "hc-trail-table", tabindex: 0, role: "region", "aria-label": "Events of the trail" },
            el("table", {}, el("thead", {}, el("tr", {}, ["Event", "When", "Who", "What", "Detail"].map((name) => el("th", { scope: "col" }, name)))),
              el("tbody", {}, shown.map((event) => row(event, send)))))
        : el("p", {}, "Nothing yet."),
      value.events.length > shown.length
        ? button(`Show all ${value.events.length}`, "all", () => { memory.all = true; memory.redraw(); }) : "");
  };
  parts.trail.again = true; /* it can be asked for again */
})();
