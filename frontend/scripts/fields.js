import { all } from "./all.js";

/** Put the focus on the list of errors, so that it is the first thing read. */
export function errorsFirst(piece) {
  all(piece, "[data-error-summary]")[0]?.focus();
}

/** Let people look at the password they type. */
export function passwordToggles(piece) {
  for (const button of all(piece, "[data-show-password]")) {
    const field = document.getElementById(button.getAttribute("aria-controls"));
    const { show, hide } = button.dataset;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.textContent = shown ? show : hide;
    });
    // A password is never sent or kept as plain text.
    field.form?.addEventListener("submit", () => {
      field.type = "password";
      button.textContent = show;
    });
  }
}
