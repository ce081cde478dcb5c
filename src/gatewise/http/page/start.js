// The page begins: which models there are.

$("by").onchange = rank;
$("model").onchange = () => choose($("model").value);
$("form").onsubmit = (event) => { event.preventDefault(); before = new Map(); rank(); };

(async () => {
  models = await (await fetch("models")).json();
  const names = models.map((one) => `${one.name} ${one.version}`);
  $("model").replaceChildren(...names.map((name) => element("option", {value: name, textContent: name})));
  if (models.length) choose(names[0]); else fail("no model is served");
})();
