import { all } from "./all.js";

const PAUSE = 150;
const ENOUGH = /\p{Script=Han}|[^\s]{2}/u;

/** Suggestions under the search box: arrows choose, Enter follows or searches, Escape closes. */
export function searchBoxes(piece) {
  for (const box of all(piece, "[data-suggest]")) suggest(box);
}

function suggest(box) {
  const field = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  const said = box.querySelector("[role=status]");
  let timer = 0;
  let asked = 0;

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    choose(null);
  }

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) {
      field.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  async function ask() {
    const words = field.value.trim();
    if (!ENOUGH.test(words)) return close();
    const mine = ++asked;
    const address = new URL(box.dataset.suggest, location.href);
    address.searchParams.set("q", words);
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (!answer.ok || mine !== asked) return;
      list.innerHTML = await answer.text();
    } catch {
      return close(); // the form still searches
    }
    const found = options().length;
    list.hidden = found === 0;
    field.setAttribute("aria-expanded", String(found > 0));
    said.textContent = list.querySelector("[data-said]")?.dataset.said ?? "";
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
    if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      chosen().click();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const every = options();
    if (list.hidden || every.length === 0) return;
    event.preventDefault();
    const at = every.indexOf(chosen());
    const step = event.key === "ArrowDown" ? 1 : -1;
    // One place before the first and after the last is the field itself.
    const next = at === -1 && step === -1 ? every.length - 1 : at + step;
    choose(every[next] ?? null);
  });
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (!box.contains(relatedTarget)) close();
  });
}
