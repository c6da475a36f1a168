import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { RING, page } from './samples.js';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on a port of its own whose two answers a test sets. */
export class TestStore {
  readonly requests: string[] = [];
  /** How many answers were 304. */
  unchanged = 0;
  readonly authorizations = new Set<string | undefined>();
  ring: Answer = text(200, RING);
  feed: Answer = text(200, page(0, false));
  readonly #server = createServer((request, response) => {
    this.requests.push(request.url ?? '');
    this.authorizations.add(request.headers.authorization);
    response.on('finish', () => (this.unchanged += Number(response.statusCode === 304)));
    (request.url === '/v1/keyring' ? this.ring : this.feed)(request, response);
  });

  static async open(context: TestContext, port = 0): Promise<TestStore> {
    const store = new TestStore();
    await new Promise<void>((resolve) => store.#server.listen(port, '127.0.0.1', resolve));
    context.after(() => store.close());
    return store;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  asked(url: string): number {
    return this.requests.filter((request) => request === url).length;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

export function text(status: number, body: string): Answer {
  return (_, response) => response.writeHead(status).end(body);
}

export function tagged(etag: string, body: string): Answer {
  return (request, response) => {
    const same = request.headers['if-none-match'] === etag;
    response.writeHead(same ? 304 : 200, { etag }).end(same ? undefined : body);
  };
}
