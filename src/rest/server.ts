import type { IncomingMessage, ServerResponse } from 'node:http';
import { GuerdonError } from '../errors.ts';
import type { ApiKeys } from '../rpc/auth.ts';
import type { Api } from '../rpc/call.ts';
import { authorize } from '../rpc/call.ts';
import { admit } from '../rpc/invoke.ts';
import { rateHeaders } from '../rpc/rate-limits.ts';
import { toGuerdonError } from '../rpc/status.ts';
import { adminRoutes } from './admin-table.ts';
import { appRoutes } from './app-table.ts';
import { chunksOf, discardBody, readBody } from './body.ts';
import { checkRequest } from './check.ts';
import { matcherOf } from './match.ts';
import { openApiOf } from './openapi.ts';
import type { Answer, RestCall, RestRoute } from './route.ts';
import { messageOf, statusOf } from './status.ts';

interface Surface {
  prefix: string;
  match: ReturnType<typeof matcherOf>;
}

/** Takes the requests under `/v1` and `/admin/v1`; false: it is none. */
export function restSurface(api: Api, keys: ApiKeys): (request: IncomingMessage, response: ServerResponse) => boolean {
  const surfaces = [surfaceOf('/admin/v1', adminRoutes), surfaceOf('/v1', appRoutes)];
  return (request, response) => {
    const url = request.url ?? '/';
    const [path = '', search = ''] = splitOnce(url.replace(/#.*$/s, ''), '?');
    const surface = surfaces.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
    if (surface === undefined) return false;
    answer(api, keys, surface, request, response, path.slice(surface.prefix.length), search).catch((err: unknown) => {
      api.context.log.error({ err }, 'answering failed');
      response.destroy();
    });
    return true;
  };
}

function surfaceOf(prefix: string, table: readonly RestRoute[]): Surface {
  const document = openApiOf(prefix, table);
  return { prefix, match: matcherOf([...table, documentRoute(document)]) };
}

function documentRoute(document: object): RestRoute {
  const handle = async () => ({ body: document });
  const summary = 'This document.';
  return { method: 'GET', path: '/openapi', id: 'getOpenApi', summary, access: 'open', success: { 200: null }, handle };
}

async function answer(
  api: Api,
  keys: ApiKeys,
  surface: Surface,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  search: string,
): Promise<void> {
  response.setHeader('x-request-id', api.context.uuid());
  const done = await run(api, keys, surface, request, response, path, search).catch((thrown: unknown): Answer => {
    const error = toGuerdonError(thrown, api.context.log);
    if (error.retryMs !== undefined) response.setHeader('retry-after', String(Math.ceil(error.retryMs / 1_000)));
    if (error.rate !== undefined) setHeaders(response, rateHeaders(error.rate, { refused: true }));
    return { status: statusOf(error), body: { error: messageOf(error) } };
  });
  const whole = await discardBody(request);
  if (!whole && request.httpVersionMajor === 1) response.setHeader('connection', 'close');
  send(request, response, done.status ?? 200, done.body);
}

async function run(
  api: Api,
  keys: ApiKeys,
  surface: Surface,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  search: string,
): Promise<Answer> {
  const match = surface.match(path);
  if (match === undefined) throw new GuerdonError('NOT_FOUND', 'PATH_UNKNOWN', `there is no ${surface.prefix}${path}`);
  const methods = match.routes.map(({ method }) => method);
  const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') {
    response.setHeader('allow', allowed);
    return { status: 204 };
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = match.routes.find((item) => item.method === method);
  if (route === undefined) {
    response.setHeader('allow', allowed);
    throw new GuerdonError('UNIMPLEMENTED', 'METHOD_NOT_ALLOWED', `${request.method} is not for here; ${allowed} are`);
  }
  const header = (name: string) => headerOf(request, name);
  if (route.access === 'open') return route.handle({} as RestCall);
  const call = await admit(api, keys, header, undefined);
  if (call.rate !== null) setHeaders(response, rateHeaders(call.rate));
  const json = route.body === undefined ? undefined : await readBody(request);
  authorize({ access: accessOf(route) }, call.caller, { path: match.path, body: json?.plain });
  const checked = checkRequest(route, match.path, json, new URLSearchParams(search));
  const upload = route.upload && { type: mediaType(header('content-type')), bytes: chunksOf(request) };
  const done = await route.handle({
    call,
    path: match.path,
    idempotencyKey: header('idempotency-key'),
    ...checked,
    upload,
  } as RestCall);
  return { status: Number(Object.keys(route.success)[0]), ...done };
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/** Which keys may call, as the RPCs say it. */
function accessOf({ access }: RestRoute): Parameters<typeof authorize>[0]['access'] {
  if (access !== 'user') return access === 'admin' ? 'admin' : 'project';
  return ((rest: { path: { id?: string }; body?: { user?: { id?: string } } }) => [
    rest.path.id ?? rest.body?.user?.id,
  ]) as never;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function mediaType(header = ''): string {
  return splitOnce(header, ';')[0].trim().toLowerCase();
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

function send(request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void {
  if (body === undefined) {
    response.writeHead(status).end();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
