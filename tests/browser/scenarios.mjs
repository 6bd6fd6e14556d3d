// What a user lives through, each in a browser context of its own and as a user of its own.

import assert from 'node:assert/strict';
import { Line, SEEN_MS, add, ask, axe, card, elsewhere, frontPort, localIn, open, toast, todo, unique, until } from './support.mjs';

const firing = (data) => data.reminders.find((reminder) => reminder.firedAt);

/** create → countdown → fire → toast → snooze → fires again → acknowledge → complete */
export async function wholeLife(browser) {
  const user = unique('ada');
  const { page, close } = await open(browser, user);
  const due = Date.parse(`${await localIn(page, 8)}Z`);
  const offset = await page.evaluate(() => new Date().getTimezoneOffset() * 60_000);
  await add(page, 'Buy milk', 8);

  const clock = card(page, 'Buy milk').locator('time');
  const first = await until('a countdown', async () => /^0:0\d$/.test(await clock.textContent()) && clock.textContent());
  await until('the countdown runs', async () => (await clock.textContent()) !== first);
  assert.equal(await page.evaluate(() => toasts.length), 0, 'nothing rings before its time');

  const alert = toast(page, 'Buy milk');
  await alert.waitFor();
  assert.ok(Date.now() >= due + offset - 1000, 'not before it was due');
  assert.match(await alert.getByRole('alert').textContent(), /Buy milk.*Rang at/);
  await page.locator('#ringing').getByRole('heading', { name: 'Buy milk' }).waitFor();
  assert.match(await page.title(), /^\(1\) Buy milk/);

  // Nobody waits for the shortest that users are offered.
  await alert.getByRole('combobox').evaluate((choices) => choices.prepend(new Option('5 s', 'PT5S', true, true)));
  await alert.getByRole('button', { name: 'Snooze: Buy milk' }).click();
  await alert.waitFor({ state: 'detached' });
  await page.locator('#announcer', { hasText: 'Snoozed for 5 s: Buy milk' }).waitFor();
  await until('it rings again', async () => (await page.evaluate(() => toasts.length)) === 2);

  await alert.getByRole('button', { name: 'Got it: Buy milk' }).click();
  await alert.waitFor({ state: 'detached' });
  await page.locator('#quiet').getByRole('heading', { name: 'Buy milk' }).waitFor();
  await card(page, 'Buy milk').getByRole('button', { name: 'Done: Buy milk' }).click();
  await page.locator('#done').getByRole('heading', { name: 'Buy milk' }).waitFor();
  assert.equal(await page.evaluate(() => toasts.length), 2, 'it rang twice, and was told twice');
  await close();
}

/** A connection that drops, and one that dies in silence: nothing is missed, nothing comes twice. */
export async function droppedConnection(browser) {
  const user = unique('bob');
  const line = await Line.open();
  const { page, close } = await open(browser, user, { port: line.port });
  const { taskId } = await elsewhere(user, 'Done meanwhile');
  await card(page, 'Done meanwhile').waitFor();

  line.cut();
  await page.getByText('Reconnecting…').waitFor();
  const before = (await page.evaluate(() => told)).at(-1).id;
  await elsewhere(user, 'Rang meanwhile', 500);
  await elsewhere(user, 'Came meanwhile');
  await todo('POST', `/v1/tasks/${taskId}/complete`);
  // Somebody whose connection is well sees when it is time to mend the other.
  const watcher = await open(browser, user);
  await watcher.page.locator('#ringing').getByRole('heading', { name: 'Rang meanwhile' }).waitFor();
  await watcher.page.locator('#quiet').getByRole('heading', { name: 'Came meanwhile' }).waitFor();
  await card(watcher.page, 'Done meanwhile').waitFor({ state: 'detached' });
  await watcher.close();
  line.mend();

  await toast(page, 'Rang meanwhile').waitFor();
  await card(page, 'Came meanwhile').waitFor();
  await page.locator('#done').getByRole('heading', { name: 'Done meanwhile' }).waitFor();
  const told = await page.evaluate(() => told);
  assert.equal(told.filter(({ kind }) => kind === 'snapshot').length, 1, 'resumed, not begun anew');
  assert.ok(line.heads.some((head) => head.includes(before)), 'the browser named what it had');
  const ids = told.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, 'no message came twice');
  const versions = told.filter(({ data }) => data.title === 'Rang meanwhile').map(({ data }) => data.version);
  assert.deepEqual(versions, [...versions].sort((a, b) => a - b));
  assert.equal(await page.evaluate(() => toasts.length), 1);

  // The connection stays and carries nothing: only the missing beat tells.
  line.hush();
  await elsewhere(user, 'Told into the void');
  await card(page, 'Told into the void').waitFor();
  await close();
  line.close();
}

/** The service is killed, and things happen before it is back. */
export async function restartedService(browser) {
  const user = unique('carol');
  const { page, close } = await open(browser, user);
  await elsewhere(user, 'There before');
  await card(page, 'There before').waitFor();

  await ask('kill frontend-sync');
  await page.getByText('Reconnecting…').waitFor();
  const { taskId } = await elsewhere(user, 'Rang while it was down', 500);
  await elsewhere(user, 'Came while it was down');
  await ask('start frontend-sync');

  await toast(page, 'Rang while it was down').waitFor();
  for (const title of ['There before', 'Came while it was down']) await card(page, title).waitFor();
  assert.deepEqual(await page.evaluate(() => toasts), ['Rang while it was down']);
  const told = await page.evaluate(() => told);
  const epochs = new Set(told.map(({ id }) => id.split('-')[0]));
  assert.equal(epochs.size, 2, 'of two runs');

  // A page that comes only now knows what rings, from the services themselves.
  const late = await open(browser, user);
  await late.page.locator('#ringing').getByRole('heading', { name: 'Rang while it was down' }).waitFor();
  assert.deepEqual(await late.page.evaluate(() => toasts), [], 'who opens the page is not alarmed');
  const snapshot = (await late.page.evaluate(() => told))[0];
  assert.ok(snapshot.data.tasks.some((task) => task.taskId === taskId && firing(task)));
  await late.close();
  await close();
}

/** No mouse: everything can be reached, and the focus is never lost. */
export async function keyboardOnly(browser) {
  const user = unique('dave');
  const { page, close } = await open(browser, user);
  const focused = () => page.evaluate(() => {
    const element = document.activeElement;
    return element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent.trim();
  });
  const press = async (key, times = 1) => {
    for (let n = 0; n < times; n += 1) await page.keyboard.press(key);
  };
  const tabTo = async (name) => {
    for (let n = 0; n < 40 && (await focused()) !== name; n += 1) await press('Tab');
    assert.equal(await focused(), name);
  };
  await press('Tab');
  assert.equal(await focused(), 'Skip to the tasks');
  await press('Enter');
  await tabTo('What is to be done?');
  await press('Enter');
  await page.getByText('Say what is to be done.').waitFor();
  assert.equal(await focused(), 'What is to be done?');
  await page.keyboard.type('Stretch');
  await tabTo('in 10 min');
  await press('Enter');
  await until('a due time', () => page.locator('#new-due').inputValue());
  await page.getByLabel('Due', { exact: true }).fill(await localIn(page, 3));
  await page.getByLabel('What is to be done?').focus();
  await press('Enter');
  await card(page, 'Stretch').waitFor();
  assert.equal(await focused(), 'What is to be done?', 'ready for the next one');

  await elsewhere(user, 'Another one');
  await card(page, 'Another one').waitFor();
  await toast(page, 'Stretch').waitFor();
  assert.equal(await focused(), 'What is to be done?', 'a toast takes no focus');
  for (let n = 0; n < 40 && (await focused()) !== 'Got it: Stretch'; n += 1) await press('Shift+Tab');
  assert.equal(await focused(), 'Got it: Stretch');
  await press('Enter');
  await toast(page, 'Stretch').waitFor({ state: 'detached' });
  await page.locator('#quiet').getByRole('heading', { name: 'Stretch' }).waitFor();
  await until('the focus is in the list', async () => /Stretch|Your reminders/.test(await focused()));
  await page.locator('#quiet').getByRole('button', { name: 'Done: Another one' }).focus();
  await elsewhere(user, 'A third one');
  await card(page, 'A third one').waitFor();
  assert.equal(await focused(), 'Done: Another one', 'the list changed around it');
  await press('Enter');
  await page.locator('#done').getByRole('heading', { name: 'Another one' }).waitFor();
  await until('the focus is nearby', async () => /^Done: /.test(await focused()));
  await close();
}

/** Texts of others are texts; requests of other sites are refused; refusals are told in words. */
export async function hostileTexts(browser) {
  const user = unique('<b>eve</b>');
  const { page, close } = await open(browser, user);
  const title = `<img src=x onerror="alert('title')"> & <script>alert(1)</script>`;
  await elsewhere(user, title);
  await card(page, title).waitFor();
  assert.equal(await page.locator('main img:not([src="/icon.svg"]), main script').count(), 0);

  const post = (path, headers) =>
    fetch(`http://127.0.0.1:${frontPort}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' });
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }, { 'content-type': 'text/plain' }]) {
    const answer = await post('/api/tasks', headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  }
  assert.equal((await post('/events/task-updates', { origin: `http://127.0.0.1:${frontPort}` })).status, 403, 'events come from the sidecar alone');
  const known = { 'correlation-id': unique('flow') };
  const answer = await post(`/api/tasks/${unique('nobody')}/complete`, known);
  assert.equal(answer.status, 404);
  assert.equal(answer.headers.get('correlation-id'), known['correlation-id']);
  const { headers } = await fetch(`http://127.0.0.1:${frontPort}/`);
  assert.match(headers.get('content-security-policy'), /default-src 'none'; script-src 'self'/);

  // Another page deletes the task while this one cannot hear of it.
  const line = await Line.open();
  const slow = await open(browser, user, { port: line.port });
  await card(slow.page, title).waitFor();
  const { taskId } = (await slow.page.evaluate(() => told))[0].data.tasks[0];
  line.hush();
  await todo('DELETE', `/v1/tasks/${taskId}`);
  await card(slow.page, title).getByRole('button', { name: 'Done' }).click();
  await slow.page.locator('#problem:visible', { hasText: /\(Reference: [-0-9a-f]+\)$/ }).waitFor();
  await slow.close();
  line.close();
  await close();
}

/** No violation that axe knows of: at the door, in the list, with a toast, dark, and on a phone. */
export async function accessible(browser) {
  const user = unique('frank');
  await elsewhere(user, 'Rings soon', 500);
  await elsewhere(user, 'Later', 3_000_000);
  await elsewhere(user, 'Some day');
  const looks = [{}, { colorScheme: 'dark', reducedMotion: 'reduce' }, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }];
  for (const look of looks) {
    const { page, close } = await open(browser, user, look);
    await page.locator('#ringing').getByRole('heading', { name: 'Rings soon' }).waitFor();
    const title = unique('Alarm');
    await elsewhere(user, title, 500);
    await toast(page, title).waitFor();
    await until('the toast has come up', () => page.evaluate(() => document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)));
    assert.equal(await axe(page), '', JSON.stringify(look));
    const { wide, small } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      small: [...document.querySelectorAll('button, select, input')]
        .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 40)
        .map((element) => element.outerHTML),
    }));
    assert.equal(wide, 0, 'nothing to scroll sideways');
    assert.deepEqual(small, [], 'large enough for a finger');
    await close();
  }
  const { page, close } = await door(browser);
  assert.equal(await axe(page), '');
  await page.getByLabel('Name or e-mail address').fill(user);
  await page.getByRole('button', { name: 'Show reminders' }).click();
  await card(page, 'Some day').waitFor();
  await close();
}

async function door(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(SEEN_MS);
  await page.goto(`http://127.0.0.1:${frontPort}/`);
  return { page, close: () => context.close() };
}
