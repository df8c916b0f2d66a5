// The table of jobs and the filters, which all else on the page follows.

const AT_ONCE = 50; // rows that are added as somebody scrolls
const FILTERS = ["image", "mask", "method", "status"]; // those that are chosen from a list

const filters = byId("filters");
const hasSeeds = new Set(jobs.map((job) => JSON.stringify([job.image, job.mask, job.method]))).size < jobs.length;
const hasScore = (index) =>
  jobs.some((job) => Object.values(job.outputs).some(({ scores }) => scores[index] !== null));
// Those with anything to tell: seeds where jobs differ in nothing else, a status that not all have.
const columns = [
  { name: "picture", title: "" },
  { name: "image", title: "image", of: (job) => job.image },
  { name: "mask", title: "hole", of: (job) => job.mask },
  { name: "method", title: "method", of: (job) => job.method },
  { name: "seed", title: "seed", of: (job) => (job.isFill ? null : job.seed), decimals: 0, tells: hasSeeds },
  { name: "status", title: "status", of: (job) => job.status, tells: jobs.some((job) => job.status !== "done") },
  ...data.measures.map((measure, index) => ({
    name: measure.name,
    title: measure.title,
    short: short(measure),
    decimals: measure.decimals,
    of: (job) => chosen(job)?.scores[index] ?? null,
    tells: hasScore(index),
  })),
  {
    name: "iteration",
    title: "iteration",
    of: (job) => (job.isFill ? null : (chosen(job)?.iteration ?? null)),
    decimals: 0,
    tells: jobs.some((job) => !job.isFill),
  },
  { name: "seconds", title: "seconds", of: (job) => chosen(job)?.seconds ?? null, decimals: 3, text: shownSeconds },
].filter(({ tells = true }) => tells);
let found = jobs; // what the filters leave, in order
let drawn = 0; // how many of them have a row

// What is shown of a job: the output asked for, at its last iteration; of a fill its answer.
function chosen(job) {
  return job.isFill || !filters.output.value ? standing(job) : job.outputs[filters.output.value];
}

function prepareJobs() {
  for (const name of FILTERS) {
    const values = distinct(jobs, name);
    options(filters[name], values.map((value) => [value, value]), "all");
    filters[name].closest("label").hidden = values.length < 2;
  }
  options(filters.output, data.outputs.map((output) => [output, output]), "each method's");
  filters.output.closest("label").hidden = data.outputs.length < 2;
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
  for (const place of [filters, byId("listing")]) place.addEventListener("input", draw);
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
    FILTERS.every((each) => !filters[each].value || job[each] === filters[each].value)
  );
}

function draw() {
  const column = columns.find((each) => each.of && each.name === filters.sort.value);
  const isDescending = filters.descending.checked;
  found = jobs.filter(matches);
  const key = (job) => {
    const value = column.of(job);
    return value === null || column.decimals === undefined ? value : Number(value);
  };
  if (column) found.sort((a, b) => compared(key(a), key(b), isDescending));
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
  filterTables();
  chooseGrid();
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
      cell.append((column.text ?? shown)(column.of(job), column.decimals));
    }
    return cell;
  });
  const made = element("tr", { "data-status": job.status }, ...cells);
  made.addEventListener("click", (event) => {
    if (!event.target.closest("a") && !String(getSelection())) location.hash = job.address;
  });
  return made;
}
