// One user: whether all is paused, how far the tasks have followed, what is preferred.

import { pausing } from './actions.js';
import * as api from './api.js';
import { card, facts, h } from './elements.js';
import { count, moment } from './words.js';

export const userLink = (id) => id && h('a', { href: `#user/${encodeURIComponent(id)}` }, id);

export async function user(id, mayAct, again) {
  const told = await api.user(id);
  const { zone, defaultTime } = told.preferences;
  return [
    h('h1', { tabindex: -1 }, `User ${id}`),
    card('State', facts([
      ['reminders', told.pausedSince ? 'paused' : 'fire'],
      ...(told.pausedSince ? [['paused since', moment(told.pausedSince)]] : []),
      ['open tasks', count(told.tasks.open)],
      ['have yet to follow', count(told.tasks.outdated)],
      ['zone', zone], ['default time', defaultTime], ['version', told.version],
    ]), h('p', {}, h('a', { href: `#tasks?${new URLSearchParams({ user: id })}` }, 'Tasks of the user'))),
    mayAct ? card('Actions', pausing(`all tasks of ${id}`, told.pausedSince, (method, body) => api.actOnUser(id, method, body, told.version), again)) : null,
  ];
}
