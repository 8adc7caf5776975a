/* Both sides of a prescription: the doctor writes, reads the warnings and signs; the pharmacist shows a code and
   hands out. What is typed is kept in the part's memory, so that an answer from the server never empties the form. */
(function () {
  const { el, parts, say } = window.HealthConnect;
  const MAX_MEDICINES = 8;
  const MAX_PHOTO_SIDE = 3000; /* pixels; larger photos are scaled down before they are sent */
  const SUGGEST_MS = 150;
  const FIELDS = [
    ["name", "Medicine", "amoxicillin", "hc-wide"], ["strength", "Strength", "500 mg"], ["form", "Form", "capsule"],
    ["route", "Route", "oral"], ["dose", "Dose", "1 capsule"], ["frequency", "How often", "three times daily", "hc-double"],
    ["duration_days", "Days", "7"], ["quantity", "Quantity", "computed"], ["refills", "Refills", "0"],
    ["note", "Note for patient or pharmacy", "", "hc-wide"],
  ];
  const CHOICES = {
    form: ["tablet", "capsule", "oral solution", "inhaler", "cream", "ointment", "eye drops", "patch", "injection", "suppository"],
    route: ["oral", "inhaled", "topical", "sublingual", "subcutaneous", "intramuscular", "rectal", "eye"],
    frequency: ["once daily", "twice daily", "three times daily", "four times daily", "every 6 hours", "every 8 hours", "every 12 hours", "at night", "once weekly", "as needed"],
  };
  const WHOLE = ["duration_days", "refills"];

  const datalist = (name) => el("datalist", { id: "hc-rx-" + name }, CHOICES[name].map((value) => el("option", { value })));
  const button = (text, kind, key, onclick) => el("button", { type: "button", class: "hc-button " + kind, "data-key": key, onclick }, text);
  /* No double order; after a refusal, which redraws nothing, the button works again by itself. */
  const once = (event, act) => { const pressed = event.currentTarget; pressed.disabled = true; setTimeout(() => { pressed.disabled = false; }, 5000); act(); };
  const emptyLine = () => Object.fromEntries(FIELDS.map(([name]) => [name, ""]));

  parts.medicine_names = function (root, value) {
    root.append(el("datalist", { id: "hc-rx-names" }, (value || []).map((name) => el("option", { value: name }))));
  };

  function medicine(line, at, state, send, memory) {
    const inputs = FIELDS.map(([name, label, example, width]) => {
      const input = el("input", {
        class: "hc-input", value: line[name], placeholder: example || null, maxlength: name === "note" ? 300 : 200, autocomplete: "off",
        inputmode: WHOLE.includes(name) ? "numeric" : null, "data-key": `rx-${at}-${name}`,
        list: name === "name" ? "hc-rx-names" : CHOICES[name] ? "hc-rx-" + name : null,
        oninput: (event) => {
          line[name] = event.target.value;
          if (name !== "name") return;
          clearTimeout(memory.asking);
          memory.asking = setTimeout(() => send("suggest", { text: line.name }), SUGGEST_MS);
        },
      });
      return el("label", { class: "hc-field " + (width || "") }, el("span", {}, label), input);
    });
    const remove = state.lines.length > 1 && button("Remove", "", `rx-remove-${at}`, () => { state.lines.splice(at, 1); memory.redraw(); });
    return el("fieldset", { class: "hc-panel hc-rx-line" }, el("legend", { class: "hc-h3" }, `Medicine ${at + 1}`), el("div", { class: "hc-rx-grid" }, inputs), remove);
  }

  function warning(one, at, state) {
    const key = one.warning_id;
    return el("li", { class: "hc-rx-warning" + (one.stops ? " hc-rx-stops" : "") },
      el("p", {}, el("b", {}, one.stops ? "Needs a decision: " : "To know: "), one.text),
      el("p", { class: "hc-quiet" }, `Concerns medicine ${one.medicines.map((m) => m + 1).join(" and ")}. Source: ${one.source}`),
      one.stops && el("label", { class: "hc-field" }, el("span", {}, "Reason to prescribe all the same"),
        el("input", { class: "hc-input hc-rx-reason", value: state.overrides[key] || "", maxlength: 300, "data-key": `rx-reason-${at}`, autocomplete: "off",
          oninput: (event) => { state.overrides[key] = event.target.value; } })));
  }

  function warnings(value, state) {
    const checked = value.checked;
    if (!checked) return null;
    const codes = checked.codes > 1 ? ` It takes ${checked.codes} numbered codes.` : "";
    const head = checked.warnings.length ? `${checked.warnings.length} to look at before signing.` : "Nothing was found that needs a decision.";
    return el("section", { class: "hc-rx-warnings", "aria-label": "Warnings", role: "status" }, el("h3", {}, head),
      el("p", { class: "hc-quiet" }, "The tables behind these checks are not complete: no warning does not mean safe." + codes),
      el("ul", { class: "hc-list" }, checked.warnings.map((one, at) => warning(one, at, state))));
  }

  function issued(value) {
    const made = value.issued;
    if (!made) return null;
    return el("section", { class: "hc-panel hc-rx-issued", id: "hc-rx-issued", role: "status" },
      el("h3", {}, made.again ? "Signed earlier" : "Signed"),
      el("p", {}, `For ${made.patient}. Short code `, el("strong", { class: "hc-rx-short" }, made.short_code)),
      el("p", { class: "hc-quiet" }, `Valid until ${made.expires}. The short code can be read over the telephone.`),
      el("img", { class: "hc-rx-qr", src: made.qr_png, alt: made.codes > 1 ? `${made.codes} QR codes of the prescription` : "QR code of the prescription" }),
      el("div", { class: "hc-actions" },
        el("a", { class: "hc-button hc-strong", id: "hc-rx-pdf", href: made.pdf, download: "prescription.pdf" }, "Page to print (PDF)"),
        el("a", { class: "hc-button", href: made.qr_png, download: "code.png" }, "Code as picture")),
      el("details", { class: "hc-more" }, el("summary", {}, "The code as text"), el("code", { class: "hc-rx-code" }, made.code)));
  }

  function revoking(id, memory, send) {
    memory.reasons = memory.reasons || {};
    return el("details", { class: "hc-more", "data-key": "rx-revoke-" + id }, el("summary", {}, "Revoke (doctor)"),
      el("label", { class: "hc-field" }, el("span", {}, "Reason, shown to the pharmacy"),
        el("input", { class: "hc-input", maxlength: 200, autocomplete: "off", value: memory.reasons[id] || "", oninput: (event) => { memory.reasons[id] = event.target.value; } })),
      el("div", { class: "hc-actions hc-rx-gap" }, button("Revoke for good", "hc-danger", "rx-gone-" + id, () => send("revoke", { prescription_id: id, reason: memory.reasons[id] || "" }))));
  }

  function kept(value, memory, send) {
    if (!value.kept.length) return null;
    return el("section", {}, el("h3", { class: "hc-rx-gap" }, "Signed for this patient"), el("ul", { class: "hc-list hc-rx-kept" }, value.kept.map((one) =>
      el("li", { class: "hc-panel" }, el("p", {}, el("strong", {}, one.title), ` · ${one.issued} · ${one.short_code} · `, el("b", { class: "hc-rx-tone-" + one.tone }, one.standing)),
        el("div", { class: "hc-actions" },
          button("Show the code again", "", "rx-show-" + one.prescription_id, () => send("show", { prescription_id: one.prescription_id })),
          button("Write the same anew", "", "rx-fill-" + one.prescription_id, () => send("fill", { prescription_id: one.prescription_id }))),
        one.can_revoke && revoking(one.prescription_id, memory, send)))));
  }

  function order(state, value) {
    const whole = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : text.trim());
    const lines = state.lines.map((line) => Object.fromEntries(FIELDS.map(([name]) => [name, WHOLE.includes(name) ? whole(line[name]) : line[name].trim()])));
    return { patient_id: value.patient_id, order: { medications: lines, valid_days: whole(state.valid_days), overrides: { ...state.overrides }, prescriber: { name: state.prescriber, identifier: state.identifier } } };
  }

  parts.prescription_form = function (root, value, send, memory) {
    if (!value) return;
    if (!memory.state) memory.state = { lines: [emptyLine()], overrides: {}, valid_days: "30", prescriber: "", identifier: "" };
    const state = memory.state;
    if (value.patient_id !== memory.patient_id || (value.fill && value.fill.token !== memory.fill)) { /* another patient, or filled in anew */
      memory.patient_id = value.patient_id;
      memory.fill = value.fill ? value.fill.token : memory.fill;
      const lines = value.fill ? value.fill.medications : [];
      state.lines = lines.length ? lines.map((line) => Object.fromEntries(FIELDS.map(([name]) => [name, String(line[name] ?? "")]))) : [emptyLine()];
      state.overrides = {};
    }
    const small = (name, label, example, note) => el("label", { class: "hc-field" }, el("span", {}, label),
      el("input", { class: "hc-input", value: state[name], placeholder: example, maxlength: 120, autocomplete: "off", "data-key": "rx-" + name, oninput: (event) => { state[name] = event.target.value; } }), note && el("small", {}, note));
    root.append(el("h2", {}, "Doctor: write and sign"),
      el("p", { class: "hc-quiet hc-rx-gap" }, value.patient ? `For ${value.patient}. ` : "Choose a patient above; a prescription is for somebody. ", value.allergies ? `Allergies in the records: ${value.allergies}.` : value.patient ? "The records read here name no allergy; ask." : ""),
      value.plan ? el("div", { class: "hc-actions hc-rx-gap" }, button("Fill in from the last visit's plan", "", "rx-plan", () => send("plan", { patient_id: value.patient_id })), el("small", { class: "hc-quiet" }, "A proposal: read it, mend it.")) : "",
      ...Object.keys(CHOICES).map(datalist),
      ...state.lines.map((line, at) => medicine(line, at, state, send, memory)),
      el("div", { class: "hc-actions hc-rx-gap" }, state.lines.length < MAX_MEDICINES
        ? button("Add a medicine", "", "rx-add", () => { state.lines.push(emptyLine()); memory.redraw(); root.querySelector(`[data-key="rx-${state.lines.length - 1}-name"]`).focus(); })
        : el("span", { class: "hc-quiet" }, `${MAX_MEDICINES} medicines are the most for one prescription.`)),
      el("div", { class: "hc-rx-grid hc-rx-signer" }, small("prescriber", "Your name", "Demonstration prescriber"), small("identifier", "Register number", "may stay empty"), small("valid_days", "Valid for days", "30")),
      warnings(value, state) || "",
      el("div", { class: "hc-actions hc-rx-gap" },
        el("button", { type: "button", class: "hc-button", id: "hc-rx-check", "data-key": "rx-check", disabled: !value.patient, onclick: (event) => once(event, () => send("check", order(state, value))) }, "Check"),
        el("button", { type: "button", class: "hc-button hc-strong", id: "hc-rx-sign", "data-key": "rx-sign", disabled: !value.patient, onclick: (event) => once(event, () => send("sign", order(state, value))) }, "Sign")),
      issued(value) || "", kept(value, memory, send) || "");
    if (value.issued && !value.issued.again && memory.said !== value.issued.short_code) { memory.said = value.issued.short_code; say("The prescription is signed."); }
  };

  /* Photos are made small enough to send at once; what cannot be opened as a picture is sent as it is, and refused. */
  async function shrunk(file) {
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, MAX_PHOTO_SIDE / Math.max(picture.width, picture.height));
      if (scale === 1) return file;
      const canvas = el("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
    } catch (error) { return file; }
  }

  async function sendPhoto(blob, send) {
    const reader = new FileReader();
    reader.onload = () => send("verify", { photo: String(reader.result).split(",")[1] || "", code: "" });
    reader.readAsDataURL(blob);
  }

  async function camera(place, send) {
    if (!navigator.mediaDevices) { place.replaceChildren(el("p", { class: "hc-problem", role: "alert" }, "This browser gives no camera to pages without https. Take a photo and choose it instead.")); return; }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
      const film = el("video", { class: "hc-rx-film", autoplay: true, muted: true, playsinline: true, "aria-label": "Camera" });
      const stop = () => { stream.getTracks().forEach((track) => track.stop()); place.replaceChildren(); };
      film.srcObject = stream;
      place.replaceChildren(film, el("div", { class: "hc-actions" }, button("Read the code", "hc-strong", "rx-snap", () => {
        const canvas = el("canvas", { width: film.videoWidth, height: film.videoHeight });
        canvas.getContext("2d").drawImage(film, 0, 0);
        canvas.toBlob((blob) => { stop(); sendPhoto(blob, send); }, "image/jpeg", 0.92);
      }), button("Stop the camera", "", "rx-stop", stop)));
    } catch (error) {
      place.replaceChildren(el("p", { class: "hc-problem", role: "alert" }, "The camera was not opened. Allow it for this page, or take a photo and choose it instead."));
    }
  }

  /* How much to hand out of each medicine: all that is due, or less. What is wrong is said beside the field; the desk
     checks again. */
  function handing(value, send) {
    const named = (at) => { const m = value.verdict.prescription.medications[at]; return [m.name, m.strength, m.form].filter(Boolean).join(" "); };
    const rows = value.due.map(({ medicine, amount }) => {
      const label = `Hand out of medicine ${medicine + 1}, ${named(medicine)}`;
      const bounds = `At most ${amount} now; 0 hands out none of it.`;
      const note = el("small", { id: `hc-rx-due-${medicine}` }, bounds);
      const input = el("input", { class: "hc-input", value: amount, inputmode: "decimal", maxlength: 20, autocomplete: "off",
        "data-key": `rx-amount-${medicine}`, "aria-label": label, "aria-describedby": note.id,
        oninput: () => { note.className = ""; note.textContent = bounds; input.removeAttribute("aria-invalid"); } });
      return { medicine, amount, input, note, field: el("label", { class: "hc-field" }, el("span", {}, label), input, note) };
    });
    const wrong = (row, text) => { row.input.setAttribute("aria-invalid", "true"); row.note.className = "hc-problem"; row.note.textContent = text; row.input.focus(); say(text); };
    const handOut = (event) => {
      const asked = {};
      for (const row of rows) {
        const text = row.input.value.trim();
        if (!/^\d+(\.\d{1,3})?$/.test(text)) return wrong(row, "Write a number, with a point before decimals, three at most.");
        if (Number(text) > Number(row.amount)) return wrong(row, `At most ${row.amount} may be handed out now.`);
        if (Number(text) > 0) asked[row.medicine] = text;
      }
      if (!Object.keys(asked).length) return wrong(rows[0], "Every amount is 0, so there is nothing to hand out.");
      once(event, () => send("dispense", { code: value.code, quantities: asked }));
    };
    return el("div", { class: "hc-rx-handing", role: "group", "aria-label": "Amounts to hand out" }, rows.map((row) => row.field),
      el("div", { class: "hc-actions" }, el("button", { type: "button", class: "hc-button hc-strong", id: "hc-dispense", "data-key": "rx-dispense", onclick: handOut }, "Dispense")));
  }

  function verdict(value, memory, send) {
    const v = value.verdict;
    const paper = v.prescription;
    const box = el("section", { class: `hc-verdict hc-verdict-${value.tone}`, role: value.tone === "bad" ? "alert" : "status", id: "hc-verdict" },
      el("div", { class: "hc-verdict-head" }, el("span", { class: "hc-verdict-icon", "aria-hidden": "true" }, value.icon), el("h3", {}, value.title)),
      el("p", {}, v.reason),
      v.issuer_name && el("p", {}, `Issued by ${v.issuer_name}.`),
      v.missing_codes.length > 0 && el("p", {}, `Numbered codes not shown yet: ${v.missing_codes.join(", ")}.`));
    if (!paper) return box;
    box.append(el("p", {}, el("b", {}, paper.patient.name), `, born ${paper.patient.birth_date}, ${paper.patient.sex}`),
      el("p", {}, `Prescribed by ${[paper.prescriber.name, paper.prescriber.identifier, paper.prescriber.facility].filter(Boolean).join(", ")} · ${value.issued} · valid until ${value.expires}`),
      el("ol", { class: "hc-rx-medicines" }, v.medicines.map((at) => { const m = paper.medications[at]; return el("li", {},
        el("b", {}, [`${at + 1}.`, m.name, m.strength, m.form].filter(Boolean).join(" ")), el("div", {}, value.sigs[at]),
        el("div", { class: "hc-quiet" }, `${m.quantity} a filling, ${m.refills} refills` + (value.shows_left ? `; ${v.remaining[at]} left to hand out` : "")), m.note && el("div", { class: "hc-quiet" }, m.note)); })));
    if (value.may_dispense) box.append(handing(value, send));
    if (value.can_revoke) box.append(revoking(paper.prescription_id, memory, send));
    return box;
  }

  parts.pharmacy = function (root, value, send, memory) {
    const place = el("div", { class: "hc-rx-camera" });
    const read = (event) => { const file = event.target.files[0]; if (file) { say("Reading the code"); shrunk(file).then((blob) => sendPhoto(blob, send)); } event.target.value = ""; };
    root.append(el("h2", {}, "Pharmacist: check and hand out"),
      el("div", { class: "hc-panel hc-rx-gap" },
        el("label", { class: "hc-field" }, el("span", {}, "Photo of the code"), el("input", { type: "file", accept: "image/*", class: "hc-input", id: "hc-rx-photo", "data-key": "rx-photo", onchange: read })),
        el("div", { class: "hc-actions" }, button("Use the camera", "", "rx-camera", () => camera(place, send))), place,
        el("label", { class: "hc-field" }, el("span", {}, "Or the code itself"), el("textarea", { class: "hc-input", id: "hc-rx-typed", rows: 2, "data-key": "rx-typed", placeholder: "K7QM-2PXV-9R4D or shc:/…", autocomplete: "off", spellcheck: "false", oninput: (event) => { memory.typed = event.target.value; } }, memory.typed || "")),
        el("div", { class: "hc-actions" }, el("button", { type: "button", class: "hc-button hc-strong", id: "hc-rx-verify", "data-key": "rx-verify", onclick: () => send("verify", { photo: "", code: memory.typed || "" }) }, "Check this code"))));
    if (!value || !value.verdict) return;
    const box = verdict(value, memory, send);
    root.append(box);
    requestAnimationFrame(() => box.scrollIntoView({ block: "nearest" }));
  };
})();
