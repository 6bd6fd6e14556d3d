// Puts the page together: the feed feeds the model, the model is shown.

import { acknowledge, complete, Refusal, snooze } from './api.js';
import { announce, byId, make, setText, show } from './dom.js';
import { Feed } from './feed.js';
import { setUpForm } from './form.js';
import { List } from './list.js';
import { Model, rangAt, ringing } from './model.js';
import { durationWords } from './time.js';
import { Toasts } from './toasts.js';

const RECENT_USERS = 'recent-users';
const RECENT_MAX = 5;
const STATES = { live: 'Live', connecting: 'Reconnecting…', offline: 'Offline' };

const user = new URLSearchParams(location.search).get('user')?.trim();
if (user) follow(user);
else welcome();

function recentUsers() {
  try {
    const stored = JSON.parse(localStorage.getItem(RECENT_USERS) ?? '[]');
    return stored.filter((name) => typeof name === 'string').slice(0, RECENT_MAX);
  } catch {
    return [];
  }
}

/** Asks who it is. */
function welcome() {
  show(byId('welcome'), true);
  document.querySelector('.connection').hidden = true;
  for (const name of recentUsers()) {
    byId('recent').append(make('option', { value: name }));
    const link = make('a', { href: `/?${new URLSearchParams({ user: name })}` }, name);
    byId('recent-users').append(make('li', {}, link));
  }
}

/** Follows a user's reminders. */
function follow(user) {
  localStorage.setItem(RECENT_USERS, JSON.stringify([user, ...recentUsers().filter((name) => name !== user)].slice(0, RECENT_MAX)));
  setText(byId('user'), user);
  setText(byId('avatar'), [...user][0].toUpperCase());
  for (const id of ['who', 'live']) show(byId(id), true);

  const model = new Model();
  const settings = { snoozeChoices: ['PT10M'] };
  // By how much the server's clock is ahead of this one's: what fires, fires by the server's.
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const list = new List(settings, perform);
  const toasts = new Toasts(settings, perform);
  setUpForm(user, now, fail);

  function render() {
    list.render(model, now());
    toasts.follow(model);
    const loud = model.tasks.filter((task) => ringing(task).length).sort((a, b) => rangAt(b) - rangAt(a));
    document.title = loud.length ? `(${loud.length}) ${loud[0].title} – Reminders` : 'Reminders';
  }

  const on = {
    hello(hello) {
      Object.assign(settings, { snoozeChoices: hello.snoozeChoices });
      on.beat(hello);
    },
    beat({ now: server }) {
      ahead = Date.parse(server) - Date.now();
    },
    trouble({ detail }) {
      setText(byId('trouble'), `${detail} Trying again…`);
      show(byId('trouble'), true);
    },
    snapshot({ tasks, truncated }) {
      show(byId('trouble'), false);
      show(byId('truncated'), truncated);
      const fired = model.snapshot(tasks);
      render();
      for (const task of fired) toasts.ring(task, now());
    },
    task(task) {
      const fired = model.take(task);
      render();
      if (fired) toasts.ring(fired, now());
    },
    gone({ taskId }) {
      model.gone(taskId);
      render();
    },
  };

  new Feed(user, {
    message: (kind, data) => on[kind](data),
    state(name) {
      byId('connection').parentElement.setAttribute('data-state', name);
      const words = name === 'connecting' && !model.loaded ? 'Connecting…' : STATES[name];
      setText(byId('connection'), words);
    },
  });

  function tick() {
    if (list.tick(model, now())) render();
    // At the turn of the second, so that all clocks move together and none skips one.
    setTimeout(tick, 1000 - (now() % 1000));
  }
  tick();

  async function perform(action, id, argument) {
    const title = model.task(id)?.title ?? 'The task';
    try {
      hideProblem();
      if (action === 'complete') await complete(id);
      else if (action === 'acknowledge') await acknowledge(id);
      else await snooze(id, argument);
      announce({ complete: `Done: ${title}`, acknowledge: `Acknowledged: ${title}` }[action] ?? `Snoozed for ${durationWords(argument)}: ${title}`);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      fail(refusal);
    }
  }
}

/** Shows what went wrong, until the next thing works. */
function fail(refusal) {
  setText(byId('problem'), refusal.message);
  show(byId('problem'), true);
}

function hideProblem() {
  show(byId('problem'), false);
  setText(byId('problem'), '');
}
