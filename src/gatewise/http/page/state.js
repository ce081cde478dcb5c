"use strict";
// What the page knows, and how it makes elements.

const $ = (id) => document.getElementById(id);
const SHOWN = 6;  // candidates to begin with

let models = [], model = null, apart = new Set(), weights = null, before = new Map(), selected = null, last = null;
let asking = false, again = false;

function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}
