const table = document.getElementById("matrix");
const node = (tag, text = "", kind = "") => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
document.body.classList.add("ready");
document.querySelectorAll("pre").forEach((block) => block.append(node("button", "copy")));
document.addEventListener("click", (event) => {
  const button = event.target.closest("pre button");
  if (!button) return;
  navigator.clipboard?.writeText(button.parentNode.firstChild.textContent);
  button.textContent = "copied";
});
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));

// ---------------------------------------------------------------- ops: opened, filtered, sorted

function operate() {
  const data = JSON.parse(document.getElementById("details").textContent);
  const body = table.tBodies[0], none = document.getElementById("the-none");
  const rows = [...body.rows], places = new Map(rows.map((row, place) => [row, place]));
  const search = document.querySelector("input[type=search]");
  const status = document.querySelector("select");
  const count = document.getElementById("the-count");

  // Headings become buttons, which without this script do nothing.
  for (const head of [...table.tHead.rows[0].cells, ...rows.map((row) => row.cells[0])]) {
    const place = head.firstElementChild ?? head, button = node("button", head.textContent.trim());
    button.type = "button";
    if (!head.closest("thead")) {
      button.setAttribute("aria-expanded", "false");
      button.title = button.textContent;
    }
    place.replaceChildren(button);
  }

  const number = (value) =>
    value === 0 ? "0" : value >= 1e308 ? "∞" : value < 0.001 || value >= 1e5 ? value.toExponential(1) : String(+value.toPrecision(3));
  const share = (value) => (value > 0 && value < 0.01 ? "less than 1 %" : `${(100 * value).toFixed(0)} %`);
  const cases = (value) => `${value} ${value === 1 ? "case" : "cases"}`;

  function spread(errors) {
    const grid = node("div", "", "spread"), top = Math.max(...errors.map(([, , , , ulp]) => Math.log10(1 + ulp)), Math.log10(2));
    for (const [dtype, tried, budget, mean, ulp] of errors) {
      const track = node("span", "", "track"), bar = node("i"), mark = node("b");
      bar.style.width = `${(100 * Math.log10(1 + ulp)) / top}%`;
      mark.style.left = `${(99 * Math.log10(1 + mean)) / top}%`;
      if (budget > 0.5) bar.className = "hot";
      track.append(bar, mark);
      const told = `${number(ulp)} ulp at most, ${number(mean)} in the mean, ${share(budget)} of the budget, ${cases(tried)}`;
      grid.append(node("code", dtype), track, node("span", told, "dim"));
    }
    return grid;
  }

  function details(row) {
    const [told, compared = "", gradient = 0, note, printed] = data.ops[places.get(row)];
    const within = node("div", "", "opened");
    const measured = (told || "").split(";").map((each, place) => [data.dtypes[place], ...each.split(",").map(Number)]).filter((each) => each[1]);
    const errors = measured.filter((each) => each.length > 2), exact = measured.filter((each) => each.length === 2);
    if (note) within.append(node("p", note));
    if (errors.length) within.append(node("h3", "Errors of values by dtype of the operands (logarithmic; the mark is the mean)"), spread(errors));
    if (exact.length) within.append(node("p", `exact in ${exact.map(([dtype, tried]) => `${dtype} (${tried})`).join(", ")}`, "dim"));
    if (gradient >= 0 && compared) within.append(node("p", `derivatives: at most ${share(gradient)} of what is allowed`, "dim"));
    const oracles = compared.split(" ").filter(Boolean).map((each) => each.split(":"));
    if (oracles.length) within.append(node("p", `compared with: ${oracles.map(([times, place]) => `${data.oracles[place]} (${times})`).join(", ")}`, "dim"));
    if (printed) within.append(node("p", `the backend printed: ${printed}`));
    for (const each of document.querySelectorAll(`[data-of="${CSS.escape(row.id)}"]`)) {
      const copy = node("div", "", "card");
      copy.append(...[...each.children].slice(1).map((part) => part.cloneNode(true)));
      within.append(copy);
    }
    if (!within.children.length) within.append(node("p", "no errors were measured", "dim"));
    const cell = node("td"), more = node("tr", "", "more");
    cell.colSpan = table.tHead.rows[0].cells.length;
    cell.append(within);
    more.append(cell);
    return more;
  }

  function toggle(row, open = !row.classList.contains("open")) {
    if (open === row.classList.contains("open")) return;
    row.classList.toggle("open", open);
    row.querySelector("button").setAttribute("aria-expanded", open);
    if (open) row.after(details(row));
    else row.nextElementSibling.remove();
  }
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[id]");
    if (!row || String(getSelection())) return;
    toggle(row);
    if (row.classList.contains("open")) history.replaceState(null, "", `#${row.id}`);
  });
  // Arrow keys go from op to op.
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    let row = step && event.target.closest("tr[id]");
    if (!row) return;
    do row = row[step];
    while (row && (row.hidden || !row.id));
    row?.querySelector("button").focus();
    event.preventDefault();
  });

  const states = {
    failing: (row) => row.classList.contains("fails"), declared: (row) => row.querySelector(".k"),
    "over half a budget": (row) => row.querySelector("path.h") || parseFloat(row.cells[2].textContent) > 50,
  };
  function filter() {
    const text = search.value.trim().toLowerCase(), state = status.value;
    let shown = 0;
    for (const row of rows) {
      const fits = row.id.toLowerCase().includes(text) && (!state || (states[state] ? states[state](row) : row.cells[1].textContent === state));
      if (!fits) toggle(row, false);
      row.hidden = !fits;
      shown += fits;
    }
    none.hidden = shown > 0;
    count.textContent = `${shown} of ${rows.length}`;
  }
  search.addEventListener("input", filter);
  status.addEventListener("change", filter);
  none.querySelector("button").addEventListener("click", () => {
    search.value = status.value = "";
    filter();
    search.focus();
  });

  // Failures come before declared ones, these before cases that pass; what is empty comes last either way.
  const value = (row, place) => {
    const cell = row.cells[place], text = cell?.colSpan === 1 ? cell.textContent : "";
    if (place < 2 || !text) return text;
    const amount = text === "·" ? 0 : text.startsWith("∞") ? Infinity : parseFloat(text.replace(/[^\d.e+-]/g, ""));
    return amount + (text[0] === "✗" ? 2e9 : text[0] === "†" ? 1e9 : text[0] === "<" ? -0.5 : 0);
  };
  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th");
    if (!head) return;
    const place = head.cellIndex, up = head.ariaSort ? head.ariaSort === "descending" : place < 2;
    table.tHead.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    rows.forEach((row) => toggle(row, false));
    const known = rows.map((row) => [value(row, place), row]);
    known.sort(([a], [b]) => (a === "") - (b === "") || (a > b ? 1 : a < b ? -1 : 0) * (up ? 1 : -1));
    body.append(...known.map(([, row]) => row));
  });

  function linked() {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("#matrix tr[id]");
    if (!row) return;
    if (row.hidden) {
      search.value = status.value = "";
      filter();
    }
    toggle(row, true);
    row.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", linked);
  filter();
  linked();
}
if (table) operate();
