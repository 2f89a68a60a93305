// The page: pictures come in by drop, paste or choice, and answers as they are made.
import { SMALL, ask, at, count, el, fail, get, picture, thumbnail, when } from "/page/parts.js";
import { crop } from "/page/crop.js";
import { showAnswer, showWaiting, shownAnswer } from "/page/answer.js";

const SEARCH_PAUSE_MS = 150;
const RETRY_MS = 5000;
let collected = [];
// Name of the query whose answer is waited for.
let awaited = null;
let stream = null;

// Questions

function asked(name) {
  awaited = name;
  history.pushState(null, "", "#");
  showWaiting(name);
  scrollTo({ top: 0 });
  // Its answer may have been made before this line.
  get("/answers", { text: name }).then(({ answers }) => answers.forEach(arrived)).catch(() => {});
}

async function send(files) {
  fail("");
  try {
    asked(await ask(files));
    collect([]);
  } catch (error) {
    fail(error.message);
  }
}

function take(files) {
  if (files.length === 0) return;
  if (at("collect").checked || collected.length > 0) collect([...collected, ...files]);
  else send(files);
}

function collect(files) {
  collected.forEach(({ preview }) => files.some((file) => file.preview === preview) || URL.revokeObjectURL(preview));
  collected = files;
  files.forEach((file) => (file.preview ??= URL.createObjectURL(file)));
  at("tray").hidden = files.length === 0;
  at("send").textContent = files.length > 1 ? `Ask with these ${files.length} together` : "Ask";
  at("collected").replaceChildren(...files.map((file, n) => el("li", {}, el("figure", {},
    el("img", { src: file.preview, alt: file.name }),
    el("figcaption", { className: "acts" },
      el("button", { "aria-label": `Crop ${file.name}`, onclick: () => cropCollected(n) }, "Crop"),
      el("button", { "aria-label": `Leave out ${file.name}`, onclick: () => collect(collected.filter((_, other) => other !== n)) }, "Leave out"))))));
}

async function cropCollected(n) {
  try {
    const cut = await crop(collected[n], collected[n].name);
    if (cut) collect(collected.map((file, other) => (other === n ? cut : file)));
  } catch {
    fail("This browser cannot show that picture, so it cannot be cropped here; it can be asked with as a whole.");
  }
}

at("files").onchange = (event) => {
  take([...event.target.files]);
  event.target.value = "";
};
at("send").onclick = () => send(collected);
at("clear").onclick = () => collect([]);
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  take([...event.dataTransfer.files]);
});
addEventListener("paste", (event) => {
  const time = new Date().toLocaleTimeString("en-GB").replaceAll(":", ".");
  const named = (file) => (file.name && file.name !== "image.png" ? file : new File([file], `pasted ${time}.${file.type.split("/")[1]}`, { type: file.type }));
  take([...event.clipboardData.files].map(named));
});

// Answers

const keyOfAddress = () => decodeURIComponent(location.hash.slice(1));

async function route() {
  const key = keyOfAddress();
  document.querySelectorAll("#answers a").forEach((link) => {
    if (link.dataset.key === key) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
  if (key.startsWith("result_")) {
    try {
      await showAnswer(key, asked);
    } catch (error) {
      fail(error.message);
    }
  } else if (!awaited) at("answer").hidden = true;
}

// An answer was made, or made again.
function arrived({ key, answer }) {
  if (answer.name === awaited) {
    awaited = null;
    history.replaceState(null, "", `#${encodeURIComponent(key)}`);
    route();
  } else if (shownAnswer()?.key === key && keyOfAddress() === key && shownAnswer().time !== answer.time) route();
}

function row({ key, answer }) {
  const found = answer.matches.length;
  const state = { error: "could not be answered", nothing_similar: "nothing similar" }[answer.status] ?? count(found, "match", "matches");
  const small = (of, n) => thumbnail(picture(key, answer.time, of, n, SMALL), "");
  const link = el("a", { href: `#${encodeURIComponent(key)}`, className: answer.status },
    el("span", { className: "thumbs" }, answer.status === "error" ? null : small("query", 0), found > 0 ? small("match", 0) : null),
    el("strong", {}, answer.name), el("span", { className: "quiet" }, state), el("time", { className: "quiet" }, when(answer.time)));
  link.dataset.key = key;
  link.dataset.time = answer.time;
  if (key === keyOfAddress()) link.setAttribute("aria-current", "true");
  return el("li", {}, link);
}

const rowOf = (key) => [...at("answers").children].find((item) => item.firstChild.dataset.key === key);

async function list(after = null) {
  const text = at("search").value;
  const values = { text };
  if (after) values.after = `${after.dataset.time}.${after.dataset.key}`;
  const piece = await get("/answers", values);
  if (text !== at("search").value) return;
  if (!after) at("answers").replaceChildren();
  at("answers").append(...piece.answers.map(row));
  at("more").hidden = !piece.are_more;
  at("map").hidden = !piece.has_map;
  if (at("answers").childElementCount === 0) at("answers").append(el("li", { className: "quiet" }, text ? "No answer has this in its name, folders or message." : "No answers yet: drop a picture."));
}

let pause = null;
at("search").oninput = () => {
  clearTimeout(pause);
  pause = setTimeout(() => list().catch((error) => fail(error.message)), SEARCH_PAUSE_MS);
};
at("more").onclick = () => list(at("answers").lastElementChild.firstChild).catch((error) => fail(error.message));

// What the daemon is doing

function showStatus(status) {
  const parts = [];
  if (!status.is_running) parts.push("The service is not running.");
  else if (status.state === "starting") parts.push("The service is starting …");
  else parts.push(`${count(status.indexed, "picture", "pictures")} can be found`);
  if (status.is_running && status.pending > 0) {
    const left = status.remaining_s > 90 ? `, about ${Math.round(status.remaining_s / 60)} min` : "";
    parts.push(`${count(status.pending, "is", "are")} still to be read${left}`);
  }
  if (status.is_running && status.waiting > 0) parts.push(`${count(status.waiting, "query waits", "queries wait")}`);
  if (status.is_running && status.training) parts.push(`a new model is being trained (${status.training[0]}, ${Math.round(status.training[1] * 100)} %)`);
  const text = parts.join(" · ");
  if (at("status").textContent !== text) at("status").textContent = text;
  const trouble = [];
  if (!status.is_running) trouble.push(el("p", {}, "Nothing is answered until it runs. Start it: ", el("code", {}, "systemctl start artificio"), " (as a service), or ", el("code", {}, "artificio run"), " in a terminal, in the folder that holds query/. What you ask meanwhile is kept."));
  if (status.is_running && status.problem_count > 0) {
    const shown = status.problems.map(({ what, path, remedy }) => el("li", {}, `${what}: `, el("code", {}, path), remedy ? ` (${remedy})` : ""));
    trouble.push(el("details", {}, el("summary", {}, count(status.problem_count, "problem", "problems")), el("ul", {}, ...shown)));
  }
  const wasOpen = at("trouble").querySelector("details")?.open;
  at("trouble").replaceChildren(...trouble);
  at("trouble").hidden = trouble.length === 0;
  if (wasOpen && at("trouble").querySelector("details")) at("trouble").querySelector("details").open = true;
}

// Open pages only: a browser has six connections to one place, for all its windows together.
function connect() {
  if (document.hidden || stream) return;
  stream = new EventSource("/events");
  const refresh = () => list().then(() => awaited && get("/answers", { text: awaited }).then(({ answers }) => answers.forEach(arrived))).catch((error) => fail(error.message));
  stream.onopen = refresh;
  stream.addEventListener("reset", refresh);
  stream.addEventListener("status", (event) => showStatus(JSON.parse(event.data)));
  stream.addEventListener("answer", (event) => {
    const answer = JSON.parse(event.data);
    arrived(answer);
    if (at("search").value) return;
    rowOf(answer.key)?.remove();
    at("answers").querySelector("li.quiet")?.remove();
    at("answers").prepend(row(answer));
  });
  stream.addEventListener("gone", (event) => rowOf(JSON.parse(event.data).key)?.remove());
  stream.onerror = () => {
    at("status").textContent = "The page's server does not answer; trying again …";
    // A refusal ends the stream for good; a lost connection does not.
    if (stream?.readyState !== EventSource.CLOSED) return;
    stream = null;
    setTimeout(connect, RETRY_MS);
  };
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return connect();
  stream?.close();
  stream = null;
});
addEventListener("hashchange", route);
connect();
route();
