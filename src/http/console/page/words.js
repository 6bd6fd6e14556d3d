// Times and numbers in words. Pure, but for the zone of the browser.

const UNITS = [['day', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]];

/** A span in its two largest units. */
export function span(ms) {
  let left = Math.abs(ms);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    if (count) parts.push(`${count} ${unit}${unit === 'day' && count > 1 ? 's' : ''}`);
    left -= count * size;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}

/** How far a moment is from now. */
export function away(at, now = Date.now()) {
  const ms = Date.parse(at) - now;
  if (Math.abs(ms) < 1000) return 'now';
  return ms > 0 ? `in ${span(ms)}` : `${span(ms)} ago`;
}

/** A moment by the clock of the reader. */
export function moment(at) {
  if (!at) return '–';
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

export const count = (number) => number.toLocaleString('en-GB');

/** A number that may be an estimate. */
export const about = (number, estimated) => `${estimated ? 'about ' : ''}${count(number)}`;

/** So many tasks. */
export const tasks = (number, estimated) => `${about(number, estimated)} ${number === 1 ? 'task' : 'tasks'}`;

/** Seconds as they are told of lateness. */
export function seconds(value) {
  if (value === null || value === undefined) return '–';
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`;
}

export const status = (word) => word.replace('_', ' ');

/** When a task is due, as it was put. */
export function due(value) {
  if (!value) return null;
  if (typeof value === 'string') return moment(value);
  return [value.date ?? value.local, value.zone].filter(Boolean).join(' ');
}
