// What the user does, sent to this page's own server.

const DEADLINE_MS = 15_000;

/** Why something could not be done, in words for the user. */
export class Refusal extends Error {}

/** An id that nobody else makes: what is sent again with it is not done again. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': newId() },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch {
    throw new Refusal('The server does not answer. Check your connection and try again.');
  }
  if (answer.ok) return answer.json().catch(() => null);
  throw new Refusal(words(await answer.json().catch(() => null), answer));
}

/** A problem (RFC 9457) as a sentence. */
function words(problem, answer) {
  const said = problem?.detail ?? problem?.title ?? `The server answered ${answer.status}.`;
  const sentence = said.charAt(0).toUpperCase() + said.slice(1);
  const retry = problem?.retryAfterSeconds ? ` Try again in ${problem.retryAfterSeconds} s.` : '';
  const reference = answer.headers.get('correlation-id');
  return `${sentence.replace(/([^.!?])$/, '$1.')}${retry}${reference ? ` (Reference: ${reference})` : ''}`;
}

const task = (id, action) => `/api/tasks/${encodeURIComponent(id)}/${action}`;

export const create = (fields) => post('/api/tasks', fields);
export const complete = (id) => post(task(id, 'complete'), {});
export const acknowledge = (id) => post(task(id, 'acknowledge'), {});
export const snooze = (id, duration) => post(task(id, 'snooze'), { for: duration });
