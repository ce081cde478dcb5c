// Why a candidate stands where it does: what its score would be with each value of another candidate in place of its own.

const OTHERS = 12, EFFECTS = 8;

function offerWhy(one, name, given) {
  // of items in a table the page does not know the values
  $("why").hidden = Boolean(model.items) || given.length < 2;
  $("of").textContent = `of ${name}`;
  $("effects").replaceChildren();
  $("explain").hidden = false;
  $("explain").onclick = () => explain(one.index, given);
}

async function explain(index, given) {
  const {context, by} = last, own = {...context, ...given[index]};
  const others = given.filter((_, place) => place !== index).slice(0, OTHERS);
  const names = Object.keys(given[index]).filter((name) => others.some((other) => typed(other[name]) !== typed(own[name])));
  const rows = [own, ...names.flatMap((name) => others.map((other) => ({...own, [name]: other[name]})))];
  try {
    const found = (await post("predict", {model: model.name, version: model.version, rows})).rows.map((row) => row[by]);
    const [score, ...changed] = found;
    const effects = names.map((name, i) => {
      const some = changed.slice(i * others.length, (i + 1) * others.length);
      return [name, score - some.reduce((sum, value) => sum + value, 0) / some.length];
    }).sort((one, other) => Math.abs(other[1]) - Math.abs(one[1])).slice(0, EFFECTS);
    showEffects(effects, own);
  } catch (error) {
    fail(error.message);
  }
}

function showEffects(effects, own) {
  const most = Math.max(...effects.map(([, effect]) => Math.abs(effect)), Number.MIN_VALUE);
  $("effects").replaceChildren(...effects.map(([name, effect]) => {
    const bar = element("span", {className: effect < 0 ? "effect lowers" : "effect"});
    bar.style.width = `${100 * Math.abs(effect) / most}%`;
    const value = element("td", {className: "value", textContent: typed(own[name]), title: typed(own[name])});
    return element("tr", {}, element("th", {textContent: name, title: name}), value, element("td", {textContent: (effect < 0 ? "−" : "+") + figure(Math.abs(effect))}), element("td", {className: "bars"}, bar));
  }));
  $("explain").hidden = true;
}
