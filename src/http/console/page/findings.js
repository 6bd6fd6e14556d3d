// What the audit found and mended, the latest first.

import * as api from './api.js';
import { h, table } from './elements.js';
import { taskLink } from './search.js';
import { moment, tasks } from './words.js';

const KINDS = {
  settled: 'overdue, and fired',
  republished: 'its events were left behind, and published',
  parked: 'its state cannot be used',
  unparked: 'its state can be used again',
  scheduler_lost: 'the data of Dapr’s scheduler were lost; what is near was registered again',
};

export async function findings(query) {
  const page = await api.findings({ before: query.get('before') ?? '' });
  const rows = page.items.map((one) => [moment(one.foundAt), KINDS[one.kind] ?? one.kind, whose(one)]);
  return [
    h('h1', { tabindex: -1 }, 'What the audit found'),
    h('p', { class: 'soft' }, rows.length
      ? 'The latest first. Of each round and kind the first 100 tasks are named. Kept for 30 days, 2,000 rows at most.'
      : 'Nothing: all went its usual way.'),
    rows.length ? table('What the audit found', ['When', 'What', 'Task'], rows) : null,
    page.nextBefore && h('p', {}, h('a', { href: `#audit?${new URLSearchParams({ before: page.nextBefore })}` }, 'Earlier ones')),
  ];
}

function whose({ taskId, tasks: number }) {
  if (taskId) return taskLink(taskId);
  return number ? `${tasks(number)} more` : null;
}
