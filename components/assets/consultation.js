/* A visit: the conversation on one side, the note on the other. A word that is clicked is heard; a line that is clicked
   lights and plays what it rests on. Everything is built with textContent; what is typed is kept in the part's memory. */
(function () {
  const { el, parts, say, address } = window.HealthConnect;
  const NAMES = { subjective: "Subjective", objective: "Objective", assessment: "Assessment", plan: "Plan" };
  const UNCLEAR = 0.5; /* confidence below which a word is shown as unclear */
  const LEAD_S = 0.15; /* seconds that are played before a word, so that its beginning is not cut */

  const button = (text, kind, key, onclick, more) => el("button", { type: "button", class: "hc-button " + kind, "data-key": key, onclick, ...(more || {}) }, text);
  const link = (text, key, onclick, more) => el("button", { type: "button", class: "hc-link", "data-key": key, onclick, ...(more || {}) }, text);
  const once = (event, act) => { const pressed = event.currentTarget; pressed.disabled = true; setTimeout(() => { pressed.disabled = false; }, 4000); act(); };
  const clock = (s) => s === null || s === undefined ? "" : `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  const capital = (text) => text ? text[0].toUpperCase() + text.slice(1) : "";
  const plain = (value) => JSON.parse(JSON.stringify(value));

  /* -- hearing: plays spans one after the other ------------------------------------------------------------------- */
  function play(memory, spans) {
    const player = memory.player;
    if (!player || !spans.length) return;
    memory.spans = spans.slice();
    player.currentTime = Math.max(0, spans[0][0] - LEAD_S);
    const started = player.play();
    if (started) started.catch(() => { memory.spans = []; });
  }

  function follow(root, memory) {
    const player = memory.player, now = player.currentTime;
    const span = memory.spans && memory.spans[0];
    if (span && now >= span[1]) {
      memory.spans.shift();
      if (memory.spans.length) player.currentTime = Math.max(0, memory.spans[0][0] - LEAD_S);
      else player.pause();
    }
    for (const word of root.querySelectorAll(".hc-word[data-start]")) word.classList.toggle("hc-now", now >= +word.dataset.start && now < +word.dataset.end);
  }

  function light(root, memory, ids) {
    memory.lit = ids;
    for (const said of root.querySelectorAll(".hc-says")) said.classList.toggle("hc-lit", ids.includes(said.dataset.id));
    for (const line of root.querySelectorAll(".hc-note-line")) line.classList.toggle("hc-lit", line.dataset.line === memory.litLine);
    const first = ids.length && root.querySelector(`.hc-says[data-id="${CSS.escape(ids[0])}"]`);
    if (!first) return;
    const talk = first.closest(".hc-talk");
    talk.scrollTop += first.getBoundingClientRect().top - talk.getBoundingClientRect().top - 40;
  }

  /* -- the conversation ------------------------------------------------------------------------------------------- */
  const bare = (text) => text.replace(/^[^\w%]+|[.,;:!?]+$/g, "");

  /* Words of an utterance in runs: a doubt is about as many words as it says, each other word is a run of its own. */
  function runsOf(said) {
    const runs = [];
    for (let at = 0; at < said.words.length; at += runs[runs.length - 1].words.length) {
      const doubt = said.words[at].doubt || null;
      runs.push({ at, doubt, words: said.words.slice(at, at + (doubt ? Math.max(1, doubt.words || 1) : 1)) });
    }
    return runs;
  }

  function word(one, state) {
    const classes = "hc-word" + (one.unclear || one.confidence < UNCLEAR ? " hc-unclear" : "");
    const timed = one.start_s !== null && state.visit.recording;
    return el("span", { class: classes, "data-start": one.start_s, "data-end": one.end_s, title: one.unclear ? "Heard badly" : null,
      onclick: timed ? () => play(state.memory, [[one.start_s, one.end_s]]) : null }, one.text);
  }

  const wordsOf = (run, state) => run.words.flatMap((one, n) => [n ? " " : "", word(one, state)]);

  function doubtful(run, said, state) {
    const { visit, memory, send } = state;
    const key = `${said.id}:${run.at}`, first = run.words[0], last = run.words[run.words.length - 1];
    const open = memory.doubt === key, about = run.words.map((one) => one.text).join(" ");
    const settle = (text) => (event) => once(event, () => { memory.doubt = ""; send("correct", { utterance_id: said.id, index: run.at, text }); });
    const look = () => {
      if (!open && first.start_s !== null && visit.recording) play(memory, [[first.start_s, last.end_s]]);
      memory.doubt = open ? "" : key;
      memory.redraw();
    };
    return el("span", { class: "hc-doubt-place" },
      el("button", { class: "hc-doubt", type: "button", "data-key": "doubt-" + key, "aria-expanded": String(open), title: run.doubt.reason, onclick: look },
        wordsOf(run, { ...state, visit: { recording: "" } })),
      open && el("span", { class: "hc-doubt-menu", role: "group", "aria-label": `What was said in place of “${bare(about)}”` }, el("span", { class: "hc-quiet" }, run.doubt.reason),
        run.doubt.suggestions.map((text, n) => button(text, "", `suggest-${key}-${n}`, settle(text))),
        button("It is right", "", "keep-" + key, settle(first.text))));
  }

  const LONG_PAUSE_S = 1.5;
  /* Sentences of one voice follow each other as one says them: name and tone are shown with the first. */
  const goesOn = (said, before) => Boolean(before) && said.speaker === before.speaker && said.start_s !== null && said.start_s - before.end_s < LONG_PAUSE_S;

  function says(said, state, before) {
    const { memory, send, visit } = state;
    const timed = said.start_s !== null && visit.recording;
    const role = capital(said.role) || said.speaker;
    const editing = memory.retyping === said.id;
    const head = el("div", { class: "hc-says-head" }, el("b", {}, role), said.role !== said.speaker.toLowerCase() && el("span", {}, said.speaker),
      said.start_s !== null && el("span", {}, clock(said.start_s)), said.overlap && el("span", { class: "hc-tag" }, "both at once"),
      timed && link("Play", "play-" + said.id, () => play(memory, [[said.start_s, said.end_s]]), { "aria-label": `Play what ${role} said at ${clock(said.start_s)}` }),
      !state.signed && !editing && link("Correct", "retype-" + said.id, () => { memory.retyping = said.id; memory.typed = said.text; memory.redraw(); }, { "aria-label": `Correct: ${said.text.slice(0, 60)}` }));
    const body = !editing ? el("p", {}, said.words.length ? runsOf(said).flatMap((run, n) => [n ? " " : "", ...(run.doubt && !state.signed ? [doubtful(run, said, state)] : wordsOf(run, state))]) : said.text)
      : el("div", { class: "hc-form" }, el("textarea", { class: "hc-input", rows: 3, maxlength: 5000, "data-key": "typed-" + said.id, "aria-label": "What was said", oninput: (event) => { memory.typed = event.target.value; } }, memory.typed),
        el("div", { class: "hc-actions" }, button("Save", "hc-strong", "saved-" + said.id, (event) => once(event, () => { memory.retyping = ""; send("retype", { utterance_id: said.id, text: memory.typed }); })),
          button("Cancel", "", "unsaved-" + said.id, () => { memory.retyping = ""; memory.redraw(); })));
    return el("li", { class: `hc-says hc-says-${said.role || "unknown"}${goesOn(said, before) ? " hc-goes-on" : ""}${(memory.lit || []).includes(said.id) ? " hc-lit" : ""}`, "data-id": said.id }, head, body);
  }

  function voices(state) {
    const { visit, send, value } = state;
    const roles = visit.transcript.roles;
    const swap = roles.length === 2 && !state.signed && button("Swap roles", "", "swap", (event) => once(event, () => send("relabel", { speaker: roles[0].speaker, role: roles[1].role })), { id: "hc-swap" });
    const rows = roles.map((one, at) => el("label", { class: `hc-voice hc-says-${one.role}` }, el("span", {}, one.speaker, one.given ? "" : ` · ${Math.round(one.confidence * 100)} % sure`),
      el("select", { class: "hc-input", disabled: state.signed, "data-key": "role-" + at, "aria-label": `Who ${one.speaker} is`, onchange: (event) => send("relabel", { speaker: one.speaker, role: event.target.value }) },
        value.roles.map((role) => el("option", { value: role, selected: role === one.role }, capital(role))))));
    return el("div", { class: "hc-voices" }, rows, swap);
  }

  function talk(state) {
    const { visit, memory } = state;
    if (visit.recording && (!memory.player || memory.playing !== visit.recording)) {
      memory.player = el("audio", { controls: true, preload: "metadata", src: address(visit.recording), id: "hc-player", "aria-label": "The recording" });
      memory.playing = visit.recording;
      memory.player.addEventListener("timeupdate", () => follow(state.root, memory));
      memory.player.addEventListener("seeking", () => follow(state.root, memory));
    } else if (!visit.recording) { memory.player = null; }
    const warnings = visit.transcript.warnings.map((one) => el("p", { class: "hc-warn-text" }, one));
    return el("section", { class: "hc-visit-side", "aria-label": "Conversation" }, el("h2", {}, "What was said"), warnings, voices(state), memory.player,
      !visit.recording && state.signed && visit.transcript.duration_s !== null && el("p", { class: "hc-quiet" }, "The recording was deleted when the note was signed."),
      el("ol", { class: "hc-talk", tabindex: "0", "aria-label": "Utterances" }, visit.transcript.utterances.map((said, at, all) => says(said, state, all[at - 1]))));
  }

  /* -- the note --------------------------------------------------------------------------------------------------- */
  function keepNote(state) {
    state.send("save", { note: { sections: state.note.sections } });
  }

  function lineEditor(line, name, at, state) {
    const { memory, value } = state;
    const chosen = el("select", { class: "hc-input", "data-key": "move", "aria-label": "Section" }, value.sections.map((one) => el("option", { value: one, selected: one === name }, NAMES[one])));
    const finish = (text) => {
      const target = chosen.value;
      const changed = { ...line, text, by_person: true };
      if (target === name) state.note.sections[name][at] = changed;
      else { state.note.sections[name].splice(at, 1); state.note.sections[target].push({ ...changed, topic: "" }); }
      if (!text.trim()) state.note.sections[target] = state.note.sections[target].filter((one) => one !== changed);
      memory.editing = "";
      keepNote(state);
    };
    return el("li", { class: "hc-note-edit" },
      el("textarea", { class: "hc-input", rows: 3, maxlength: 2000, "data-key": "line-text", "aria-label": "Line of the note", oninput: (event) => { memory.lineText = event.target.value; } }, memory.lineText),
      el("div", { class: "hc-actions" }, chosen, button("Save line", "hc-strong", "line-save", (event) => once(event, () => finish(memory.lineText))),
        line.text && button("Remove line", "", "line-remove", (event) => once(event, () => finish(""))),
        button("Cancel", "", "line-cancel", () => { if (!line.text) state.note.sections[name].splice(at, 1); memory.editing = ""; memory.redraw(); })));
  }

  function noteLine(line, name, at, state) {
    const { memory, root, send, visit } = state;
    const key = `${name}-${at}`;
    if (memory.editing === key && !state.signed) return lineEditor(line, name, at, state);
    const spoken = visit.transcript.utterances.filter((said) => line.evidence.includes(said.id));
    const show = () => {
      memory.litLine = key;
      light(root, memory, line.evidence);
      const spans = spoken.filter((said) => said.start_s !== null).map((said) => [said.start_s, said.end_s]);
      if (visit.recording) play(memory, spans);
      say(spoken.length ? `Rests on: ${spoken.map((said) => said.text).join(" ")}` : "This line names nothing that was said.");
    };
    const where = spoken.length && spoken[0].start_s !== null ? clock(spoken[0].start_s) : spoken.length ? `${spoken.length} ${spoken.length === 1 ? "utterance" : "utterances"}` : "";
    return el("li", { class: "hc-note-line" + (memory.litLine === key ? " hc-lit" : ""), "data-line": key },
      el("button", { type: "button", class: "hc-line-text", "data-key": "line-" + key, onclick: show, title: "Show and play what this line rests on" },
        line.topic && !["Assessment", "Plan"].includes(line.topic) && !line.text.toLowerCase().startsWith(line.topic.toLowerCase() + ":") && el("span", { class: "hc-topic" }, line.topic), el("span", {}, line.text)),
      el("div", { class: "hc-line-foot" }, where && el("span", {}, where), line.by_person && el("span", { class: "hc-tag" }, "edited by hand"),
        line.records.map((place, n) => link(`Record, page ${place.page}`, `record-${key}-${n}`, () => send("see_record", place))),
        !state.signed && link("Edit", "edit-" + key, () => { memory.editing = key; memory.lineText = line.text; memory.redraw(); }, { "aria-label": `Edit: ${line.text.slice(0, 60)}` })),
      line.reason && el("p", { class: "hc-warn-text" }, line.reason),
      doubtsOf(spoken).filter((one) => line.text.toLowerCase().includes(one.text.toLowerCase())).map((one) => el("p", { class: "hc-warn-text" },
        state.signed ? `“${one.text}” was in doubt, and nobody settled it before the note was signed.` : `“${one.text}” is in doubt: ${one.reason} Settle it in the conversation.`)));
  }

  const doubtsOf = (utterances) => utterances.flatMap((said) => runsOf(said).filter((run) => run.doubt).map((run) => ({ text: bare(run.words.map((one) => one.text).join(" ")), reason: run.doubt.reason })));

  function section(name, state) {
    const { memory } = state;
    const lines = state.note.sections[name];
    return el("section", { class: "hc-note-section" }, el("h3", {}, NAMES[name]),
      lines.length ? el("ul", {}, lines.map((line, at) => noteLine(line, name, at, state))) : el("p", { class: "hc-quiet" }, "Nothing was said that belongs here."),
      !state.signed && !memory.editing && link("Add a line", "add-" + name, () => {
        lines.push({ text: "", evidence: memory.lit || [], records: [], topic: "", reason: "", by_person: true });
        memory.editing = `${name}-${lines.length - 1}`; memory.lineText = ""; memory.redraw();
      }, { "aria-label": `Add a line to ${NAMES[name]}` }));
  }

  function unsupported(state) {
    const kept = state.visit.note.unsupported;
    if (!kept.length || state.signed) return null;
    return el("section", { class: "hc-unsupported", "aria-label": "Not supported" }, el("h3", {}, "Not supported by what was said"),
      el("p", {}, "These lines are kept out of the note. Correct the conversation, or write the line yourself."),
      el("ul", {}, kept.map((line) => el("li", {}, el("b", {}, line.text), el("span", {}, line.reason)))));
  }

  function files(state) {
    const { visit, memory } = state;
    if (!visit.files.length) return null;
    const shape = memory.shape || visit.templates[0].id;
    return el("section", { class: "hc-files", "aria-label": "Files" }, el("h3", {}, "Take it along"), !state.signed && visit.note && el("p", { class: "hc-quiet" }, "Not signed yet: every page says that it is a draft."),
      visit.note && el("label", { class: "hc-field" }, el("span", {}, "Shape"), el("select", { class: "hc-input", id: "hc-shape", "data-key": "shape", onchange: (event) => { memory.shape = event.target.value; memory.redraw(); } },
        visit.templates.map((one) => el("option", { value: one.id, selected: one.id === shape }, one.title)))),
      el("div", { class: "hc-actions" }, visit.files.map((file) => el("a", { class: "hc-button", id: "hc-file-" + file.kind, download: true, href: address(file.path) + (file.shaped ? `?template=${encodeURIComponent(shape)}` : "") }, file.name))));
  }

  function signing(state) {
    const { memory, send, visit } = state;
    const name = el("label", { class: "hc-field" }, el("span", {}, "Your name"), el("input", { class: "hc-input", id: "hc-signer", value: memory.name || "", maxlength: 200, autocomplete: "name", "data-key": "signer", oninput: (event) => { memory.name = event.target.value; } }));
    if (!state.signed) {
      return el("section", { class: "hc-signing", "aria-label": "Sign" }, el("h3", {}, "Sign"), name,
        doubtsOf(visit.transcript.utterances).length > 0 && el("p", { class: "hc-warn-text" }, `Words still in doubt: ${doubtsOf(visit.transcript.utterances).map((one) => one.text).join(", ")}.`),
        el("p", { class: "hc-quiet" }, "Read every line first. Signing locks the note for good and deletes the recording."),
        el("div", { class: "hc-actions" }, button("Sign and lock", "hc-strong", "sign", (event) => once(event, () => send("sign", { name: memory.name || "", note: { sections: state.note.sections } })), { id: "hc-sign" }),
          button("Discard this visit", "", "discard", (event) => { if (memory.sure) once(event, () => send("discard", {})); else { memory.sure = true; memory.redraw(); } }),
          memory.sure && el("span", { class: "hc-warn-text", role: "status" }, "Press again to delete conversation, note and recording.")));
    }
    const { signature, addenda } = visit.note;
    return el("section", { class: "hc-signing hc-signed", "aria-label": "Signed" }, el("h3", {}, "Signed"),
      el("p", { id: "hc-signed-by" }, `By ${signature.name}, ${signature.at.slice(0, 16).replace("T", " ")} UTC. Locked.`), el("p", { class: "hc-quiet" }, "SHA-256 ", el("code", {}, signature.sha256)),
      addenda.length > 0 && el("ul", { class: "hc-addenda" }, addenda.map((one) => el("li", {}, el("b", {}, `Addendum, ${one.name}, ${one.at.slice(0, 16).replace("T", " ")}: `), one.text))),
      el("label", { class: "hc-field" }, el("span", {}, "Addendum"), el("textarea", { class: "hc-input", id: "hc-addendum", rows: 3, maxlength: 10000, "data-key": "addendum", oninput: (event) => { memory.addendum = event.target.value; } }, memory.addendum || "")), name,
      el("div", { class: "hc-actions" }, button("Add it", "", "addend", (event) => once(event, () => { const text = memory.addendum || ""; memory.addendum = ""; send("addend", { text, name: memory.name || "" }); }), { id: "hc-addend" })));
  }

  function noteSide(state) {
    const { visit, value, send } = state;
    if (!visit.note) {
      return el("section", { class: "hc-visit-side", "aria-label": "Note" }, el("h2", {}, "Note"), el("p", { class: "hc-quiet" }, "There is no note yet. Check who is who first, then draft it."),
        button("Draft the note", "hc-strong", "draft", (event) => once(event, () => send("draft", {})), { id: "hc-draft" }), files(state));
    }
    return el("section", { class: "hc-visit-side", "aria-label": "Note" },
      el("div", { class: "hc-note-head" }, el("h2", {}, "Note"), el("span", { class: "hc-tag", id: "hc-note-status" }, state.signed ? "Signed" : `Draft, version ${visit.note.revision}`)),
      el("p", { class: "hc-quiet" }, state.signed ? "Locked. Click a line to see what it rests on." : "Drafted by a program; it misreads. Click a line to see and hear what it rests on."),
      unsupported(state), value.sections.map((name) => section(name, state)),
      el("div", { class: "hc-actions" }, link("Write the medicines of the plan as a prescription", "prescribe", () => send("prescribe", {}))),
      signing(state), files(state));
  }

  /* -- the whole -------------------------------------------------------------------------------------------------- */
  function visits(value, send) {
    if (!value.visits.length) return null;
    const open = value.open && value.open.transcript.consultation_id;
    return el("details", { class: "hc-more", open: !value.open && !value.hearing }, el("summary", {}, `${value.patient ? "Visits of " + value.patient : "Visits of nobody yet"}: ${value.visits.length}`),
      el("ul", { class: "hc-list hc-record-list" }, value.visits.map((one) => el("li", {}, el("button", { type: "button", class: "hc-row-button", "data-key": "visit-" + one.consultation_id, "aria-current": one.consultation_id === open ? "true" : null,
        onclick: () => send("open", { consultation_id: one.consultation_id }) }, el("strong", {}, one.title), el("span", {}, [one.date, one.status, `${one.utterances} utterances`].join(" · ")))))));
  }

  function hearing(value) {
    return el("section", { class: "hc-visit-side", "aria-label": "Being heard" }, el("h2", {}, "Being heard"),
      el("ol", { class: "hc-talk" }, value.utterances.map((said) => el("li", { class: `hc-says hc-says-${said.role || "unknown"}` },
        el("div", { class: "hc-says-head" }, el("b", {}, capital(said.role) || said.speaker), el("span", {}, clock(said.start_s))), el("p", {}, said.text)))));
  }

  parts.consultation = function (root, value, sendPlain, memory) {
    if (!value) return;
    const visit = value.open;
    if (memory.drawn !== value.drawn) { /* a new answer: what it says counts, what was half done is over */
      const id = visit && visit.transcript.consultation_id;
      if (memory.id !== id) Object.assign(memory, { id, lit: [], litLine: "", player: null, playing: "", doubt: "", addendum: "", shape: "" });
      Object.assign(memory, { drawn: value.drawn, note: visit && visit.note && plain(visit.note), editing: "", retyping: "", sure: false });
    }
    const send = (event, data) => sendPlain(event, { consultation_id: memory.id || "", ...(data || {}) });
    root.append(visits(value, send) || "");
    if (value.hearing) root.append(hearing(value.hearing));
    else if (!visit) {
      root.append(el("div", { class: "hc-empty" }, el("strong", {}, "No visit is open"), el("span", {}, "Record or upload a visit, paste a conversation, or try an example.")));
    } else {
      const state = { root, value, visit, send, memory, note: memory.note, signed: Boolean(visit.note && visit.note.signature) };
      const scrolled = memory.scrolled || 0;
      root.append(el("div", { class: "hc-visit" }, talk(state), noteSide(state)));
      const list = root.querySelector(".hc-talk");
      list.scrollTop = scrolled;
      list.addEventListener("scroll", () => { memory.scrolled = list.scrollTop; });
    }
  };
})();
