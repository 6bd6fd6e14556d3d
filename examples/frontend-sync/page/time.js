// Times in words. Pure: what time it is comes from the caller.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The parts of an ISO 8601 duration of days, hours, minutes and seconds, in milliseconds. */
export function durationMs(text) {
  const parts = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!parts) return NaN;
  const [weeks, days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return (weeks * 7 + days) * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND;
}

/** A duration in words, such as "10 min". */
export function durationWords(text) {
  const ms = durationMs(text);
  if (Number.isNaN(ms)) return text;
  if (ms % DAY === 0 && ms > 0) return ms === DAY ? '1 day' : `${ms / DAY} days`;
  if (ms % HOUR === 0 && ms > 0) return ms === HOUR ? '1 hour' : `${ms / HOUR} hours`;
  if (ms % MINUTE === 0 && ms > 0) return `${ms / MINUTE} min`;
  return `${Math.round(ms / SECOND)} s`;
}

const two = (number) => String(number).padStart(2, '0');

/** What is left, as a clock shows it: "4:05", "2 h 05", "3 days". Never early: it rounds up. */
export function countdown(ms) {
  if (ms <= 0) return 'now';
  const seconds = Math.ceil(ms / SECOND);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)}`;
  const days = Math.floor(minutes / (24 * 60));
  return days === 1 ? '1 day' : `${days} days`;
}

/** How much of the last hour is left, from 0 to 1. */
export const lastHour = (ms) => Math.max(0, Math.min(1, ms / HOUR));

const sameDay = (a, b) =>
  a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();

/** Whether a moment is today, or was before. */
export const isByToday = (at, now) => at <= now || sameDay(new Date(at), new Date(now));

/** A moment as people say it: "14:05", "tomorrow, 09:00", "Fri 5 Mar, 09:00". */
export function momentWords(at, now, locale) {
  const date = new Date(at);
  const time = date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
  if (sameDay(date, new Date(now))) return time;
  if (sameDay(date, new Date(now + DAY))) return `tomorrow, ${time}`;
  if (sameDay(date, new Date(now - DAY))) return `yesterday, ${time}`;
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  const day = date.toLocaleDateString(locale, { weekday: 'short', day: 'numeric', month: 'short', year });
  return `${day}, ${time}`;
}

/** When a task is due, as it was given: an instant, a wall time with or without a zone, or a day. */
export function dueWords(due, now, locale) {
  if (!due) return '';
  if (typeof due === 'string') return momentWords(Date.parse(due), now, locale);
  if (due.date) {
    const day = new Date(`${due.date}T00:00`);
    return day.toLocaleDateString(locale, { weekday: 'short', day: 'numeric', month: 'short' });
  }
  const words = momentWords(Date.parse(due.local), now, locale);
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return due.zone && due.zone !== here ? `${words} (${due.zone})` : words;
}

/** A moment as `<input type="datetime-local">` wants it. */
export function localInput(date) {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The moment that a quick choice means. */
export function quickDue(choice, now) {
  const date = new Date(now);
  if (choice === 'tomorrow') {
    date.setDate(date.getDate() + 1);
    date.setHours(9, 0, 0, 0);
  } else if (choice === 'evening') {
    // After six in the evening, the next one.
    if (date.getHours() >= 18) date.setDate(date.getDate() + 1);
    date.setHours(18, 0, 0, 0);
  } else {
    // Up to a whole second: the input shows no fractions.
    date.setTime(Math.ceil((now + durationMs(choice)) / SECOND) * SECOND);
  }
  return date;
}
