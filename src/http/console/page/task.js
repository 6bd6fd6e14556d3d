// One task: its state, its reminders, what happened to them and why, and what comes next.

import { actions, repair } from './actions.js';
import * as api from './api.js';
import { card, facts, h, table } from './elements.js';
import { userLink } from './user.js';
import { away, due, moment, status } from './words.js';

export async function task(id, mayAct, again) {
  const [entry, told] = await Promise.all([api.entry(id), readAll(id)]);
  const heading = h('h1', { tabindex: -1 }, told.view?.task.title ?? `Task ${id}`);
  if (!told.view) return [heading, ...unreadable(id, entry, told.refusal), entry.parked && mayAct ? repair(id, again) : null];
  const { view, preview } = told;
  return [heading, state(id, view), mayAct ? actions(id, view, again) : null, reminders(view), timeline(id, view), next(preview)];
}

/** What the actor says; its refusal, if it does. */
async function readAll(id) {
  try {
    const [view, preview] = await Promise.all([api.read(id), api.preview(id)]);
    return { view, preview };
  } catch (refusal) {
    if (!(refusal instanceof api.Refusal) || refusal.unauthorized) throw refusal;
    return { refusal };
  }
}

/** What the index has of a task whose actor refuses to tell. */
function unreadable(id, { task: row, parked }, refusal) {
  const known = row && [['user', userLink(row.userId)], ['status', status(row.status)], ['version', row.version],
    ['fires next', row.nextReminderAt && moment(row.nextReminderAt)], ['changed', moment(row.updatedAt)]];
  return [
    h('p', { class: 'problem', role: 'note' }, refusal.message),
    known ? card('As the index has it', facts([['id', id], ...known])) : null,
    parked ? card('Parked', facts([['reason', parked.reason], ['since', parked.since], ['last tried', parked.triedAt]]), h('p', {}, parked.detail)) : null,
  ];
}

function state(id, { version, nextReminderAt, paused, task: put }) {
  return card('State', facts([
    ['id', id], ['user', userLink(put.userId)], ['status', status(put.status ?? 'pending')], ['version', version],
    ['due', due(put.dueDate)], ['repeats', put.recurrence?.rule], ['priority', put.priority],
    ['fires next', nextReminderAt ? `${moment(nextReminderAt)} (${away(nextReminderAt)})` : paused ? 'nothing while it is paused' : 'nothing is left to fire'],
    ...[['paused since', paused?.task], ['user paused since', paused?.user]].filter(([, since]) => since).map(([name, since]) => [name, moment(since)]),
  ]), put.description ? h('p', { class: 'text' }, put.description) : null);
}

function reminders({ reminders: all }) {
  if (!all.length) return card('Reminders', h('p', {}, 'It has none.'));
  return card('Reminders', table('Reminders', ['Reminder', 'State', 'Due', 'Fired', 'Snoozed until'], all.map((one) => [
    one.id, one.state, moment(one.scheduledFor), one.firedAt && moment(one.firedAt), one.snoozedUntil && moment(one.snoozedUntil),
  ])));
}

function timeline(id, { history = [] }) {
  const entries = [...history].reverse().map((entry) => {
    const why = h('div', { class: 'why', hidden: true });
    const late = Date.parse(entry.at) - Date.parse(entry.scheduledFor);
    const words = [`${entry.what}: ${entry.reminderId}`, entry.cause && `(${entry.cause})`, entry.coalesced && `stands for ${entry.coalesced} earlier`];
    return h('li', {},
      h('time', { datetime: entry.at }, moment(entry.at)),
      h('p', {}, h('strong', {}, words.filter(Boolean).join(' ')), ` due ${moment(entry.scheduledFor)}${entry.what === 'fired' ? `, ${Math.max(0, late)} ms late` : ''}`),
      h('button', { type: 'button', 'aria-expanded': 'false', click: (event) => explain(event.currentTarget, why, id, entry) }, `Why? ${entry.reminderId}`),
      why);
  });
  return card('Timeline', entries.length ? h('ol', { class: 'timeline' }, entries) : h('p', {}, 'Nothing has happened to its reminders yet.'));
}

async function explain(button, why, id, entry) {
  const open = why.hidden;
  button.setAttribute('aria-expanded', String(open));
  why.hidden = !open;
  if (!open || why.childElementCount) return;
  try {
    const told = await api.explain(id, entry.reminderId, entry.scheduledFor);
    why.replaceChildren(h('p', {}, told.text), rules(told.rules));
  } catch (refusal) {
    why.replaceChildren(h('p', { class: 'soft' }, refusal.message));
  }
}

const rules = (steps) => h('ul', {}, steps.map((step) => h('li', {}, `${step.rule}: ${step.text}`)));

function next({ firings }) {
  if (!firings.length) return card('Next firings', h('p', {}, 'Nothing is left to fire.'));
  return card('Next firings', table('Next firings', ['When', 'Reminder', 'Cause', 'By these rules'], firings.map((firing) => [
    `${moment(firing.scheduledFor)} (${away(firing.scheduledFor)})`, firing.reminderId, firing.cause, rules(firing.rules),
  ])));
}
