// The list of tasks. An element stays the same as long as its task is there, so that focus, an open
// choice and the place of a screen reader survive every change.

import { actionsOf, renameActions } from './actions.js';
import { byId, make, setText, show } from './dom.js';
import { grouped, nextAt, rangAt, ringing, snoozedUntil } from './model.js';
import { countdown, dueWords, isByToday, lastHour, momentWords } from './time.js';

const GROUPS = ['ringing', 'today', 'upcoming', 'quiet', 'done'];

export class List {
  #cards = new Map();
  #settings;
  #perform;

  constructor(settings, perform) {
    this.#settings = settings;
    this.#perform = perform;
  }

  /** Shows the tasks of a model. */
  render(model, now) {
    const focus = this.#focus();
    const groups = { ...grouped(model.tasks, (at) => isByToday(at, now)), done: model.done };
    const seen = new Set();
    for (const group of GROUPS) {
      const list = byId(group);
      groups[group].forEach((task, index) => {
        seen.add(task.taskId);
        const card = this.#card(task, group, now);
        if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
      });
      show(list.closest('section'), groups[group].length > 0);
    }
    for (const [id, { card }] of this.#cards) {
      if (seen.has(id)) continue;
      card.remove();
      this.#cards.delete(id);
    }
    show(byId('empty'), model.loaded && !model.tasks.length && !model.done.length);
    show(byId('loading'), !model.loaded);
    this.#refocus(focus);
  }

  /** Moves the clocks on. Answers whether a task belongs into another group by now. */
  tick(model, now) {
    for (const task of model.tasks) {
      const known = this.#cards.get(task.taskId);
      if (known) this.#clock(known, task, now);
    }
    const day = new Date(now).toDateString();
    const changed = this.day !== undefined && this.day !== day;
    this.day = day;
    return changed;
  }

  #card(task, group, now) {
    const kind = group === 'ringing' || group === 'done' ? group : 'open';
    let known = this.#cards.get(task.taskId);
    if (!known) {
      known = this.#newCard();
      this.#cards.set(task.taskId, known);
      known.card.setAttribute('data-task', task.taskId);
    }
    if (known.kind !== kind) {
      known.kind = kind;
      known.card.className = `card task ${kind}`;
      const actions = kind === 'done' ? null : actionsOf(task, kind === 'ringing', this.#settings, this.#perform);
      known.actions?.remove();
      known.actions = actions;
      if (actions) known.card.append(actions);
    } else if (known.actions && known.title.textContent !== task.title) {
      renameActions(known.actions, task);
    }
    setText(known.title, task.title);
    setText(known.description, task.description ?? '');
    show(known.description, Boolean(task.description));
    this.#meta(known, task, now);
    this.#clock(known, task, now);
    return known.card;
  }

  #newCard() {
    const left = make('time', { className: 'left' });
    const at = make('span', { className: 'at' });
    const clock = make('p', { className: 'clock' }, left, at);
    const title = make('h3', { className: 'title' });
    const description = make('p', { className: 'description' });
    const meta = make('ul', { className: 'meta', role: 'list' });
    const body = make('div', { className: 'body' }, title, description, meta);
    return { card: make('li', {}, clock, body), clock, left, at, title, description, meta, kind: null, actions: null };
  }

  #meta(known, task, now) {
    const bits = [];
    const due = dueWords(task.dueDate, now);
    if (due) bits.push(['', `Due ${due}`]);
    if (task.recurrence) bits.push(['', 'Repeats']);
    if (task.priority === 'high' || task.priority === 'urgent') bits.push([task.priority, task.priority]);
    if (task.assignee) bits.push(['', `For ${task.assignee}`]);
    if (task.comments?.count) {
      const count = task.comments.count === 1 ? '1 comment' : `${task.comments.count} comments`;
      const last = task.comments.last;
      bits.push(['', last ? `${count}, ${last.author}: ${last.text}` : count]);
    }
    for (const tag of task.tags) bits.push(['tag', tag]);
    const text = JSON.stringify(bits);
    if (known.bits === text) return;
    known.bits = text;
    known.meta.replaceChildren(...bits.map(([className, bit]) => make('li', { className }, bit)));
  }

  #clock(known, task, now) {
    const next = nextAt(task);
    let [left, at, moment, part] = ['', '', null, 0];
    if (known.kind === 'done') {
      left = '✓';
    } else if (ringing(task).length) {
      moment = rangAt(task);
      [left, at, part] = ['rang', momentWords(moment, now), 1];
    } else if (next !== null) {
      moment = next;
      const snoozed = snoozedUntil(task) === next ? 'snoozed to ' : '';
      [left, at, part] = [countdown(next - now), snoozed + momentWords(next, now), lastHour(next - now)];
    }
    setText(known.left, left);
    setText(known.at, at);
    const instant = moment === null ? '' : new Date(moment).toISOString();
    if (known.left.dateTime !== instant) known.left.dateTime = instant;
    known.clock.style.setProperty('--part', part.toFixed(3));
    show(known.clock, left !== '');
  }

  /** Where the focus is, if it is in the list. */
  #focus() {
    const element = document.activeElement;
    const card = element?.closest?.('li.task');
    const list = card?.parentElement;
    return list ? { element, card, list, index: [...list.children].indexOf(card) } : null;
  }

  /** Gives the focus back, or to what is nearest to where it was. */
  #refocus(focus) {
    if (!focus || document.activeElement === focus.element) return;
    const { element, card, list, index } = focus;
    const heading = list.closest('section').querySelector('h2');
    const candidates = [
      element.isConnected && element,
      card.isConnected && card.querySelector('button'),
      list.children[Math.min(index, list.children.length - 1)]?.querySelector('button'),
      heading.closest('section').hidden ? null : heading,
      byId('heading'),
    ];
    candidates.find(Boolean).focus();
  }
}
