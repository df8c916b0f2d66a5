// The report's own tables: they sort by a click on a head, follow the filters, and say where they
// scroll sideways.

const tables = [...document.querySelectorAll("table.numbers")];

// A cell's number, or its words; null where it has nothing. A column with any number is one of
// numbers.
function columnOf(rows, index) {
  const cells = rows.map((row) => row.cells[index]);
  const isNumbers = cells.some((cell) => cell.dataset.value !== undefined);
  return new Map(
    cells.map((cell, at) => {
      if (isNumbers) return [rows[at], cell.dataset.value === undefined ? null : Number(cell.dataset.value)];
      const text = cell.textContent.trim();
      return [rows[at], text === "" || text === "-" ? null : text];
    }),
  );
}

function sortTable(table, index) {
  const heads = [...table.tHead.rows[0].cells];
  const isDescending = heads[index].getAttribute("aria-sort") === "ascending";
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[index].setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  const values = columnOf(rows, index);
  table.tBodies[0].append(...rows.sort((a, b) => compared(values.get(a), values.get(b), isDescending)));
}

// A row stays while any job that is found has its method, image and hole, those of them it names.
function filterTables() {
  const all = found.length === jobs.length;
  for (const table of tables) {
    const rows = [...table.tBodies[0].rows];
    for (const row of rows) {
      const names = Object.entries(row.dataset);
      row.hidden = !all && !found.some((job) => names.every(([name, value]) => job[name] === value));
    }
    const left = rows.filter((row) => !row.hidden).length;
    const note = table.closest(".wide").nextElementSibling;
    note.textContent = left === rows.length ? "" : `${left} of ${rows.length} rows match the filters.`;
  }
}

function prepareTables() {
  for (const table of tables) {
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      const button = element("button", { type: "button" }, ...parted(head.textContent));
      button.addEventListener("click", () => sortTable(table, index));
      head.replaceChildren(button);
    });
    for (const cell of table.querySelectorAll("td.stays")) cell.replaceChildren(...parted(cell.textContent));
    table.closest(".wide").after(element("p", { class: "about rows", role: "status" }));
  }
  // Told of each when it is shown first, when a section is opened, and when the window changes.
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const box = target.closest(".wide");
      box.classList.toggle("overflows", box.scrollWidth > box.clientWidth + 1);
    }
  });
  for (const box of document.querySelectorAll(".wide")) {
    watch.observe(box);
    watch.observe(box.querySelector("table"));
  }
}
