// How long the sections of the console take to load, each in a browser that has nothing of it yet:
// `cargo xtask bench console` runs it, on as many tasks as it was told. Prints a table in Markdown.

import { launch } from './browser.mjs';

const { CONSOLE_PORT, CONSOLE_TOKEN, BUSY_USER, LOADS, PICTURES } = process.env;
if (!CONSOLE_PORT || !CONSOLE_TOKEN || !BUSY_USER || !LOADS) {
  throw new Error('CONSOLE_PORT, CONSOLE_TOKEN, BUSY_USER and LOADS must be set: see xtask/src/bench/console.rs');
}
const address = `http://127.0.0.1:${CONSOLE_PORT}`;

/** How long a section may take. */
const DEADLINE_MS = 30_000;

/** A task with a state: those that the read model was filled with have none. */
async function task() {
  const id = `load-${Date.now().toString(36)}`;
  const answer = await fetch(`${address}/v1/tasks/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${CONSOLE_TOKEN}` },
    body: JSON.stringify({ title: 'Water the plants', dueDate: new Date(Date.now() + 3_600_000).toISOString(), recurrence: { rule: 'FREQ=DAILY' } }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (!answer.ok) throw new Error(`the task: ${answer.status} ${await answer.text()}`);
  return id;
}

/** From the beginning of the navigation until the section is there with all that it shows, in ms. */
async function load(browser, hash, picture) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1100, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript((token) => sessionStorage.setItem('console-token', token), CONSOLE_TOKEN);
  await page.goto(`${address}/console#${hash}`, { waitUntil: 'commit' });
  // A section is put on the page whole, or not at all.
  const there = await page.waitForFunction(() => document.querySelector('#view h1') && performance.now(), null, { timeout: DEADLINE_MS });
  const ms = await there.jsonValue();
  if (picture && PICTURES) await page.screenshot({ path: `${PICTURES}/${picture}` });
  await context.close();
  return ms;
}

const busy = encodeURIComponent(BUSY_USER);
const sections = [
  ['Overview', 'overview', 'console-overview.png'],
  ['Tasks, the first page', 'tasks'],
  ['Tasks whose ids begin with t5', 'tasks?prefix=t5'],
  ['Open tasks of the busiest user', `tasks?user=${busy}&status=open`],
  ['A task', `task/${await task()}`],
  ['The busiest user', `user/${busy}`],
  ['Parked', 'parked'],
  ['Audit', 'audit'],
];

const browser = await launch();
// What the browser itself needs at first is not the console's.
await load(browser, 'parked');
console.log('| Section | First, ms | p50, ms | Slowest, ms |\n|---|---|---|---|');
for (const [name, hash, picture] of sections) {
  const first = await load(browser, hash, picture);
  const rest = [];
  for (let n = 0; n < Number(LOADS); n += 1) rest.push(await load(browser, hash));
  rest.sort((a, b) => a - b);
  const shown = [first, rest[Math.floor(rest.length / 2)], rest.at(-1)].map((ms) => ms.toFixed(0));
  console.log(`| ${name} | ${shown.join(' | ')} |`);
}
await browser.close();
