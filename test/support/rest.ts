import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { KEY, type TestGuerdon } from './guerdon.ts';

/** An answer; what is in its body is the test's to know. */
export interface RestAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
}

export interface RestClient {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<RestAnswer>;
  get(path: string): Promise<RestAnswer>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<RestAnswer>;
  patch(path: string, body: unknown): Promise<RestAnswer>;
  del(path: string): Promise<RestAnswer>;
}

const PREFIXES = ['/admin/v1', '/v1'];

/** Plain HTTP; every answer is held against the OpenAPI document that the server gives. */
export async function restClient(guerdon: Pick<TestGuerdon, 'httpPort'>, key: string = KEY): Promise<RestClient> {
  const base = `http://127.0.0.1:${guerdon.httpPort}`;
  const documents = new Map<string, ReturnType<typeof judgeOf>>();
  for (const prefix of PREFIXES) {
    documents.set(prefix, judgeOf(prefix, (await (await fetch(`${base}${prefix}/openapi`)).json()) as Document));
  }
  const call: RestClient['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...(key !== '' && { 'x-api-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: (isRaw(body) ? body : JSON.stringify(body)) as never }),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    const prefix = PREFIXES.find((item) => path.startsWith(`${item}/`)) as string;
    documents.get(prefix)?.(method, path.slice(prefix.length), answer);
    return answer;
  };
  return {
    call,
    get: (path) => call('GET', path),
    post: (path, body, headers) => call('POST', path, body, headers),
    patch: (path, body) => call('PATCH', path, body),
    del: (path) => call('DELETE', path),
  };
}

function isRaw(body: unknown): boolean {
  return typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
}

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>;
}

/** Throws for an answer that the document does not allow. */
function judgeOf(prefix: string, document: Document) {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  ajv.addSchema(document, 'document');
  const forms = new Map<string, ValidateFunction>();
  const formOf = (pointer: string): ValidateFunction => {
    const form = forms.get(pointer) ?? ajv.compile({ $ref: `document#${pointer}` });
    forms.set(pointer, form);
    return form;
  };
  return (method: string, path: string, { status, body }: RestAnswer): void => {
    const [plain = ''] = path.split('?');
    if (plain === '/openapi' || method === 'OPTIONS' || method === 'HEAD') return;
    const error = formOf('/components/schemas/ErrorBody');
    const template = templateOf(Object.keys(document.paths), plain);
    const responses = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()]?.responses;
    if (status >= 400 || responses === undefined) {
      if (status < 400 || !error(body)) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
      return;
    }
    const response = responses[status];
    if (response === undefined) throw new Error(`${method} ${prefix}${path}: ${status} is not in the document`);
    if (response.content === undefined) {
      if (body !== undefined) throw new Error(`${method} ${prefix}${path}: a body where there is none to be`);
      return;
    }
    const at = ['paths', template as string, method.toLowerCase(), 'responses', String(status)];
    const form = formOf(`/${[...at, 'content', 'application/json', 'schema'].map(escaped).join('/')}`);
    if (!form(body)) {
      throw new Error(`${method} ${prefix}${path}: ${ajv.errorsText(form.errors)} in ${JSON.stringify(body)}`);
    }
  };
}

function escaped(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** The template with the most words that fits; a user's id may have slashes where none fits otherwise. */
function templateOf(templates: readonly string[], path: string): string | undefined {
  const words = (template: string) => template.replace(/\{\w+\}/g, '').length;
  const sorted = [...templates].sort((a, b) => words(b) - words(a));
  const fits = (id: string) => (template: string) =>
    new RegExp(`^${template.replace('/users/{id}', `/users/${id}`).replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return sorted.find(fits('[^/]+')) ?? sorted.find(fits('.+'));
}
