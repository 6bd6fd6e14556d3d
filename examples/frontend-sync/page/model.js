// The tasks as this page knows them, and what changed. Pure.

/** Whether there is something left to do. */
export const isOpen = (task) => task.status === 'pending' || task.status === 'in_progress';

/** The reminders that rang, were not acknowledged and do not wait for the end of a snooze. */
export const ringing = (task) =>
  isOpen(task) ? task.reminders.filter((reminder) => reminder.firedAt && !reminder.snoozedUntil) : [];

/** The last moment at which a task rang, while it rings. */
export const rangAt = (task) => Math.max(...ringing(task).map((reminder) => Date.parse(reminder.firedAt)));

/** When the next reminder of a task fires. */
export const nextAt = (task) => (task.nextReminderAt ? Date.parse(task.nextReminderAt) : null);

/** When the snooze of a task ends, if it is snoozed. */
export function snoozedUntil(task) {
  const ends = task.reminders.filter((reminder) => reminder.snoozedUntil).map((reminder) => Date.parse(reminder.snoozedUntil));
  return ends.length ? Math.min(...ends) : null;
}

/** Most tasks that are done and still shown. */
const DONE_MAX = 10;

export class Model {
  #tasks = new Map();
  #done = [];
  /** The last firing of each reminder that this page heard of, so that each is told once. */
  #heard = new Map();
  #loaded = false;

  /** The open tasks. */
  get tasks() {
    return [...this.#tasks.values()];
  }

  /** The tasks that were done while the page was open, the last one first. */
  get done() {
    return [...this.#done];
  }

  get loaded() {
    return this.#loaded;
  }

  /** A task that the page has. */
  task(id) {
    return this.#tasks.get(id);
  }

  /** Everything as it stands. Answers with the tasks that rang meanwhile. */
  snapshot(tasks) {
    const first = !this.#loaded;
    this.#loaded = true;
    const before = this.#tasks;
    this.#tasks = new Map(tasks.map((task) => [task.taskId, task]));
    const fired = tasks.filter((task) => this.#hear(task));
    for (const id of before.keys()) if (!this.#tasks.has(id)) this.#forget(id);
    // Who opens the page sees in the list what rings, and need not be alarmed.
    return first ? [] : fired;
  }

  /** A task is at another version. Answers with it if it rang just now. */
  take(task) {
    if (!isOpen(task)) {
      if (this.#tasks.delete(task.taskId) && task.status === 'completed') {
        this.#done = [task, ...this.#done.filter((done) => done.taskId !== task.taskId)].slice(0, DONE_MAX);
      }
      this.#forget(task.taskId);
      return null;
    }
    this.#done = this.#done.filter((done) => done.taskId !== task.taskId);
    this.#tasks.set(task.taskId, task);
    return this.#hear(task) ? task : null;
  }

  /** A task is not this user's any more. */
  gone(id) {
    this.#tasks.delete(id);
    this.#forget(id);
  }

  #hear(task) {
    let news = false;
    for (const reminder of task.reminders.filter((reminder) => reminder.firedAt)) {
      const key = JSON.stringify([task.taskId, reminder.id]);
      if (this.#heard.get(key) === reminder.firedAt) continue;
      this.#heard.set(key, reminder.firedAt);
      news ||= !reminder.snoozedUntil;
    }
    return news;
  }

  #forget(id) {
    const prefix = JSON.stringify([id]).slice(0, -1);
    for (const key of this.#heard.keys()) if (key.startsWith(`${prefix},`)) this.#heard.delete(key);
  }
}

/** The groups of the list, each in the order in which it is shown. */
export function grouped(tasks, isByToday) {
  const groups = { ringing: [], today: [], upcoming: [], quiet: [] };
  for (const task of tasks) {
    const next = nextAt(task);
    if (ringing(task).length) groups.ringing.push(task);
    else if (next === null) groups.quiet.push(task);
    else groups[isByToday(next) ? 'today' : 'upcoming'].push(task);
  }
  const byTitle = (a, b) => a.title.localeCompare(b.title) || (a.taskId < b.taskId ? -1 : 1);
  groups.ringing.sort((a, b) => rangAt(b) - rangAt(a) || byTitle(a, b));
  for (const group of [groups.today, groups.upcoming]) group.sort((a, b) => nextAt(a) - nextAt(b) || byTitle(a, b));
  groups.quiet.sort(byTitle);
  return groups;
}
