// One answer: what was asked, what was found, and what can be asked next.
import { LARGE, SMALL, ask, at, count, el, fail, get, picture, say, thumbnail, when } from "/page/parts.js";
import { crop } from "/page/crop.js";

const GRADES = ["same", "strong", "good", "weak"];
const HEADLINES = {
  nothing_similar: "Nothing similar here",
  partial: "Not everything could be compared",
  error: "This could not be answered",
};
// Examples chosen for the next question, by place among the matches: "yes" or "not".
let chosen = new Map();
let shown = null;

export const shownAnswer = () => shown;

// Waiting for the answer to a query of this name.
export function showWaiting(name) {
  shown = { name };
  const section = at("answer");
  section.hidden = false;
  section.className = "";
  section.replaceChildren(el("h2", { id: "answer-title" }, name), el("p", { className: "wait", role: "status" }, "Looking for similar pictures …"));
}

// Shows the answer with this key; `onAsked` hears of a question that follows from it.
export async function showAnswer(key, onAsked) {
  const answer = await get("/answer", { key });
  const isNew = shown?.key !== key || shown.time !== answer.time;
  if (isNew) chosen = new Map();
  shown = { ...answer, key };
  draw(onAsked);
  const found = answer.matches.length;
  say(`${answer.name}: ${found > 0 ? count(found, "match", "matches") : HEADLINES[answer.status] ?? answer.message}`);
}

// Asks with pictures of the answer that is shown.
async function askFrom(from, onAsked) {
  fail("");
  try {
    onAsked(await ask([], { key: shown.key, at: shown.time, ...from }));
  } catch (error) {
    fail(error.message);
  }
}

async function cropQuery(onAsked) {
  fail("");
  try {
    const name = shown.query[0].path.split("/").pop();
    // What the browser cannot show (HEIC, raw) is cropped from a version that it can.
    const open = async (side) => {
      const response = await fetch(picture(shown.key, shown.time, "query", 0, side));
      if (!response.ok) throw new Error("The query's picture is not there any more.");
      return crop(await response.blob(), name);
    };
    const file = await open(null).catch(() => open(LARGE));
    if (file) onAsked(await ask([file]));
  } catch (error) {
    fail(error.message);
  }
}

function draw(onAsked) {
  const { key, time, name, status, message, query, yes, not, unused, matches, nearest, sheet } = shown;
  const section = at("answer");
  section.hidden = false;
  section.className = status;
  const asked = (of, pictures, words) => pictures.slice(0, 12).map((one, n) =>
    el("li", {}, el("figure", {}, thumbnail(picture(key, time, of, n, SMALL), `${words}: ${one.path}`), el("figcaption", {}, words))));
  const rest = Math.max(0, query.length - 12) + unused;
  const links = el("p", { className: "acts" },
    query.length === 1 ? el("button", { onclick: () => cropQuery(onAsked) }, "Crop and ask again") : null,
    sheet ? el("a", { href: `/sheet?${new URLSearchParams({ key })}`, target: "_blank", rel: "noopener" }, "Sheet") : null);
  section.replaceChildren(
    el("h2", { id: "answer-title" }, name),
    el("p", { className: "quiet" }, `${when(time)} · ${count(shown.inventory, "picture", "pictures")} searched in ${Math.round(shown.total_ms)} ms`),
    el("ul", { className: "asked" }, ...asked("query", query, "asked with"), ...asked("yes", yes, "yes"), ...asked("not", not, "not"),
      rest > 0 ? el("li", {}, `and ${count(rest, "more", "more")}`) : null),
    el("p", { className: "said" }, HEADLINES[status] ? `${HEADLINES[status]}. ${message}` : message),
    links);
  if (matches.length > 0) section.append(filters(), el("ul", { className: "pictures", id: "matches" }, ...matches.map((match, n) => card(match, n, onAsked))), againBar(onAsked));
  else if (nearest) section.append(el("p", {}, "The nearest picture, for comparison:"), el("ul", { className: "pictures" }, nearestCard(nearest)));
  filter();
}

const folderOf = (path) => path.split("/").slice(0, -1).join("/");

const yearOf = (match) => match.taken.slice(0, 4);

// A choice of folder, year and least grade, where there is something to choose.
function filters() {
  const folders = [...new Set(shown.matches.map((match) => folderOf(match.path)))].sort();
  const years = [...new Set(shown.matches.map(yearOf))].sort();
  const grades = GRADES.filter((grade) => shown.matches.some((match) => match.grade === grade));
  const option = (value, text) => el("option", { value }, text);
  return el("p", { className: "bar" },
    folders.length > 1 ? el("label", {}, "Folder ", el("select", { id: "folder", onchange: filter }, option("*", "all"), ...folders.map((folder) => option(folder, folder || "(none)")))) : null,
    years.length > 1 ? el("label", {}, "Taken in ", el("select", { id: "year", onchange: filter }, option("*", "any year"), ...years.map((year) => option(year, year || "(not known)")))) : null,
    grades.length > 1 ? el("label", {}, "At least ", el("select", { id: "grade", onchange: filter }, option("", "any grade"), ...grades.slice(0, -1).map((grade) => option(grade, grade)))) : null,
    el("span", { className: "quiet", id: "filtered", role: "status" }));
}

function filter() {
  const list = at("matches");
  if (!list) return;
  const folder = at("folder")?.value ?? "*";
  const year = at("year")?.value ?? "*";
  const least = at("grade")?.value || "weak";
  let left = 0;
  [...list.children].forEach((item, n) => {
    const { path, grade } = shown.matches[n];
    item.hidden = (folder !== "*" && folderOf(path) !== folder) || (year !== "*" && yearOf(shown.matches[n]) !== year) || (grade && GRADES.indexOf(grade) > GRADES.indexOf(least));
    left += item.hidden ? 0 : 1;
  });
  at("filtered").textContent = left < shown.matches.length ? `${left} of ${shown.matches.length} shown` : "";
}

// Of four steps, so many; the words say the same.
function dots(grade) {
  const steps = 4 - GRADES.indexOf(grade);
  return steps > 4 ? null : el("span", { className: "dots", "aria-hidden": true }, "●".repeat(steps) + "○".repeat(4 - steps));
}

function words(match) {
  const more = match.duplicates > 0 ? [`${match.duplicates} more like it`] : [];
  const shot = [match.taken.slice(0, 16).replace("T", " "), match.camera].filter(Boolean).join(" · ");
  return el("div", { className: "words" },
    el("div", { className: "grade" }, dots(match.grade), match.words),
    el("div", { className: "path" }, ...match.path.split("/").flatMap((part, n) => (n === 0 ? [part] : ["/", el("wbr"), part]))),
    shot ? el("div", { className: "path" }, shot) : null,
    ...[...match.marks, ...more].map((mark) => el("div", { className: "mark" }, mark)),
    match.why ? el("details", { className: "why" }, el("summary", { "aria-label": `Why here? ${match.path}` }, "Why here?"), el("p", {}, match.why)) : null);
}

function card(match, n, onAsked) {
  const { key, time } = shown;
  const item = el("li", { className: "card" });
  const choose = (what, text) => el("button", { "aria-pressed": chosen.get(n) === what, "aria-label": `${text}: ${match.path}`, onclick: () => {
    if (chosen.get(n) === what) chosen.delete(n);
    else chosen.set(n, what);
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", chosen.get(n) === ["yes", "not"][at]));
    item.classList.toggle("not", chosen.get(n) === "not");
    updateAgain();
  } }, text);
  const buttons = [choose("yes", "Yes"), choose("not", "Not this")];
  const copy = el("button", { "aria-label": `Copy path of ${match.path}`, onclick: async () => {
    try {
      await navigator.clipboard.writeText(match.absolute_path || match.path);
      copy.textContent = "Copied";
      say(`Copied ${match.path}`);
    } catch {
      prompt("The path:", match.absolute_path || match.path);
    }
  } }, "Copy path");
  item.append(
    el("button", { className: "look", "aria-label": `Look at ${match.path}, ${match.words}`, onclick: () => look(n) }, thumbnail(picture(key, time, "match", n, SMALL), "")),
    el("div", {}, words(match), el("div", { className: "acts" },
      el("a", { href: picture(key, time, "match", n), target: "_blank", rel: "noopener", "aria-label": `Open ${match.path}` }, "Open"),
      copy,
      el("button", { "aria-label": `More like this: ${match.path}`, onclick: () => askFrom({ query: [n] }, onAsked) }, "More like this"),
      ...buttons)));
  return item;
}

function nearestCard(nearest) {
  return el("li", { className: "card" },
    el("div", { className: "look" }, thumbnail(picture(shown.key, shown.time, "nearest", 0, SMALL), nearest.path)), el("div", {}, words(nearest)));
}

function againBar(onAsked) {
  const chosenAs = (what) => [...chosen].filter(([, as]) => as === what).map(([n]) => n);
  return el("p", { id: "again", className: "bar", hidden: chosen.size === 0 }, el("button", { className: "main", onclick: () =>
    askFrom({ keeps_query: true, yes: chosenAs("yes"), not: chosenAs("not") }, onAsked) }, "Ask again"), el("span", { id: "examples", role: "status" }));
}

function updateAgain() {
  at("again").hidden = chosen.size === 0;
  const number = (what) => [...chosen.values()].filter((as) => as === what).length;
  at("examples").textContent = `with ${number("yes")} yes and ${number("not")} not`;
}

// The match in large; arrow keys go on among those that are shown.
function look(n) {
  const dialog = at("large");
  const visible = shown.matches.map((_, at) => at).filter((at) => !document.getElementById("matches").children[at].hidden);
  const show = (to) => {
    n = to;
    const match = shown.matches[n];
    at("large-title").textContent = match.path;
    at("large-words").textContent = [match.words, ...match.marks].join(" · ");
    at("large-why").textContent = match.why;
    at("large-picture").alt = match.path;
    at("large-picture").src = picture(shown.key, shown.time, "match", n, LARGE);
  };
  const step = (by) => show(visible[(visible.indexOf(n) + by + visible.length) % visible.length]);
  at("before").onclick = () => step(-1);
  at("after").onclick = () => step(1);
  dialog.onkeydown = (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  };
  show(n);
  dialog.showModal();
}
