// The stream of news, which goes on after a dropped connection where it was.
//
// The browser comes back by itself after a network error, with the id of the last message. It does not
// after an answer that is no stream, nor does it notice a connection that died in silence: this does.

/** The server sends a beat every 10 s; without any for so long, the connection is dead. */
const SILENCE_MAX_MS = 25_000;
/** A new stream begins with a hello, at once; without it, the way there is dead. */
const HELLO_MAX_MS = 8_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15_000;

export class Feed {
  #user;
  #handlers;
  #source = null;
  #lastId = '';
  #retryMs = RETRY_FIRST_MS;
  #retry = 0;
  #heardAt = 0;

  /** `handlers`: `message(kind, data)` and `state(name)`, which is `live`, `connecting` or `offline`. */
  constructor(user, handlers) {
    this.#user = user;
    this.#handlers = handlers;
    setInterval(() => this.#watch(), 2_000);
    addEventListener('online', () => this.#open());
    addEventListener('offline', () => this.#handlers.state('offline'));
    document.addEventListener('visibilitychange', () => this.#watch());
    // A page that is kept for "back" must not keep a connection.
    addEventListener('pagehide', () => this.#source?.close());
    addEventListener('pageshow', (event) => event.persisted && this.#open());
    this.#open();
  }

  #open() {
    clearTimeout(this.#retry);
    this.#source?.close();
    const query = new URLSearchParams({ user: this.#user });
    if (this.#lastId) query.set('after', this.#lastId);
    const source = new EventSource(`/api/stream?${query}`);
    this.#source = source;
    this.#heardAt = Date.now();
    this.#handlers.state('connecting');
    for (const kind of ['hello', 'beat', 'trouble', 'snapshot', 'task', 'gone']) {
      source.addEventListener(kind, (event) => {
        if (this.#source !== source) return;
        this.#heardAt = Date.now();
        this.#retryMs = RETRY_FIRST_MS;
        this.#handlers.state('live');
        this.#handlers.message(kind, JSON.parse(event.data));
        if (event.lastEventId) this.#lastId = event.lastEventId;
      });
    }
    source.addEventListener('error', () => {
      if (this.#source !== source) return;
      this.#handlers.state(navigator.onLine ? 'connecting' : 'offline');
      if (source.readyState === EventSource.CLOSED) this.#later();
    });
  }

  #later() {
    clearTimeout(this.#retry);
    // Many pages that lost the same server shall not come back at the same moment.
    this.#retry = setTimeout(() => this.#open(), this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
  }

  #watch() {
    const { readyState } = this.#source;
    if (readyState === EventSource.CLOSED || document.visibilityState !== 'visible') return;
    const most = readyState === EventSource.OPEN ? SILENCE_MAX_MS : HELLO_MAX_MS;
    if (Date.now() - this.#heardAt > most) this.#open();
  }
}
