// Writes the document, moves what does not fit to further pages, carries sums over, numbers the pages, then reads where
// every word stands. The answer is JSON text: Playwright takes a text far faster than a tree of values.
(html) => {
  document.open();
  document.write(html);
  document.close();

  const bottomOf = (node) => node.getBoundingClientRect().bottom;
  const roomOf = (page) => page.querySelector(".foot").getBoundingClientRect().top - 10;
  const template = document.getElementById("next");

  function nextPage(after) {
    const page = template.content.firstElementChild.cloneNode(true);
    after.after(page);
    return page;
  }

  function carryRow(columns, label, sum) {
    const row = document.createElement("tr");
    row.className = "carry";
    row.innerHTML = `<td colspan="${columns - 1}"></td><td class="num"></td>`;
    row.cells[0].textContent = label;
    row.cells[1].textContent = sum;
    return row;
  }

  const carryHeight = 28;
  const slack = 6;

  // Which rows go on which page: every row is measured once, in the whole table, and keeps its height because the
  // widths of the columns are then fixed. Gives the number of rows a page takes.
  function split(rows, first, others, carries) {
    const heights = rows.map((row) => row.getBoundingClientRect().height);
    const pages = [];
    let from = 0;
    while (from < rows.length) {
      const brought = carries && pages.length ? carryHeight : 0;
      const room = (pages.length ? others() : first) - brought - slack;
      let height = 0;
      let to = from;
      while (to < rows.length) {
        const last = to === rows.length - 1;
        const needed = height + heights[to] + (rows[to].className === "group" && !last ? heights[to + 1] : 0);
        if (needed + (carries && !last ? carryHeight : 0) > room && to > from) break;
        height += heights[to];
        to += 1;
      }
      pages.push(rows.slice(from, to));
      from = to;
    }
    return pages;
  }

  function continued(after, table) {
    const page = nextPage(after);
    const copy = table.cloneNode(false);
    copy.append(table.tHead.cloneNode(true), document.createElement("tbody"));
    page.querySelector(".slot").replaceWith(copy);
    return [page, copy];
  }

  function spread(page, table) {
    const { carried, brought } = table.dataset;
    const heads = [...table.tHead.rows[0].cells];
    const widths = heads.map((cell) => cell.getBoundingClientRect().width);
    const bodyOf = (each) => each.tHead.getBoundingClientRect().bottom;
    const spare = () => {
      const [probe, copy] = continued(page, table);
      const room = roomOf(probe) - bodyOf(copy);
      probe.remove();
      return room;
    };
    let others = null;
    const pages = split([...table.tBodies[0].rows], roomOf(page) - bodyOf(table), () => (others ??= spare()), carried);
    if (pages.length < 2) return page;
    heads.forEach((cell, index) => (cell.style.width = `${widths[index]}px`));
    table.style.tableLayout = "fixed";
    let sum = "";
    pages.forEach((rows, number) => {
      let body = table.tBodies[0];
      if (number) {
        const [next, copy] = continued(page, table);
        page = next;
        body = copy.tBodies[0];
        if (carried && sum) body.append(carryRow(heads.length, brought, sum));
      }
      body.append(...rows);
      sum = rows.reduce((last, row) => row.dataset.running || last, sum);
      if (carried && sum && number < pages.length - 1) body.append(carryRow(heads.length, carried, sum));
    });
    return page;
  }

  function paginate() {
    let page = document.querySelector(".page.first");
    const tail = page.querySelector(".tail");
    if (bottomOf(tail) <= roomOf(page)) return;
    const table = page.querySelector("table.lines");
    if (table) page = spread(page, table);
    page.querySelector(".frame").append(tail);
    if (bottomOf(tail) > roomOf(page)) {
      page = nextPage(page);
      page.querySelector(".slot").replaceWith(tail);
    }
  }

  function numberPages() {
    const pages = [...document.querySelectorAll(".page")];
    pages.at(-1).classList.add("last");
    pages.forEach((page, index) => {
      for (const mark of page.querySelectorAll(".page-of"))
        mark.textContent = mark.dataset.pattern.replace("{page}", index + 1).replace("{pages}", pages.length);
    });
    return pages;
  }

  const round = (value) => Math.round(value * 1e5) / 1e5;

  function boxIn(frame, rects) {
    const seen = [...rects].filter((rect) => rect.width > 0 && rect.height > 0);
    if (!seen.length) return null;
    const x0 = Math.min(...seen.map((rect) => rect.left)), x1 = Math.max(...seen.map((rect) => rect.right));
    const y0 = Math.min(...seen.map((rect) => rect.top)), y1 = Math.max(...seen.map((rect) => rect.bottom));
    return [(x0 - frame.left) / frame.width, (y0 - frame.top) / frame.height,
            (x1 - frame.left) / frame.width, (y1 - frame.top) / frame.height].map(round);
  }

  function wordsOf(page, frame, number) {
    const words = [];
    let end = null;  // where the last word ended, if it ended with its text node: a value and the comma after it are one word
    const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.data.trim() || node.parentElement.closest("svg, style, template")) continue;
      const owner = node.parentElement.closest("[data-field]");
      for (const match of node.data.matchAll(/\S+/g)) {
        const range = document.createRange();
        range.setStart(node, match.index);
        range.setEnd(node, match.index + match[0].length);
        const box = boxIn(frame, range.getClientRects());
        if (!box) continue;
        const field = owner?.dataset.field ?? null, line = owner?.dataset.line ?? null;
        const joins = match.index === 0 && end && Math.abs(box[0] - end[2]) < 0.001 && Math.abs(box[3] - end[3]) < 0.004;
        if (joins) {
          const word = words.at(-1);
          word[1] += match[0];
          word[2] = [word[2][0], Math.min(word[2][1], box[1]), box[2], Math.max(word[2][3], box[3])];
          word[3] ??= field;
          word[4] ??= line;
        } else {
          words.push([number, match[0], box, field, line]);
        }
        end = match.index + match[0].length === node.data.length ? box : null;
      }
    }
    return words;
  }

  function fieldsOf(page, frame, number) {
    const fields = [];
    for (const node of page.querySelectorAll("[data-field]")) {
      const text = node.dataset.text ?? node.textContent;
      const box = boxIn(frame, node.getClientRects());
      if (box && text.trim()) fields.push([number, node.dataset.field, node.dataset.line ?? null, text, box]);
    }
    return fields;
  }

  paginate();
  const pages = numberPages();
  const result = { pages: pages.length, words: [], fields: [] };
  pages.forEach((page, index) => {
    const rect = page.getBoundingClientRect();
    // The section is a hair shorter than the sheet, so that no empty sheet follows; boxes are relative to the sheet.
    const frame = { left: rect.left, top: rect.top, width: rect.width, height: rect.height + 0.4 * 96 / 25.4 };
    result.words.push(...wordsOf(page, frame, index + 1));
    result.fields.push(...fieldsOf(page, frame, index + 1));
  });
  return JSON.stringify(result);
}
