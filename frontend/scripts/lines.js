/** Beside what was pressed: what happened to it and the way on; one line at a place. */
const PAUSE = 20;
const shown = new WeakMap();

/** Return a sentence of the page's language. */
export function said(name) {
  return JSON.parse(document.body.dataset.words)[name];
}

/** Put a line after the piece; `ways` are pairs of words and what a press on them does. */
export function putLine(after, kind, words, ways = []) {
  clearLine(after);
  const line = document.createElement("p");
  line.className = `notice notice-${kind} notice-line`;
  line.setAttribute("role", kind === "danger" ? "alert" : "status");
  after.after(line);
  shown.set(after, line);
  // A region is read when its words change, not when it comes into being.
  setTimeout(() => line.append(words, ...ways.map(way)), PAUSE);
}

export function clearLine(after) {
  shown.get(after)?.remove();
  shown.delete(after);
}

function way([words, act]) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-link btn-sm";
  button.textContent = words;
  button.addEventListener("click", act);
  return button;
}
