// One hole of one image, restored by all methods, the best one first.

let gridShows = ""; // what is painted, so that a filter which changes nothing paints nothing

function chooseGrid() {
  const [image, mask] = [byId("grid-image"), byId("grid-mask")];
  refill(image, distinct(found, "image"));
  const ofImage = found.filter((job) => job.image === image.value);
  refill(mask, distinct(ofImage, "mask"));
  const shownJobs = oneOfEach(ofImage.filter((job) => job.mask === mask.value));
  const what = JSON.stringify(shownJobs.map((job) => job.address));
  if (what === gridShows) return;
  gridShows = what;
  drawGrid(shownJobs);
}

// The values that are there; what was chosen stays chosen while it is one of them.
function refill(select, values) {
  const before = select.value;
  if (String(values) !== String([...select.options].map((option) => option.value))) {
    select.replaceChildren();
    options(select, values.map((value) => [value, value]));
    if (values.includes(before)) select.value = before;
  }
  select.disabled = values.length < 2;
}

function drawGrid(some) {
  const { index, higher } = data.score;
  const score = (job) => {
    const value = result(job)?.scores[index] ?? null;
    return value === null ? null : Number(value);
  };
  const sorted = [...some].sort((a, b) => compared(score(a), score(b), higher));
  const first = sorted.find((job) => Object.values(job.outputs).some(({ file }) => file));
  const cells = sorted.map((job) => gridCell(job, first));
  const known = first ? ["truth", "masked"].map((kind) => knownCell(kind, first)) : [];
  byId("grid").replaceChildren(...known, ...cells);
  byId("grid-of").textContent = some.length ? "" : "No job matches the filters.";
}

function knownCell(kind, job) {
  const canvas = element("canvas", { role: "img", "aria-label": paintings[kind].title });
  const cell = element("figure", {}, canvas, element("figcaption", {}, paintings[kind].title));
  paintCell(kind, canvas, job, null);
  return cell;
}

function gridCell(job, first) {
  const chosen = result(job);
  const canvas = element("canvas", { role: "img", "aria-label": `restoration of ${job.method}` });
  const { index } = data.score;
  const { decimals, unit } = data.measures[index];
  const name = element("span", { class: "method" }, ...parted(job.method));
  const score = chosen ? `${shown(chosen.scores[index], decimals)} ${unit}`.trim() : job.status;
  const link = element("a", { href: `#${job.address}` }, canvas, name, element("b", {}, score));
  if (chosen && data.measures.length > 1) link.title = scoreLine(chosen.scores);
  if (chosen?.file) paintCell("composited", canvas, first, { key: job.key, file: chosen.file });
  return element("figure", { class: chosen ? undefined : "none" }, link);
}

// known: a job with truth and mask of this hole; output: key and file of what is painted.
async function paintCell(kind, canvas, known, output) {
  const asked = [[known.key, "truth.png"], [known.key, "mask.png"], ...(output ? [[output.key, output.file]] : [])];
  try {
    const [truth, mask, restored] = await Promise.all(asked.map(([key, file]) => picture(key, file)));
    paint(kind, canvas, { truth, mask, output: restored });
  } catch (error) {
    canvas.replaceWith(element("span", { class: "gone" }, error.message));
  }
}

function prepareGrid() {
  for (const name of ["image", "mask"]) {
    const select = byId(`grid-${name}`);
    select.addEventListener("input", chooseGrid);
    select.closest("label").hidden = distinct(jobs, name).length < 2;
  }
}
