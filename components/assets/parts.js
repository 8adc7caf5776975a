/* The frame of our own page parts: builds elements from data with textContent only, so that text read from a
   record can never become markup. Each part is a function (root, value, send, memory) that draws one value. */
(function () {
  const SVG = "http://www.w3.org/2000/svg";
  const parts = {};

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    for (const child of children.flat(3)) {
      if (child === null || child === undefined || child === false || child === "") continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return node;
  }

  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
  const percent = (share) => Math.floor(share * 100 + 1e-6) + " %";

  /* The app may be served under a path of its own; page pictures and PDFs are found beside it. */
  const address = (path) => new URL(path, window.location.origin + window.location.pathname.replace(/[^/]*$/, "")).href;

  /* Said by a screen reader. The place is there before anything is said: what arrives together with its text is often
     not spoken. */
  const live = el("div", { id: "hc-live", role: "status", class: "hc-unseen" });
  if (document.body) document.body.append(live);
  else window.addEventListener("DOMContentLoaded", () => document.body.append(live));
  function say(text) {
    live.textContent = live.textContent === text ? text + "\u00a0" : text; /* the same again is spoken again */
  }

  /* Keeps what is shown in the address. `step`: Back shall lead to what was shown before; what changes together, such as
     the tab and the record in it, is one step. */
  let lastStep = -Infinity;
  function remember(changes, step) {
    const url = new URL(window.location.href);
    for (const [key, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(key, value);
      else url.searchParams.delete(key);
    }
    if (url.href === window.location.href) return;
    const anew = step && performance.now() - lastStep > 250;
    if (step) lastStep = performance.now();
    if (anew) window.history.pushState(window.history.state, "", url);
    else window.history.replaceState(window.history.state, "", url);
  }

  /* Redrawing must not throw the keyboard out of the part: the element with the same data-key gets the focus back. */
  function keepFocus(root, draw) {
    const active = root.contains(document.activeElement) ? document.activeElement : null;
    const key = active && active.getAttribute("data-key");
    draw();
    if (!key) return;
    const again = root.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (again) again.focus({ preventScroll: true });
  }

  /* Whose name stands in the header. Answers come from several jobs at once and in any order: what a part is sent for
     another patient, named in `of_patient`, is not drawn below that name. */
  const ANSWER_MS = 2500; /* after so long without an answer it is asked for again */
  let inHeader = "";
  function head(patientId) {
    if (patientId === inHeader) return;
    inHeader = patientId;
    window.dispatchEvent(new Event("hc-patient"));
  }

  function mount(name, { element, props, trigger, watch }) {
    const root = element.querySelector(".hc-part");
    const memory = { redraw: draw };
    const send = (event, data) => trigger(event, data || {});
    const bound = (value) => Boolean(value) && value.of_patient !== undefined;
    const fits = (value) => !bound(value) || value.of_patient === inHeader;
    let fitting = null; /* the last value of the patient in the header: an answer that comes late must not displace it */
    let asking = 0;
    function draw() {
      const value = fits(props.value) ? props.value : fitting;
      if (bound(value)) fitting = value;
      const strange = !fits(value) || (!value && props.value);
      clearTimeout(asking);
      keepFocus(root, () => {
        root.replaceChildren();
        if (!strange) parts[name](root, value, send, memory);
        else if (!parts[name].again) parts[name](root, null, send, memory);
        else root.append(el("p", { class: "hc-quiet", role: "status" }, "Being opened for the patient in the header."));
      });
      if (strange && parts[name].again) asking = setTimeout(askAgain, ANSWER_MS);
    }
    /* Gradio loses an answer now and then, when a job begins in the moment in which its event stream is closed. */
    function askAgain() {
      send("again");
      asking = setTimeout(askAgain, ANSWER_MS);
    }
    watch("value", draw);
    window.addEventListener("hc-patient", () => { if (bound(props.value)) draw(); });
    draw();
  }

  function changeClothes() {
    const dark = !document.body.classList.contains("dark");
    document.body.classList.toggle("dark", dark);
    localStorage.setItem("hc-theme", dark ? "dark" : "light");
    say(dark ? "Dark colours" : "Light colours");
  }

  window.HealthConnect = { changeClothes, parts, el, svg, percent, address, say, remember, head, mount, ANSWER_MS };
})();
