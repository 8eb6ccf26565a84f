const CARRIED = "#purpose, #organisation";

/** What was typed goes along when the same page is opened with something chosen otherwise. */
export function carried() {
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const asked = new URL(detail.path, location.href);
    if (!isHere(asked)) return;
    for (const { name, value } of fields()) {
      asked.searchParams.delete(name);
      if (value) detail.parameters[name] = value;
      else delete detail.parameters[name];
    }
    detail.path = `${asked.pathname}${asked.search}`;
  });
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href]");
    if (link && isHere(new URL(link.href)) && !link.getAttribute("href").startsWith("#")) {
      link.href = withTyped(link.href).href;
    }
  });
  document.addEventListener("submit", ({ target }) => keepSlot(target));
}

/** Going back finds the slot that was sent, also where the page had chosen it by itself. */
function keepSlot(form) {
  const { start, minutes } = form.elements;
  if (start?.type !== "hidden" || isHere(new URL(form.action))) return;
  const here = withTyped(location.href);
  here.searchParams.set("start", start.value);
  here.searchParams.set("minutes", minutes.value);
  history.replaceState(history.state, "", here);
}

/** Return the address with what stands in the fields. */
function withTyped(address) {
  const found = new URL(address, location.href);
  for (const { name, value } of fields()) {
    if (value) found.searchParams.set(name, value);
    else found.searchParams.delete(name);
  }
  return found;
}

function fields() {
  return document.querySelectorAll(CARRIED);
}

function isHere({ origin, pathname }) {
  return origin === location.origin && pathname === location.pathname;
}
