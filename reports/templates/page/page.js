// What the page's scripts share. Names that come from files and suites are only ever set as text.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const jobs = data.jobs;
const MISSING = "–";

function byId(id) {
  return document.getElementById(id);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// A number as Python formats it, so that the page and the tables of the report show the same:
// `toFixed` rounds what lies exactly between two away from zero, Python to the even one.
function shown(value, decimals) {
  if (value === null || value === undefined) return MISSING;
  const number = Number(value);
  if (!Number.isFinite(number)) return number > 0 ? "inf" : "-inf";
  const exact = Math.abs(number).toFixed(100); // all digits that a number of this size has
  const end = exact.indexOf(".") + 1 + decimals;
  const isBetween = /^50*$/.test(exact.slice(end));
  let text = Math.abs(number).toFixed(decimals);
  if (isBetween && Number(text.at(-1)) % 2) text = exact.slice(0, decimals ? end : end - 1);
  return number < 0 && Number(text) ? `-${text}` : text;
}

// Seconds with the digits that the tables of the report give them.
function shownSeconds(value) {
  if (value !== null && value < 0.0005) return "< 0.001";
  return shown(value, value >= 1 ? 1 : 3);
}

function short(measure) {
  return measure.name === "psnr" ? "PSNR (dB)" : measure.name.toUpperCase();
}

// All scores in one line; values: one for each measure.
function scoreLine(values) {
  return data.measures
    .map(({ name, unit, decimals }, index) =>
      `${name.toUpperCase()} ${shown(values[index], decimals)} ${unit}`.trim(),
    )
    .join(", ");
}

// A name that may be parted at its settings, where there is little room.
function parted(name) {
  const parts = String(name).split(/(?<=[,[=/_])/);
  return parts.flatMap((part, index) => (index ? [element("wbr"), part] : [part]));
}

function options(select, values, all) {
  if (all) select.append(element("option", { value: "" }, all));
  for (const [value, title] of values) select.append(element("option", { value }, title));
}

function distinct(some, name) {
  return [...new Set(some.map((each) => each[name]))];
}

const letters = new Intl.Collator(undefined, { numeric: true });

// Numbers by size, words as people order them; what is missing (null) comes last either way.
function compared(a, b, isDescending) {
  if (a === null || b === null) return (a === null) - (b === null);
  const difference = typeof a === "number" ? a - b : letters.compare(a, b);
  return (isDescending ? -1 : 1) * (difference || 0);
}

// Jobs by where a link finds them: by the beginning of their key; two may have the same run.
const addresses = new Map();
for (const job of jobs) {
  let place = `job-${job.key.slice(0, 16)}`;
  while (addresses.has(place)) place += "-again";
  addresses.set(place, job);
  job.address = place;
}

// The output that stands for the job's method, at its last iteration.
function standing(job) {
  return job.outputs[job.stands];
}

// The same where it is a result: a fit that diverged has outputs, but none that counts.
function result(job) {
  return job.status === "done" ? standing(job) : undefined;
}

// Of each method the job whose seed is asked for, or the first that has a result, or the first.
function oneOfEach(some, seed) {
  const rank = (job) => (result(job) ? 2 : 0) + (job.seed === seed ? 1 : 0);
  const chosen = new Map();
  for (const job of some) {
    const before = chosen.get(job.method);
    if (!before || rank(job) > rank(before)) chosen.set(job.method, job);
  }
  return [...chosen.values()];
}

function source(key, file) {
  return data.embedded
    ? data.embedded[key].pictures[file]
    : `jobs/${key}/${encodeURIComponent(file)}`;
}

function picture(key, file) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", () => reject(new Error(`${file} is missing`)));
    image.src = source(key, file);
  });
}
