// How the service does, and what is to come.

import * as api from './api.js';
import { chart } from './chart.js';
import { card, facts, h } from './elements.js';
import { about, away, count, moment, seconds, status } from './words.js';

/** Asked again so often, as long as the page is looked at. */
export const EVERY_MS = 10_000;

export async function overview() {
  const [told, load] = await Promise.all([api.overview(), api.load()]);
  return [
    h('h1', { tabindex: -1 }, 'Overview'),
    h('p', { class: 'soft' }, `As of ${moment(told.at)}`),
    ...warnings(told),
    h('div', { class: 'grid' }, totals(told), lateness(told), audit(told), waiting(told)),
    card('Upcoming load', ...load.scales.map(chart),
      h('p', { class: 'soft' }, 'Tasks by when something of them fires next. Days are those of UTC. Striped bars are estimates by the statistics of Postgres.')),
  ];
}

function warnings({ stops, overdue, deadLetters, replica }) {
  const said = stops.map((stop) => `Firing is stopped for ${stop.userId ?? 'everyone'}: ${stop.reason}`);
  const letters = Object.values(deadLetters).reduce((sum, open) => sum + open, 0);
  if (letters) said.push(`${count(letters)} dead letters are open.`);
  if (replica.parked) said.push(`${count(replica.parked)} tasks are parked: their state cannot be read.`);
  if (overdue.count > overdue.max) said.push(`More than ${count(overdue.max)} tasks are overdue.`);
  return said.length ? [h('ul', { class: 'warnings', 'aria-label': 'Needs attention' }, said.map((text) => h('li', {}, text)))] : [];
}

function totals({ totals, overdue }) {
  const rows = Object.entries(totals.byStatus).map(([word, number]) => [status(word), about(number, totals.estimated)]);
  const late = overdue.count > overdue.max ? `more than ${count(overdue.max)}` : count(overdue.count);
  return card('Tasks', facts([...rows, ['overdue', late]]),
    h('p', { class: 'soft' }, totals.estimated ? 'Estimated from the statistics of Postgres, which its autovacuum renews.' : 'Counted.'));
}

function lateness({ replica }) {
  const { firings, p50Seconds, p99Seconds } = replica.lateness;
  return card('Lateness', facts([['p50', seconds(p50Seconds)], ['p99', seconds(p99Seconds)], ['firings', count(firings)]]),
    h('p', { class: 'soft' }, `Of this replica (${replica.epoch}), since it started.`));
}

function audit({ audit, replica }) {
  if (!audit) return card('Audit', h('p', {}, 'No replica has held the lease yet.'));
  const here = audit.epoch === replica.epoch;
  return card('Audit', facts([
    ['lease', here ? 'this replica' : audit.epoch],
    ['held until', away(audit.heldUntil)],
    ['last round here', replica.lastRound ? away(replica.lastRound) : 'none'],
    ['registered until', Date.parse(audit.sweptUntil) > 0 ? moment(audit.sweptUntil) : 'none yet'],
    ['replicas', count(audit.replicas)],
  ]), h('p', {}, h('a', { href: '#audit' }, 'What it found')));
}

function waiting({ replica, deadLetters, stops }) {
  const letters = Object.entries(deadLetters).map(([topic, open]) => [`open on ${topic}`, count(open)]);
  return card('Waiting', facts([
    ['outbox', `${count(replica.outbox)} events`],
    ['firing', stops.length ? 'stopped' : 'on'],
    ['parked', count(replica.parked)],
    ...(letters.length ? letters : [['dead letters', 'none open']]),
  ]));
}
