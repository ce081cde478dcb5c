// Values: what a person types, and what is sent.

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

// A text with rows: JSON as a request to the service or a list of objects, or lines with a header.
function rowsOf(text) {
  const trimmed = text.trim();
  if (trimmed.startsWith("[") || trimmed.startsWith("{")) {
    const found = JSON.parse(trimmed);
    if (Array.isArray(found)) return found;
    return (found.candidates || found.rows || [found]).map((one) => ({...found.context, ...(typeof one === "object" ? one : {[model.items.key]: one})}));
  }
  const [head, ...lines] = trimmed.split(/\r?\n/);
  const mark = ["\t", ";", ","].find((one) => head.includes(one)) || ",";
  const cells = (line) => [...(mark + line).matchAll(new RegExp(`${mark}(?:"((?:[^"]|"")*)"|([^${mark}"]*))`, "g"))]
    .map(([, quoted, plain]) => quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
  const names = cells(head);
  return lines.filter((line) => line.trim()).map((line) => Object.fromEntries(cells(line).map((cell, place) => [names[place], cell])));
}
