/* Who the page is about: the identity in full, and a dialog that finds or adds a patient. */
(function () {
  const { el, parts, remember, say, head, ANSWER_MS } = window.HealthConnect;

  const ALLERGY_CHARS = 140; /* what two lines of a phone hold; more is one click away, and said to be there */

  const TRIES = 8; /* with waiting in between, about twenty seconds */

  function facts(patient) {
    return [`born ${patient.birth_date}`, patient.age, patient.sex, patient.record_number ? `record ${patient.record_number}` : "no record number"];
  }

  /* Null: whoever looks may not see them here, which is not the same as that there are none. */
  const allergyText = (patient) => (patient.allergies === null ? "" : patient.allergies.length ? "Allergies: " + patient.allergies.join(", ") : "No allergy found in the records");

  /* A list that is cut ends in a button that shows the rest: an allergy must not be lost to the width of a window. */
  function allergyLine(patient, memory) {
    if (patient.allergies === null || !patient.allergies.length) return el("p", { class: "hc-allergies hc-quiet" }, allergyText(patient));
    const all = patient.allergies.join(", ");
    const long = all.length > ALLERGY_CHARS;
    const more = () => { memory.allAllergies = !memory.allAllergies; memory.redraw(); };
    return el("p", { class: "hc-allergies hc-alarm" }, el("b", {}, "Allergies: "),
      el("bdi", {}, long && !memory.allAllergies ? all.slice(0, ALLERGY_CHARS).replace(/[\s,]*\S*$/, " … ") : all),
      long && el("button", { type: "button", class: "hc-link", "data-key": "allergies", "aria-expanded": memory.allAllergies ? "true" : "false", onclick: more },
        memory.allAllergies ? "show fewer" : `show all ${patient.allergies.length > 1 ? patient.allergies.length : ""}`));
  }

  function identity(patient, memory) {
    if (!patient) {
      return el("div", { class: "hc-identity" },
        el("strong", {}, "No patient chosen"),
        el("span", { class: "hc-quiet" }, "Records you read now are filed to nobody."));
    }
    return el("div", { class: "hc-identity" },
      el("span", { class: "hc-patient-name" }, el("strong", { dir: "auto", title: patient.name }, patient.name)),
      el("span", { class: "hc-facts-line" }, [...facts(patient), patient.synthetic && "invented"].filter(Boolean).map((fact) => el("span", {}, el("bdi", {}, fact)))),
      allergyLine(patient, memory));
  }

  /* Choices are counted: whichever reaches the server last, the one that was made last holds, and an answer that was
     begun before it says so by its count. One that got no answer is sent again, and until then it is said that it is
     under way: the server acts for the old patient or for the new one, and the header must not pretend to know. */
  function choose(patientId, name, send, memory) {
    memory.turn = (memory.turn || 0) + 1;
    awaitAnswer(name, () => send("choose", { patient_id: patientId, turn: memory.turn }), memory);
  }

  function awaitAnswer(name, ask, memory) {
    memory.coming = { turn: memory.turn, name };
    let tries = 0;
    const again = () => {
      clearTimeout(memory.asking);
      if (!memory.coming) return;
      if (tries++ === TRIES) { memory.coming = null; memory.redraw(); say(`${name} could not be opened. Choose again.`); return; }
      ask();
      memory.asking = setTimeout(again, ANSWER_MS);
    };
    again();
    memory.redraw();
  }

  function result(patient, send, dialog, memory) {
    const take = () => { choose(patient.patient_id, patient.name, send, memory); dialog.close(); };
    return el("li", {}, el("button", { type: "button", class: "hc-row-button", onclick: take },
      el("strong", { dir: "auto" }, patient.name), el("span", {}, el("bdi", {}, facts(patient).join(" · ")))));
  }

  function field(label, control, note) {
    return el("label", { class: "hc-field" }, el("span", {}, label), control, note && el("small", {}, note));
  }

  function addForm(send, memory) {
    const form = el("form", { class: "hc-form", onsubmit: (event) => {
      event.preventDefault();
      const typed = Object.fromEntries(new FormData(form));
      memory.typed = typed;
      send("add_patient", { ...typed, turn: (memory.turn = (memory.turn || 0) + 1) });
    } });
    const typed = memory.typed || {};
    const sex = el("select", { name: "sex", class: "hc-input" },
      ["female", "male", "other", "unknown"].map((s) => el("option", { value: s, selected: typed.sex === s }, s)));
    form.append(
      field("Full name", el("input", { name: "name", required: true, maxlength: 300, autocomplete: "off", class: "hc-input", value: typed.name || "" })),
      field("Date of birth", el("input", { name: "birth_date", type: "date", required: true, class: "hc-input", value: typed.birth_date || "" })),
      field("Sex", sex),
      field("Record number", el("input", { name: "record_number", maxlength: 60, autocomplete: "off", class: "hc-input", value: typed.record_number || "" }), "may stay empty"),
      el("button", { type: "submit", class: "hc-button hc-strong" }, "Add this patient"));
    return form;
  }

  function fillResults(value, send, memory) {
    const { list, dialog } = memory;
    if (!value.results) return; /* nothing has come from the server yet */
    if (memory.search.value !== value.query) return; /* an answer to what stood there before */
    list.replaceChildren(...value.results.map((patient) => result(patient, send, dialog, memory)));
    if (!value.results.length) list.append(el("li", { class: "hc-quiet" }, "No patient matches. Check the spelling, or add the patient below."));
  }

  /* The bar sticks to the window: whatever is scrolled to must stop below it, however high it is. */
  const watching = new ResizeObserver((entries) => document.documentElement.style.setProperty("--hc-bar", `${Math.ceil(entries[0].target.offsetHeight) + 12}px`));
  function measure(bar) {
    watching.disconnect();
    watching.observe(bar);
  }

  parts.patient_bar = function (root, value, send, memory) {
    if (!value && !memory.arrived) {
      memory.arrived = true;
      const asked = new URLSearchParams(window.location.search);
      send("arrive", { patient: asked.get("patient") || "", document: asked.get("document") || "", page: asked.get("p") || "", tab: asked.get("tab") || "" });
      window.addEventListener("popstate", () => remember({ patient: memory.chosen }));
    }
    const arrived = Boolean(value);
    value = value || { patient: null, results: null, query: "", problem: "", added: 0 };
    /* An answer that was begun before the last choice and comes late must not put another name above a chart. */
    if (arrived && memory.drawn && value.turn < (memory.turn || 0)) value = { ...value, patient: memory.patient };
    if (arrived && memory.coming && value.turn >= memory.coming.turn) memory.coming = null;
    memory.patient = value.patient;
    if (memory.chosen !== (value.patient || {}).patient_id) memory.allAllergies = false;
    const bar = el("div", { class: "hc-patient-bar" + (value.patient ? "" : " hc-nobody"), role: "region", "aria-label": "Patient" },
      value.patient && el("span", { class: "hc-initials", "aria-hidden": "true" }, value.patient.initials), identity(value.patient, memory));
    const open = el("button", { type: "button", class: "hc-button", "data-key": "open-picker", id: "hc-choose-patient", "aria-label": value.patient ? "Change patient" : null },
      value.patient ? "Change" : "Choose patient");
    bar.append(open);
    if (memory.coming) bar.append(el("p", { class: "hc-coming", role: "status" }, el("bdi", {}, memory.coming.name), ": being opened …"));
    measure(bar);
    root.append(bar);
    open.addEventListener("click", () => { send("find", { text: memory.search.value }); memory.dialog.showModal(); memory.search.focus(); });

    if (memory.dialog && memory.added === value.added && memory.chosen === (value.patient || {}).patient_id) {
      fillResults(value, send, memory);
      memory.problem.textContent = value.problem;
      memory.problem.hidden = !value.problem;
      return;
    }
    if (memory.dialog) memory.dialog.remove();
    if (memory.added !== value.added) memory.typed = {};
    memory.added = value.added;
    const before = memory.chosen;
    memory.chosen = (value.patient || {}).patient_id;
    if (arrived) remember({ patient: memory.chosen });
    head(memory.chosen || "");
    if (memory.drawn && memory.chosen !== before) say(value.patient ? `Patient ${value.patient.name} chosen. ${allergyText(value.patient)}` : "No patient chosen");
    memory.drawn = true;

    const list = el("ul", { class: "hc-list", "aria-label": "Patients found" });
    let waiting;
    /* Not type=search: there Escape empties the field, and the dialog would stay. */
    const search = el("input", { type: "text", role: "searchbox", class: "hc-input", id: "hc-find-patient", autocomplete: "off", placeholder: "Name, record number, date of birth", value: value.query,
      oninput: () => { clearTimeout(waiting); waiting = setTimeout(() => send("find", { text: search.value }), 180); } });
    const problem = el("p", { class: "hc-problem", role: "alert", hidden: !value.problem }, value.problem);
    const dialog = el("dialog", { class: "hc-dialog", "aria-labelledby": "hc-picker-title" },
      el("div", { class: "hc-dialog-head" }, el("h2", { id: "hc-picker-title" }, "Choose a patient"),
        el("div", { class: "hc-actions" },
          value.patient && el("button", { type: "button", class: "hc-button", onclick: () => { choose("", "No patient", send, memory); dialog.close(); } }, "No patient"),
          el("button", { type: "button", class: "hc-button", onclick: () => dialog.close() }, "Close"))),
      field("Find a patient", search), list,
      el("details", { class: "hc-more" }, el("summary", {}, "Add a new patient"), problem, addForm(send, memory)));
    document.body.append(dialog);
    Object.assign(memory, { dialog, list, problem, search });
    fillResults(value, send, memory);
    dialog.addEventListener("close", () => {
      clearTimeout(waiting); /* what was typed just before a choice is asked no more */
      document.getElementById("hc-choose-patient").focus({ preventScroll: true }); /* the button that had the focus was redrawn meanwhile */
    });
  };
})();
