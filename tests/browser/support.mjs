// What the scenarios share: a connection that can be cut, and the other side of the page.

import { createRequire } from 'node:module';
import net from 'node:net';
import readline from 'node:readline';
import { readFileSync } from 'node:fs';

/** Until something that the services do is seen on the page, on a busy machine. */
export const SEEN_MS = 60_000;

const { FRONT_PORT, TODO_PORT, PICTURES } = process.env;
if (!FRONT_PORT || !TODO_PORT || !PICTURES) {
  throw new Error('FRONT_PORT, TODO_PORT and PICTURES must be set: see tests/mesh/front.rs, which runs this');
}
export { PICTURES };
export const frontPort = Number(FRONT_PORT);
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A name that no other run has. */
export const unique = (name) => `${name}-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;

/** Listens to what the browser complains about; what comes back closes the context, and fails if there was something. */
export function watch(page, context, expected = []) {
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A connection that was cut, or an answer that is a refusal, is reported by the browser itself.
    const known = ['Failed to load resource', 'net::ERR_', ...expected];
    if (message.type() === 'error' && !known.some((text) => message.text().includes(text))) complaints.push(message.text());
  });
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  return async () => {
    await context.close();
    if (complaints.length) throw new Error(`the browser complains:\n${complaints.join('\n')}`);
  };
}

/** A page of a user. What the browser complains about, fails the scenario when it is closed. */
export async function open(browser, user, { port = frontPort, expected = [], ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(SEEN_MS);
  const close = watch(page, context, expected);
  // Each message that the page is told, and each toast that it ever showed.
  await page.addInitScript(() => {
    globalThis.told = [];
    globalThis.EventSource = class extends EventSource {
      constructor(...args) {
        super(...args);
        for (const kind of ['snapshot', 'task', 'gone']) {
          this.addEventListener(kind, (event) => globalThis.told.push({ kind, id: event.lastEventId, data: JSON.parse(event.data) }));
        }
      }
    };
    globalThis.toasts = [];
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        if (node.classList?.contains('toast')) globalThis.toasts.push(node.getAttribute('aria-label'));
      }
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(`http://127.0.0.1:${port}/?${new URLSearchParams({ user })}`);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('#loading').waitFor({ state: 'hidden' });
  return { page, context, close };
}

export const card = (page, title) => page.locator('li.task').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
export const toast = (page, title) => page.getByRole('article', { name: title, exact: true });

/** Makes a task as a user does, due so many seconds from now, with the form of the page. */
export async function add(page, title, seconds) {
  await page.getByLabel('What is to be done?').fill(title);
  if (seconds !== undefined) await page.getByLabel('Due', { exact: true }).fill(await localIn(page, seconds));
  await page.getByRole('button', { name: 'Add task' }).click();
  await card(page, title).waitFor();
}

/** What the input for times holds, for a moment so many seconds from now by the page's clock. */
export const localIn = (page, seconds) =>
  page.evaluate((seconds) => {
    const date = new Date(Date.now() + seconds * 1000);
    date.setMinutes(date.getMinutes() - date.getTimezoneOffset());
    return date.toISOString().slice(0, 19);
  }, seconds);

/** Calls the owner of the tasks, as another program would. */
export async function todo(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${TODO_PORT}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** A task of a user, made elsewhere, due so many milliseconds from now. */
export const elsewhere = (userId, title, ms) =>
  todo('POST', '/v1/tasks', { title, userId, ...(ms === undefined ? {} : { dueDate: new Date(Date.now() + ms).toISOString() }) });

/** Waits until a condition holds. */
export async function until(what, condition, deadlineMs = SEEN_MS) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What axe finds on the page, as text; nothing if all is well. */
export async function axe(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map((found) => `${found.impact} ${found.id}: ${found.help}\n  ${found.nodes.map((node) => node.html).join('\n  ')}`).join('\n');
}

/** A way to the service that can be cut, and that can go silent without a word. */
export class Line {
  #server;
  #sockets = new Set();
  #streams = new WeakSet();
  #cut = false;
  /** The heads of the requests that came through. */
  heads = [];

  static async open() {
    const line = new Line();
    line.#server = net.createServer((client) => line.#connect(client));
    await new Promise((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    line.port = line.#server.address().port;
    return line;
  }

  #connect(client) {
    if (this.#cut) return client.destroy();
    const server = net.connect(frontPort, '127.0.0.1');
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on('data', (data) => {
        if (from === client) {
          const head = data.toString('latin1');
          this.heads.push(head);
          if (head.startsWith('GET /api/stream')) for (const socket of [client, server]) this.#streams.add(socket);
        }
        to.write(data);
      });
    }
  }

  /** Ends every connection and takes no new one. */
  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes connections again. */
  mend() {
    this.#cut = false;
  }

  /** The connection of the stream stays, and carries nothing any more; new ones work. */
  hush() {
    for (const socket of this.#sockets) {
      if (this.#streams.has(socket)) socket.removeAllListeners('data').resume();
      else socket.destroy();
    }
  }

  close() {
    this.cut();
    this.#server.close();
  }
}

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks whoever runs the services to do something to them. */
export async function ask(what) {
  process.stdout.write(`ASK ${what}\n`);
  const { value } = await answers.next();
  if (value !== 'done') throw new Error(`${what}: ${value ?? 'nobody answers'}`);
}
