// What the pages do beyond plain HTML: sorting and filters, folding, and unfolding what a link points into.
"use strict";

const byNature = new Intl.Collator("en", { numeric: true }).compare;

function unfoldTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const here = target.matches("details") ? target : target.closest("details");
  for (let fold = here; fold; fold = fold.parentElement.closest("details")) fold.open = true;
  if (here) target.scrollIntoView();
}

function setUpSorting(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const inOrderOfTheRun = [...body.rows];
  if (inOrderOfTheRun.length < 2) return;

  function sort(index) {
    const head = heads[index];
    const isNumber = head.classList.contains("num");
    const sign = head.ariaSort === "ascending" ? -1 : 1;
    const key = (row) => {
      const text = row.cells[index].textContent.trim();
      return isNumber ? parseFloat(text.replaceAll(",", "")) : text;
    };
    const isNothing = (value) => value === "" || Number.isNaN(value);
    const compare = ([a], [b]) =>
      isNothing(a) - isNothing(b) || (isNothing(a) ? 0 : sign * (isNumber ? a - b : byNature(a, b)));
    const sorted = inOrderOfTheRun.map((row) => [key(row), row]).sort(compare);
    body.append(...sorted.map(([, row]) => row));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.ariaSort = sign > 0 ? "ascending" : "descending";
  }

  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(index));
    head.append(button);
  });
}

function setUpRows(form) {
  const rows = [...document.getElementById(form.dataset.rows).tBodies[0].rows];
  const words = (row) => [0, 2, 3, 4].map((index) => row.cells[index].textContent).join(" "); // not the result
  const texts = new Map(rows.map((row) => [row, words(row).toLowerCase()]));

  function filter() {
    const typed = form.elements.words.value.toLowerCase().split(/\s+/);
    const wanted = form.elements.show.value;
    let shown = 0;
    for (const row of rows) {
      row.hidden = !(row.dataset.f || "").includes(wanted) || !typed.every((word) => texts.get(row).includes(word));
      if (!row.hidden) shown += 1;
    }
    document.querySelector(".none").hidden = shown > 0;
    form.querySelector("output").textContent = `${shown} of ${rows.length} rows`;
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}

function setUpMatrix(form) {
  const cases = document.getElementById("cases");
  const rows = [...cases.querySelectorAll("tbody tr")];
  const folds = [...cases.querySelectorAll("details")];
  const regions = [...cases.querySelectorAll(".scroll")];
  const hasRows = (element) => element.querySelector("tbody tr:not([hidden])") !== null;

  function filter() {
    const wanted = form.elements.show.value;
    let shown = 0;
    for (const row of rows) {
      row.hidden = wanted !== "" && !(row.dataset.f || "").includes(wanted);
      if (!row.hidden) shown += 1;
    }
    for (const region of regions) region.hidden = !hasRows(region);
    for (const fold of folds) {
      fold.hidden = !hasRows(fold);
      if (wanted !== "") fold.open = !fold.hidden;
    }
    document.querySelector(".none").hidden = shown > 0;
    form.querySelector("output").textContent = `${shown} of ${rows.length} ${form.dataset.what}`;
  }

  form.addEventListener("change", filter);
  for (const button of form.querySelectorAll("[data-fold]")) {
    button.addEventListener("click", () => {
      for (const fold of folds) fold.open = button.dataset.fold === "open";
    });
  }
  form.hidden = false;
  filter();
}

for (const table of document.querySelectorAll("table.sortable")) setUpSorting(table);
for (const form of document.querySelectorAll("form.filters")) (form.dataset.rows ? setUpRows : setUpMatrix)(form);
window.addEventListener("hashchange", unfoldTarget);
unfoldTarget();
