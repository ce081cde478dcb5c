// The sliders: the weights of the fusion.

// The part of the expression in which each number stands: from the name or number before it to the one after.
function around(text, count) {
  const words = [...text.matchAll(/`[^`]*`|[\p{L}_][\p{L}\p{N}_]*(?:\[[^\]`]*\])?|(\d+\.?\d*(?:e[+-]?\d+)?)/giu)];
  const places = words.map((_, place) => place).filter((place) => words[place][1]);
  if (places.length !== count) return Array.from({length: count}, (_, i) => ["", `weight ${i + 1}`, ""]);
  return places.map((place) => {
    const {index, 0: number} = words[place], end = index + number.length;
    const start = place > 0 && !words[place - 1][1] ? words[place - 1].index : index;
    const after = words[place + 1] && start === index ? words[place + 1].index + words[place + 1][0].length : end;
    return [text.slice(start, index), number, text.slice(end, after)];
  });
}

function showSliders() {
  $("fusion").hidden = !model.fusion;
  if (!model.fusion) return;
  const labels = around(model.fusion.text, weights.length);
  $("sliders").replaceChildren(...weights.map((weight, place) => {
    const trained = model.fusion.weights[place], reach = Math.max(1, Math.abs(trained)) * 3;
    // what is positive as trained is hardly meant to become negative; the field takes any number
    const range = element("input", {type: "range", id: `weight-${place}`, min: trained < 0 ? -reach : 0, max: reach, step: reach / 300, value: weight});
    const field = element("input", {type: "number", id: `number-${place}`, step: "any", value: weight});
    range.setAttribute("aria-label", `weight ${place + 1}`);
    field.setAttribute("aria-label", `weight ${place + 1} as a number`);
    const change = (value) => { if (Number.isFinite(value)) { weights[place] = value; rank(); } };
    range.oninput = () => { field.value = Number(Number(range.value).toFixed(3)); change(Number(range.value)); };
    field.oninput = () => { if (field.value !== "") { range.value = field.value; change(Number(field.value)); } };
    const [left, number, right] = labels[place];
    const code = element("code", {title: model.fusion.text}, left, element("b", {textContent: number}), right);
    return element("div", {className: "slider"}, code, range, field);
  }));
  $("expression").textContent = model.fusion.text;
}

$("reset").onclick = () => { weights = [...model.fusion.weights]; showSliders(); rank(); };
$("formula").onclick = () => copy($("expression").textContent, $("formula"));
