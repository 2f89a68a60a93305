// What the other scripts share: elements, requests, addresses of pictures, words.

// An element with properties and children; text is only ever text. A property with a dash is an attribute.
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const at = (id) => document.getElementById(id);

// Read aloud by screen readers.
export function say(text) {
  at("said").textContent = text;
}

export function fail(text) {
  at("failure").textContent = text;
}

async function message(response) {
  try {
    return (await response.json()).message;
  } catch {
    return `The page's server answered with ${response.status}.`;
  }
}

// JSON of this path; an error has words for a person.
export async function get(path, values = {}) {
  let response;
  try {
    response = await fetch(`${path}?${new URLSearchParams(values)}`);
  } catch {
    throw new Error("The page's server does not answer. Is `artificio serve` running?");
  }
  if (response.status === 401) location.reload();
  if (!response.ok) throw new Error(await message(response));
  return response.json();
}

// Asks with pictures that are sent, and pictures of an earlier answer; the name of the query.
export async function ask(pictures, from = null) {
  const question = { pictures: pictures.map((picture) => ({ name: picture.name, bytes: picture.size })), from };
  const body = new Blob([`${JSON.stringify(question)}\n`, ...pictures], { type: "application/x-artificio-ask" });
  let response;
  try {
    response = await fetch("/ask", { method: "POST", body, headers: { "Content-Type": "application/x-artificio-ask" } });
  } catch {
    throw new Error("The pictures could not be sent. Is `artificio serve` running?");
  }
  if (!response.ok) throw new Error(await message(response));
  return (await response.json()).query;
}

// Number n of the matches ("match") or the query's pictures ("query") of an answer; without a side the file itself.
export function picture(key, time, of, n, side = null) {
  const values = { key, at: time, of, n };
  if (side) values.side = side;
  return `/picture?${new URLSearchParams(values)}`;
}

export const SMALL = 360;
export const LARGE = 1600;

// A small picture; where there is none, its words stand there.
export function thumbnail(url, words) {
  const image = el("img", { src: url, alt: words, loading: "lazy", decoding: "async" });
  image.onerror = () => image.replaceWith(el("span", { className: "quiet" }, words || "not to be seen here"));
  return image;
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export const when = (seconds) => TIME.format(seconds * 1000);
export const count = (number, one, many) => `${number.toLocaleString()} ${number === 1 ? one : many}`;
