// The buttons of a task, in the list and in a toast.

import { make, setText } from './dom.js';
import { durationWords } from './time.js';

/**
 * The buttons of a task that rings, or of one that does not.
 * `perform(action, id, argument)` does it and answers when it is done or refused.
 */
export function actionsOf(task, isRinging, settings, perform) {
  const id = task.taskId;
  const buttons = [];
  const named = (action, text, className, argument) => {
    const name = make('span', { className: 'hidden of' }, `: ${task.title}`);
    const button = make('button', { type: 'button', className, 'data-action': action }, text, name);
    button.addEventListener('click', async () => {
      // Not `disabled`: that would take the focus away.
      if (button.getAttribute('aria-disabled') === 'true') return;
      button.setAttribute('aria-disabled', 'true');
      await perform(action, id, argument?.());
      button.removeAttribute('aria-disabled');
    });
    return button;
  };
  if (isRinging) {
    const duration = make('select', { 'aria-label': `Snooze ${task.title} for` });
    for (const choice of settings.snoozeChoices) duration.append(make('option', { value: choice }, durationWords(choice)));
    const snooze = named('snooze', 'Snooze', 'ghost', () => duration.value);
    buttons.push(make('div', { className: 'snooze' }, snooze, duration), named('acknowledge', 'Got it', 'ghost'));
  }
  buttons.push(named('complete', 'Done', isRinging ? 'primary' : 'ghost'));
  return make('div', { className: 'actions' }, ...buttons);
}

/** Follows a task that was renamed. */
export function renameActions(actions, task) {
  for (const name of actions.querySelectorAll('.of')) setText(name, `: ${task.title}`);
  actions.querySelector('select')?.setAttribute('aria-label', `Snooze ${task.title} for`);
}
