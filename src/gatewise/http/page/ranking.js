// The answer: the ranking, its scores, and the gates of one candidate.

async function post(path, body) {
  const response = await fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function request() {
  const body = {model: model.name, version: model.version, context: fieldsOf($("context")), candidates: candidates(), by: $("by").value, gates: model.gates};
  return weights ? {...body, weights} : body;
}

async function rank() {
  if (asking) { again = true; return; }
  busy(asking = true);
  const body = request();
  try {
    const started = performance.now();
    const answer = await post("rank", body);
    $("state").textContent = `${answer.candidates.length} candidates in ${(performance.now() - started).toFixed(0)} ms`;
    const skipped = (answer.skipped || []).map((one) => one.id);
    fail("");
    $("skipped").textContent = skipped.length ? `left out, as no item has the id: ${skipped.join(", ")}` : "";
    last = body;
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

// A candidate is called by its id in the item table, else by the column of ids that tells all candidates apart, else by its values.
function labelOf(given) {
  if (!given.length || typeof given[0] !== "object") return (one) => String(one.id);
  const differs = (name) => new Set(given.map((values) => typed(values[name]))).size === given.length;
  const ids = Object.keys(given[0]).filter((name) => column(name) && column(name).kind === "id" && differs(name));
  const best = ids.find((name) => /id$/i.test(name)) || ids[0];
  return (one) => one.id !== undefined ? String(one.id) : best ? typed(given[one.index][best]) : Object.values(given[one.index]).map(typed).join(" · ");
}

function show(answer, given) {
  const scores = [answer.order, ...model.scores.filter((score) => score !== answer.order)], extremes = Object.fromEntries(scores.map((score) => {
    const values = answer.candidates.map((one) => one.scores[score]);
    return [score, [Math.min(0, ...values), Math.max(...values)]];
  }));
  const label = labelOf(given);
  const head = element("tr", {}, ...["", "", "candidate", ...scores].map((text) => element("th", {textContent: text})));
  const body = element("tbody");
  answer.candidates.forEach((one, place) => body.append(rowOf(one, place, label(one), given, scores, extremes)));
  $("ranking").replaceChildren(element("thead", {}, head), body);
  before = new Map(answer.candidates.map((one, place) => [one.index, place]));
  $("results").hidden = false;
  $("gates").hidden = !model.gates;
  if (answer.fusion) $("expression").textContent = answer.fusion;
  const shown = answer.candidates.find((one) => one.index === selected) || answer.candidates[0];
  select(shown, label(shown), given);
}

function rowOf(one, place, name, given, scores, extremes) {
  const moved = before.has(one.index) ? before.get(one.index) - place : 0;
  const change = moved > 0 ? `▲ ${moved}` : moved < 0 ? `▼ ${-moved}` : "";
  const whole = typeof given[one.index] === "object" ? Object.entries(given[one.index]).map(([key, value]) => `${key}: ${typed(value)}`).join("\n") : name;
  const row = element("tr", {tabIndex: 0},
    element("td", {className: "place", textContent: place + 1}),
    element("td", {className: "change", textContent: change}),
    element("td", {className: "what", textContent: name, title: whole}));
  for (const score of scores) {
    const value = one.scores[score], [low, high] = extremes[score], bar = element("span", {className: "bar"});
    bar.style.width = `${high > low ? 100 * (value - low) / (high - low) : 0}%`;
    row.append(element("td", {className: score === scores[0] ? "order" : ""}, figure(value), bar));
  }
  row.dataset.index = one.index;
  row.onclick = () => select(one, name, given);
  row.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); select(one, name, given); } };
  return row;
}

function select(one, name, given) {
  selected = one.index;
  for (const row of $("ranking").tBodies[0].rows) row.setAttribute("aria-selected", String(row.dataset.index === String(one.index)));
  offerWhy(one, name, given);
  if (!one.gates) return;
  $("whose").textContent = `of ${name}`;
  const experts = Object.values(one.gates)[0].length;
  const head = element("tr", {}, element("th"), ...Array.from({length: experts}, (_, i) => element("th", {textContent: `expert ${i}`})));
  const rows = Object.entries(one.gates).map(([task, shares]) => element("tr", {}, element("th", {textContent: task}), ...shares.map((share) => {
    const cell = element("td", {textContent: share.toFixed(2)});
    cell.style.background = `color-mix(in srgb, var(--accent) ${(70 * share).toFixed(1)}%, transparent)`;
    return cell;
  })));
  $("heat").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

async function copy(text, button) {
  const called = button.textContent;
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = called; }, 1500);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
$("curl").onclick = () => copy(`curl -s ${quoted(new URL("rank", location.href).href)} -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(last))}`, $("curl"));
