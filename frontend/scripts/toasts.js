import { all } from "./all.js";

const STAYS = 8000;

/** A toast leaves after 8 seconds, later while it is looked at. */
export function toasts(piece) {
  for (const toast of all(piece, ".toast")) {
    let timer = 0;
    const leave = () => { timer = setTimeout(() => toast.remove(), STAYS); };
    const stay = () => clearTimeout(timer);
    toast.addEventListener("mouseenter", stay);
    toast.addEventListener("focusin", stay);
    toast.addEventListener("mouseleave", leave);
    toast.addEventListener("focusout", leave);
    toast.querySelector("[data-close]")?.addEventListener("click", () => toast.remove());
    leave();
  }
}
