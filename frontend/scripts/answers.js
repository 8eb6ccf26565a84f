// What is said while a piece of page is awaited from the server, and when it does not come.
import { clearLine, putLine, said } from "./lines.js";

const SLOW = 8000;
const timers = new Map();

/** Say when an answer is late or does not come; the page stays as it was. */
export function awaitedAnswers(htmx) {
  on("htmx:beforeRequest", (asker) => {
    // Only what was chosen last counts, whichever answer would be faster.
    for (const earlier of timers.keys()) if (earlier !== asker) htmx.trigger(earlier, "htmx:abort");
    clearLine(asker);
    timers.set(asker, setTimeout(() => putLine(asker, "wait", said("slow"), [[said("stop"), stop]]), SLOW));

    function stop() {
      htmx.trigger(asker, "htmx:abort");
      putLine(asker, "wait", said("unchanged"), again(asker));
    }
  });
  on("htmx:afterRequest", (asker, { failed, xhr }) => {
    clearTimeout(timers.get(asker));
    timers.delete(asker);
    clearLine(asker);
    if (!failed || !xhr.status) return;
    const number = xhr.getResponseHeader("X-Request-Id") ?? "";
    putLine(asker, "danger", said("refused").replace("{number}", number), again(asker));
  });
  on("htmx:sendError", (asker) => putLine(asker, "danger", said("unanswered"), again(asker)));

  function again(asker) {
    return [[said("again"), () => htmx.trigger(asker, "change")]];
  }
}

function on(name, act) {
  document.addEventListener(name, ({ detail }) => act(detail.requestConfig.elt, detail));
}
