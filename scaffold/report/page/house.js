"use strict";
const order = new Intl.Collator("en", { numeric: true });
const text = (cell) => cell.dataset.sort ?? cell.textContent.trim();

function sortable(table) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const numbers = heading.classList.contains("number");
      const before = heading.getAttribute("aria-sort") ?? (numbers ? "ascending" : "descending");
      const sign = before === "ascending" ? -1 : 1;
      for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const column = heading.cellIndex;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => sign * order.compare(text(a.cells[column]), text(b.cells[column])));
      table.tBodies[0].append(...rows);
    });
  }
}

function searchable(tools) {
  const list = document.getElementById(tools.dataset.for);
  const items = [...(list.tBodies ? list.tBodies[0].rows : list.children)];
  const words = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  const search = tools.querySelector("input");
  const choices = [...tools.querySelectorAll("select")];
  const shown = tools.querySelector("output");
  const cell = (item, choice) => item.cells[choice.dataset.column].textContent.trim();
  for (const choice of choices) {
    const values = new Set(items.map((item) => cell(item, choice)));
    choice.append(...[...values].sort(order.compare).map((value) => new Option(value)));
  }
  const show = () => {
    const wanted = search.value.toLowerCase().split(/\s+/);
    let number = 0;
    for (const item of items) {
      const fits = wanted.every((word) => words.get(item).includes(word))
        && choices.every((choice) => !choice.selectedIndex || cell(item, choice) === choice.value);
      item.hidden = !fits;
      number += fits;
    }
    shown.textContent = `${number} of ${items.length}`;
  };
  tools.addEventListener("input", show);
  tools.hidden = false;
  show();
}

function opened() {
  const page = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (page?.tagName !== "DETAILS") return;
  page.hidden = false;
  page.open = true;
  page.scrollIntoView();
}

document.querySelectorAll("table.sorted").forEach(sortable);
document.querySelectorAll(".tools").forEach(searchable);
addEventListener("hashchange", opened);
opened();
