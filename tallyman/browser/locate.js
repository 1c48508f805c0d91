// Finds nodes of one frame for the contracts of one element; reads tables. Evaluated in the page, leaves nothing there.
(() => {
  const fold = (s) => (s || "").replace(/\s+/g, " ").trim().replace(/[:*]+$/, "").trim().toLowerCase();
  const roots = (root) => {
    const all = [root];
    for (const el of root.querySelectorAll("*")) if (el.shadowRoot) all.push(...roots(el.shadowRoot));
    return all;
  };
  const kind = (el) => {
    const tag = el.tagName.toLowerCase();
    if (tag === "a") return "link";
    if (tag === "input") return (el.getAttribute("type") || "text").toLowerCase();
    if (tag === "button") return el.type || "submit";
    return tag;
  };
  const visible = (el) => {
    if (kind(el) === "hidden") return false;
    const style = getComputedStyle(el);
    return style.visibility !== "hidden" && style.display !== "none" && el.getClientRects().length > 0;
  };
  const own = (cell) => {
    // a cell's own words, without the controls that stand in it
    const copy = cell.cloneNode(true);
    copy.querySelectorAll("input,select,textarea,button,script,style").forEach((n) => n.remove());
    return fold(copy.textContent);
  };
  const labels = (el) => {
    const found = [];
    if (el.labels) for (const label of el.labels) found.push(own(label));
    if (el.getAttribute("aria-label")) found.push(fold(el.getAttribute("aria-label")));
    const cell = el.closest("td,th");
    if (cell) {
      let before = cell.previousElementSibling;
      while (before && !own(before)) before = before.previousElementSibling;
      if (before) found.push(own(before));
    }
    let node = el.previousSibling, text = "";
    while (node && !(node.nodeType === 1 && /^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(node.tagName))) {
      text = node.textContent + text;
      node = node.previousSibling;
    }
    if (fold(text)) found.push(fold(text));
    if (["checkbox", "radio"].includes(kind(el))) {
      // a box has its words behind it
      text = "";
      node = el.nextSibling;
      while (node && !(node.nodeType === 1 && /^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(node.tagName))) {
        text += node.textContent;
        node = node.nextSibling;
      }
      if (fold(text)) found.push(fold(text));
    }
    return found;
  };
  const header = (el) => {
    const cell = el.closest("td,th"), row = el.closest("tr"), table = el.closest("table");
    if (!cell || !row || !table) return [];
    const at = [...row.cells].indexOf(cell);
    if (at < 0) return []; // a hidden field may stand in a row beside its cells
    const heads = [];
    for (const r of table.rows) {
      if (r === row) break;
      if (r.cells.length > at && r.cells.length === row.cells.length) heads.push(fold(r.cells[at].textContent));
    }
    return heads;
  };
  const caption = (el) => fold(["submit", "button", "reset"].includes(kind(el)) && el.tagName === "INPUT" ? el.value : el.textContent);
  const fits = (el, c) =>
    (c.name == null || el.getAttribute("name") === c.name) &&
    (c.id == null || el.id === c.id) &&
    (c.value == null || el.value === c.value || el.getAttribute("value") === c.value) &&
    (c.type == null || kind(el).startsWith(c.type)) &&
    (c.css == null || el.matches(c.css)) &&
    (c.text == null || caption(el) === fold(c.text)) &&
    (c.label == null || labels(el).includes(fold(c.label))) &&
    (c.column == null || header(el).includes(fold(c.column)));
  const nodes = () => roots(document).flatMap((r) => [...r.querySelectorAll("input,select,textarea,button,a,td,th,span,div,b,font,form,img")]);

  const locate = ({ by, hidden }) => {
    const all = nodes();
    const controls = all.filter((el) => /^(INPUT|SELECT|TEXTAREA|BUTTON|A)$/.test(el.tagName));
    // looks last: whether a node is visible costs far more than whether it fits
    const fitting = (c) => (el) => fits(el, c) && (hidden || visible(el));
    const among = (c) => (c.css == null ? controls : all);
    const within = (els, c) => (c.css == null ? els.filter((el) => controls.includes(el)) : els);
    let common = null, answering = 0, apart = false;
    for (const c of by) {
      // What the contracts before it agree on is asked first: a search through the whole page is only made to tell
      // whether this one finds nothing at all, or something else.
      const agreed = (common ? within(common, c) : among(c)).filter(fitting(c));
      const elsewhere = !agreed.length && common !== null && among(c).some(fitting(c));
      if (!agreed.length && !elsewhere) continue;
      answering += 1;
      apart = apart || elsewhere;
      if (agreed.length) common = agreed;
    }
    if (answering < 2) return { node: null, why: `${answering} of ${by.length} contracts found it` };
    if (apart) return { node: null, why: "its contracts point to different elements" };
    return common.length === 1 ? { node: common[0], why: "" } : { node: null, why: `found ${common.length} times` };
  };
  return {
    locate,
    type: ({ by, hidden, text }) => {
      // Over what the control holds, as a keyboard would: with the page's own events, its length limit, and the change
      // event when the next control is entered. False where nothing was found, or where it did not arrive.
      const { node } = locate({ by, hidden });
      if (!node || !/^(INPUT|TEXTAREA)$/.test(node.tagName) || node.readOnly || node.disabled) return false;
      if (node.value === text) return true;
      node.focus();
      if (document.activeElement !== node) return false;
      node.select();
      document.execCommand(text ? "insertText" : "delete", false, text);
      return node.value === text;
    },
    click: ({ by, hidden }) => {
      // False where nothing was found, or where something else lies over it: a person could not click it either.
      const { node } = locate({ by, hidden });
      if (!node || node.disabled) return false;
      node.scrollIntoView({ block: "center", inline: "center" });
      const box = node.getBoundingClientRect();
      const top = node.getRootNode().elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      if (!top || !(node.contains(top) || top.contains(node))) return false;
      node.click();
      return true;
    },
    table: ({ columns }) => {
      // the innermost table with a row that holds all the headers
      const wanted = Object.entries(columns).map(([ours, theirs]) => [ours, fold(theirs)]);
      for (const table of [...document.querySelectorAll("table")].reverse()) {
        for (const [at, head] of [...table.rows].entries()) {
          const texts = [...head.cells].map((cell) => fold(cell.textContent));
          if (!wanted.every(([, theirs]) => texts.includes(theirs))) continue;
          const rows = [...table.rows].slice(at + 1).filter((row) => row.cells.length === head.cells.length);
          return {
            table,
            rows: rows.map((row) => ({
              index: row.rowIndex,
              cells: Object.fromEntries(wanted.map(([ours, theirs]) => {
                const cell = row.cells[texts.indexOf(theirs)];
                const control = cell.querySelector("input:not([type=hidden]):not([type=checkbox]),select,textarea");
                return [ours, (control ? control.value : cell.innerText).replace(/\u00a0/g, " ").trim()];
              })),
              links: Object.fromEntries(wanted.map(([ours, theirs]) => {
                const link = row.cells[texts.indexOf(theirs)].querySelector("a[href]");
                return [ours, link ? link.href : null];
              })),
            })),
          };
        }
      }
      return null;
    },
  };
})()
