// The table of jobs, and what the page's other scripts share. Names that come from files and suites
// are only ever set as text.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const jobs = data.jobs;
const AT_ONCE = 50; // rows that are added as somebody scrolls
const STEP_MILLISECONDS = 700; // of a checkpoint while they are played
const BY_A_KEY = 20; // thousandths of a picture's width that a key moves the divider
const ENLARGED = 480; // pixels that a picture is shown wide at least, where there is room

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

function shown(value, decimals) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  return Number.isFinite(number) ? number.toFixed(decimals) : number > 0 ? "inf" : "-inf";
}

function short(measure) {
  return measure.name === "psnr" ? "PSNR (dB)" : measure.name.toUpperCase();
}

// A name that may be parted at its settings, where there is little room.
function parted(name) {
  const parts = String(name).split(/(?<=[,[=/_])/);
  return parts.flatMap((part, index) => (index ? [element("wbr"), part] : [part]));
}


const filters = byId("filters");
const columns = [
  { name: "picture", title: "" },
  { name: "image", title: "image", of: (job) => job.image },
  { name: "mask", title: "hole", of: (job) => job.mask },
  { name: "method", title: "method", of: (job) => job.method },
  { name: "seed", title: "seed", of: (job) => (job.isFill ? null : job.seed), decimals: 0 },
  { name: "status", title: "status", of: (job) => job.status },
  ...data.measures.map((measure, index) => ({
    name: measure.name,
    title: measure.title,
    short: short(measure),
    decimals: measure.decimals,
    of: (job) => chosen(job)?.scores[index] ?? null,
  })),
  {
    name: "iteration",
    title: "iteration",
    of: (job) => (job.isFill ? null : (chosen(job)?.iteration ?? null)),
    decimals: 0,
  },
  { name: "seconds", title: "seconds", of: (job) => chosen(job)?.seconds ?? null, decimals: 2 },
];
let found = jobs; // what the filters leave, in order
let drawn = 0; // how many of them have a row

// What is shown of a job: the output asked for, at its last iteration; of a fill its answer.
function chosen(job) {
  return job.outputs[job.isFill ? "raw" : filters.output.value];
}

function source(key, file) {
  return data.embedded
    ? data.embedded[key].pictures[file]
    : `jobs/${key}/${encodeURIComponent(file)}`;
}

function options(select, values, all) {
  if (all) select.append(element("option", { value: "" }, all));
  for (const [value, title] of values) select.append(element("option", { value }, title));
}

function prepareTable() {
  for (const name of ["image", "mask", "method", "status"]) {
    const values = [...new Set(jobs.map((job) => job[name]))];
    options(filters[name], values.map((value) => [value, value]), "all");
  }
  options(filters.output, data.outputs.map((output) => [output, output]));
  if (data.outputs.includes("averaged")) {
    filters.output.querySelector('[value="averaged"]').defaultSelected = true;
    filters.output.value = "averaged";
  }
  const sortable = columns.filter((column) => column.of);
  options(filters.sort, sortable.map((column) => [column.name, column.title]), "suite's order");
  const head = byId("table").tHead.rows[0];
  for (const column of columns) {
    const cell = element("th", { scope: "col", "data-column": column.name });
    if (column.decimals !== undefined) cell.className = "number";
    if (column.of) {
      const button = element("button", { type: "button" }, column.title);
      button.addEventListener("click", () => sortBy(column.name));
      cell.append(button);
    } else {
      cell.append(element("span", { class: "unseen" }, "restoration"));
    }
    head.append(cell);
  }
  filters.addEventListener("input", () => draw());
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(draw));
  draw();
}

// Told when the end of the rows comes into view, or near it.
const end = new IntersectionObserver(
  (entries) => {
    if (entries.some((entry) => entry.isIntersecting)) addRows();
  },
  { rootMargin: "1200px" },
);

function sortBy(name) {
  filters.descending.checked = filters.sort.value === name && !filters.descending.checked;
  filters.sort.value = name;
  draw();
}

function matches(job) {
  const words = filters.text.value.toLowerCase().split(/\s+/);
  const name = `${job.image} ${job.mask} ${job.method} ${job.seed} ${job.status} ${job.reason}`;
  return (
    words.every((word) => name.toLowerCase().includes(word)) &&
    ["image", "mask", "method", "status"].every(
      (each) => !filters[each].value || job[each] === filters[each].value,
    )
  );
}

// Numbers by size, words as people order them; what is missing comes last either way.
function order(column, isDescending) {
  const letters = new Intl.Collator(undefined, { numeric: true });
  return (one, other) => {
    const [a, b] = [column.of(one), column.of(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    const difference = column.decimals === undefined ? letters.compare(a, b) : Number(a) - Number(b);
    return (isDescending ? -1 : 1) * (difference || 0);
  };
}

function draw() {
  const column = columns.find((each) => each.of && each.name === filters.sort.value);
  const isDescending = filters.descending.checked;
  found = jobs.filter(matches);
  if (column) found.sort(order(column, isDescending));
  else if (isDescending) found.reverse();
  for (const cell of byId("table").tHead.rows[0].cells) {
    const isSorted = column && cell.dataset.column === column.name;
    if (isSorted) cell.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
  const many = `${jobs.length} job${jobs.length === 1 ? "" : "s"}`;
  byId("count").textContent = found.length === jobs.length ? many : `${found.length} of ${many}`;
  byId("table").tBodies[0].replaceChildren();
  drawn = 0;
  addRows();
}

function addRows() {
  const rows = found.slice(drawn, drawn + AT_ONCE).map(row);
  drawn += rows.length;
  byId("table").tBodies[0].append(...rows);
  byId("more").hidden = drawn === found.length;
  // Watched anew, since it may be in view still: of that the observer would not tell again.
  end.unobserve(byId("more"));
  end.observe(byId("more"));
}

function row(job) {
  const cells = columns.map((column) => {
    const cell = element("td", { class: column.name, "data-title": column.short ?? column.title });
    if (column.name === "picture") {
      const file = chosen(job)?.file;
      if (file) cell.append(element("img", { src: source(job.key, file), alt: "", loading: "lazy" }));
    } else if (column.name === "image") {
      cell.append(element("a", { href: `#${job.address}` }, ...parted(job.image)));
    } else if (column.decimals === undefined) {
      cell.append(...parted(column.of(job)));
    } else {
      cell.classList.add("number");
      cell.append(shown(column.of(job), column.decimals));
    }
    return cell;
  });
  const made = element("tr", { "data-status": job.status }, ...cells);
  made.addEventListener("click", (event) => {
    if (!event.target.closest("a") && !String(getSelection())) location.hash = job.address;
  });
  return made;
}
