// Tasks by the beginning of their ids, by user and status.

import * as api from './api.js';
import { announce, h, table } from './elements.js';
import { userLink } from './user.js';
import { away, moment, status, tasks } from './words.js';

const STATUSES = ['', 'open', 'pending', 'in_progress', 'completed', 'deleted'];

export const taskLink = (id) => h('a', { href: `#task/${encodeURIComponent(id)}` }, id);

export async function search(query) {
  const asked = Object.fromEntries(['prefix', 'user', 'status', 'cursor'].map((name) => [name, query.get(name) ?? '']));
  const page = await api.search({ ...asked, limit: 50 });
  const rows = page.items.map((task) => [
    taskLink(task.taskId), userLink(task.userId), status(task.status),
    task.paused ? 'paused' : task.nextReminderAt && `${moment(task.nextReminderAt)} (${away(task.nextReminderAt)})`, moment(task.updatedAt),
  ]);
  const found = `${tasks(rows.length)} on this page${page.nextCursor ? ', and more may follow' : ''}.`;
  announce(found);
  return [
    h('h1', { tabindex: -1 }, 'Tasks'),
    form(asked),
    h('p', { class: 'soft' }, found),
    rows.length ? table('Tasks', ['Task', 'User', 'Status', 'Fires next', 'Changed'], rows) : null,
    page.nextCursor && h('p', {}, h('a', { href: `#tasks?${new URLSearchParams({ ...asked, cursor: page.nextCursor })}` }, 'Next page')),
  ];
}

function form({ prefix, user, status: chosen }) {
  const field = (id, label, input) => h('div', { class: 'field' }, h('label', { for: id }, label), input);
  const go = (event) => {
    event.preventDefault();
    const given = [...new FormData(event.target)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value);
    const next = `#tasks?${new URLSearchParams(given)}`;
    // The same question again is asked again.
    if (location.hash === next) dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = next;
  };
  return h('form', { class: 'card search', role: 'search', submit: go },
    field('prefix', 'Id begins with', h('input', { id: 'prefix', name: 'prefix', value: prefix, maxlength: 128, spellcheck: 'false', autocapitalize: 'none', autocomplete: 'off' })),
    field('user', 'User', h('input', { id: 'user', name: 'user', value: user, maxlength: 256, spellcheck: 'false', autocapitalize: 'none', autocomplete: 'off' })),
    field('status', 'Status', h('select', { id: 'status', name: 'status' },
      STATUSES.map((word) => h('option', { value: word, selected: word === chosen }, word ? status(word) : 'all but deleted')))),
    h('button', { class: 'primary', type: 'submit' }, 'Search'));
}
