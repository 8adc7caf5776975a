/* Who the page is about: the identity in full, and a dialog that finds or adds a patient. */
(function () {
  const { el, parts, remember, say } = window.HealthConnect;

  function facts(patient) {
    const line = [`born ${patient.birth_date} (${patient.age})`, patient.sex];
    line.push(patient.record_number ? `record no. ${patient.record_number}` : "no record number");
    return line.join(" · ");
  }

  function identity(patient) {
    if (!patient) {
      return el("div", { class: "hc-identity" },
        el("strong", {}, "No patient chosen"),
        el("span", { class: "hc-quiet" }, "Records you read now are filed to nobody."));
    }
    return el("div", { class: "hc-identity" },
      el("strong", {}, patient.name),
      patient.synthetic && el("span", { class: "hc-tag" }, "invented"),
      el("span", {}, facts(patient)));
  }

  function result(patient, send, dialog) {
    const choose = () => { send("choose", { patient_id: patient.patient_id }); dialog.close(); };
    return el("li", {}, el("button", { type: "button", class: "hc-row-button", onclick: choose },
      el("strong", {}, patient.name), el("span", {}, facts(patient))));
  }

  function field(label, control, note) {
    return el("label", { class: "hc-field" }, el("span", {}, label), control, note && el("small", {}, note));
  }

  function addForm(send, memory) {
    const form = el("form", { class: "hc-form", onsubmit: (event) => {
      event.preventDefault();
      const typed = Object.fromEntries(new FormData(form));
      memory.typed = typed;
      send("add_patient", typed);
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

  function fillResults(list, value, send, dialog) {
    if (!value.results) return; /* nothing has come from the server yet */
    list.replaceChildren(...value.results.map((patient) => result(patient, send, dialog)));
    if (!value.results.length) list.append(el("li", { class: "hc-quiet" }, "No patient matches. Check the spelling, or add the patient below."));
  }

  parts.patient_bar = function (root, value, send, memory) {
    if (!value && !memory.arrived) {
      memory.arrived = true;
      const asked = new URLSearchParams(window.location.search);
      send("arrive", { patient: asked.get("patient") || "", document: asked.get("document") || "", page: asked.get("page") || "" });
    }
    const arrived = Boolean(value);
    value = value || { patient: null, results: null, query: "", problem: "", added: 0 };
    const bar = el("div", { class: "hc-patient-bar", role: "region", "aria-label": "Patient" }, identity(value.patient));
    const open = el("button", { type: "button", class: "hc-button", "data-key": "open-picker", id: "hc-choose-patient" },
      value.patient ? "Change patient" : "Choose patient");
    const clear = value.patient && el("button", { type: "button", class: "hc-button", "data-key": "clear-patient", onclick: () => send("choose", { patient_id: "" }) }, "No patient");
    bar.append(el("div", { class: "hc-bar-actions" }, open, clear || ""));
    root.append(bar);

    if (memory.dialog && memory.dialog.open && memory.added === value.added && memory.chosen === (value.patient || {}).patient_id) {
      fillResults(memory.list, value, send, memory.dialog);
      memory.problem.textContent = value.problem;
      memory.problem.hidden = !value.problem;
      open.addEventListener("click", () => memory.dialog.showModal());
      return;
    }
    if (memory.dialog) memory.dialog.remove();
    if (memory.added !== value.added) memory.typed = {};
    memory.added = value.added;
    memory.chosen = (value.patient || {}).patient_id;
    if (arrived) remember({ patient: memory.chosen });
    if (value.patient && memory.drawn) say(`Patient ${value.patient.name} chosen`);
    memory.drawn = true;

    const list = el("ul", { class: "hc-list", "aria-label": "Patients found" });
    let waiting;
    /* Not type=search: there Escape empties the field, and the dialog would stay. */
    const search = el("input", { type: "text", role: "searchbox", class: "hc-input", id: "hc-find-patient", autocomplete: "off", placeholder: "Name or record number", value: value.query,
      oninput: () => { clearTimeout(waiting); waiting = setTimeout(() => send("find", { text: search.value }), 180); } });
    const problem = el("p", { class: "hc-problem", role: "alert", hidden: !value.problem }, value.problem);
    const dialog = el("dialog", { class: "hc-dialog", "aria-labelledby": "hc-picker-title" },
      el("div", { class: "hc-dialog-head" }, el("h2", { id: "hc-picker-title" }, "Choose a patient"),
        el("button", { type: "button", class: "hc-button", onclick: () => dialog.close() }, "Close")),
      field("Find a patient", search), list,
      el("details", { class: "hc-more" }, el("summary", {}, "Add a new patient"), problem, addForm(send, memory)));
    document.body.append(dialog);
    Object.assign(memory, { dialog, list, problem });
    fillResults(list, value, send, dialog);
    open.addEventListener("click", () => { send("find", { text: search.value }); dialog.showModal(); search.focus(); });
  };
})();
