/* The row of tabs: all of them stay in one row that scrolls, with a fade where more lie; arrow keys walk along it, and
   the chosen one is kept in sight and in the address, so that Back leads to the tab before. */
(function () {
  const { remember } = window.HealthConnect;
  const ROW = "#hc-tabs > .tab-wrapper > [role=tablist]";
  const FADE_PX = 4; /* less than this beyond the edge is rounding, not a tab */
  const tabs = (row) => [...row.querySelectorAll("[role=tab]:not(:disabled)")];
  const chosen = (row) => row.querySelector('[role=tab][aria-selected="true"]');

  function shade(row) {
    const beyond = row.scrollWidth - row.clientWidth - row.scrollLeft;
    row.parentElement.classList.toggle("hc-more-before", row.scrollLeft > FADE_PX);
    row.parentElement.classList.toggle("hc-more-after", beyond > FADE_PX);
  }

  function bringIntoSight(row, tab) {
    row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
    shade(row);
  }

  function keys(event) {
    const row = event.currentTarget;
    const all = tabs(row);
    const here = all.indexOf(event.target.closest("[role=tab]"));
    const steps = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: all.length - 1 };
    if (here < 0 || !(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = all[(steps[event.key] + all.length) % all.length];
    next.focus({ preventScroll: true });
    next.click();
  }

  /* One stop for the Tab key, as a screen reader expects of a row of tabs; the arrow keys do the rest. */
  function roam(row) {
    const now = chosen(row);
    for (const tab of tabs(row)) tab.tabIndex = tab === now ? 0 : -1;
    const panel = document.getElementById(now.getAttribute("aria-controls"));
    if (panel) panel.setAttribute("aria-labelledby", now.id);
  }

  /* Past the header and the row of tabs, into what the chosen tab shows. */
  function skip(event) {
    event.preventDefault();
    const row = document.querySelector(ROW);
    const panel = row && document.getElementById(chosen(row).getAttribute("aria-controls"));
    if (!panel) return;
    panel.tabIndex = -1;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "start" });
  }
  window.HealthConnect.skip = skip;

  function choose(row, id) {
    const tab = tabs(row).find((each) => each.dataset.tabId === id);
    if (tab && tab !== chosen(row)) tab.click();
  }

  function inAddress() {
    return new URLSearchParams(window.location.search).get("tab") || "";
  }

  function start(row) {
    const first = tabs(row)[0].dataset.tabId;
    const follow = () => {
      const now = chosen(row);
      if (!now) return;
      roam(row);
      bringIntoSight(row, now);
      const id = now.dataset.tabId;
      if ((inAddress() || first) !== id) remember({ tab: id === first ? "" : id }, true);
    };
    row.setAttribute("aria-label", "Parts of the dashboard");
    row.addEventListener("keydown", keys);
    row.addEventListener("scroll", () => shade(row), { passive: true });
    window.addEventListener("popstate", () => choose(row, inAddress() || first));
    new ResizeObserver(() => bringIntoSight(row, chosen(row) || tabs(row)[0])).observe(row);
    roam(row);
    new MutationObserver(follow).observe(row, { subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
  }

  function find() {
    const row = document.querySelector(ROW);
    if (!row || !chosen(row)) return false;
    start(row);
    return true;
  }

  /* Gradio may draw the row before or after this script runs. */
  if (!find()) {
    const waiting = new MutationObserver(() => { if (find()) waiting.disconnect(); });
    waiting.observe(document.documentElement, { subtree: true, childList: true });
  }
})();
