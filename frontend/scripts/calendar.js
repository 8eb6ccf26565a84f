// The week of an instrument for pointers; the slot list does the same for everybody.
import { createCalendar, Interaction, TimeGrid } from "@event-calendar/core";

const WIDE = window.matchMedia("(min-width: 768px)");

for (const box of document.querySelectorAll("[data-slot-calendar]")) {
  if (WIDE.matches) show(box);
  WIDE.addEventListener("change", () => { if (WIDE.matches && !box.childElementCount) show(box); });
}

/** Draw the week from the box's own data; a choice is told as an event, the server decides. */
function show(box) {
  const week = JSON.parse(box.dataset.slotCalendar);
  const calendar = createCalendar(box, [TimeGrid, Interaction], {
    view: "timeGridWeek",
    locale: document.documentElement.lang,
    date: week.date,
    firstDay: 1,
    allDaySlot: false,
    headerToolbar: { start: "", center: "", end: "" },
    slotDuration: { minutes: week.step },
    slotHeight: (22 * week.step) / 30,
    slotMinTime: week.opens,
    slotMaxTime: week.closes,
    nowIndicator: true,
    selectable: true,
    selectBackgroundColor: "var(--brand-700)",
    selectMinDistance: 5,
    selectLongPressDelay: 350,
    unselectAuto: false,
    eventStartEditable: false,
    eventDurationEditable: false,
    events: week.events,
    eventClassNames: ({ event }) => event.extendedProps.kind ?? [],
    select: ({ start, end }) => choose(start, end),
    dateClick: ({ date }) => choose(date, new Date(date.getTime() + week.minutes * 60000)),
  });

  function choose(start, end) {
    calendar.unselect();
    box.dispatchEvent(new CustomEvent("slot-chosen", { bubbles: true, detail: { start: wall(start), end: wall(end) } }));
  }
}

/** Return the instant as the instrument's wall clock shows it: the calendar runs on that. */
function wall(date) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
