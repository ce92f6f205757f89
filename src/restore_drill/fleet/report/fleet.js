// Filters by verdict or state, owner, label and text. Without JavaScript all databases are there, the troubled ones first.
(() => {
  const section = document.getElementById("databases");
  const rows = [...section.querySelectorAll("tbody tr")].map((row) => ({
    row, state: row.className, text: row.textContent.toLowerCase(),
    owner: row.querySelector(".o")?.textContent || "", labels: [...row.querySelectorAll(".l")].map((each) => each.textContent),
  }));
  if (rows.length < 2) return;
  const bar = document.createElement("p"), search = document.createElement("input"), found = document.createElement("output");
  bar.className = "controls";
  search.type = "search";
  search.placeholder = "name or problem";
  search.setAttribute("aria-label", "Search the databases");
  bar.append(search);
  const choice = (label, values) => {
    const list = document.createElement("select");
    list.setAttribute("aria-label", label);
    list.append(new Option(label, ""));
    for (const value of new Set(values.filter(Boolean))) list.append(new Option(value.replaceAll("-", " "), value));
    if (list.length > 1) bar.append(list);
    list.onchange = narrow;
    return list;
  };
  const sorted = (values) => [...values].sort();
  const kind = section.querySelector("thead th").textContent.toLowerCase();
  const state = choice("any " + kind, rows.map((each) => each.state));
  const owner = choice("any owner", sorted(rows.map((each) => each.owner)));
  const label = choice("any label", sorted(rows.flatMap((each) => each.labels)));
  for (const list of [owner, label]) for (const each of list.options) if (each.value) each.text = each.value;
  bar.append(found);
  section.querySelector("h2").after(bar);
  function narrow() {
    const text = search.value.trim().toLowerCase();
    let count = 0;
    for (const each of rows) {
      const shown = each.text.includes(text) && (!state.value || each.state === state.value)
        && (!owner.value || each.owner === owner.value) && (!label.value || each.labels.includes(label.value));
      each.row.hidden = !shown;
      count += shown;
    }
    found.value = count < rows.length ? count + " of " + rows.length : "";
  }
  let wait;
  search.oninput = () => { clearTimeout(wait); wait = setTimeout(narrow, 120); };
})();
