// The console: which section is shown, and who looks.

import * as api from './api.js';
import { announce, byId } from './elements.js';
import { EVERY_MS, overview } from './overview.js';
import { findings } from './findings.js';
import { parked } from './parked.js';
import { search } from './search.js';
import { task } from './task.js';
import { user } from './user.js';

let shown = 0;
let timer;
let mayAct = false;

/** The section that the address names: its name, what follows, and the query. */
function place() {
  const [path, query = ''] = location.hash.slice(1).split('?');
  const [name, rest = ''] = path.split('/');
  return { name: name || 'overview', rest: decodeURIComponent(rest), query: new URLSearchParams(query) };
}

function view({ name, rest, query }) {
  if (name === 'tasks') return search(query);
  if (name === 'task') return task(rest, mayAct, () => show());
  if (name === 'user') return user(rest, mayAct, () => show());
  if (name === 'parked') return parked(query);
  if (name === 'audit') return findings(query);
  return overview();
}

/** Shows the section of the address; quietly when it is only brought up to date. */
async function show({ quietly = false } = {}) {
  const turn = ++shown;
  clearTimeout(timer);
  const at = place();
  for (const link of document.querySelectorAll('nav a')) {
    const here = link.hash === `#${at.name}` || (['task', 'user'].includes(at.name) && link.hash === '#tasks');
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  try {
    const parts = await view(at);
    // Somebody went on meanwhile.
    if (turn !== shown) return;
    put(parts.filter(Boolean), quietly);
  } catch (refusal) {
    if (turn !== shown) return;
    if (refusal.unauthorized) return askForToken('The token is not right.');
    tell(refusal.message);
    if (!(refusal instanceof api.Refusal)) throw refusal;
  }
  if (at.name === 'overview') timer = setTimeout(refresh, EVERY_MS);
}

/** Brings the overview up to date while it is looked at and nothing in it is held open or focused. */
function refresh() {
  const busy = document.hidden || byId('view').querySelector('details[open]') || byId('view').contains(document.activeElement);
  if (busy) timer = setTimeout(refresh, EVERY_MS);
  else show({ quietly: true });
}

function put(parts, quietly) {
  tell('');
  byId('view').replaceChildren(...parts);
  document.title = `${byId('view').querySelector('h1').textContent} – Reminder console`;
  if (!quietly) {
    byId('view').querySelector('h1').focus();
    announce(document.title);
  }
}

function tell(problem) {
  byId('problem').hidden = !problem;
  byId('problem').textContent = problem;
}

function askForToken(problem) {
  const had = api.token.get();
  api.token.forget();
  tell(had ? problem : '');
  byId('view').replaceChildren();
  byId('sign-out').hidden = true;
  byId('sign-in').hidden = false;
  byId('token').focus();
}

async function begin() {
  try {
    ({ mayAct } = await api.session());
    byId('sign-in').hidden = true;
    byId('sign-out').hidden = !api.token.get();
    byId('mode').hidden = false;
    byId('mode').textContent = mayAct ? 'May act' : 'Read only';
    await show();
  } catch (refusal) {
    if (refusal.unauthorized) askForToken('The token is not right.');
    else tell(refusal.message);
  }
}

byId('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  api.token.set(byId('token').value.trim());
  byId('token').value = '';
  begin();
});
byId('sign-out').addEventListener('click', () => {
  api.token.forget();
  location.reload();
});
byId('skip').addEventListener('click', (event) => {
  // The address names the section, so the link cannot.
  event.preventDefault();
  byId('content').focus();
});
addEventListener('hashchange', () => show());
begin();
