const data = JSON.parse(document.getElementById("details").textContent);
const table = document.getElementById("matrix");
const body = table.tBodies[0];
const rows = [...body.rows];
const search = document.querySelector("input[type=search]");
const status = document.querySelector("select");
const count = document.getElementById("count");

const make = (tag, text = "", kind = "") => {
  const node = document.createElement(tag);
  node.textContent = text;
  if (kind) node.className = kind;
  return node;
};
const number = (value) => (value === 0 ? "0" : value < 0.001 || value >= 1e5 ? value.toExponential(1) : value.toPrecision(3));

const share = (value) => (value > 0 && value < 0.01 ? "less than 1 %" : `${(100 * value).toFixed(0)} %`);

function program(text) {
  const block = make("pre", text), button = make("button", "copy");
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    navigator.clipboard?.writeText(text);
    button.textContent = "copied";
  });
  block.append(button);
  return block;
}

function profile(errors) {
  const grid = make("div", "", "profile");
  const top = Math.max(...errors.map(([, , , , ulp]) => Math.log10(1 + ulp)), Math.log10(2));
  for (const [dtype, cases, budget, mean, ulp] of errors) {
    const track = make("div", "", "track"), bar = make("i"), mark = make("b");
    bar.style.width = `${(100 * Math.log10(1 + ulp)) / top}%`;
    mark.style.left = `${(100 * Math.log10(1 + mean)) / top}%`;
    if (budget > 0.5) bar.className = "hot";
    track.append(bar, mark);
    const told = `${number(ulp)} ulp at most, ${number(mean)} in the mean, ${share(budget)} of the budget, ${cases} ${cases === 1 ? "case" : "cases"}`;
    grid.append(make("span", dtype, "mono"), track, make("span", told, "dim"));
  }
  return grid;
}

function details(name) {
  const [errors, oracles, gradient, note, failures, printed] = data[name];
  const cell = make("td");
  cell.colSpan = table.tHead.rows[0].cells.length;
  if (note) cell.append(make("p", note, "dim"));
  if (errors.length) cell.append(make("h3", "Errors of values by dtype (logarithmic; the mark is the mean)"), profile(errors));
  if (gradient !== null) cell.append(make("p", `derivatives: at most ${share(gradient)} of what is allowed`, "dim"));
  if (oracles) cell.append(make("p", `compared with: ${oracles}`, "dim"));
  if (printed) cell.append(make("p", `the backend printed: ${printed}`, "dim"));
  for (const [kind, label, message, text] of failures) {
    const block = make("div", "", "failure"), title = make("p");
    title.append(make("b", kind), " ", make("code", label));
    block.append(title, make("p", message));
    if (text) block.append(program(text));
    cell.append(block);
  }
  const row = make("tr", "", "more");
  row.append(cell);
  return row;
}

function toggle(row, open = row.getAttribute("aria-expanded") !== "true") {
  if (row.nextElementSibling?.className === "more") row.nextElementSibling.remove();
  row.setAttribute("aria-expanded", open);
  if (open) row.after(details(row.dataset.name));
}
body.addEventListener("click", (event) => {
  const row = event.target.closest("tr.op");
  if (!row) return;
  toggle(row);
  if (row.getAttribute("aria-expanded") === "true") history.replaceState(null, "", `#${row.dataset.name}`);
});
body.addEventListener("keydown", (event) => {
  if (event.target.matches("tr.op") && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    event.target.click();
  }
});

function filter() {
  const text = search.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = row.dataset.name.toLowerCase().includes(text) && (!status.value || row.dataset.status.split(" ").includes(status.value));
    if (!fits) toggle(row, false);
    row.hidden = !fits;
    shown += fits;
  }
  count.textContent = `${shown} of ${rows.length}`;
}
search.addEventListener("input", filter);
status.addEventListener("change", filter);

const value = (row, place) => {
  const cell = row.cells[place], text = cell ? (cell.dataset.value ?? cell.textContent) : "";
  return text === "" || isNaN(text) ? text : Number(text);
};
const order = (a, b) => (typeof a !== typeof b ? (typeof a === "number" ? -1 : 1) : a > b ? 1 : a < b ? -1 : 0);
table.tHead.querySelectorAll("button").forEach((button) =>
  button.addEventListener("click", () => {
    const head = button.closest("th"), place = head.cellIndex, up = head.getAttribute("aria-sort") === "descending";
    table.tHead.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    rows.forEach((row) => toggle(row, false));
    const sorted = [...rows].sort((a, b) => order(value(a, place), value(b, place)) * (up === (place !== 0) ? 1 : -1));
    sorted.forEach((row) => body.append(row));
  }),
);

function linked() {
  const name = decodeURIComponent(location.hash.slice(1));
  const row = rows.find((each) => each.dataset.name === name);
  if (!row) return;
  toggle(row, true);
  row.scrollIntoView({ block: "center" });
}
window.addEventListener("hashchange", linked);
filter();
linked();
