"use strict";
const $ = (id) => document.getElementById(id);
const SHOWN = 6;  // candidates to begin with

let models = [], model = null, apart = new Set(), weights = null, before = new Map(), selected = 0;
let asking = false, again = false;

function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

// values: what a person types, and what is sent

const column = (name) => model.columns.find((one) => one.name === name);
const typed = (value) => Array.isArray(value) ? value.join(", ") : value === null || value === undefined ? "" : String(value);

function scalar(text, like) {
  const number = typeof like === "number" && text.trim() !== "" && Number.isFinite(Number(text));
  return number ? Number(text) : text;
}

function parsed(text, {kind, example, some}) {
  if (text.trim() === "") return kind === "list" ? [] : null;
  if (kind === "list") {
    const like = some && some.length ? some[0] : Array.isArray(example) ? example[0] : "";
    return text.split(/[,|]/).map((item) => item.trim()).filter(Boolean).map((item) => scalar(item, like));
  }
  return scalar(text.trim(), kind === "number" ? 0 : example);
}

function exampleOf(one, place) {
  const some = one.some || [];
  if (one.kind === "id" && some.length) return some[place % some.length];
  if (one.kind === "list" && some.length) return [some[place % some.length]];
  return one.example;
}

// the form

function choose(name) {
  model = models.find((one) => `${one.name} ${one.version}` === name);
  apart = new Set(model.items ? model.items.columns : differing(model.columns.map((one) => one.name)));
  weights = model.fusion ? [...model.fusion.weights] : null;
  before = new Map();
  selected = 0;
  $("by").replaceChildren(...model.scores.map((score) => element("option", {value: score, textContent: score})));
  $("by").value = model.order;
  $("results").hidden = true;
  $("moves").hidden = Boolean(model.items);
  showContext();
  showCandidates();
  showSliders();
}

// A first guess: what is named like the first column, as user_id and user_mean are, belongs to the user.
function differing(names) {
  const word = (name) => name.split(/[^\p{L}\p{N}]/u)[0];
  const other = names.filter((name) => word(name) !== word(names[0]));
  return other.length ? other : names.slice(1);
}

function showContext() {
  const shared = model.columns.filter((one) => !apart.has(one.name));
  $("context").replaceChildren(...shared.map((one) => {
    const id = `context-${one.name}`;
    const head = element("div", {}, element("label", {htmlFor: id, textContent: one.name}));
    if (!model.items) head.append(mover(one.name, "→", "differs between candidates"));
    return element("div", {className: "field"}, head, element("input", {id, name: one.name, value: typed(exampleOf(one, 0))}));
  }));
}

function mover(name, arrow, meaning) {
  const button = element("button", {type: "button", className: "move", textContent: arrow, title: `${name} ${meaning}`});
  button.onclick = () => {
    if (apart.has(name)) apart.delete(name); else apart.add(name);
    showContext();
    showCandidates();
  };
  return button;
}

function showCandidates() {
  if (model.items) {
    const ids = element("textarea", {id: "ids", value: model.items.some.join("\n"), spellcheck: false});
    const text = `${model.items.key}, one a line; ${model.items.count.toLocaleString("en")} items are known`;
    $("candidates").replaceChildren(element("label", {className: "hint", htmlFor: "ids", textContent: text}), ids);
    return;
  }
  const names = model.columns.map((one) => one.name).filter((name) => apart.has(name));
  const head = element("tr", {}, ...names.map((name) => element("th", {}, name, " ", mover(name, "←", "is shared by all candidates"))));
  const body = element("tbody", {id: "rows"});
  const row = (place) => element("tr", {}, ...names.map((name) => {
    const input = element("input", {name, value: typed(exampleOf(column(name), place))});
    input.setAttribute("aria-label", `${name} of candidate ${place + 1}`);
    return element("td", {}, input);
  }));
  for (let place = 0; place < SHOWN; place++) body.append(row(place));
  const more = element("button", {type: "button", textContent: "Add one", onclick: () => body.append(row(body.rows.length))});
  const fewer = element("button", {type: "button", textContent: "Remove last", onclick: () => body.rows.length > 1 && body.lastChild.remove()});
  const table = element("table", {}, element("thead", {}, head), body);
  $("candidates").replaceChildren(element("div", {className: "scroll"}, table), element("div", {className: "actions"}, more, fewer));
}

const fieldsOf = (owner) => Object.fromEntries([...owner.querySelectorAll("input")].map((input) => [input.name, parsed(input.value, column(input.name))]));

function candidates() {
  if (!model.items) return [...$("rows").rows].map(fieldsOf);
  const like = model.items.some[0];
  return $("ids").value.split(/[\n,]/).map((text) => text.trim()).filter(Boolean).map((text) => scalar(text, like));
}

// the answer

async function rank() {
  if (asking) { again = true; return; }
  busy(asking = true);
  const body = {model: model.name, version: model.version, context: fieldsOf($("context")), candidates: candidates(), by: $("by").value, gates: model.gates};
  if (weights) body.weights = weights;
  try {
    const started = performance.now();
    const response = await fetch("rank", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    $("state").textContent = `${answer.candidates.length} candidates in ${(performance.now() - started).toFixed(0)} ms`;
    fail("");
    show(answer, body.candidates);
  } catch (error) {
    fail(error.message);
  } finally {
    busy(asking = false);
    if (again) { again = false; rank(); }
  }
}

function busy(is) {
  $("results").setAttribute("aria-busy", String(is));
}

function fail(message) {
  $("error").textContent = message;
  $("error").hidden = !message;
}

const figure = (value) => Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-4) ? value.toExponential(2) : value.toFixed(4);
const label = (one, given) => one.id !== undefined ? String(one.id) : Object.values(given[one.index]).map(typed).join(" · ");

function show(answer, given) {
  const scores = [answer.order, ...model.scores.filter((score) => score !== answer.order)], extremes = Object.fromEntries(scores.map((score) => {
    const values = answer.candidates.map((one) => one.scores[score]);
    return [score, [Math.min(0, ...values), Math.max(...values)]];
  }));
  const head = element("tr", {}, ...["", "", "candidate", ...scores].map((text) => element("th", {textContent: text})));
  const body = element("tbody");
  answer.candidates.forEach((one, place) => body.append(rowOf(one, place, given, scores, extremes)));
  $("ranking").replaceChildren(element("thead", {}, head), body);
  before = new Map(answer.candidates.map((one, place) => [one.index, place]));
  $("results").hidden = false;
  $("gates").hidden = !model.gates;
  if (answer.fusion) $("expression").textContent = answer.fusion;
  const shown = answer.candidates.find((one) => one.index === selected) || answer.candidates[0];
  select(shown, given);
}

function rowOf(one, place, given, scores, extremes) {
  const moved = before.has(one.index) ? before.get(one.index) - place : 0;
  const change = moved > 0 ? `▲ ${moved}` : moved < 0 ? `▼ ${-moved}` : "";
  const row = element("tr", {tabIndex: 0},
    element("td", {className: "place", textContent: place + 1}),
    element("td", {className: "change", textContent: change}),
    element("td", {className: "what", textContent: label(one, given), title: label(one, given)}));
  for (const name of scores) {
    const value = one.scores[name], [low, high] = extremes[name], bar = element("span", {className: "bar"});
    bar.style.width = `${high > low ? 100 * (value - low) / (high - low) : 0}%`;
    row.append(element("td", {className: name === scores[0] ? "order" : ""}, figure(value), bar));
  }
  row.dataset.index = one.index;
  row.onclick = () => select(one, given);
  row.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); select(one, given); } };
  return row;
}

function select(one, given) {
  selected = one.index;
  for (const row of $("ranking").tBodies[0].rows) row.setAttribute("aria-selected", String(row.dataset.index === String(one.index)));
  if (!one.gates) return;
  $("whose").textContent = `of ${label(one, given)}`;
  const experts = Object.values(one.gates)[0].length;
  const head = element("tr", {}, element("th"), ...Array.from({length: experts}, (_, i) => element("th", {textContent: `expert ${i}`})));
  const rows = Object.entries(one.gates).map(([task, shares]) => element("tr", {}, element("th", {textContent: task}), ...shares.map((share) => {
    const cell = element("td", {textContent: share.toFixed(2)});
    cell.style.background = `color-mix(in srgb, var(--accent) ${(70 * share).toFixed(1)}%, transparent)`;
    return cell;
  })));
  $("heat").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

// the sliders

function around(text, count) {
  // where the numbers stand that are no part of a name
  const places = [...text.matchAll(/`[^`]*`|[\p{L}_][\p{L}\p{N}_]*(?:\[[^\]`]*\])?|(\d+\.?\d*(?:e[+-]?\d+)?)/giu)].filter((found) => found[1]);
  if (places.length !== count) return Array.from({length: count}, (_, i) => ["", `weight ${i + 1}`, ""]);
  return places.map(({index, 0: number}) => [text.slice(Math.max(0, index - 12), index), number, text.slice(index + number.length, index + number.length + 8)]);
}

function showSliders() {
  $("fusion").hidden = !model.fusion;
  if (!model.fusion) return;
  const labels = around(model.fusion.text, weights.length);
  $("sliders").replaceChildren(...weights.map((weight, place) => {
    const reach = Math.max(1, Math.abs(model.fusion.weights[place])) * 3;
    const output = element("output", {textContent: weight});
    const input = element("input", {type: "range", id: `weight-${place}`, min: -reach, max: reach, step: reach / 300, value: weight});
    input.setAttribute("aria-label", `weight ${place + 1}`);
    input.oninput = () => {
      weights[place] = Number(input.value);
      output.textContent = Number(weights[place].toFixed(3));
      rank();
    };
    const [left, number, right] = labels[place];
    const code = element("code", {title: model.fusion.text}, left, element("b", {textContent: number}), right);
    return element("div", {className: "slider"}, code, input, output);
  }));
  $("expression").textContent = model.fusion.text;
}

$("reset").onclick = () => { weights = [...model.fusion.weights]; showSliders(); rank(); };
$("by").onchange = rank;
$("model").onchange = () => choose($("model").value);
$("form").onsubmit = (event) => { event.preventDefault(); before = new Map(); rank(); };

(async () => {
  models = await (await fetch("models")).json();
  const names = models.map((one) => `${one.name} ${one.version}`);
  $("model").replaceChildren(...names.map((name) => element("option", {value: name, textContent: name})));
  if (models.length) choose(names[0]); else fail("no model is served");
})();
