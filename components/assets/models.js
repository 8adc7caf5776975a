/* The shelf: what each model is for, what it is not for, how good it was measured to be, and which one is in use. */
(function () {
  const { el, parts } = window.HealthConnect;

  function line(term, ...what) {
    return what.flat().filter(Boolean).length ? [el("dt", {}, term), el("dd", {}, what)] : [];
  }

  function metric(m) {
    const between = m.interval ? ` (95 % interval ${m.interval[0]} to ${m.interval[1]})` : "";
    return el("div", {}, `${m.name}: `, el("b", {}, m.value), between, ` on ${m.data}. `, m.command && el("code", {}, m.command));
  }

  function card(value, send) {
    // What is in use bears the key of the button that it replaces, so that the keyboard stays where it was.
    const state = value.in_use
      ? el("span", { class: "hc-tag hc-in-use", "data-key": "use-" + value.id, tabindex: "-1" }, value.loaded ? "In use, loaded" : "In use")
      : el("button", { type: "button", class: "hc-button", "data-key": "use-" + value.id, "aria-label": `Use ${value.title}`, onclick: () => send("use", { task: value.task, model_id: value.id }) }, "Use this one");
    return el("li", { class: "hc-card" }, el("div", { class: "hc-card-head" }, el("h3", {}, value.title), state),
      el("dl", {}, line("For", value.intended_use), line("Not for", value.not_for), line("Needs", value.input)),
      value.metrics.length ? el("details", {}, el("summary", {}, value.metrics.length === 1 ? "Measured: 1 figure" : `Measured: ${value.metrics.length} figures`), el("div", { class: "hc-metrics" }, value.metrics.map(metric))) : "",
      el("details", {}, el("summary", {}, "Limits, licence, origin"), el("dl", {},
        line("Limits", value.limits.map((limit) => el("div", {}, limit))), line("Memory", `${value.memory_mb} MB`, value.loaded ? ", loaded now" : ""), line("Licence", value.licence), line("Origin", value.origin), line("Revision", el("code", {}, value.revision)))));
  }

  /* What is in use stands open; what could be used instead is one click away, and stays open once it was opened. */
  function task(value, send, open) {
    const [used, others] = [value.cards.filter((c) => c.in_use), value.cards.filter((c) => !c.in_use)];
    const more = others.length && el("details", { class: "hc-others", open: open.has(value.title), ontoggle: () => (more.open ? open.add(value.title) : open.delete(value.title)) },
      el("summary", {}, others.length === 1 ? "1 other model can do this" : `${others.length} other models can do this`), el("ul", { class: "hc-cards" }, others.map((c) => card(c, send))));
    return el("section", { class: "hc-task" }, el("h2", {}, value.title), el("ul", { class: "hc-cards" }, used.map((c) => card(c, send))), more || "");
  }

  parts.models = function (root, value, send, memory) {
    if (!value) return;
    memory.open = memory.open || new Set();
    root.append(el("div", { class: "hc-tasks" }, value.tasks.map((t) => task(t, send, memory.open))));
  };
})();
