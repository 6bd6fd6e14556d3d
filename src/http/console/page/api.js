// What the page asks of the service, with the token that this tab knows.

const DEADLINE_MS = 15_000;
const KEY = 'console-token';

/** Why something was not done, in words. */
export class Refusal extends Error {
  constructor(status, kind, message) {
    super(message);
    this.status = status;
    this.kind = kind;
  }

  /** Whether the token is missing or wrong. */
  get unauthorized() {
    return this.status === 401;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? '',
  set: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

async function call(method, path, body, more = {}) {
  const headers = { ...more, ...(token.get() && { authorization: `Bearer ${token.get()}` }) };
  if (body !== undefined) headers['content-type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch {
    throw new Refusal(0, 'unreachable', 'The service does not answer.');
  }
  const told = await answer.json().catch(() => null);
  if (answer.ok) return told;
  const kind = told?.type?.split('/').at(-1) ?? '';
  throw new Refusal(answer.status, kind, told?.detail ?? told?.title ?? `The service answered ${answer.status}.`);
}

/** A path with what is asked; empty values are left out. */
function asking(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== undefined && value !== null);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

const task = (id) => `/v1/tasks/${encodeURIComponent(id)}`;

export const session = () => call('GET', '/console/api/session');
export const overview = () => call('GET', '/console/api/overview');
export const load = () => call('GET', '/console/api/load');
export const search = (query) => call('GET', asking('/console/api/tasks', query));
export const parked = (query) => call('GET', asking('/console/api/parked', query));
export const findings = (query) => call('GET', asking('/console/api/findings', query));
export const entry = (id) => call('GET', `/console/api/tasks/${encodeURIComponent(id)}`);
export const read = (id) => call('GET', task(id));
export const preview = (id) => call('GET', asking(`${task(id)}/preview`, { count: 10 }));
export const explain = (id, reminderId, scheduledFor) => call('GET', asking(`${task(id)}/explain`, { reminderId, scheduledFor }));

/** Does something to a task that is still at this version; sent twice, it is done once. */
export function act(id, method, body, version) {
  return call('POST', `${task(id)}/${method}`, body, { 'if-match': `"${version}"`, 'idempotency-key': newId() });
}

const person = (id) => `/v1/users/${encodeURIComponent(id)}`;

export const user = (id) => call('GET', `${person(id)}/preferences`);

/** Does something to all of a user who is still at this version; sent twice, it is done once. */
export function actOnUser(id, method, body, version) {
  return call('POST', `${person(id)}/${method}`, body, { 'if-match': `"${version}"`, 'idempotency-key': newId() });
}

export const repair = (id, body) => call('POST', `/console/api/tasks/${encodeURIComponent(id)}/repair`, body);

/** `crypto.randomUUID` is there on secure origins only. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
