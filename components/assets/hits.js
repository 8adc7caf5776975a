/* What search found: the passage with its matching words lit, the place on the page, and why it ranked. */
(function () {
  const { el, svg, parts, address, say } = window.HealthConnect;

  function snippet(hit) {
    const [x, y, w, h] = hit.region;
    const boxes = hit.boxes.map((b) => svg("rect", { x: b[0], y: b[1], width: b[2] - b[0], height: b[3] - b[1], class: "hc-hit-box" }));
    const [cx, cy] = [x + w / 2, y + h / 2];
    const aside = hit.rotation_deg % 180 !== 0;
    const view = aside ? [cx - h / 2, cy - w / 2, h, w] : [x, y, w, h];
    return svg("svg", { viewBox: view.join(" "), class: "hc-snippet", role: "img", "aria-label": `The passage as it stands on page ${hit.page}, matching words marked` },
      svg("g", { transform: `rotate(${-hit.rotation_deg} ${cx} ${cy})` },
        svg("image", { href: address(hit.image_path), width: hit.width_px, height: hit.height_px, preserveAspectRatio: "none" }), boxes));
  }

  function receipt(hit) {
    const line = (name, rank) => el("li", {}, el("span", {}, name), el("b", {}, rank === null ? "not found by it" : `rank ${rank}`));
    return el("ul", { class: "hc-receipt", "aria-label": "Why it ranked" }, line("Same words", hit.keyword_rank), line("Same meaning", hit.semantic_rank));
  }

  function card(hit, send, far) {
    const facts = [hit.patient, hit.kind, hit.date, `page ${hit.page} of ${hit.page_count}`].filter(Boolean);
    return el("li", { class: "hc-hit" + (hit.negated ? " hc-hit-denied" : "") },
      el("div", { class: "hc-hit-text" },
        el("h3", { class: "hc-h3", dir: "auto" }, hit.title), el("p", { class: "hc-quiet" }, facts.map((fact, i) => [i ? " · " : "", el("bdi", {}, fact)])),
        hit.negated && el("p", { class: "hc-denied" }, "Denied here: the passage says this is absent"),
        !far && isFar(hit) && el("p", { class: "hc-far" }, "Does not name it: like it in words or meaning only"),
        el("p", { class: "hc-passage", dir: "auto" }, hit.segments.map((part) => (part.lit ? el("mark", {}, part.text) : part.text))),
        receipt(hit),
        el("div", { class: "hc-actions" },
          el("button", { type: "button", class: "hc-button hc-strong", onclick: () => send("open", { document_id: hit.document_id, page: hit.page, boxes: hit.boxes }) }, "Open the record here"),
          el("a", { class: "hc-button", href: address(hit.pdf_path) + `#page=${hit.page}`, target: "_blank", rel: "noopener" }, `PDF at page ${hit.page}`))),
      snippet(hit));
  }

  const isFar = (hit) => !hit.named && !hit.negated;

  /* Where those that are only like what was asked stand together after those that name it, a heading parts them. */
  function groups(hits) {
    const first = hits.findIndex(isFar);
    const last = hits.findLastIndex(isFar);
    if (first < 1 || hits.slice(first, last).some((hit) => !isFar(hit))) return [["", hits]];
    const denied = hits.slice(last + 1);
    return [["", hits.slice(0, first)], ["Not naming it, only like it in words or meaning", hits.slice(first, last + 1)], ...(denied.length ? [["Denying it", denied]] : [])];
  }

  parts.hits = function (root, value, send, memory) {
    if (!value) return;
    if (memory.shown && memory.shown !== value) say(value.hits.length ? value.title : `${value.title}. ${value.message}`);
    memory.shown = value;
    if (!value.hits.length) {
      root.append(el("div", { class: "hc-empty" }, el("h2", { class: "hc-h3" }, value.title), el("p", {}, value.message)));
      return;
    }
    root.append(el("h2", { class: "hc-found" }, value.title));
    for (const [heading, hits] of groups(value.hits)) {
      if (heading) root.append(el("h2", { class: "hc-h3 hc-hit-group" }, heading));
      root.append(el("ol", { class: "hc-hits" }, hits.map((hit) => card(hit, send, heading !== ""))));
    }
  };
})();
