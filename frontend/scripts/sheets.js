/** Open a sheet over the page; without script its opener is a link to the same place on the page. */
export function sheets() {
  reopen();
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-sheet]");
    const sheet = opener && document.getElementById(opener.dataset.sheet);
    if (sheet?.showModal) {
      event.preventDefault();
      borrow(sheet, opener.dataset.holds);
      sheet.showModal();
      return;
    }
    // A press on the veil is a press on the dialog itself.
    const closes = event.target.closest("[data-close-sheet]") || event.target.matches("dialog.sheet");
    if (closes) {
      event.preventDefault();
      event.target.closest("dialog")?.close();
    }
  });
}

/** Who was sent away to log in comes back to the sheet, where the page has one. */
function reopen() {
  const opener = document.querySelector("[data-sheet-opens]");
  if (!opener?.offsetParent) return;
  requestAnimationFrame(() => opener.click());
  // A reload, later, is no reason to open it again.
  const here = new URL(location.href);
  here.searchParams.delete("sheet");
  history.replaceState(history.state, "", here);
}

/** Let the sheet show a piece of the page itself, with what was typed in it; it goes home after. */
function borrow(sheet, id) {
  const piece = id && document.getElementById(id);
  const place = sheet.querySelector("[data-sheet-holds]");
  if (!piece || !place) return;
  const home = piece.parentElement;
  place.append(piece);
  sheet.addEventListener("close", () => home.append(piece), { once: true });
}
