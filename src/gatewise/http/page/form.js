// The form: what candidates share, and what differs between them.

const column = (name) => model.columns.find((one) => one.name === name);
const asked = () => model.columns.filter((one) => one.needed);

function choose(name) {
  model = models.find((one) => `${one.name} ${one.version}` === name);
  apart = new Set(differing(asked().map((one) => one.name)));
  weights = model.fusion ? [...model.fusion.weights] : null;
  before = new Map();
  selected = null;
  $("by").replaceChildren(...model.scores.map((score) => element("option", {value: score, textContent: score})));
  $("by").value = model.order;
  $("results").hidden = true;
  $("moves").hidden = Boolean(model.items) || Boolean(model.context);
  const samples = model.samples || [];
  $("samples").hidden = !samples.length;
  $("sample").replaceChildren(...samples.map((rows, place) => element("option", {value: place, textContent: `${place + 1} (${rows.length} rows)`})));
  fill(samples.length ? samples[0] : null);
  showSliders();
  rank();
}

// Where neither the recipe nor real rows say it: what is named like the first column, as user_id and user_mean are, is the user's.
function differing(names) {
  if (model.items) return model.items.columns;
  if (model.context) return names.filter((name) => !model.context.includes(name));
  const word = (name) => name.split(/[^\p{L}\p{N}]/u)[0];
  const other = names.filter((name) => word(name) !== word(names[0]));
  return other.length ? other : names.slice(1);
}

// Show rows of values by column; a column that they lack keeps its example. Without rows there are examples only.
function fill(rows) {
  showContext(rows ? rows[0] : {});
  showCandidates(rows);
}

function showContext(values = {}) {
  const shared = asked().filter((one) => !apart.has(one.name));
  $("context").replaceChildren(...shared.map((one) => {
    const id = `context-${one.name}`;
    const head = element("div", {}, element("label", {htmlFor: id, textContent: one.name, title: one.name}));
    if (!model.items) head.append(mover(one.name, "→", "differs between candidates"));
    const value = one.name in values ? values[one.name] : exampleOf(one, 0);
    return element("div", {className: "field"}, head, element("input", {id, name: one.name, value: typed(value)}));
  }));
  $("nobody").hidden = shared.length > 0;
}

function mover(name, arrow, meaning) {
  const button = element("button", {type: "button", className: "move", textContent: arrow, title: `${name} ${meaning}`});
  button.onclick = () => {
    const context = fieldsOf($("context")), rows = [...$("rows").rows].map((row) => ({...context, ...fieldsOf(row)}));
    if (apart.has(name)) apart.delete(name); else apart.add(name);
    fill(rows);
  };
  return button;
}

function showCandidates(given) {
  if (model.items) {
    const known = (given || []).map((row) => row[model.items.key]).filter((id) => id !== undefined);
    const ids = element("textarea", {id: "ids", value: (known.length ? known : model.items.some).join("\n"), spellcheck: false});
    const text = `${model.items.key}, one a line; ${model.items.count.toLocaleString("en")} items are known`;
    $("candidates").replaceChildren(element("label", {className: "hint", htmlFor: "ids", textContent: text}), ids);
    return;
  }
  const names = asked().map((one) => one.name).filter((name) => apart.has(name));
  const head = element("tr", {}, element("th"), ...names.map((name) => element("th", {}, name, " ", mover(name, "←", "is shared by all candidates"))));
  const body = element("tbody", {id: "rows"});
  const row = (place) => element("tr", {}, element("th", {scope: "row", textContent: place + 1}), ...names.map((name) => {
    const own = given && given[place] || {};
    const input = element("input", {name, value: typed(name in own ? own[name] : exampleOf(column(name), place))});
    input.setAttribute("aria-label", `${name} of candidate ${place + 1}`);
    return element("td", {}, input);
  }));
  const count = given ? given.length : SHOWN;
  for (let place = 0; place < count; place++) body.append(row(place));
  const more = element("button", {type: "button", textContent: "Add one", onclick: () => body.append(row(body.rows.length))});
  const fewer = element("button", {type: "button", textContent: "Remove last", onclick: () => body.rows.length > 1 && body.lastChild.remove()});
  const table = element("table", {}, element("thead", {}, head), body);
  $("candidates").replaceChildren(element("div", {className: "scroll tall"}, table), element("div", {className: "actions"}, more, fewer));
}

const fieldsOf = (owner) => Object.fromEntries([...owner.querySelectorAll("input")].map((input) => [input.name, parsed(input.value, column(input.name))]));

function candidates() {
  if (!model.items) return [...$("rows").rows].map(fieldsOf);
  const like = model.items.some[0];
  return $("ids").value.split(/[\n,]/).map((text) => text.trim()).filter(Boolean).map((text) => scalar(text, like));
}

// rows from a text or a file

function take(text) {
  try {
    const rows = rowsOf(text), names = asked().map((one) => one.name);
    if (!rows.length) throw new Error("no row found: give lines below a header, or a list of JSON objects");
    const known = new Set([...names, ...(model.items ? [model.items.key] : [])]);
    const strange = Object.keys(rows[0]).filter((name) => !known.has(name));
    if (strange.length === Object.keys(rows[0]).length) throw new Error(`no column of the model found, but ${strange.slice(0, 5).join(", ")}`);
    fill(rows);
    $("paste").close();
    rank();
  } catch (error) {
    $("unread").textContent = error.message;
  }
}

$("open").onclick = () => { $("unread").textContent = ""; $("paste").showModal(); };
$("taken").onclick = () => take($("pasted").value);
$("file").onchange = async () => { if ($("file").files.length) take(await $("file").files[0].text()); };
$("sample").onchange = () => { before = new Map(); fill(model.samples[Number($("sample").value)]); rank(); };
