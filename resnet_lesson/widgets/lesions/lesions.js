// ---------------------------------------------------------------- the lesion explorer

const sum = (values) => values.reduce((total, value) => total + value, 0);
const percent = (right, of) => `${((100 * right) / of).toFixed(1)} %`;

class Lesions {
  constructor(model, el) {
    this.model = model;
    for (const trait of ["modules", "class_names", "images"]) this[trait] = model.get(trait);
    this.counts = JSON.parse(model.get("counts"));
    this.switches = this.modules.map((name) => this.switchFor(name));
    this.said = make("p", { role: "status", "aria-live": "polite" });
    this.rows = this.class_names.map((name) => this.rowFor(name));
    this.all = button("Put all back", () => this.change([]));
    el.replaceChildren(this.layout());
    this.show = this.show.bind(this);
    model.on("change:deleted", this.show);
    this.show();
  }

  forget() {
    this.model.off("change:deleted", this.show);
  }

  change(deleted) {
    this.model.set("deleted", deleted);
    this.model.save_changes();
    this.show();
  }

  // -------------------------------------------------------------- elements

  /** A module of the row: pressed, it is deleted. */
  switchFor(name) {
    const [, stage, unit] = name.match(/^stage(\d+)_unit(\d+)$/);
    const element = button(unit, () => {
      const deleted = this.model.get("deleted");
      this.change(deleted.includes(name) ? deleted.filter((one) => one !== name) : [...deleted, name]);
    });
    set(element, { "aria-label": `delete module ${unit} of stage ${stage}`, class: "module" });
    return { name, stage, element };
  }

  rowFor(name) {
    const [right, answers, bar, line] = ["td", "td", "div", "div"].map((tag) => make(tag));
    set(bar, { class: "right" });
    set(line, { class: "answers" });
    const chart = make("td", { class: "chart", "aria-hidden": "true" }, [make("div", {}, [bar, line])]);
    return { right, answers, bar, line, row: make("tr", {}, [make("th", { scope: "row" }, [name]), right, answers, chart]) };
  }

  layout() {
    const stages = Map.groupBy(this.switches, ({ stage }) => stage);
    const groups = [...stages].map(([stage, switches]) => make("div", { role: "group", class: "stage", "aria-label": `stage ${stage}` }, [
      make("span", {}, [`stage ${stage}`]), make("div", {}, switches.map(({ element }) => element))]));
    return make("div", { class: "resnet-lesions" }, [
      make("p", {}, ["Click a module to delete its branch; the shortcut, the bold line, stays."]),
      make("div", { class: "wire" }, [make("span", { class: "end" }, ["image"]), ...groups, make("span", { class: "end" }, ["class"])]),
      this.all, this.said,
      make("table", {}, [
        make("thead", {}, [make("tr", {}, [
          ...["Class", "Right", "Answers"].map((words) => make("th", { scope: "col" }, [words])),
          make("td", { class: "key", "aria-hidden": "true" }, ["right", "answers"].map((name) => make("span", {}, [make("i", { class: name }), ` ${name}`]))),
        ])]),
        make("tbody", {}, this.rows.map(({ row }) => row)),
      ]),
    ]);
  }

  // -------------------------------------------------------------- what is seen

  show() {
    const deleted = this.model.get("deleted");
    for (const { name, element } of this.switches) set(element, { "aria-pressed": deleted.includes(name) });
    this.all.disabled = deleted.length === 0;
    const bits = this.modules.map((name) => (deleted.includes(name) ? "1" : "0")).join("");
    const [right, answers] = this.counts[parseInt(bits, 2)], of = sum(this.images);
    const whole = percent(sum(this.counts[0][0]), of);
    const gone = this.modules.filter((name) => deleted.includes(name)).map((name) => name.replace("_unit", ", module ").replace("stage", "stage "));
    const found = deleted.length === 0
      ? `Whole: ${whole} of ${grouped(of)} test images are told right.`
      : `Without ${gone.join("; ")}: ${percent(sum(right), of)} of ${grouped(of)} test images are told right; whole, ${whole}.`;
    const says = found + this.favourite(answers, of);
    if (this.said.textContent !== says) this.said.textContent = says;
    // A class that has become the answer to all would leave the chart: all are drawn on one scale.
    const most = Math.max(...answers, ...this.images);
    this.rows.forEach((row, at) => {
      row.right.textContent = `${grouped(right[at])} of ${grouped(this.images[at])}`;
      row.answers.textContent = grouped(answers[at]);
      row.bar.style.width = `${(100 * right[at]) / most}%`;
      row.line.style.width = `${(100 * answers[at]) / most}%`;
    });
  }

  /** Where one answer has swallowed the others. */
  favourite(answers, of) {
    const most = Math.max(...answers);
    return most > of / 2 ? ` It says “${this.class_names[answers.indexOf(most)]}” to ${percent(most, of)} of them.` : "";
  }
}

function render({ model, el }) {
  const lesions = new Lesions(model, el);
  return () => lesions.forget();
}

export default { render };
