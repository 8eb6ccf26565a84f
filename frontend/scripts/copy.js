import { all } from "./all.js";

/** Copy what stands beside the button; without a clipboard the button does not appear. */
export function copyButtons(piece) {
  if (!navigator.clipboard) return;
  for (const button of all(piece, "[data-copy]")) {
    const label = button.querySelector("[data-label]") ?? button;
    const before = label.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = button.dataset.copied;
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }
}
