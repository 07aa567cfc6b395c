// What the pages do beyond plain HTML: filters of the matrix, folding, and unfolding what a link points into.
"use strict";

function unfoldTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const here = target.matches("details") ? target : target.closest("details");
  for (let fold = here; fold; fold = fold.parentElement.closest("details")) fold.open = true;
  if (here) target.scrollIntoView();
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

const filters = document.querySelector("form.filters");
if (filters) setUpMatrix(filters);
window.addEventListener("hashchange", unfoldTarget);
unfoldTarget();
