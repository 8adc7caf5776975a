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
    const use = value.in_use
      ? el("p", { class: "hc-in-use" }, "In use")
      : value.choices > 1 && el("button", { type: "button", class: "hc-button", "data-key": "use-" + value.id, onclick: () => send("use", { task: value.task, model_id: value.id }) }, "Use this one");
    return el("li", { class: "hc-card" }, el("h3", {}, value.title), use || "",
      el("dl", {}, line("For", value.intended_use), line("Not for", value.not_for), line("Needs", value.input)),
      value.metrics.length ? el("details", {}, el("summary", {}, `Measured: ${value.metrics.length} figures`), value.metrics.map(metric)) : "",
      el("details", {}, el("summary", {}, "Limits, licence, origin"), el("dl", {},
        line("Limits", value.limits.map((limit) => el("div", {}, limit))), line("Memory", `${value.memory_mb} MB`, value.loaded ? ", loaded now" : ""), line("Licence", value.licence), line("Origin", value.origin), line("Revision", el("code", {}, value.revision)))));
  }

  parts.models = function (root, value, send) {
    if (!value) return;
    for (const task of value.tasks) {
      root.append(el("h2", { class: "hc-h3" }, task.title), el("ul", { class: "hc-cards" }, task.cards.map((c) => card(c, send))));
    }
  };
})();
