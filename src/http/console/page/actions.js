// What may be done with a task, each thing confirmed first.

import * as api from './api.js';
import { announce, card, h } from './elements.js';

const SNOOZES = [['PT10M', '10 minutes'], ['PT1H', '1 hour'], ['P1D', '1 day']];

/** What becomes of what fell due during a pause. */
const MISSED = [['fire', 'fires'], ['skip', 'is skipped']];

/** Buttons for a task that is well. What is done holds for the version that is looked at. */
export function actions(id, { version, task, paused }, again) {
  const done = task.status === 'completed';
  const choice = h('select', { id: 'snooze-for' }, SNOOZES.map(([value, words]) => h('option', { value }, words)));
  const act = (words, method, body) => () => confirmed(`${words} ${id}?`, words, () => api.act(id, method, body?.() ?? {}, version), again);
  return card('Actions',
    h('div', { class: 'row wrap' },
      done ? null : h('button', { type: 'button', click: act('Complete', 'complete') }, 'Complete'),
      h('button', { type: 'button', click: act('Acknowledge', 'acknowledge') }, 'Acknowledge'),
      h('button', { type: 'button', click: act('Snooze', 'snooze', () => ({ for: choice.value })) }, 'Snooze'),
      h('label', { for: 'snooze-for' }, 'for'), choice),
    pausing(id, paused?.task, (method, body) => api.act(id, method, body, version), again));
}

/** The button that pauses, or the one that resumes, with what shall become of what fell due meanwhile. */
export function pausing(what, since, act, again) {
  if (!since) {
    const pause = () => confirmed(`Pause the reminders of ${what}?`, 'Pause', () => act('pause', {}), again);
    return h('div', { class: 'row wrap' }, h('button', { type: 'button', click: pause }, 'Pause'));
  }
  const choice = h('select', { id: 'missed' }, MISSED.map(([value, words]) => h('option', { value }, words)));
  const resume = () => confirmed(`Resume the reminders of ${what}?`, 'Resume', () => act('resume', { missed: choice.value }), again);
  return h('div', { class: 'row wrap' },
    h('button', { type: 'button', click: resume }, 'Resume'),
    h('label', { for: 'missed' }, 'and what fell due meanwhile'), choice);
}

/** What takes the place of a state that cannot be read. */
export function repair(id, again) {
  const body = h('textarea', { id: 'repair-body', rows: 6, spellcheck: 'false' });
  body.value = JSON.stringify({ task: { title: id } }, null, 2);
  const replace = () => {
    let put;
    try {
      put = JSON.parse(body.value);
    } catch (error) {
      body.setAttribute('aria-invalid', 'true');
      announce(`The body is not JSON: ${error.message}`);
      return;
    }
    body.removeAttribute('aria-invalid');
    confirmed(`Replace what is stored of ${id} by this task?`, 'Replace', () => api.repair(id, put), again);
  };
  const forget = () => confirmed(`Leave a deleted task in the place of ${id}?`, 'Forget', () => api.repair(id, { forget: true }), again);
  return card('Repair',
    h('p', {}, 'What is stored is replaced in one statement. Its history and its unpublished events are gone.'),
    h('div', { class: 'field' }, h('label', { for: 'repair-body' }, 'The body of a put'), body),
    h('div', { class: 'row wrap' },
      h('button', { type: 'button', click: replace }, 'Replace by this task'),
      h('button', { type: 'button', click: forget }, 'Forget the task')));
}

/** Asks first; tells what became of it, and shows the task again. */
function confirmed(question, words, act, again) {
  const before = document.activeElement;
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const yes = h('button', { type: 'button', class: 'primary', click: () => go() }, words);
  const no = h('button', { type: 'button', click: () => dialog.close() }, 'Cancel');
  const dialog = h('dialog', { 'aria-labelledby': 'question', close: () => { dialog.remove(); before?.focus(); } },
    h('h2', { id: 'question' }, question), problem, h('div', { class: 'row wrap' }, no, yes));
  async function go() {
    yes.disabled = true;
    try {
      await act();
      dialog.close();
      await again();
      announce(`${words}: done.`);
    } catch (refusal) {
      yes.disabled = false;
      problem.textContent = refusal.message;
      problem.hidden = false;
      if (!(refusal instanceof api.Refusal)) throw refusal;
    }
  }
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
}
