// Tasks whose stored state cannot be read.

import * as api from './api.js';
import { h, table } from './elements.js';
import { taskLink } from './search.js';
import { userLink } from './user.js';

export async function parked(query) {
  const page = await api.parked({ after: query.get('after') ?? '' });
  const rows = page.items.map((one) => [taskLink(one.taskId), one.reason, one.detail, one.since, one.nextWake, userLink(one.userId)]);
  return [
    h('h1', { tabindex: -1 }, 'Parked tasks'),
    h('p', { class: 'soft' }, rows.length
      ? 'Their stored state cannot be read. Nothing of them fires until they are repaired, or a newer version of the service reads them.'
      : 'None: every task that was needed could be read.'),
    rows.length ? table('Parked tasks', ['Task', 'Reason', 'Detail', 'Since', 'Would fire', 'User'], rows) : null,
    page.nextAfter && h('p', {}, h('a', { href: `#parked?${new URLSearchParams({ after: page.nextAfter })}` }, 'Next page')),
  ];
}
