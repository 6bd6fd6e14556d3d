// What an operator lives through on the console of the service itself.

import assert from 'node:assert/strict';
import { PICTURES, SEEN_MS, ask, axe, unique, until, watch } from './support.mjs';

const { CONSOLE_PORT, CONSOLE_TOKEN } = process.env;
if (!CONSOLE_PORT || !CONSOLE_TOKEN) throw new Error('CONSOLE_PORT and CONSOLE_TOKEN must be set: see tests/mesh/front.rs');
const address = `http://127.0.0.1:${CONSOLE_PORT}/console`;

/** The console, signed in. */
async function open(browser, { token = CONSOLE_TOKEN, ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(SEEN_MS);
  const close = watch(page, context);
  await page.goto(address);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  return { page, close };
}

/** A task of the service itself, due so many milliseconds from now. */
async function put(userId, title, ms) {
  const taskId = unique('task');
  const answer = await fetch(`http://127.0.0.1:${CONSOLE_PORT}/v1/tasks/${taskId}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${CONSOLE_TOKEN}` },
    body: JSON.stringify({ title, userId, dueDate: new Date(Date.now() + ms).toISOString() }),
    signal: AbortSignal.timeout(20_000),
  });
  assert.equal(answer.status, 201, await answer.text());
  return taskId;
}

const heading = (page, name) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const section = (page, name) => page.getByRole('link', { name, exact: true });

/** A task that has fired, found by the beginning of its id and opened. */
async function found(page, taskId, title) {
  await section(page, 'Tasks').click();
  await page.getByLabel('Id begins with').fill(taskId.slice(0, -1));
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: taskId, exact: true }).click();
  await heading(page, title);
}

/** Presses a button, and then the one of the same name that its question has. */
async function confirmed(page, name) {
  await page.getByRole('button', { name, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
}

/** search → a task, its timeline and why → the load → a parked task, repaired */
export async function operatorConsole(browser) {
  const user = unique('olga');
  const taskId = await put(user, 'Water the plants', 500);
  await put(user, 'Later today', 1_800_000);

  const { page, close } = await open(browser, { token: 'wrong' });
  await page.getByText('The token is not right.').waitFor();
  await page.getByLabel('Token').fill(CONSOLE_TOKEN);
  await page.keyboard.press('Enter');
  await heading(page, 'Overview');
  assert.equal(await page.locator('figure[data-span="hour"] rect').count(), 60);
  await until('the task to come is in a bar', async () => {
    const heights = await page.locator('figure[data-span="hour"] rect').evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('height'))));
    if (heights.some((height) => height > 0)) return true;
    await page.reload();
    await heading(page, 'Overview');
    return false;
  });
  const hour = page.getByRole('img', { name: /tasks? within the next hour/ });
  assert.match(await hour.getAttribute('aria-label'), /^\d/);
  await page.getByText('Next hour as a table').click();
  await page.getByRole('cell', { name: /^\d/ }).first().waitFor();

  await until('it has fired', async () => {
    await found(page, taskId, 'Water the plants');
    return page.getByText(/^fired: /).count();
  });
  await page.getByRole('button', { name: /^Why\?/ }).click();
  await page.locator('.why li').first().waitFor();
  await page.getByRole('button', { name: 'Complete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Complete', 'the focus is where it was');
  await confirmed(page, 'Acknowledge');
  await page.getByText(/^acknowledged: /).waitFor();

  await ask(`damage ${taskId}`);
  await page.reload();
  await heading(page, `Task ${taskId}`);
  await section(page, 'Parked').click();
  await page.getByRole('link', { name: taskId, exact: true }).click();
  await heading(page, `Task ${taskId}`);
  await page.getByLabel('The body of a put').fill('{');
  await page.getByRole('button', { name: 'Replace by this task' }).click();
  await page.locator('#announcer', { hasText: 'not JSON' }).waitFor({ state: 'attached' });
  await page.getByLabel('The body of a put').fill(JSON.stringify({ task: { title: 'Water them again' } }));
  await page.getByRole('button', { name: 'Replace by this task' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
  await heading(page, 'Water them again');
  await section(page, 'Parked').click();
  await heading(page, 'Parked tasks');
  assert.equal(await page.getByRole('link', { name: taskId, exact: true }).count(), 0, 'it is parked no more');
  await close();
}

/** a task is paused and resumed, and then all of its user: what is done is seen, and so is what it does */
export async function operatorPauses(browser) {
  const user = `${unique('pia')}/a b@example.org`;
  const taskId = await put(user, 'Water the cactus', 1_800_000);
  const { page, close } = await open(browser);
  const fact = (name, value) => page.locator('.facts div').filter({ hasText: name }).getByText(value).first().waitFor();
  await heading(page, 'Overview');
  await found(page, taskId, 'Water the cactus');
  await fact('fires next', /\(in \d+ min/);
  await confirmed(page, 'Pause');
  await fact('paused since', /\d{4}/);
  await fact('fires next', 'nothing while it is paused');
  await page.getByLabel('and what fell due meanwhile').selectOption('skip');
  await confirmed(page, 'Resume');
  await fact('fires next', /\(in \d+ min/);

  await page.getByRole('link', { name: user, exact: true }).click();
  await heading(page, `User ${user}`);
  await fact('reminders', 'fire');
  await fact('open tasks', '1');
  await confirmed(page, 'Pause');
  await fact('reminders', 'paused');
  await page.getByRole('link', { name: 'Tasks of the user' }).click();
  // Each task follows by a turn of its own.
  await until('its task has followed', async () => {
    await page.getByRole('button', { name: 'Search' }).click();
    return page.getByRole('cell', { name: 'paused', exact: true }).count();
  });
  await page.getByRole('link', { name: taskId, exact: true }).click();
  await fact('user paused since', /\d{4}/);
  await page.getByRole('link', { name: user, exact: true }).click();
  await confirmed(page, 'Resume');
  await fact('reminders', 'fire');
  await close();
}

/** what the audit finds is told: a task whose state is gone, which is then forgotten */
export async function auditFindings(browser) {
  const taskId = await put(unique('lea'), 'Gone with the row', 3_000);
  await ask(`lose ${taskId}`);
  const { page, close } = await open(browser);
  await heading(page, 'Overview');
  await section(page, 'Audit').click();
  await until('the audit has found it', async () => {
    await page.reload();
    await heading(page, 'What the audit found');
    return page.getByRole('link', { name: taskId, exact: true }).count();
  });
  const row = page.getByRole('row').filter({ hasText: taskId });
  await row.getByText('its state cannot be used').waitFor();
  await row.getByRole('link').click();
  await heading(page, `Task ${taskId}`);
  await page.getByRole('button', { name: 'Forget the task' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
  await page.getByRole('button', { name: 'Forget the task' }).waitFor({ state: 'detached' });
  await close();
}

/** No violation that axe knows of, and nothing to scroll sideways: each section, dark, and on a phone. */
export async function consoleAccessible(browser) {
  const user = unique('paul');
  const title = `<img src=x> ${'long'.repeat(20)}`;
  const taskId = await put(user, title, 500);
  await put(user, 'Some day', 90_000_000);
  const looks = {
    overview: {},
    dark: { colorScheme: 'dark' },
    phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
  };
  for (const [name, look] of Object.entries(looks)) {
    const { page, close } = await open(browser, look);
    const check = async () => {
      assert.equal(await axe(page), '', `${name} ${page.url()}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${name} ${page.url()} scrolls sideways`);
    };
    await heading(page, 'Overview');
    await check();
    if (name !== 'dark') await page.screenshot({ path: `${PICTURES}/console-${name}.png` });
    await section(page, 'Parked').click();
    await heading(page, 'Parked tasks');
    await check();
    await section(page, 'Audit').click();
    await heading(page, 'What the audit found');
    await check();
    await until('it has fired', async () => {
      await found(page, taskId, title);
      return page.getByText(/^fired: /).count();
    });
    assert.equal(await page.locator('main img').count(), 0, 'a text is a text');
    await page.getByRole('button', { name: 'Complete' }).click();
    await page.getByRole('dialog').waitFor();
    await check();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Why\?/ }).click();
    await page.locator('.why li').first().waitFor();
    await check();
    if (name === 'dark') await page.screenshot({ path: `${PICTURES}/console-task.png`, fullPage: true });
    await page.getByRole('link', { name: user, exact: true }).click();
    await heading(page, `User ${user}`);
    await check();
    await close();
  }
  const context = await browser.newContext();
  const page = await context.newPage();
  const close = watch(page, context);
  const answer = await page.goto(address);
  assert.match(answer.headers()['content-security-policy'], /default-src 'none'; script-src 'self'/);
  assert.equal(answer.headers()['cache-control'], 'no-store');
  await page.getByLabel('Token').waitFor();
  assert.equal(await axe(page), '');
  await close();
}
