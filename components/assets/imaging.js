/* A reading of a scan: the answer with its threshold, what the model doubts, where the answer comes from, and what was
   read before. Also the card of the chosen task. */
(function () {
  const { el, svg, parts, address } = window.HealthConnect;
  const share = (value) => `${Math.min(99.9, Math.max(0.1, 100 * value)).toFixed(1)} %`;

  parts.imaging_card = function (root, value) {
    if (!value) return;
    const card = value.card;
    if (!card) {
      root.append(el("div", { class: "hc-card hc-scan-card" }, el("h2", { class: "hc-h3" }, "By its modality"),
        el("p", {}, "The task is picked by what the picture is most like, or by what the file says that it is. Choose a task to see its card here: what it was trained on, how well it did, and what it must not be used for.")));
      return;
    }
    root.append(el("div", { class: "hc-card hc-scan-card" },
      el("h2", { class: "hc-h3" }, card.title),
      el("p", {}, card.for),
      el("p", { class: "hc-warn-text" }, el("b", {}, "Not for: "), card.not_for),
      el("details", {}, el("summary", {}, `Measured: ${card.metrics.length} figures`),
        el("ul", { class: "hc-scan-metrics" }, card.metrics.map((m) => el("li", {}, `${m.name}: `, el("b", {}, m.value),
          m.interval ? ` (95 % interval ${m.interval[0]} to ${m.interval[1]})` : "", ` on ${m.data}`)))),
      el("details", {}, el("summary", {}, "Limits and licence"),
        el("ul", { class: "hc-scan-metrics" }, card.limits.map((limit) => el("li", {}, limit))), el("p", {}, card.licence))));
  };

  function bar(finding) {
    const width = Math.round(1000 * Math.min(1, Math.max(0, finding.score))) / 10;
    const line = Math.round(1000 * Math.min(1, Math.max(0, finding.threshold))) / 10;
    return el("li", { class: finding.positive ? "hc-positive" : "" },
      el("span", { class: "hc-bar-name" }, finding.label),
      el("span", { class: "hc-bar", role: "img", "aria-label": `${finding.label}: ${share(finding.score)}, threshold ${share(finding.threshold)}` },
        el("span", { class: "hc-bar-fill", style: `width: ${width}%` }), el("span", { class: "hc-bar-line", style: `left: ${line}%` })),
      el("span", { class: "hc-bar-value" }, share(finding.score), el("small", {}, finding.positive ? " reaches " : " below ", share(finding.threshold))));
  }

  /* How much of the answer is left when places are taken away: chosen by the map, and by chance. */
  function curve(explanation) {
    const w = 260, h = 110, pad = 8;
    const taken = [0, ...explanation.deleted]; // with nothing taken away all of the answer is left
    const all = [1, ...explanation.by_map, ...explanation.by_chance];
    const low = Math.min(0, ...all), high = Math.max(1, ...all);
    const x = (value) => pad + value / Math.max(...taken, 1e-6) * (w - 2 * pad);
    const y = (value) => h - pad - (value - low) / (high - low) * (h - 2 * pad);
    const path = (values) => [1, ...values].map((value, i) => `${i ? "L" : "M"}${x(taken[i]).toFixed(1)} ${y(value).toFixed(1)}`).join(" ");
    return el("figure", { class: "hc-curve" },
      svg("svg", { viewBox: `0 0 ${w} ${h}`, role: "img", "aria-label": explanation.caption },
        svg("line", { x1: pad, x2: w - pad, y1: y(0), y2: y(0), class: "hc-curve-zero" }),
        svg("path", { d: path(explanation.by_chance), class: "hc-curve-chance" }),
        svg("path", { d: path(explanation.by_map), class: "hc-curve-map" })),
      el("figcaption", {}, explanation.reliable ? "" : el("b", { class: "hc-warn-text" }, "Unreliable here. "), explanation.caption,
        el("small", {}, ` Solid: what is left of the answer when the map's places are taken away. Dashed: when chance chooses. From left to right, 0 to ${Math.round(100 * Math.max(...taken))} % of the picture is gone; the thin line is nothing left.`)));
  }

  function opinions(reading, send) {
    const reason = el("input", { type: "text", class: "hc-input", maxlength: 500, id: "hc-opinion-" + reading.reading_id, placeholder: "What the picture shows instead" });
    const say = (opinion) => send("say", { reading_id: reading.reading_id, opinion, reason: reason.value });
    return el("details", { class: "hc-opinions" }, el("summary", {}, reading.feedback.length ? `Opinions: ${reading.feedback.length}` : "Agree or disagree"),
      reading.feedback.length ? el("ul", {}, reading.feedback.map((said) => el("li", {}, el("b", {}, said.opinion === "agree" ? "Agrees" : "Disagrees"), ` ${said.who}, ${said.at}`, said.reason ? `: ${said.reason}` : ""))) : "",
      el("label", { for: "hc-opinion-" + reading.reading_id }, "Reason"), reason,
      el("div", { class: "hc-trail-acts" },
        el("button", { type: "button", class: "hc-button", "data-key": "agree", onclick: () => say("agree") }, "Agree"),
        el("button", { type: "button", class: "hc-button", "data-key": "disagree", onclick: () => say("disagree") }, "Disagree")),
      el("small", { class: "hc-quiet" }, "Kept for researchers, who see neither your name nor the patient's."));
  }

  function one(reading, send, value, aside) {
    return el("article", { class: "hc-card hc-reading" + (reading.abstained ? " hc-silent" : "") },
      el("p", { class: "hc-quiet" }, `${reading.task} · ${reading.at}`, reading.place ? ` · ${reading.place}` : ""),
      el("h2", { class: reading.abstained ? "hc-warn-text" : reading.positive ? "hc-bad-text" : "" }, reading.verdict),
      reading.abstained ? el("p", {}, reading.reason) : "",
      reading.findings.length ? el("ul", { class: "hc-bars" }, reading.findings.map(bar)) : "",
      reading.set.length === 1 ? el("p", {}, `The set that holds the truth in 9 of 10 cases: ${reading.set[0]} alone.`) : "",
      reading.warnings.length ? el("ul", { class: "hc-scan-warnings" }, reading.warnings.map((warning) => el("li", {}, warning))) : "",
      aside || !reading.explanation ? "" : curve(reading.explanation),
      aside && (reading.overlay || reading.picture) ? el("img", { src: address(reading.overlay || reading.picture), alt: `The picture of this reading${reading.overlay ? " with the map on it" : ""}`, class: "hc-scan-still" }) : "",
      !aside && reading.abstained && value.turned_away ? el("img", { src: value.turned_away, alt: "The picture that was not read", class: "hc-scan-still" }) : "",
      reading.abstained ? el("p", { class: "hc-quiet" }, "The picture itself is not kept.") : "",
      !aside && reading.overlay ? el("details", {}, el("summary", {}, "The map as a picture of its own"),
        el("img", { src: address(reading.overlay), alt: `The picture with the map on it: bright places speak most for the answer. ${reading.verdict}.`, class: "hc-scan-still", loading: "lazy" })) : "",
      el("p", { class: "hc-quiet" }, reading.model ? "Model " : "No model was asked.", reading.model ? el("code", {}, reading.model) : ""),
      aside ? "" : opinions(reading, send),
      !aside && !reading.filed ? (value.patient
        ? el("button", { type: "button", class: "hc-button hc-strong", "data-key": "file", onclick: () => send("file") }, `File to ${value.patient}'s chart`)
        : el("p", { class: "hc-quiet" }, "Filed to nobody. Choose a patient in the header to file it.")) : "");
  }

  function along(stack, told, send) {
    return el("section", { class: "hc-card" }, el("h2", { class: "hc-h3" }, "Along the stack"),
      el("p", { class: "hc-quiet" }, told),
      el("ol", { class: "hc-stack" }, stack.map((at) => el("li", {}, el("button", { type: "button", class: "hc-stack-bar", "data-key": "stack-" + at.number,
        title: at.score === null ? at.reason : `${at.label} ${share(at.score)}`, "aria-label": `Picture ${at.number}: ${at.score === null ? "silent" : at.label + " " + share(at.score)}. Read this one.`,
        onclick: () => send("slice", { number: at.number }) },
        el("span", { class: at.score === null ? "hc-stack-none" : "hc-stack-fill", style: `height: ${at.score === null ? 8 : Math.max(4, 100 * at.score)}%` })), el("small", {}, at.number)))));
  }

  function slices(reading, send) {
    const found = /picture (\d+) of (\d+)/.exec(reading.place);
    if (!found) return "";
    const shown = el("output", {}, found[1]);
    return el("div", { class: "hc-card hc-slices" },
      el("label", { for: "hc-slice" }, "Picture ", shown, ` of ${found[2]}`),
      el("input", { id: "hc-slice", type: "range", min: 1, max: found[2], value: found[1], "data-key": "slice", oninput: (event) => { shown.textContent = event.target.value; }, onchange: (event) => send("slice", { number: Number(event.target.value) }) }),
      el("button", { type: "button", class: "hc-button", "data-key": "stack", onclick: () => send("stack") }, "Read along the stack"));
  }

  /* Where the picture lies inside the slider's frame, in pixels from its left edge. */
  function place(slider) {
    const frame = slider.parentElement.getBoundingClientRect(), img = slider.parentElement.querySelector("img");
    const ratio = img && img.naturalWidth ? img.naturalWidth / img.naturalHeight : frame.width / Math.max(frame.height, 1);
    const width = Math.min(frame.width, frame.height * ratio);
    return { frame, left: (frame.width - width) / 2, width: Math.max(width, 1) };
  }

  /* The slider's handle answers to the mouse and to touch only; this moves the same line by keyboard. */
  function byKeyboard() {
    const input = el("input", { id: "hc-scan-line", type: "range", min: 0, max: 100, step: 2, value: 12, "data-key": "line" });
    const told = () => input.setAttribute("aria-valuetext", `${input.value} % picture, ${100 - input.value} % map`);
    const slider = () => document.querySelector('#hc-scan-slider [data-testid="slider"]');
    input.addEventListener("input", () => {
      const handle = slider();
      if (!handle) return;
      const { frame, left, width } = place(handle), at = { view: window, bubbles: true, cancelable: true, clientX: frame.left + left + width * input.value / 100, clientY: frame.top + 5 };
      handle.dispatchEvent(new MouseEvent("mousedown", at));
      window.dispatchEvent(new MouseEvent("mouseup", at));
      told();
    });
    input.addEventListener("focus", () => { // the line may have been dragged since
      const handle = slider(), moved = handle && /translateX\(([\d.]+)px\)/.exec(handle.style.transform);
      if (!moved) return;
      const { left, width } = place(handle);
      input.value = Math.round(100 * (Number(moved[1]) - left) / width);
      told();
    });
    told();
    return el("div", { class: "hc-scan-line" }, el("label", { for: "hc-scan-line" }, "Move the line, from map to picture"), input);
  }

  parts.imaging = function (root, value, send) {
    if (!value) return;
    const reading = value.reading;
    if (reading && reading.overlay) root.append(byKeyboard());
    if (value.note) root.append(el("p", { class: "hc-status hc-done", role: "status" }, value.note));
    if (reading) {
      const sides = ["The picture that was read", "The same picture with the map on it"];
      document.querySelectorAll("#hc-scan-slider img").forEach((img, i) => { img.alt = sides[Math.min(i, 1)]; });
      root.append(slices(reading, send));
      if (value.stack.length) root.append(along(value.stack, value.stack_told, send));
      root.append(el("div", { class: "hc-reading-pair" }, one(reading, send, value, false), value.beside ? one(value.beside, send, value, true) : ""));
    }
    const heading = value.patient ? `Read before for ${value.patient}` : "Read before, filed to nobody";
    root.append(el("h2", { class: "hc-h3" }, heading));
    if (!value.history.length) { root.append(el("p", { class: "hc-quiet" }, "No reading yet.")); return; }
    root.append(el("ul", { class: "hc-list hc-reading-list" }, value.history.map((kept) => el("li", {},
      el("button", { type: "button", class: "hc-row-button", "data-key": "reading-" + kept.reading_id, "aria-current": reading && reading.reading_id === kept.reading_id ? "true" : null, onclick: () => send("open", { reading_id: kept.reading_id }) },
        kept.picture ? el("img", { src: address(kept.picture), alt: "", loading: "lazy", class: "hc-scan-thumb" }) : el("span", { class: "hc-scan-thumb hc-scan-none", "aria-hidden": "true" }),
        el("strong", {}, kept.task), el("span", {}, kept.at), el("span", { class: kept.abstained ? "hc-warn-text" : "" }, kept.verdict)),
      reading && reading.reading_id !== kept.reading_id ? el("button", { type: "button", class: "hc-button", "data-key": "beside-" + kept.reading_id, onclick: () => send("beside", { reading_id: kept.reading_id }) }, "Compare") : ""))));
  };
})();
