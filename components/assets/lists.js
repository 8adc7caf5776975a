/* Small parts: how a long job stands, and the list of a patient's records. */
(function () {
  const { el, parts, percent, say } = window.HealthConnect;

  const SPOKEN_MS = 10000; /* a running job is shown every second and spoken at most this often */

  function tell(value, memory) {
    const due = value.state !== memory.state || (value.state === "running" ? performance.now() - memory.at > SPOKEN_MS : value.text !== memory.text);
    if (due && value.state !== "refused") say(value.text);
    if (due) Object.assign(memory, { state: value.state, text: value.text, at: performance.now() });
  }

  parts.job_status = function (root, value, send, memory) {
    if (!value) return;
    tell(value, memory);
    const running = value.state === "running";
    const box = el("div", { class: `hc-status hc-${value.state}`, role: value.state === "refused" ? "alert" : null });
    box.append(el("span", { class: "hc-status-text" }, value.text));
    if (running) {
      const bar = el("progress", { max: value.total || 1, "aria-label": "Progress" });
      if (value.total) bar.value = value.done;
      box.append(bar);
    }
    root.append(box);
  };

  function row(record, send, open) {
    const sure = record.typed ? "typed" : record.confidence ? `${percent(record.confidence)} sure` : "nothing read";
    const facts = [record.kind, record.date, `${record.page_count} ${record.page_count === 1 ? "page" : "pages"}`];
    return el("li", {}, el("button", { type: "button", class: "hc-row-button", "data-key": "record-" + record.document_id,
      "aria-current": record.document_id === open ? "true" : null,
      onclick: () => send("open", { document_id: record.document_id }) },
      el("strong", { dir: "auto" }, record.title), record.patient && el("span", { class: "hc-whose" }, el("bdi", {}, record.patient)),
      el("span", {}, facts.filter(Boolean).join(" · ")), el("span", { class: record.confidence < 0.9 ? "hc-warn-text" : "" }, sure)));
  }

  parts.record_list = function (root, value, send) {
    if (!value) return;
    for (const group of value.groups) {
      root.append(el("h2", { class: "hc-h3", dir: "auto" }, group.heading));
      if (group.records.length) root.append(el("ul", { class: "hc-list hc-record-list" }, group.records.map((record) => row(record, send, value.open))));
      else root.append(el("p", { class: "hc-quiet" }, group.empty));
      if (group.more) root.append(el("p", { class: "hc-quiet" }, group.more));
    }
  };
})();
