/** Open a sheet over the page; without script its opener is a link to the same as a page. */
export function sheets() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-sheet]");
    const sheet = opener && document.getElementById(opener.dataset.sheet);
    if (sheet?.showModal) {
      event.preventDefault();
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
