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
  const numbers = a.classList.contains("number") && b.classList.contains("number");
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
