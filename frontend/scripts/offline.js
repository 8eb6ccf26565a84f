/** Say when the network is gone, and take it back when it returns. */
export function offlineBar() {
  const bar = document.querySelector("[data-offline]");
  if (!bar) return;
  const show = () => {
    bar.hidden = navigator.onLine;
    bar.textContent = navigator.onLine ? "" : bar.dataset.offline;
  };
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
  show();
}
