/* What search found: the passage with its matching words lit, the place on the page, and why it ranked. */
(function () {
  const { el, svg, parts, address } = window.HealthConnect;

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

  function card(hit, send) {
    const facts = [hit.patient, hit.kind, hit.date, `page ${hit.page} of ${hit.page_count}`].filter(Boolean);
    return el("li", { class: "hc-hit" + (hit.negated ? " hc-hit-denied" : "") },
      el("div", { class: "hc-hit-text" },
        el("h2", { class: "hc-h3", dir: "auto" }, hit.title), el("p", { class: "hc-quiet" }, facts.map((fact, i) => [i ? " · " : "", el("bdi", {}, fact)])),
        hit.negated && el("p", { class: "hc-denied" }, "Denied here: the passage says this is absent"),
        !hit.named && !hit.negated && el("p", { class: "hc-far" }, "Does not name it: like it in words or meaning only"),
        el("p", { class: "hc-passage", dir: "auto" }, hit.segments.map((part) => (part.lit ? el("mark", {}, part.text) : part.text))),
        receipt(hit),
        el("div", { class: "hc-actions" },
          el("button", { type: "button", class: "hc-button hc-strong", onclick: () => send("open", { document_id: hit.document_id, page: hit.page, boxes: hit.boxes }) }, "Open the record here"),
          el("a", { class: "hc-button", href: address(hit.pdf_path) + `#page=${hit.page}`, target: "_blank", rel: "noopener" }, `PDF at page ${hit.page}`))),
      snippet(hit));
  }

  parts.hits = function (root, value, send) {
    if (!value) return;
    if (!value.hits.length) {
      root.append(el("div", { class: "hc-empty", role: "status" }, el("h2", { class: "hc-h3" }, value.title), el("p", {}, value.message)));
      return;
    }
    root.append(el("p", { class: "hc-quiet", role: "status" }, value.title), el("ol", { class: "hc-hits" }, value.hits.map((hit) => card(hit, send))));
  };
})();
