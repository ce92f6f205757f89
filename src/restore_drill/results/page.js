// Search and filter of the criteria. Without JavaScript all of them are there, folded where they passed.
(() => {
  const section = document.getElementById("criteria");
  if (!section) return;
  const rows = [...section.querySelectorAll("li")].map((row) => [row, row.parentElement.closest("details.group"),
    (row.textContent + " " + (row.closest("details.group")?.firstElementChild.textContent || "")).toLowerCase()]);
  const folds = [...section.querySelectorAll("details")].map((fold) => [fold, fold.open]);
  const bar = document.createElement("p"), search = document.createElement("input");
  bar.className = "controls";
  search.type = "search";
  search.placeholder = "table or criterion";
  search.setAttribute("aria-label", "Search the criteria");
  bar.append(search);
  const shown = new Set(rows.map(([row]) => row.className)), all = shown.size;
  const found = document.createElement("output");
  for (const outcome of [...shown]) {
    const label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.onchange = () => { box.checked ? shown.add(outcome) : shown.delete(outcome); narrow(); };
    label.append(box, " " + rows.find(([row]) => row.className === outcome)[0].firstElementChild.textContent);
    if (all > 1) bar.append(label);
  }
  bar.append(found);
  section.querySelector("h2").after(bar);
  function narrow() {
    const text = search.value.trim().toLowerCase(), narrowed = text || shown.size < all;
    let count = 0;
    for (const [row, , words] of rows) {
      row.hidden = !(shown.has(row.className) && words.includes(text));
      count += !row.hidden;
    }
    for (const [fold, open] of folds) {
      fold.hidden = !fold.querySelector("li:not([hidden])");
      fold.open = narrowed ? !fold.hidden : open;
    }
    found.value = narrowed ? count + " of " + rows.length : "";
  }
  let wait;
  search.oninput = () => { clearTimeout(wait); wait = setTimeout(narrow, 120); };
  addEventListener("hashchange", reveal);
  function reveal() {
    const row = document.getElementById(location.hash.slice(1));
    for (let fold = row?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    row?.scrollIntoView({ block: "center" });
  }
  reveal();
})();
