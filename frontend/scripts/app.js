// What makes pages faster and easier; each of them works without any of it.
import htmx from "htmx.org/dist/htmx.esm.js";

import { awaitedAnswers } from "./answers.js";
import { carried } from "./carried.js";
import { copyButtons } from "./copy.js";
import { errorsFirst, passwordToggles } from "./fields.js";
import { keys } from "./keys.js";
import { menus } from "./menus.js";
import { offlineBar, show as showOffline } from "./offline.js";
import { searchBoxes } from "./search.js";
import { sheets } from "./sheets.js";
import { busySubmits } from "./submits.js";
import { toasts } from "./toasts.js";

window.htmx = htmx;
// Swapped by htmx or there from the start: every piece of page passes through here once.
htmx.onLoad((piece) => {
  errorsFirst(piece);
  passwordToggles(piece);
  copyButtons(piece);
  searchBoxes(piece);
  toasts(piece);
  showOffline();
});
menus();
keys();
sheets();
busySubmits();
awaitedAnswers(htmx);
carried();
offlineBar();
