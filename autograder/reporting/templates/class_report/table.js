
"use strict";
// Tables that sort by their headers, and a filter. Without this script the page says the same, unsorted.
(() => {
  const value = (row, column, kind) => {
    const text = row.cells[column].textContent.trim();
    if (kind === "words") return text.toLowerCase();
    const number = Number.parseFloat(text.replace("\u2212", "-"));
    return Number.isNaN(number) ? null : number;
  };
  const collator = new Intl.Collator("en", { numeric: true });

  const sort = (table, header, kind) => {
    const descending = header.getAttribute("aria-sort") === "ascending";
    const column = header.cellIndex, body = table.tBodies[0];
    const keyed = Array.from(body.rows, (row) => [value(row, column, kind), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // what has no number is always last
      const order = kind === "words" ? collator.compare(a, b) : a - b;
      return descending ? -order : order;
    });
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    body.append(...keyed.map(([, row]) => row));
  };

  for (const header of document.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sort(header.closest("table"), header, header.dataset.sort));
  }

  const filter = document.getElementById("filter"), said = document.querySelector("output");
  const rows = Array.from(document.querySelector("table.students").tBodies[0].rows);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !texts[index].includes(wanted);
      shown += !row.hidden;
    });
    said.textContent = wanted ? `${shown} of ${rows.length} students` : "";
  };
  filter.closest("p").hidden = false;
  filter.addEventListener("input", show);
  show(); // a browser may have kept the text over a reload

  // A link to a student shows the row, whatever the filter says.
  addEventListener("hashchange", () => {
    const row = document.getElementById(location.hash.slice(1));
    if (row && row.hidden) {
      filter.value = "";
      show();
      row.scrollIntoView();
    }
  });

  // On paper nothing can be opened; the tables of each lesson are printed only where they were open.
  const opened = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not(.lesson):not([open])")) {
      details.open = true;
      opened.push(details);
    }
  });
  addEventListener("afterprint", () => {
    for (const details of opened.splice(0)) details.open = false;
  });
})();
