// A box drawn on a picture: what is in it becomes a picture of its own.
import { at, el } from "/page/parts.js";

const LONGEST_VIEW = 1100;
const STEP = 0.02;

// Lets a box be drawn on the picture; a file with what is in it, or null.
export async function crop(blob, name) {
  const bitmap = await createImageBitmap(blob);
  const canvas = at("crop-canvas");
  const scale = Math.min(1, LONGEST_VIEW / Math.max(bitmap.width, bitmap.height), (innerHeight * 0.6) / bitmap.height);
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  // Shares of width and height.
  let box = { x: 0.2, y: 0.2, w: 0.6, h: 0.6 };
  const draw = () => {
    const context = canvas.getContext("2d");
    const [x, y, w, h] = [box.x * canvas.width, box.y * canvas.height, box.w * canvas.width, box.h * canvas.height];
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    context.fillStyle = "#000a";
    context.beginPath();
    context.rect(0, 0, canvas.width, canvas.height);
    context.rect(x, y, w, h);
    context.fill("evenodd");
    context.strokeStyle = "#fff";
    context.lineWidth = 2;
    context.strokeRect(x, y, w, h);
    const pixels = [box.w * bitmap.width, box.h * bitmap.height].map(Math.round);
    at("crop-size").textContent = `Box of ${pixels[0]} × ${pixels[1]} pixels`;
  };
  const dialog = at("crop");
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  const place = (event) => {
    const area = canvas.getBoundingClientRect();
    return [within((event.clientX - area.left) / area.width, 1), within((event.clientY - area.top) / area.height, 1)];
  };
  let start = null;
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    start = place(event);
  };
  canvas.onpointermove = (event) => {
    if (!start) return;
    const [x, y] = place(event);
    box = { x: Math.min(x, start[0]), y: Math.min(y, start[1]), w: Math.abs(x - start[0]), h: Math.abs(y - start[1]) };
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = () => (start = null);
  canvas.onkeydown = (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const [x, y] = way.map((step) => step * STEP);
    if (event.shiftKey) box = { ...box, w: within(Math.max(box.w + x, STEP), 1 - box.x), h: within(Math.max(box.h + y, STEP), 1 - box.y) };
    else box = { ...box, x: within(box.x + x, 1 - box.w), y: within(box.y + y, 1 - box.h) };
    draw();
  };
  draw();
  dialog.showModal();
  canvas.focus();
  const used = await new Promise((done) => {
    at("crop-use").onclick = () => done(true);
    at("crop-cancel").onclick = () => done(false);
    dialog.oncancel = () => done(false);
  });
  dialog.close();
  const area = [box.x * bitmap.width, box.y * bitmap.height, box.w * bitmap.width, box.h * bitmap.height].map(Math.round);
  if (!used || area[2] < 8 || area[3] < 8) return null;
  const cut = el("canvas", { width: area[2], height: area[3] });
  cut.getContext("2d").drawImage(bitmap, ...area, 0, 0, area[2], area[3]);
  const isPng = blob.type === "image/png";
  const bytes = await new Promise((done) => cut.toBlob(done, isPng ? "image/png" : "image/jpeg", 0.95));
  const stem = name.replace(/\.[^.]{1,9}$/, "").replace(/ crop$/, "");
  return new File([bytes], `${stem} crop.${isPng ? "png" : "jpg"}`, { type: bytes.type });
}
