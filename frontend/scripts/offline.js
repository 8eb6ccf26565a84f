/** Say when the network is gone, and take it back when it returns. */
export function offlineBar() {
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
}

/** Also where the bar came anew with the page. */
export function show() {
  const bar = document.querySelector("[data-offline]");
  if (!bar) return;
  bar.hidden = navigator.onLine;
  bar.textContent = navigator.onLine ? "" : bar.dataset.offline;
}
