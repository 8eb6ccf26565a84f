// The week of an instrument for pointers; the slot list does the same for everybody.
import { createCalendar, Interaction, TimeGrid } from "@event-calendar/core";

const WIDE = window.matchMedia("(min-width: 768px)");

showAll();
WIDE.addEventListener("change", showAll);
document.addEventListener("htmx:load", showAll);

function showAll() {
  for (const box of document.querySelectorAll("[data-slot-calendar]")) {
    // Hidden ones (the list was chosen) would be drawn without a height.
    if (!box.childElementCount && box.offsetParent) show(box);
  }
}

/** Draw the week from the box's own data; a choice asks the server, which decides. */
function show(box) {
  const week = JSON.parse(box.dataset.slotCalendar);
  const said = document.querySelector("[data-calendar-said]");
  const chosen = week.events.find(({ kind }) => kind === "sel");
  const first = WIDE.matches ? week.days[0].date : (chosen?.start.slice(0, 10) ?? week.days[0].date);
  const byDate = new Map(week.days.map((day) => [day.date, day]));
  const free = joined(week.events.filter(({ kind }) => kind === "free"));
  const calendar = createCalendar(box, [TimeGrid, Interaction], {
    view: "timeGridWeek",
    duration: { days: WIDE.matches ? 7 : 3 },
    locale: document.documentElement.lang,
    date: first,
    // The seven days begin with the first of them, not with a Monday that lies behind.
    firstDay: new Date(`${first}T00:00`).getDay(),
    allDaySlot: false,
    headerToolbar: { start: "", center: "", end: "" },
    slotDuration: { minutes: 30 },
    snapDuration: { minutes: week.grid },
    slotHeight: 22,
    slotMinTime: week.opens,
    slotMaxTime: week.closes,
    slotEventOverlap: false,
    slotLabelFormat: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    dayHeaderFormat: (date) => ({ domNodes: heading(byDate.get(wall(date).slice(0, 10))) }),
    // The line is drawn by the browser's clock: only where that is the instrument's.
    nowIndicator: Math.abs(new Date(week.now) - new Date()) < 120000,
    selectable: WIDE.matches,
    selectBackgroundColor: "var(--brand-700)",
    selectMinDistance: 5,
    selectLongPressDelay: 350,
    unselectAuto: false,
    eventStartEditable: false,
    eventDurationEditable: false,
    events: week.events.map((event) => ({ ...event, extendedProps: { kind: event.kind, said: event.said } })),
    eventClassNames: ({ event }) => event.extendedProps.kind,
    eventContent: ({ event }) => ({ domNodes: words(event) }),
    eventDidMount: ({ el }) => fit(el),
    select: ({ start, end }) => choose(start, end),
    dateClick: ({ date }) => WIDE.matches && choose(date, new Date(date.getTime() + week.minutes * 60000)),
  });

  function choose(start, end) {
    calendar.unselect();
    if (!free.some(([from, to]) => from <= wall(start) && wall(end) <= to)) {
      said.textContent = week.words.notFree;
      said.classList.remove("visually-hidden");
      return;
    }
    const address = new URL(week.address, location.href);
    address.searchParams.set("start", wall(start));
    address.searchParams.set("minutes", String(Math.round((end - start) / 60000)));
    follow(address, box);
  }
}

/** Go there in place, with the address in the bar; without htmx as any link would. */
function follow(address, box) {
  if (!window.htmx) {
    location.assign(address);
    return;
  }
  const asked = { source: box, target: "body", swap: "innerHTML", push: "true" };
  // A failure is said below the week, with a way to ask for the same again.
  box.onchange = () => follow(address, box);
  window.htmx.ajax("GET", `${address.pathname}${address.search}`, asked).catch(() => {});
}

function heading(day) {
  if (!day) return [];
  const box = piece("span", day.today ? "day-head today" : "day-head", "");
  box.append(piece("span", "", day.name), piece("b", "", day.number), piece("small", day.free ? "free" : "", day.left));
  return [box];
}

function words(event) {
  const { kind, said } = event.extendedProps;
  if (kind === "free") return [];
  const more = (said ?? "").split("\n").filter(Boolean);
  return [piece("b", "", event.title), ...more.map((line) => piece("span", "", line))];
}

/** Leave out the lines that a short or narrow event has no room for; the price, last, goes last. */
function fit(drawn) {
  const body = drawn.querySelector(".ec-event-body");
  while (body?.querySelector("span") && body.scrollHeight > body.clientHeight) body.querySelector("span").remove();
}

function piece(name, classes, text) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.textContent = text;
  return made;
}

/** Return the free times as pairs, those that touch at midnight joined. */
function joined(events) {
  const found = [];
  for (const { start, end } of [...events].sort((a, b) => a.start.localeCompare(b.start))) {
    const last = found.at(-1);
    if (last?.[1] === start) last[1] = end;
    else found.push([start, end]);
  }
  return found;
}

/** Return the instant as the instrument's wall clock shows it: the calendar runs on that. */
function wall(date) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
