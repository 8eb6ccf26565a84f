/** Single keys outside fields: `/` to the search box, j and k from row to row; Enter opens it. */
export function keys() {
  document.addEventListener("keydown", (event) => {
    if (!("keys" in document.body.dataset) || isElsewhere(event)) return;
    if (event.key === "/") search(event);
    if (event.key === "j" || event.key === "k") step(event, event.key === "j" ? 1 : -1);
  });
}

function isElsewhere({ target, ctrlKey, metaKey, altKey, isComposing }) {
  return (
    ctrlKey || metaKey || altKey || isComposing ||
    target.closest("input, select, textarea, dialog, [contenteditable]") !== null
  );
}

function search(event) {
  const field = [...document.querySelectorAll("input[type=search]")].find(isSeen);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function step(event, by) {
  const rows = [...document.querySelectorAll("[data-steps]")].flatMap((list) => [
    ...list.querySelectorAll(`:scope ${list.dataset.steps}`),
  ]).filter(isSeen);
  if (rows.length === 0) return;
  event.preventDefault();
  const at = rows.indexOf(document.activeElement);
  const next = at === -1 && by < 0 ? rows.length - 1 : at + by;
  rows[Math.max(0, Math.min(rows.length - 1, next))].focus();
}

function isSeen(element) {
  return element.checkVisibility();
}
