/* The chart: what needs attention first, then who takes what for which problem, values over time, and everything in its
   order with a viewer beside it. Every value is a button that opens its source. */
(function () {
  const { el, svg, parts, address } = window.HealthConnect;
  const FIRST = 8; /* lines of a box before the rest is folded away */
  const STEP = 40; /* rows of the timeline at once */
  const STATES = { current: "", conflicting: "sources differ", stopped: "stopped" };
  const FATES = { started: "started", changed: "changed", avoid: "to be avoided", "not taken": "not taken" };
  const KINDS = { record: "Records", consultation: "Consultations", reading: "Image readings", prescription: "Prescriptions", import: "Received" };
  const MARKS = { danger: "Danger", warning: "Look", note: "Note" };

  const button = (text, key, act, more) => el("button", { type: "button", class: "hc-button " + (more || ""), "data-key": key, onclick: act }, text);

  /* What was said, as a button to where it stands. */
  function place(source, text, send, key, more) {
    if (source.kind === "patient") return el("span", {}, text);
    return el("button", { type: "button", class: "hc-source " + (more || ""), dir: "auto", "data-key": key, title: "Open where it stands: " + source.title,
      onclick: () => send("open", { source }) }, text);
  }

  function box(title, key, rows, none, memory, cls) {
    const all = memory["all-" + key];
    const shown = all ? rows : rows.slice(0, FIRST);
    return el("section", { class: "hc-chart-box " + (cls || ""), "aria-label": title },
      el("h2", { class: "hc-h3" }, title, rows.length > 1 ? el("span", { class: "hc-quiet" }, ` ${rows.length}`) : ""),
      rows.length ? el("ul", {}, shown) : el("p", { class: "hc-quiet" }, none),
      rows.length > shown.length ? button(`Show all ${rows.length}`, "all-" + key, () => { memory["all-" + key] = true; memory.redraw(); }) : "");
  }

  function attention(entry, index, value, send, memory) {
    const open = value.may_dismiss && memory.asked === entry.item;
    const reason = el("input", { type: "text", class: "hc-input", id: "hc-aside-" + index, maxlength: 400, placeholder: "Why it needs no attention" });
    const aside = entry.dismissed;
    return el("li", { class: "hc-attention hc-" + entry.concern + (aside ? " hc-aside" : "") },
      el("span", { class: "hc-concern" }, aside ? "Set aside" : MARKS[entry.concern]),
      el("div", {}, el("strong", { dir: "auto" }, entry.text),
        el("p", { class: "hc-quiet", dir: "auto" }, entry.why),
        aside ? el("p", { dir: "auto" }, `Set aside by ${aside.who} on ${aside.at.slice(0, 10)}: ${aside.reason}`) : "",
        el("div", { class: "hc-chart-acts" },
          entry.sources.map((source, at) => place(source, source.title, send, `attention-${index}-${at}`, "hc-chip")),
          !value.may_dismiss ? "" : aside
            ? button("Show it again", "reopen-" + index, () => send("reopen", { item: entry.item, revision: value.revision }), "hc-small")
            : button("Set aside…", "aside-" + index, () => { memory.asked = open ? "" : entry.item; memory.redraw(); }, "hc-small")),
        open && !aside ? el("form", { class: "hc-chart-form", onsubmit: (event) => { event.preventDefault(); memory.asked = ""; send("dismiss", { item: entry.item, reason: reason.value, revision: value.revision }); } },
          el("label", { for: "hc-aside-" + index }, "Reason, which is kept and shown"), reason,
          el("button", { class: "hc-button hc-strong", "data-key": "really-" + index }, "Set aside with this reason")) : ""));
  }

  /* The values in a small picture: the band, the line, the last value as a dot. */
  function sparkline(series) {
    const points = series.points.filter((point) => point.number !== null);
    if (points.length < 2) return el("span", { class: "hc-spark-none" });
    const w = 120, h = 34, pad = 4;
    const days = points.map((point) => Date.parse(point.on));
    const last = points[points.length - 1];
    const edges = [last.low, last.high].filter((edge) => edge !== null);
    const numbers = points.flatMap((point) => point.second === null ? [point.number] : [point.number, point.second]);
    const low = Math.min(...numbers, ...edges), high = Math.max(...numbers, ...edges);
    const span = days[days.length - 1] - days[0]; /* none where only the year is known: then one after the other */
    const x = (at) => pad + (span ? (days[at] - days[0]) / span : at / (days.length - 1)) * (w - 2 * pad);
    const y = (number) => h - pad - (number - low) / Math.max(1e-9, high - low) * (h - 2 * pad);
    const line = (pick) => points.map((point, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(pick(point)).toFixed(1)}`).join(" ");
    const top = last.high === null ? 0 : y(last.high), bottom = last.low === null ? h : y(last.low);
    const said = `${series.label}: ${points.map((point) => `${point.value} on ${point.on}`).join(", ")}` + (edges.length ? `; reference ${edges.join(" to ")}` : "");
    return svg("svg", { viewBox: `0 0 ${w} ${h}`, class: "hc-spark", role: "img", "aria-label": said },
      edges.length ? svg("rect", { x: 0, y: Math.min(top, bottom), width: w, height: Math.max(1, Math.abs(bottom - top)), class: "hc-spark-band" }) : "",
      svg("path", { d: line((point) => point.number), class: "hc-spark-line" }),
      points[0].second === null ? "" : svg("path", { d: line((point) => point.second === null ? point.number : point.second), class: "hc-spark-line" }),
      svg("circle", { cx: x(days.length - 1), cy: y(last.number), r: 3.2, class: "hc-spark-dot" }));
  }

  function valueRow(series, index, send) {
    const last = series.last, edges = [last.low, last.high];
    const band = edges[0] !== null && edges[1] !== null ? `${edges[0]}–${edges[1]}` : edges[1] !== null ? `< ${edges[1]}` : edges[0] !== null ? `> ${edges[0]}` : "";
    const side = last.side;
    const arrow = series.trend === "rising" ? " ↗" : series.trend === "falling" ? " ↘" : "";
    return el("li", { class: "hc-value" + (side ? " hc-out" : "") },
      el("span", { class: "hc-value-name", dir: "auto" }, series.label),
      place(last.source, [el("b", {}, last.value), ` ${series.unit}`, side ? el("span", { class: "hc-side" }, ` ${side}`) : "", arrow ? el("span", { title: series.why }, arrow, el("span", { class: "hc-unseen" }, series.trend)) : ""], send, "value-" + index),
      sparkline(series),
      el("span", { class: "hc-quiet hc-value-when" }, band ? `ref ${band} · ` : "", last.on));
  }

  function sayRow(name, said, extra, key, send, cls) {
    const [newest, ...older] = said;
    return el("li", { class: cls || "" },
      el("div", { class: "hc-said" }, place(newest.source, [el("b", {}, name), newest.text && newest.text.toLowerCase() !== name.toLowerCase() ? " " + newest.text : ""], send, key),
        el("span", { class: "hc-quiet" }, ` ${newest.on}`), extra ? el("span", { class: "hc-chart-tag" }, extra) : "",
        newest.doubtful ? el("span", { class: "hc-chart-tag hc-chart-tag-warn" }, "check the page") : ""),
      older.length ? el("details", {}, el("summary", {}, older.length === 1 ? "1 earlier source" : `${older.length} earlier sources`),
        el("ul", {}, older.slice(0, 12).map((each, at) => el("li", {}, place(each.source, `${each.text || name} `, send, `${key}-${at}`), el("span", { class: "hc-quiet" }, `${each.on} · ${each.source.title}`))))) : "");
  }

  function timeline(value, send, memory) {
    const chosen = memory.kind || "", from = memory.from || "", to = memory.to || "";
    const found = value.timeline.filter((item) => (!chosen || item.source.kind === chosen) && (!from || item.at >= from) && (!to || item.at <= to));
    const shown = found.slice(0, memory.rows || STEP);
    const count = (kind) => value.timeline.filter((item) => item.source.kind === kind).length;
    const chip = (kind, text) => el("button", { type: "button", class: "hc-chip", "aria-pressed": String(chosen === kind), "data-key": "kind-" + kind, onclick: () => { memory.kind = kind; memory.rows = STEP; memory.redraw(); } }, text);
    const day = (name, label) => el("label", {}, label, el("input", { type: "date", class: "hc-input", value: memory[name] || "", "data-key": "day-" + name, onchange: (event) => { memory[name] = event.target.value; memory.redraw(); } }));
    return el("section", { class: "hc-chart-box hc-chart-timeline", "aria-label": "Timeline" },
      el("h2", { class: "hc-h3" }, "Timeline, newest first"),
      el("div", { class: "hc-chart-acts", role: "group", "aria-label": "Kinds" }, chip("", `All ${value.timeline.length}`),
        Object.keys(KINDS).filter(count).map((kind) => chip(kind, `${KINDS[kind]} ${count(kind)}`))),
      value.masked ? "" : el("div", { class: "hc-chart-days" }, day("from", "From "), day("to", "To ")),
      found.length ? "" : el("p", { class: "hc-quiet", role: "status" }, value.timeline.length ? "Nothing of this kind in these days." : "Nothing is filed to this patient yet."),
      el("ol", { class: "hc-timeline" }, shown.map((item, at) => el("li", {}, el("button", { type: "button", class: "hc-time-row", "data-key": "time-" + item.source.id, "aria-label": `${item.at}, ${item.source.title}. Open it.`, onclick: () => send("open", { source: item.source }) },
        el("time", {}, item.at), el("span", { class: "hc-dot hc-dot-" + item.source.kind }),
        el("span", {}, el("b", { dir: "auto" }, item.source.title), item.state ? el("span", { class: "hc-chart-tag" + (item.state === "abstained" || item.state === "draft" ? " hc-chart-tag-warn" : "") }, item.state) : "",
          el("small", { class: "hc-quiet", dir: "auto" }, item.detail, item.trust === null ? "" : ` · ${item.source.kind === "record" ? "read with" : "model says"} ${Math.floor(100 * item.trust + 1e-6)} %`)))))),
      found.length > shown.length ? button(`Show ${Math.min(STEP, found.length - shown.length)} more of ${found.length}`, "more", () => { memory.rows = shown.length + STEP; memory.redraw(); }) : "");
  }

  function mergeForm(value, send) {
    if (!value.may_merge) return "";
    const other = el("input", { type: "text", class: "hc-input", id: "hc-merge-other", maxlength: 300, placeholder: "Record number or name of the other record" });
    return el("details", { class: "hc-chart-box", open: value.preview ? true : null }, el("summary", {}, "Two records of this person? Merge, or undo a merge"),
      value.merges.map((merge, at) => el("p", {}, `Merged with ${merge.gone.name} (${merge.gone.record_number}) on ${merge.at.slice(0, 10)} by ${merge.who}: ${merge.reason} `,
        button("Undo this merge", "unmerge-" + at, () => send("unmerge", { merge_id: merge.merge_id, revision: value.revision }), "hc-small"))),
      el("form", { class: "hc-chart-form", onsubmit: (event) => { event.preventDefault(); send("preview", { other: other.value }); } },
        el("label", { for: "hc-merge-other" }, "The other record of the same person"), other, el("button", { class: "hc-button", "data-key": "preview" }, "Show what would happen")),
      value.preview ? previewed(value.preview, send) : "");
  }

  function previewed(preview, send) {
    const reason = el("input", { type: "text", class: "hc-input", id: "hc-merge-reason", maxlength: 400, placeholder: "How you know that they are one person" });
    const moved = Object.entries(preview.counts).filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(", ") || "nothing";
    return el("div", { class: "hc-trail-refused", role: "status" },
      el("p", { dir: "auto" }, `From ${preview.gone.name} (${preview.gone.record_number}): ${moved} would go over to this chart. It can be undone.`),
      preview.differences.length ? el("ul", {}, preview.differences.map((one) => el("li", { dir: "auto" }, `${one.field}: here ${one.kept}, there ${one.gone}`))) : "",
      el("form", { class: "hc-chart-form", onsubmit: (event) => { event.preventDefault(); send("merge", { gone_id: preview.gone.patient_id, reason: reason.value, revision: preview.revision }); } },
        el("label", { for: "hc-merge-reason" }, "Reason"), reason, el("button", { class: "hc-button hc-danger", "data-key": "merge" }, "Merge the two")));
  }

  /* Gradio's outer boxes clip what goes over more than one sheet, and a rule in chart.css does not reach them. */
  document.head.append(el("style", {}, "@media print { html, body, gradio-app, .gradio-container, .gradio-container :is(.main, .wrap, .contain):has(.hc-chart-columns) { display: block !important; overflow: visible !important; height: auto !important; } .gradio-container footer { display: none !important; } }"));

  /* The chart without its timeline, on paper or as the browser's PDF: nothing folded away, and never light on white. */
  function print(memory) {
    for (const key of ["attention", "allergies", "changes", "problems", "medicines", "vitals", "labs"]) memory["all-" + key] = true;
    memory.redraw();
    const body = document.body.classList, dark = body.contains("dark");
    window.addEventListener("afterprint", () => body.toggle("dark", dark), { once: true });
    body.remove("dark");
    window.print();
  }

  /* Of a chart without identity only the years are known; the first of January that stands for one would be misread. */
  const DAYS = ["on", "at", "since"];
  const years = (value) => Array.isArray(value) ? value.map(years) : value && typeof value === "object"
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, DAYS.includes(name) && typeof inner === "string" ? inner.slice(0, 4) : years(inner)])) : value;

  parts.chart = function (root, given, tell, memory) {
    const value = given && given.masked ? years(given) : given;
    const send = (name, what) => tell(name, value && value.masked ? { ...what, masked: true } : what);
    if (!value) { root.append(el("p", { class: "hc-quiet" }, "The chart is being read.")); return; }
    if (value.refused) { root.append(el("div", { class: "hc-trail-refused", role: "status" }, value.refused)); return; }
    if (!value.patient) {
      root.append(el("div", { class: "hc-empty" }, el("h2", { class: "hc-h3" }, "No patient is chosen"), el("p", {}, "Choose a patient in the header, and everything that is kept of them stands here in order.")));
      return;
    }
    if (memory.whose !== value.patient.patient_id) Object.assign(memory, { whose: value.patient.patient_id, asked: "", kind: "", from: "", to: "", rows: STEP });
    /* What was just done stays to be read while the chart is drawn again for other reasons. */
    const seen = `${value.patient.patient_id} ${value.revision}`;
    if (value.note) memory.noted = { seen, text: value.note };
    const note = memory.noted && memory.noted.seen === seen ? memory.noted.text : "";
    const open = value.attention.filter((entry) => !entry.dismissed), aside = value.attention.filter((entry) => entry.dismissed);
    const entries = open.map((entry, at) => attention(entry, at, value, send, memory));
    const allergies = value.allergies.map((one, at) => sayRow(one.substance, one.said, one.said[0].note, "allergy-" + at, send));
    const none = value.no_allergies.slice(0, 1).map((said) => el("li", {}, place(said.source, said.text, send, "no-allergy"), el("span", { class: "hc-quiet" }, ` ${said.on}`)));
    const taken = value.medicines.filter((one) => one.state !== "stopped"), stopped = value.medicines.filter((one) => one.state === "stopped");
    /* What the newest source says becomes of it, unless sources differ. */
    const fate = (one) => one.state === "conflicting" ? STATES.conflicting : FATES[one.said[0].note] || STATES[one.state];
    const drug = (one, at) => sayRow(one.name, one.said, fate(one), "medicine-" + one.ingredient + at, send, "hc-med-" + one.state);
    root.append(
      note ? el("p", { class: "hc-status hc-done", role: "status", dir: "auto" }, note) : "",
      value.glass ? el("div", { class: "hc-trail-refused hc-glass-banner", role: "status" }, "You see this chart because you broke the glass. It ends by itself, and it stands on the trail in red.") : "",
      value.masked ? el("div", { class: "hc-trail-refused" }, "Without identity: names, numbers and days are left out, and only what was understood is shown. Free text is covered by rules, which miss some: in made-up notes 1 identifier of 300. Do not pass it on as anonymous.") : "",
      value.merged_into ? el("div", { class: "hc-trail-refused" }, "This record was merged into another chart. Open that chart to see everything.") : "",
      value.left_out.map((text) => el("p", { class: "hc-warn-text" }, text)),
      el("section", { class: "hc-attentions", "aria-label": "Needs attention" },
        el("h2", { class: "hc-h3" }, open.length ? `Needs attention: ${open.length}` : "Nothing was found that needs attention"),
        open.length ? "" : el("p", { class: "hc-quiet" }, "Worked out from what was read, which is not complete: nothing found does not mean nothing is there."),
        el("ul", {}, memory["all-attention"] ? entries : entries.slice(0, 5)),
        entries.length > 5 && !memory["all-attention"] ? button(`Show all ${entries.length}`, "all-attention", () => { memory["all-attention"] = true; memory.redraw(); }) : "",
        aside.length ? el("details", {}, el("summary", {}, `Set aside: ${aside.length}`), el("ul", {}, aside.map((entry, at) => attention(entry, open.length + at, value, send, memory)))) : ""),
      el("div", { class: "hc-chart-grid" },
        box("Allergies", "allergies", allergies.length ? allergies : none, "No record says anything about allergies. Ask.", memory, allergies.length ? "hc-chart-red" : ""),
        box(value.since ? `New since the visit of ${value.since}` : "What is new", "changes", value.changes.map((change, at) => el("li", {}, place(change.source, change.text, send, "change-" + at), el("span", { class: "hc-quiet" }, ` ${change.on}`))), value.since ? "Nothing new since then." : "No earlier visit is on the chart to compare with.", memory),
        box("Problems", "problems", value.problems.map((one, at) => sayRow(one.name, one.said, one.denied ? "denied" : "", "problem-" + at, send, one.denied ? "hc-med-stopped" : "")), "No record names a diagnosis.", memory),
        box("Medicines", "medicines", [...taken, ...stopped].map(drug), "No record names a medicine.", memory),
        box("Vitals", "vitals", value.vitals.map((one, at) => valueRow(one, "v" + at, send)), "No record gives one.", memory, "hc-chart-values"),
        box("Laboratory", "labs", value.labs.map((one, at) => valueRow(one, "l" + at, send)), "No record gives a value.", memory, "hc-chart-values")),
      el("p", { class: "hc-quiet" }, "All of it was read by a machine. Open the source of a line before you rely on it."),
      value.masked ? "" : el("div", { class: "hc-actions" }, button("Print this summary", "print", () => print(memory)),
        value.files.pdf ? el("a", { class: "hc-button", href: address(value.files.pdf), target: "_blank", rel: "noopener", title: "One page; every line names its source" }, "Summary as PDF") : "",
        value.files.fhir && value.export_is_long ? button("Chart as FHIR…", "export", () => send("export")) : value.files.fhir ? el("a", { class: "hc-button", href: address(value.files.fhir), download: true, title: "The whole chart with its PDFs, as another program reads it" }, "Chart as FHIR") : ""),
      timeline(value, send, memory), mergeForm(value, send));
  };
  parts.chart.again = true; /* it can be asked for again */

  function page(value, send) {
    const aside = value.rotation_deg % 180 !== 0, w = value.width_px, h = value.height_px;
    const view = aside ? [(w - h) / 2, (h - w) / 2, h, w] : [0, 0, w, h];
    return [el("div", { class: "hc-chart-page" }, svg("svg", { viewBox: view.join(" "), role: "img", "aria-label": `Page ${value.page} of ${value.title}, with the place marked` },
      svg("g", { transform: `rotate(${-value.rotation_deg} ${w / 2} ${h / 2})` },
        svg("image", { href: address(value.image_path), width: w, height: h, preserveAspectRatio: "none" }),
        value.boxes.map((b) => svg("rect", { x: b[0], y: b[1], width: b[2] - b[0], height: b[3] - b[1], class: "hc-hit-box" }))))),
      el("div", { class: "hc-chart-acts" },
        value.page > 1 ? button("Page before", "before", () => send("open", { source: { kind: "record", id: value.id, page: value.page - 1, boxes: [] } })) : "",
        value.page < value.page_count ? button("Next page", "next", () => send("open", { source: { kind: "record", id: value.id, page: value.page + 1, boxes: [] } })) : "",
        button("Open in Records", "records", () => send("show", { document_id: value.id, page: value.page, boxes: value.boxes }), "hc-strong"))];
  }

  /* A record that lies in the wrong chart: whose it is, what would happen, and why. */
  function moveForm(value, send) {
    if (!value.may_move) return "";
    const other = el("input", { type: "text", class: "hc-input", id: "hc-move-other", maxlength: 300, placeholder: "Record number or name of the right patient" });
    const source = { kind: "record", id: value.id, page: value.page, boxes: value.boxes };
    return el("details", { class: "hc-chart-move", open: value.move ? true : null }, el("summary", {}, "Filed to the wrong patient? Move it"),
      el("form", { class: "hc-chart-form", onsubmit: (event) => { event.preventDefault(); send("preview_move", { source, other: other.value }); } },
        el("label", { for: "hc-move-other" }, "The patient whose record it is"), other, el("button", { class: "hc-button", "data-key": "preview-move" }, "Show what would happen")),
      value.move ? previewedMove(value.id, value.move, send) : "");
  }

  function previewedMove(id, move, send) {
    const reason = el("input", { type: "text", class: "hc-input", id: "hc-move-reason", maxlength: 400, placeholder: "How it came into the wrong chart" });
    return el("div", { class: "hc-trail-refused", role: "status" },
      el("p", { dir: "auto" }, `From ${move.origin.name} (${move.origin.record_number}) to ${move.to.name}, born ${move.to.birth_date} (${move.to.record_number}). Chart, search and trail follow.`),
      move.conflicts.length ? el("ul", { class: "hc-chart-differs" }, move.conflicts.map((one) => el("li", { dir: "auto" }, `${one.field.replaceAll("_", " ")}: on the page ${one.on_record}, in that chart ${one.in_chart || "none"}`)))
        : el("p", { class: "hc-quiet" }, "Nothing on the page speaks against it."),
      el("form", { class: "hc-chart-form", onsubmit: (event) => { event.preventDefault(); send("move", { document_id: id, to_id: move.to.patient_id, reason: reason.value, revision: move.revision }); } },
        el("label", { for: "hc-move-reason" }, "Reason, which is kept"), reason,
        el("button", { class: "hc-button hc-danger", "data-key": "move" }, move.conflicts.length ? "Move it although the page differs" : "Move it to that chart")));
  }

  function talk(value) {
    const player = value.recording ? el("audio", { controls: true, preload: "none", src: address(value.recording) }) : "";
    return [player, el("ol", { class: "hc-talk" }, value.utterances.map((one) => el("li", { class: one.marked ? "hc-marked" : "" },
      one.start_s !== null && player ? button(one.time, "at-" + one.id, () => { player.currentTime = one.start_s; player.play(); }, "hc-small") : el("span", { class: "hc-quiet" }, one.time),
      el("b", {}, ` ${one.role}: `), el("span", { dir: "auto" }, one.text)))),
      value.note.length ? [el("h3", {}, "Note"), el("ul", { class: "hc-chart-note" }, value.note.map((line) => el("li", { dir: "auto" }, line)))] : ""];
  }

  parts.chart_viewer = function (root, value, send, memory) {
    if (!value) { root.append(el("p", { class: "hc-quiet" }, "Choose any line of the chart to see where it stands.")); return; }
    /* Where the reader came from; a page turned inside the viewer is not a new way in. */
    if (root.getBoundingClientRect().top > window.innerHeight / 2) memory.came = window.scrollY;
    root.append(button("Back to the line", "back", () => window.scrollTo(0, memory.came || 0), "hc-small hc-chart-back"),
      el("h2", { class: "hc-h3", dir: "auto" }, value.title), el("p", { class: "hc-quiet" }, value.detail));
    if (value.kind === "record") root.append(...page(value, send), moveForm(value, send));
    if (value.kind === "reading") root.append(el("img", { src: address(value.image_path), alt: "The picture of this reading", class: "hc-scan-still" }), el("p", {}, value.verdict));
    if (value.kind === "consultation") root.append(...talk(value).flat(2).filter(Boolean));
    if (["prescription", "import", "text"].includes(value.kind)) root.append(el("ul", { class: "hc-chart-note" }, value.lines.map((line) => el("li", { dir: "auto" }, line))));
    const marked = root.querySelector(".hc-marked, .hc-hit-box");
    if (marked) marked.scrollIntoView({ block: "nearest" });
    if (window.innerWidth <= 760) root.scrollIntoView({ block: "start" }); /* on a phone the viewer lies far below */
  };
})();
