/* Looked up in the living page by accessible.py. */
({
  nameless() {
    const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest("[aria-hidden=true]");
    const name = (e) => {
      const ids = (e.getAttribute("aria-labelledby") || "").split(" ");
      const labels = e.labels ? [...e.labels].map((l) => l.textContent) : [];
      const own = e.tagName === "BUTTON" || e.tagName === "A" ? e.textContent : "";
      const texts = [e.getAttribute("aria-label"), ...ids.map((i) => document.getElementById(i)?.textContent), ...labels];
      return [...texts, own, e.alt, e.title, e.placeholder].some((t) => t && t.trim());
    };
    return [...document.querySelectorAll("button, input, select, textarea, a[href], img, svg[role=img], dialog[open]")]
      .filter((e) => seen(e) && e.type !== "file" && !name(e) && !(e.tagName === "IMG" && e.hasAttribute("alt")))
      .map((e) => e.outerHTML.slice(0, 160));
  },

  faint(least, large) {
    const parse = (colour) => {
      const [r, g, b, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
      return { rgb: [r, g, b], alpha };
    };
    const linear = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const over = (top, under) => top.rgb.map((v, i) => v * top.alpha + under[i] * (1 - top.alpha));
    const ground = (e) => {
      const layers = [];
      for (let n = e; n; n = n.parentElement) {
        const colour = parse(getComputedStyle(n).backgroundColor);
        if (colour.alpha > 0) layers.unshift(colour);
        if (colour.alpha === 1) break;
      }
      return layers.reduce((under, layer) => over(layer, under), [255, 255, 255]);
    };
    const left_out = "svg, .hc-unseen, :disabled, script, style, noscript";
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent.trim();
      const e = walker.currentNode.parentElement;
      if (!text || e.closest(left_out) || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const style = getComputedStyle(e);
      const back = ground(e);
      const [one, two] = [light(over(parse(style.color), back)), light(back)];
      const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (Number(style.fontWeight) >= 700 && size >= 18.66);
      if (ratio < (isLarge ? large : least)) found.push(`${ratio.toFixed(2)} ${text.slice(0, 60)}`);
    }
    return found;
  },
})
