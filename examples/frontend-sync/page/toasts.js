// A toast for each task that has just rung. It stays until somebody answers it, here or elsewhere.

import { actionsOf } from './actions.js';
import { byId, make, setText } from './dom.js';
import { rangAt, ringing } from './model.js';
import { dueWords, momentWords } from './time.js';

/** Most toasts at once; the rest is in the list. */
const TOASTS_MAX = 3;

export class Toasts {
  #toasts = new Map();
  #settings;
  #perform;

  constructor(settings, perform) {
    this.#settings = settings;
    this.#perform = perform;
  }

  /** A task rang. */
  ring(task, now) {
    this.#close(task.taskId);
    const due = dueWords(task.dueDate, now);
    const rang = `Rang at ${momentWords(rangAt(task), now)}${due ? ` · due ${due}` : ''}`;
    const close = make('button', { type: 'button', className: 'close', 'aria-label': `Close the alert of ${task.title}` }, '×');
    close.addEventListener('click', () => this.#close(task.taskId));
    // Only the words are the alert, not the buttons: it is read out at once, whatever is being read.
    const words = make('div', { role: 'alert', className: 'words' });
    const actions = actionsOf(task, true, this.#settings, this.#perform);
    const toast = make('article', { className: 'toast', 'data-task': task.taskId, 'aria-label': task.title }, words, close, actions);
    this.#toasts.set(task.taskId, { toast, rang: rangAt(task) });
    byId('toasts').prepend(toast);
    // What is put into an alert that is there already is announced everywhere.
    words.append(make('p', { className: 'toast-title' }, task.title), make('p', { className: 'toast-when' }, rang));
    for (const id of [...this.#toasts.keys()].slice(0, -TOASTS_MAX)) this.#close(id);
  }

  /** Closes what does not ring any more. */
  follow(model) {
    for (const [id, { toast, rang }] of this.#toasts) {
      const task = model.task(id);
      if (!task || !ringing(task).length || rangAt(task) !== rang) this.#close(id);
      else setText(toast.querySelector('.toast-title'), task.title);
    }
  }

  #close(id) {
    const known = this.#toasts.get(id);
    if (!known) return;
    const { toast } = known;
    const focused = toast.contains(document.activeElement);
    this.#toasts.delete(id);
    toast.remove();
    if (!focused) return;
    // To the next toast, or to the task in the list.
    const next = [...this.#toasts.values()].at(-1)?.toast ?? document.querySelector(`li[data-task="${CSS.escape(id)}"]`);
    (next?.querySelector('[data-action]') ?? byId('heading')).focus();
  }
}
