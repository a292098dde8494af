import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Api } from './call.ts';

const INDEX = new URL('../../web/index.html', import.meta.url);
const READY_MS = 2_000;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What is served beside the RPCs: the page at `/`, and the probes. */
export function plainPages(api: Api): Handler {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const page = request.method === 'GET' || request.method === 'HEAD' ? pages[pathname] : undefined;
    (page ?? notFound)(api, response).catch((err: unknown) => {
      api.context.log.error({ err }, 'page failed');
      response.destroy();
    });
  };
}

type Page = (api: Api, response: ServerResponse) => Promise<void>;

const pages: Readonly<Record<string, Page>> = { '/': index, '/healthz': healthz, '/readyz': readyz };

async function index(_api: Api, response: ServerResponse): Promise<void> {
  const html = await readFile(INDEX);
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(html);
}

/** The process is alive. */
async function healthz(_api: Api, response: ServerResponse): Promise<void> {
  text(response, 200, 'ok');
}

/** The process can do its work: the database answers. */
async function readyz(api: Api, response: ServerResponse): Promise<void> {
  const ready = await Promise.race([
    api.context.pool.query('select 1').then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), READY_MS).unref()),
  ]);
  text(response, ready ? 200 : 503, ready ? 'ok' : 'the database does not answer');
}

async function notFound(_api: Api, response: ServerResponse): Promise<void> {
  text(response, 404, 'not found');
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${body}\n`);
}
