/* A record on the page: its picture with every word boxed, the words that need a person, and what was understood.
   Value: see components/page_view.py. Only the shown page brings its words along; another page is asked for. */
(function () {
  const { el, svg, parts, percent, address, say, remember } = window.HealthConnect;
  const LINE_KEY = "hc-line-of-doubt";
  const START_LINE = 0.85;
  const TYPED = "typed"; /* in place of a model's name: nothing was read, so nothing is doubtful */
  const FAR_BELOW = 0.25; /* this far under the line a word is drawn as a likely misreading, not only a doubtful one */

  const lineOfDoubt = () => Number(localStorage.getItem(LINE_KEY)) || START_LINE;
  const startZoom = () => (window.innerWidth < 760 ? 170 : 100); /* a whole page across a phone cannot be read */
  const doubtful = (word, line) => word.confidence < line;
  const middle = (quad) => [(quad[0] + quad[2] + quad[4] + quad[6]) / 4, (quad[1] + quad[3] + quad[5] + quad[7]) / 4];

  function standing(word, line) {
    if (word.machine_text !== null) return "mended";
    if (word.confidence < line - FAR_BELOW) return "misread";
    return doubtful(word, line) ? "doubtful" : "sure";
  }

  /* The page turned so that its text stands upright; boxes turn with it. */
  function frame(page, turn) {
    const aside = turn % 180 !== 0;
    const [w, h] = [page.width_px, page.height_px];
    const moves = { 0: "", 90: `translate(${h} 0) rotate(90)`, 180: `translate(${w} ${h}) rotate(180)`, 270: `translate(0 ${w}) rotate(270)` };
    return { width: aside ? h : w, height: aside ? w : h, transform: moves[turn] };
  }

  function pageSvg(value, state, act) {
    const page = value.page;
    const view = frame(page, state.turn);
    const line = lineOfDoubt();
    const lit = new Set(state.lit);
    const words = page.words.map((word) => {
      const classes = ["hc-word", "hc-" + standing(word, line)];
      if (lit.has(word.index)) classes.push("hc-lit");
      if (word.index === state.chosen) classes.push("hc-chosen");
      return svg("polygon", { points: word.quad.join(" "), class: classes.join(" "), "data-word": word.index, onclick: () => act.choose(word.index) },
        svg("title", {}, `${word.text} (${percent(word.confidence)} sure)`));
    });
    const hits = (state.hitBoxes || []).map((b) => svg("rect", { x: b[0], y: b[1], width: b[2] - b[0], height: b[3] - b[1], class: "hc-hit-box" }));
    return svg("svg", { viewBox: `0 0 ${view.width} ${view.height}`, class: "hc-page-svg", role: "img", style: `width:${state.zoom}%`,
      "aria-label": `Picture of page ${page.number} of ${value.pages.length}, ${page.words.length} words marked. The words below the line of doubt are listed as buttons beside it.` },
      svg("g", { transform: view.transform },
        svg("image", { href: address(page.image_path), width: page.width_px, height: page.height_px, preserveAspectRatio: "none" }), hits, words));
  }

  /* One word, large and upright: the picture is turned by the slope of the word and cut by the view box. */
  function closeUp(page, word) {
    const q = word.quad;
    const slope = Math.atan2(q[3] - q[1], q[2] - q[0]);
    const wide = Math.hypot(q[2] - q[0], q[3] - q[1]);
    const high = Math.hypot(q[6] - q[0], q[7] - q[1]);
    const [cx, cy] = middle(q);
    const [spanX, spanY] = [Math.max(wide * 1.25 + high * 2, high * 6), high * 2.2];
    return svg("svg", { viewBox: `${cx - spanX / 2} ${cy - spanY / 2} ${spanX} ${spanY}`, class: "hc-close-up", role: "img", "aria-label": "The word as it stands on the page, enlarged" },
      svg("g", { transform: `rotate(${(-slope * 180) / Math.PI} ${cx} ${cy})` },
        svg("image", { href: address(page.image_path), width: page.width_px, height: page.height_px, preserveAspectRatio: "none" }),
        svg("polygon", { points: q.join(" "), class: "hc-close-up-box" })));
  }

  function wordPanel(value, state, act) {
    const word = value.page && value.page.words[state.chosen];
    const panel = el("section", { class: "hc-panel hc-word-panel" + (word ? " hc-open" : ""), "aria-label": "The chosen word" });
    if (!word) {
      panel.append(el("p", { class: "hc-quiet" }, "Click a word on the page, or take the next doubtful one."),
        el("button", { type: "button", class: "hc-button hc-strong", "data-key": "next", onclick: () => act.step(1) }, "Next doubtful word"));
      return panel;
    }
    const input = el("input", { class: "hc-input", id: "hc-word-text", "data-key": "word-text", dir: "auto", value: state.draft ?? word.text, autocomplete: "off", spellcheck: "false", maxlength: 200, oninput: () => { state.draft = input.value; } });
    const readings = word.machine_text !== null
      ? [`A person put “${word.text}” here; the machine had read “${word.machine_text}”.`]
      : value.model === TYPED
        ? ["Typed as “", el("b", {}, word.text), "”."]
        : ["The machine read “", el("b", {}, word.text), `”, ${percent(word.confidence)} sure.`];
    panel.append(closeUp(value.page, word), el("p", { class: "hc-machine-read" }, readings),
      el("form", { class: "hc-mend", onsubmit: (event) => { event.preventDefault(); act.mend(word, input.value.trim()); } },
        el("label", { class: "hc-field", for: "hc-word-text" }, el("span", {}, "What the page says"), input),
        el("button", { type: "submit", class: "hc-button hc-strong", "data-key": "save" }, "Save and go on")),
      el("div", { class: "hc-actions" },
        el("button", { type: "button", class: "hc-button", "data-key": "back", onclick: () => act.step(-1) }, "Previous"),
        el("button", { type: "button", class: "hc-button", "data-key": "next", onclick: () => act.step(1) }, "Next doubtful word"),
        el("button", { type: "button", class: "hc-button", "data-key": "leave", onclick: () => act.choose(null) }, "Close")));
    return panel;
  }

  function doubtPanel(value, state, act) {
    const line = lineOfDoubt();
    const page = value.page;
    const slider = el("input", { type: "range", min: 50, max: 100, step: 1, value: Math.round(line * 100), id: "hc-line", "data-key": "line",
      oninput: () => { localStorage.setItem(LINE_KEY, slider.value / 100); act.redrawSoon(); }, onchange: () => act.redraw() });
    const shown = page.words.filter((word) => word.machine_text === null && doubtful(word, line)).sort((a, b) => a.confidence - b.confidence);
    const others = state.all ? page.words.filter((word) => !shown.includes(word)) : [];
    const button = (word) => el("button", { type: "button", class: `hc-chip hc-${standing(word, line)}`, "data-key": "word-" + word.index, "aria-pressed": word.index === state.chosen ? "true" : "false", onclick: () => act.choose(word.index) },
      word.text, el("small", {}, word.machine_text !== null ? "mended" : percent(word.confidence)));
    return el("section", { class: "hc-panel", "aria-label": "Doubtful words" },
      el("label", { class: "hc-field", for: "hc-line" }, el("span", {}, `Line of doubt: ${Math.round(line * 100)} %`), slider),
      el("p", { class: "hc-quiet", id: "hc-doubt-count" }, shown.length ? `${shown.length} of ${page.words.length} words on this page are below the line.` : `No word on this page is below the line (${page.words.length} read).`),
      el("div", { class: "hc-chips" }, shown.map(button), others.map(button)),
      el("button", { type: "button", class: "hc-link", "data-key": "all-words", onclick: () => { state.all = !state.all; act.redraw(); } }, state.all ? "Show only the doubtful words" : "List every word of the page"));
  }

  function doubtOn(page) {
    const step = Math.min(page.doubt.length - 1, Math.max(0, Math.round((lineOfDoubt() - 0.5) * 100)));
    return page.doubt[step];
  }

  function pageRow(page, value, act) {
    const count = doubtOn(page);
    const needs = count > 0 || page.warnings.length > 0 || page.words === 0;
    const note = page.words === 0 ? "no words" : count ? `${count} doubtful` : "clear";
    const here = value.page && value.page.number === page.number;
    return el("li", {}, el("button", { type: "button", class: "hc-page-button" + (needs ? " hc-needs" : ""), "aria-current": here ? "page" : null, "data-key": "page-" + page.number, onclick: () => act.page(page.number) },
      el("b", {}, `Page ${page.number}`), el("span", {}, note), page.warnings.length > 0 && el("span", { class: "hc-warn-text" }, "see note")));
  }

  /* Pages that need a person's eye come first: most doubtful words for their length, pages with a warning before others. */
  function pageList(value, state, act) {
    const weight = (page) => (page.words === 0 ? 2 : 0) + (page.warnings.length ? 1 : 0) + doubtOn(page) / Math.max(1, page.words);
    const order = [...value.pages].sort((a, b) => weight(b) - weight(a) || a.number - b.number);
    const needing = order.filter((page) => weight(page) > 0);
    const clear = order.filter((page) => weight(page) === 0);
    const group = (title, pages) => pages.length ? [el("h3", { class: "hc-h4" }, title), el("ul", { class: "hc-pages" }, pages.map((page) => pageRow(page, value, act)))] : [];
    return el("nav", { class: "hc-page-nav", "aria-label": "Pages of this record", onscroll: (event) => { state.navScroll = event.target.scrollTop; } }, group("Need your eye", needing), group("Clear", clear));
  }

  const FLAG = { high: "↑ high", low: "↓ low" };

  function whereSaid(places) {
    const pages = [...new Set(places.map((place) => place.page))];
    return "p. " + pages.slice(0, 3).join(", ") + (pages.length > 3 ? ` and ${pages.length - 3} more` : "");
  }

  function factButton(fact, value, act) {
    const quantity = fact.value === fact.flag ? "" : [fact.value, fact.unit].filter(Boolean).join(" "); /* "stopped" is said once */
    const tags = [];
    if (fact.flag) tags.push(el("span", { class: "hc-flag" }, FLAG[fact.flag] || fact.flag));
    if (fact.reference) tags.push(el("small", {}, fact.kind === "lab" && /^[\d<>≤≥]/.test(fact.reference) ? `normal ${fact.reference}` : fact.reference));
    if (fact.negated && !fact.flag) tags.push(el("span", { class: "hc-denied" }, "denied")); // a medicine says itself that it was stopped
    if (fact.confidence < lineOfDoubt()) tags.push(el("span", { class: "hc-unsure" }, "read with doubt"));
    return el("li", {}, el("button", { type: "button", class: `hc-fact hc-fact-${fact.kind}${fact.negated ? " hc-negated" : ""}${fact.flag ? " hc-flagged" : ""}`, "data-key": `fact-${fact.key}`, title: `Show on page ${fact.places[0].page}`, onclick: () => act.lightNext(fact) },
      el("b", {}, fact.label), quantity && el("span", {}, quantity), tags, value.pages.length > 1 && el("small", { class: "hc-where" }, whereSaid(fact.places))));
  }

  function factPanel(value, act) {
    const panel = el("section", { class: "hc-panel", "aria-label": "What the machine understood" }, el("h3", { class: "hc-h3" }, "Understood on these pages"));
    if (!value.facts.length) panel.append(el("p", { class: "hc-quiet" }, "No name, date, medication, lab value, allergy or diagnosis was recognised. Read the page itself."));
    for (const group of value.facts) {
      panel.append(el("h4", { class: "hc-h4" + (group.alarm ? " hc-alarm" : "") }, group.title), el("ul", { class: "hc-facts" }, group.facts.map((fact) => factButton(fact, value, act))));
    }
    if (value.facts.length) panel.append(el("p", { class: "hc-quiet" }, "Click one to see it on the page. A machine read this: check before you rely on it."));
    return panel;
  }

  function historyPanel(value, act) {
    if (!value.history.length) return null;
    return el("details", { class: "hc-panel hc-history" }, el("summary", {}, `Corrections by people (${value.history.length})`),
      el("ol", {}, value.history.map((entry) => el("li", {}, el("button", { type: "button", class: "hc-link", onclick: () => act.light({ page: entry.page, word_indices: [entry.word_index] }) },
        el("del", {}, entry.old_text), " → ", el("ins", {}, entry.new_text)), el("small", {}, ` page ${entry.page}, ${entry.when}, ${entry.who}`)))));
  }

  function conflictBanner(value, act) {
    if (!value.conflict) return null;
    const checked = el("input", { type: "checkbox", id: "hc-conflict-checked", onchange: () => { file.disabled = !checked.checked; } });
    const file = el("button", { type: "button", class: "hc-button hc-danger", disabled: true, onclick: () => act.file(true) }, `File to ${value.conflict.patient_name} anyway`);
    return el("section", { class: "hc-banner hc-stop", role: "alert", "aria-label": "Identity does not match" },
      el("h3", {}, "Stop: this record may belong to someone else"),
      el("p", {}, "It is kept, and filed to nobody until a person decides."),
      el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Identity"), el("th", { scope: "col" }, "On this record"), el("th", { scope: "col" }, "Chosen patient"))),
        el("tbody", {}, value.conflict.rows.map((row) => el("tr", {}, el("th", { scope: "row" }, row.field), el("td", {}, el("button", { type: "button", class: "hc-link", title: `Show on page ${row.page}`, onclick: () => act.light(row) }, row.on_record)), el("td", {}, row.in_chart))))),
      el("label", { class: "hc-check", for: "hc-conflict-checked" }, checked, "I have looked at the page, and it is about the chosen patient."),
      el("div", { class: "hc-actions" }, file, el("span", { class: "hc-quiet" }, "If it is not: choose the right patient above, or leave it unfiled.")));
  }

  function filedTo(value) {
    if (!value.patient_label) return el("p", { class: "hc-warn-text" }, "Filed to nobody");
    const who = el("bdi", {}, value.patient_label);
    if (value.other_patient) return el("p", { class: "hc-other-patient" }, "Filed to ", who, ", who is not the chosen patient");
    return el("p", {}, "Filed to ", who);
  }

  function head(value, act) {
    const facts = [value.kind, value.date, `${value.pages.length} ${value.pages.length === 1 ? "page" : "pages"}`, value.model === TYPED ? "typed" : value.confidence ? `${percent(value.confidence)} sure, read by ${value.model}` : `nothing read by ${value.model}`, value.revision > 1 ? `revision ${value.revision}` : ""];
    return el("header", { class: "hc-record-head" },
      el("div", {}, el("h2", { dir: "auto" }, value.title), el("p", { class: "hc-quiet" }, facts.filter(Boolean).join(" · ")),
        filedTo(value)),
      el("div", { class: "hc-actions" },
        value.may_file && el("button", { type: "button", class: "hc-button", "data-key": "file", onclick: () => act.file(false) }, `File to ${value.may_file}`),
        el("a", { class: "hc-button hc-strong", id: "hc-download", href: address(value.download_path), download: "" }, "Download searchable PDF"),
        el("a", { class: "hc-button", href: address(value.pdf_path) + `#page=${value.page ? value.page.number : 1}`, target: "_blank", rel: "noopener" }, "Open PDF at this page")));
  }

  function toolbar(value, state, act) {
    const tool = (key, label, text, action) => el("button", { type: "button", class: "hc-button hc-small", "data-key": key, "aria-label": label, title: label, onclick: action }, text);
    const number = value.page.number;
    const turning = value.pages.length > 1 && [
      tool("previous-page", "Previous page", "‹", () => number > 1 && act.page(number - 1)),
      el("span", {}, `Page ${number} of ${value.pages.length}`),
      tool("next-page", "Next page", "›", () => number < value.pages.length && act.page(number + 1)),
    ];
    return el("div", { class: "hc-toolbar", role: "group", "aria-label": "Page view" }, turning,
      el("span", { class: "hc-spring" }),
      tool("smaller", "Smaller", "−", () => act.zoom(-25)), tool("larger", "Larger", "+", () => act.zoom(25)), tool("turn", "Turn the page", "↻", () => act.turn()));
  }

  function legend() {
    const item = (kind, text) => el("span", {}, el("i", { class: `hc-key hc-key-${kind}`, "aria-hidden": "true" }), text);
    return el("p", { class: "hc-legend" }, item("sure", "sure"), item("doubtful", "below the line"), item("misread", "far below"), item("mended", "mended by a person"), item("lit", "shown to you"));
  }

  /* While pages are still being read there is no picture yet: what was read stands there page by page. */
  function reading(root, value) {
    root.append(el("h2", { class: "hc-h3" }, `${value.count} ${value.count === 1 ? "page" : "pages"} read so far`),
      el("ol", { class: "hc-pages-read" }, value.pages.map((page) => el("li", {}, el("b", {}, `Page ${page.number}`), el("span", { class: "hc-quiet" }, page.words ? ` ${page.words} words, ${percent(page.confidence)} sure` : " no words"),
        page.excerpt && el("p", { dir: "auto" }, page.excerpt), page.warnings.map((w) => el("p", { class: "hc-warn-text" }, w))))));
  }

  function stepTo(value, state, direction) {
    const line = lineOfDoubt();
    const candidates = value.page.words.filter((word) => word.machine_text === null && doubtful(word, line)).map((word) => word.index);
    const from = state.chosen === null ? (direction > 0 ? -1 : Infinity) : state.chosen;
    return direction > 0 ? candidates.find((index) => index > from) : candidates.reverse().find((index) => index < from);
  }

  function nextPageInDoubt(value) {
    const later = value.pages.filter((page) => doubtOn(page) > 0 && page.number > value.page.number);
    return later.length ? later[0].number : null;
  }

  function bringInto(scroller, box) {
    if (!scroller || !box) return;
    const [b, s] = [box.getBoundingClientRect(), scroller.getBoundingClientRect()];
    scroller.scrollBy({ top: (b.top + b.bottom - s.top - s.bottom) / 2, left: (b.left + b.right - s.left - s.right) / 2 });
  }

  /* On a phone the word's panel lies across the foot of the window: its word must not lie beneath it. */
  function clearOf(panel, word) {
    if (!panel || !word || getComputedStyle(panel).position !== "fixed") return;
    const [w, bar] = [word.getBoundingClientRect(), document.querySelector(".hc-patient-bar").getBoundingClientRect().bottom];
    const foot = panel.getBoundingClientRect().top;
    if (w.top < bar || w.bottom > foot) window.scrollBy({ top: (w.top + w.bottom - bar - foot) / 2 });
  }

  function actions(root, value, send, state, redraw) {
    const act = {
      redraw,
      redrawSoon: () => { cancelAnimationFrame(state.frame); state.frame = requestAnimationFrame(redraw); },
      choose: (index) => { state.chosen = index; state.draft = undefined; state.lit = []; redraw(); if (index !== null) act.look(index); },
      look: (index, quietly) => {
        const word = root.querySelector(`[data-word="${index}"]`);
        bringInto(root.querySelector(".hc-page-scroll"), word);
        clearOf(root.querySelector(".hc-word-panel"), word);
        const input = root.querySelector("#hc-word-text");
        if (input && !quietly) { input.focus({ preventScroll: true }); input.select(); }
      },
      step: (direction) => {
        const next = stepTo(value, state, direction);
        if (next !== undefined) return act.choose(next);
        const page = direction > 0 ? nextPageInDoubt(value) : null;
        state.chosen = null;
        if (page === null) { say("No further doubtful word."); redraw(); return undefined; }
        state.stepOnArrival = true;
        return act.page(page, true);
      },
      page: (number, keep) => { if (!keep) state.stepOnArrival = false; state.lit = []; state.hitBoxes = []; send("go", { document_id: value.document_id, page: number, revision: value.revision }); },
      mend: (word, text) => { if (!text) { say("Type what the page says first."); return; } state.draft = undefined; state.mended = word.index; send("correct", { document_id: value.document_id, page: value.page.number, word_index: word.index, text }); },
      /* A fact that is said in several places shows the next one with each click. */
      lightNext: (fact) => {
        const seen = state.seen.key === fact.key ? state.seen.times + 1 : 0;
        state.seen = { key: fact.key, times: seen };
        act.light(fact.places[seen % fact.places.length]);
      },
      light: (fact) => {
        state.chosen = null;
        state.lit = [...fact.word_indices];
        if (fact.page === value.page.number) { redraw(); act.look(state.lit[0], true); say(`Shown on page ${fact.page}`); return; }
        state.lightOnArrival = state.lit;
        send("go", { document_id: value.document_id, page: fact.page, revision: value.revision });
      },
      zoom: (by) => { state.zoom = Math.min(400, Math.max(50, state.zoom + by)); redraw(); },
      turn: () => { state.turn = (state.turn + 90) % 360; redraw(); },
      file: (confirmed) => send("file", { document_id: value.document_id, patient_id: value.chosen_patient_id, confirmed }),
    };
    return act;
  }

  function arrive(value, state) {
    const here = `${value.document_id}/${value.page.number}/${value.wish}`;
    if (state.here !== here) {
      Object.assign(state, { here, chosen: null, draft: undefined, turn: (360 - value.page.rotation_deg) % 360, lit: state.lightOnArrival || [], hitBoxes: value.page.lit_boxes || [], zoom: state.zoom || startZoom() });
      state.lookAt = state.lit[0];
      state.showHit = state.hitBoxes.length > 0;
      state.lightOnArrival = null;
      if (state.stepOnArrival) { state.chosen = stepTo(value, state, 1) ?? null; state.stepOnArrival = false; state.focusWord = true; }
    }
    if (state.revision !== undefined && state.revision !== value.revision && state.mended !== undefined && state.document === value.document_id) {
      state.chosen = stepTo(value, { chosen: state.mended }, 1) ?? null;
      state.focusWord = true;
      state.mended = undefined;
      say("Saved. The text layer and the search follow.");
    }
    state.newcomer = state.document !== value.document_id || state.wish !== value.wish;
    state.wish = value.wish;
    state.revision = value.revision;
    state.document = value.document_id;
  }

  function keys(event, act) {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") act.step(1);
    else if (event.key === "p") act.step(-1);
    else return;
    event.preventDefault();
  }

  /* The address calls the page "p": "page" is a word of Gradio's own there.
     Back and Forward: the record and page that the address names are asked for, unless they are shown. */
  function goBackTo(memory, value, send) {
    if (!memory.shown) {
      window.addEventListener("popstate", () => {
        const asked = new URLSearchParams(window.location.search);
        const [wanted, page] = [asked.get("document"), Number(asked.get("p")) || 1];
        if (wanted && (wanted !== memory.shown.document_id || page !== memory.shown.page.number)) memory.send("go", { document_id: wanted, page });
      });
    }
    memory.shown = value;
    memory.send = send;
  }

  parts.record_view = function (root, value, send, memory) {
    const state = memory.state || (memory.state = { chosen: null, zoom: startZoom(), turn: 0, lit: [], all: false, seen: {} });
    if (!value) return;
    if (value.state === "empty") { root.append(el("div", { class: "hc-empty" }, el("h2", { class: "hc-h3" }, value.title), el("p", {}, value.text))); return; }
    if (value.state === "reading") { reading(root, value); return; }
    if (value.state === "page") { /* another page of the record that is at hand; without it the whole one is asked for */
      const whole = memory.whole;
      if (!whole || whole.document_id !== value.document_id || whole.revision !== value.revision) { send("go", { document_id: value.document_id, page: value.page.number }); return; }
      value = { ...whole, wish: "", page: value.page };
    } else memory.whole = value;
    const asked = new URLSearchParams(window.location.search);
    remember({ document: value.document_id, p: value.page.number > 1 ? String(value.page.number) : "" }, asked.get("document") && asked.get("document") !== value.document_id);
    goBackTo(memory, value, send);
    arrive(value, state);
    const draw = () => memory.redraw();
    const act = actions(root, value, send, state, draw);
    const view = el("div", { class: "hc-record", onkeydown: (event) => keys(event, act) });
    const scroll = el("div", { class: "hc-page-scroll", tabindex: 0, role: "region", "aria-label": "Page picture, scrolls", "data-key": "page-scroll", onscroll: () => { state.scroll = [scroll.scrollLeft, scroll.scrollTop]; } }, pageSvg(value, state, act));
    view.append(head(value, act), conflictBanner(value, act) || "",
      value.notes.length ? el("div", { class: "hc-banner", role: "status" }, value.notes.map((note) => el("p", {}, note))) : "",
      el("div", { class: "hc-record-body" + (value.pages.length > 1 ? "" : " hc-one-page") }, value.pages.length > 1 && pageList(value, state, act),
        el("div", { class: "hc-page" }, toolbar(value, state, act), value.page.warnings.map((w) => el("p", { class: "hc-page-note" }, w)), scroll, legend()),
        el("aside", { class: "hc-record-side" }, wordPanel(value, state, act), doubtPanel(value, state, act), factPanel(value, act), historyPanel(value, act) || "")));
    root.append(view);
    /* The tab may only now become visible and the list above may grow: look again a moment later. */
    const hit = state.showHit;
    const bringIntoSight = () => {
      if (!view.isConnected) return;
      view.scrollIntoView({ block: "start" });
      if (hit) bringInto(scroll, root.querySelector(".hc-hit-box"));
    };
    if (state.newcomer) { requestAnimationFrame(bringIntoSight); setTimeout(bringIntoSight, 300); }
    state.newcomer = false;
    const nav = view.querySelector(".hc-page-nav");
    if (nav) nav.scrollTop = state.navScroll || 0;
    if (state.scroll) [scroll.scrollLeft, scroll.scrollTop] = state.scroll;
    if (state.focusWord && state.chosen !== null) requestAnimationFrame(() => act.look(state.chosen));
    else if (state.lookAt !== undefined) { const word = state.lookAt; requestAnimationFrame(() => act.look(word, true)); }
    else if (state.showHit) requestAnimationFrame(() => bringInto(scroll, root.querySelector(".hc-hit-box")));
    state.focusWord = state.showHit = false;
    state.lookAt = undefined;
  };
})();
