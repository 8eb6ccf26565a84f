import { clearLine, putLine, said } from "./lines.js";

const SLOW = 8000;
const waiting = new Map();

/** While a form is on its way its button says so, and a second press is ignored. */
export function busySubmits() {
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented) return;
    if (waiting.has(form)) {
      event.preventDefault();
      return;
    }
    const place = submitter ?? form;
    keepMoment(form);
    // The browser's own page for a lost network would take what was typed along.
    if (!navigator.onLine) {
      event.preventDefault();
      putLine(place, "danger", said("unsent"));
      return;
    }
    clearLine(place);
    waiting.set(form, { submitter, place, timer: setTimeout(() => slow(form), SLOW) });
    if (form.method === "post" && submitter) spin(submitter);
  });
  // Coming back with the browser's own button finds the form usable again.
  window.addEventListener("pageshow", () => {
    for (const form of [...waiting.keys()]) free(form);
  });
}

/** What was pressed without network happened when it was pressed, not when it is sent. */
function keepMoment(form) {
  const field = form.querySelector("[data-pressed-at]");
  if (!field) return;
  if (navigator.onLine) {
    if (!field.dataset.kept) field.value = "";
  } else if (!field.value) {
    field.value = new Date().toISOString();
    field.dataset.kept = "1";
  }
}

function spin(button) {
  button.setAttribute("aria-busy", "true");
  const spinner = document.createElement("span");
  spinner.className = "spinner";
  spinner.setAttribute("aria-hidden", "true");
  button.prepend(spinner);
}

function slow(form) {
  putLine(waiting.get(form).place, "wait", said("slow"), [[said("stop"), () => stop(form)]]);
}

/** Let the answer go. What was sent may have arrived all the same: forms are safe to send again. */
function stop(form) {
  window.stop();
  const { place } = waiting.get(form);
  free(form);
  putLine(place, "wait", said(form.method === "post" ? "stopped" : "unchanged"));
  place.focus();
}

function free(form) {
  const { submitter, place, timer } = waiting.get(form);
  clearTimeout(timer);
  clearLine(place);
  submitter?.removeAttribute("aria-busy");
  submitter?.querySelector(".spinner")?.remove();
  waiting.delete(form);
}
