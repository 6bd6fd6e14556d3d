// The form for a new task.

import { create, Refusal } from './api.js';
import { announce, byId, setText, show } from './dom.js';
import { localInput, momentWords, quickDue } from './time.js';

/** Sets the form up for a user. `now()` is the server's time, `fail(error)` shows a refusal. */
export function setUpForm(user, now, fail) {
  const [form, title, due, remind, error] = ['new', 'new-title', 'new-due', 'new-remind', 'new-error'].map(byId);

  const complain = (field, text) => {
    setText(error, text);
    show(error, Boolean(text));
    for (const input of [title, due]) input.toggleAttribute('aria-invalid', false);
    if (!text) return;
    field.setAttribute('aria-invalid', 'true');
    field.focus();
  };

  for (const chip of form.querySelectorAll('[data-due]')) {
    chip.addEventListener('click', () => {
      const date = quickDue(chip.getAttribute('data-due'), now());
      due.value = localInput(date);
      announce(`Due ${momentWords(date.getTime(), now())}`);
    });
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('[type=submit]');
    if (button.getAttribute('aria-disabled') === 'true') return;
    const name = title.value.trim();
    if (!name) return complain(title, 'Say what is to be done.');
    if (due.validity.badInput) return complain(due, 'Give a full date and time, or none.');
    complain(null, '');
    const fields = { title: name, userId: user };
    if (due.value) {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const local = due.value.length === 16 ? `${due.value}:00` : due.value;
      fields.dueDate = { local, zone };
      fields.reminders = [{ id: 'due', before: remind.value }];
    }
    button.setAttribute('aria-disabled', 'true');
    try {
      await create(fields);
      form.reset();
      title.focus();
      announce(`Added: ${name}`);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      fail(refusal);
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
}
