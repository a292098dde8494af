import type { Answer, Body, RestAccess, RestCall, RestRoute } from './route.ts';
import { notOffered } from './status.ts';

// Short forms for the rows of the tables.

export type Params = NonNullable<RestRoute['query']>;
type Handle<B = never> = (call: RestCall<B>) => Promise<Answer>;
type Success = RestRoute['success'];

/** The handler's name is that of the operation. */
function get(
  path: string,
  access: RestAccess,
  handle: Handle,
  summary: string,
  schema: string,
  query: Params = {},
): RestRoute {
  return { method: 'GET', path, id: handle.name, summary, access, query, success: { 200: schema }, handle };
}

function withBody(method: RestRoute['method']) {
  return <B>(
    path: string,
    access: RestAccess,
    body: string | Body,
    handle: Handle<B>,
    summary: string,
    success: Success = { 201: null },
  ): RestRoute => ({
    method,
    path,
    id: handle.name,
    summary,
    access,
    body: typeof body === 'string' ? { schema: body } : body,
    success,
    handle: handle as Handle,
  });
}

/** What is done to a thing, without a body. */
function act(path: string, access: RestAccess, handle: Handle, summary: string, schema: string): RestRoute {
  return { method: 'POST', path, id: handle.name, summary, access, success: { 200: schema }, handle };
}

function remove(
  path: string,
  access: RestAccess,
  handle: Handle,
  summary: string,
  success: Success,
  query: Params = {},
): RestRoute {
  return { method: 'DELETE', path, id: handle.name, summary, access, query, success, handle };
}

/** What this server does not offer; it says so. */
function later(method: RestRoute['method'], path: string, access: RestAccess, what: string): RestRoute {
  const handle = async (): Promise<Answer> => {
    throw notOffered(what);
  };
  const words = path
    .replace(/[{}]/g, '')
    .split(/[/-]/)
    .filter((word) => word !== '');
  const id = [method.toLowerCase(), ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join('');
  return { method, path, id, summary: `Not offered: answers 501.`, access, success: { 501: 'ErrorBody' }, handle };
}

export const rows = { get, post: withBody('POST'), put: withBody('PUT'), patch: withBody('PATCH'), act, remove, later };
