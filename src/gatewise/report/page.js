"use strict";

const root = document.documentElement;
const toggle = document.querySelector(".theme");

function showTheme(theme) {
  root.dataset.theme = theme;
  toggle.textContent = theme === "dark" ? "Light" : "Dark";
  toggle.setAttribute("aria-label", `Switch to ${toggle.textContent.toLowerCase()} colours`);
}

const preferred = window.matchMedia("(prefers-color-scheme: dark)");
let chosen = false;
showTheme(preferred.matches ? "dark" : "light");
preferred.addEventListener("change", () => chosen || showTheme(preferred.matches ? "dark" : "light"));
toggle.addEventListener("click", () => {
  chosen = true;
  showTheme(root.dataset.theme === "dark" ? "light" : "dark");
});

/** Compare two cells: numbers by value, texts as people read them; what is undefined comes last either way. */
function compare(a, b, direction) {
  const [x, y] = [a.dataset.value, b.dataset.value];
  if (x === "" || y === "") return (x === "") - (y === "");
  const numbers = x !== undefined && y !== undefined;
  const order = numbers ? Number(x) - Number(y) : a.textContent.localeCompare(b.textContent, undefined, { numeric: true });
  return direction * order;
}

function sortBy(heading) {
  const row = heading.parentElement;
  const descending = heading.getAttribute("aria-sort") === "ascending";
  for (const other of row.children) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = row.closest("table").tBodies[0];
  const place = heading.cellIndex;
  const rows = [...body.rows].sort((a, b) => compare(a.cells[place], b.cells[place], descending ? -1 : 1));
  body.append(...rows);
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}

/** Sections fold; a link to one opens it. */
const parts = [...document.querySelectorAll("details.part")];
for (const part of parts) if (part.dataset.folded !== undefined) part.open = false;

function openAt(hash) {
  const section = hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null;
  const part = section && section.querySelector("details.part");
  if (part) part.open = true;
}

const links = [...document.querySelectorAll("nav a")];
for (const link of links) link.addEventListener("click", () => openAt(link.hash));
window.addEventListener("hashchange", () => openAt(location.hash));
openAt(location.hash);

let closed = [];
window.addEventListener("beforeprint", () => {
  closed = parts.filter(part => !part.open);
  for (const part of closed) part.open = true;
});
window.addEventListener("afterprint", () => { for (const part of closed) part.open = false; });

/** The outline marks the section at the top of the window. */
const sections = links.map(link => document.getElementById(link.hash.slice(1)));
function markSection() {
  const passed = sections.filter(section => section.getBoundingClientRect().top < 120).length;
  links.forEach((link, place) => link.toggleAttribute("aria-current", place === passed - 1));
}
let waiting = false;
window.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; markSection(); });
}, { passive: true });
markSection();

/** One task at a time, where there are many. */
const select = document.querySelector(".picker select");

function pickTask(task) {
  select.value = task;
  for (const part of document.querySelectorAll("[data-task]")) part.hidden = task !== "" && part.dataset.task !== task;
  for (const row of document.querySelectorAll(".matrices [data-picks]")) {
    row.closest("tr").toggleAttribute("data-picked", row.dataset.picks === task);
  }
}

if (select) {
  for (const picker of document.querySelectorAll(".picker")) picker.hidden = false;
  select.addEventListener("change", () => pickTask(select.value));
  for (const name of document.querySelectorAll("[data-picks]")) {
    name.tabIndex = 0;
    name.setAttribute("role", "button");
    name.addEventListener("click", () => pickTask(name.dataset.picks));
    name.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pickTask(name.dataset.picks); }
    });
  }
  pickTask(select.options[0].value);
}

/** Long tables have a box: rows without all of its words are hidden. */
for (const box of document.querySelectorAll(".searched")) {
  const input = document.createElement("input");
  const rows = [...box.querySelectorAll("tbody tr")];
  input.type = "search";
  input.className = "search";
  input.placeholder = `search ${rows.length} rows`;
  input.setAttribute("aria-label", input.placeholder);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
    }
  });
  box.before(input);
}
