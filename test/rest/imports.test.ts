import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { KEY, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { type RestAnswer, type RestClient, restClient } from '../support/rest.ts';
import { until } from '../support/wait.ts';

let guerdon: TestGuerdon;
let rest: RestClient;
beforeAll(async () => {
  guerdon = await startGuerdon();
  rest = await restClient(guerdon);
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const CSV = { 'content-type': 'text/csv; charset=utf-8' };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const lines = (user: string, count: number) =>
  Array.from({ length: count }, () => `${JSON.stringify({ metricKey: 'lessons', user: { id: user }, value: '1' })}\n`);

async function done(id: string): Promise<RestAnswer['body']> {
  let found: RestAnswer['body'];
  const ended = async () => {
    found = (await rest.get(`/v1/imports/${id}`)).body;
    return found.state !== 'receiving' && found.state !== 'applying';
  };
  await until(ended, { what: `import ${id} to be done`, timeoutMs: 60_000 });
  return found;
}

/** Sends the head of a body whose end never comes. */
function breakOff(path: string, headers: Record<string, string>, head: string): Promise<void> {
  return new Promise((resolve) => {
    const sent = request({
      port: guerdon.httpPort,
      method: 'POST',
      path,
      headers: { 'x-api-key': KEY, 'content-length': String(head.length + 1_000), ...headers },
    });
    sent.on('error', () => resolve());
    sent.write(head, () => sent.destroy());
    sent.on('close', () => resolve());
  });
}

describe('POST /v1/imports', () => {
  it('takes lines of JSON, packed or not, once', async () => {
    const file = lines('ada', 1_200).join('');
    const sent = await rest.post('/v1/imports?name=lessons.ndjson', file, NDJSON);
    expect(sent).toMatchObject({ status: 201, body: { name: 'lessons.ndjson', format: 'ndjson', rows: 1_200 } });
    expect(await done(sent.body.id)).toMatchObject({ state: 'done', applied: 1_200, duplicate: 0, refused: 0 });
    const again = await rest.post('/v1/imports', gzipSync(file), NDJSON);
    expect(await done(again.body.id)).toMatchObject({ state: 'done', applied: 0, duplicate: 1_200 });
    expect((await balancesOf(guerdon.database, 'xp')).ada).toBe(12_000);
    const listed = (await rest.get('/v1/imports?pageSize=1')).body;
    expect(listed.imports).toMatchObject([{ id: again.body.id }]);
    const next = (await rest.get(`/v1/imports?pageSize=1&pageToken=${listed.nextPageToken}`)).body;
    expect(next.imports).toMatchObject([{ id: sent.body.id }]);
  });

  it('takes comma-separated values, tells of each row what became of it, and tries again what was refused', async () => {
    const file = 'metric,user,value,occurred_at\nlessons,bob,1,2024-05-01T10:00:00Z\nnaps,bob,1,\nlessons,bob,x,\n';
    const { body: sent } = await rest.post('/v1/imports', file, CSV);
    expect(await done(sent.id)).toMatchObject({ format: 'csv', applied: 1, refused: 2 });
    const { body } = await rest.get(`/v1/imports/${sent.id}/rows`);
    expect(body.rows).toMatchObject([
      { line: 2, outcome: 'applied', eventId: expect.any(String), reason: null },
      { line: 3, outcome: 'refused', reason: expect.stringContaining('naps') },
      { line: 4, outcome: 'refused', reason: expect.stringContaining('value') },
    ]);
    const refused = await rest.get(`/v1/imports/${sent.id}/rows?outcome=refused&pageSize=1`);
    expect(refused.body).toMatchObject({ rows: [{ line: 3 }], nextPageToken: expect.stringMatching(/./) });
    const retried = await rest.call('POST', `/v1/imports/${sent.id}/retry`);
    expect(retried).toMatchObject({ status: 200, body: { retryOf: sent.id } });
    expect(await done(retried.body.id)).toMatchObject({ applied: 0, refused: 2 });
    expect((await rest.call('POST', `/v1/imports/${sent.id}/cancel`)).body.state).toBe('done');
  });

  it('applies nothing of a dry run', async () => {
    const { body } = await rest.post('/v1/imports?dryRun=true', lines('cleo', 3).join(''), NDJSON);
    expect(await done(body.id)).toMatchObject({ dryRun: true, applied: 3 });
    expect((await rest.get('/v1/users/cleo')).status).toBe(404);
  });

  it('goes on under its id where a body broke off', async () => {
    const importId = v7();
    const rows = lines('dora', 1_300);
    await breakOff(`/v1/imports?importId=${importId}`, NDJSON, rows.slice(0, 1_200).join(''));
    const stored = async () => (await rest.get(`/v1/imports/${importId}`)).body.rows === 1_000;
    await until(stored, { what: 'blocks to be stored' });
    const changed = await rest.post(`/v1/imports?importId=${importId}`, lines('eve', 1_300).join(''), NDJSON);
    expect(changed).toMatchObject({ status: 422, body: { error: expect.stringContaining('importId') } });
    const sent = await rest.post(`/v1/imports?importId=${importId}`, rows.join(''), NDJSON);
    expect(sent).toMatchObject({ status: 201, body: { id: importId, rows: 1_300 } });
    expect(await done(importId)).toMatchObject({ applied: 1_300 });
  });

  it.each([
    ['a type that is none of these', '{}', { 'content-type': 'application/json' }, 422, /format/],
    ['what is no gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2]), NDJSON, 422, /gzip/],
    ['a header without a needed column', 'metric,user\n', CSV, 422, /"value"/],
  ])('refuses %s', async (_, body, headers, status, error) => {
    const answer = await rest.post('/v1/imports', body, headers);
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(error) } });
  });

  it('takes a body without an end as it comes, and no import of other projects', async () => {
    const { body } = await rest.get(`/v1/imports/${v7()}`);
    expect(body.error).toMatch(/no such import/);
    const stream = new ReadableStream({
      start(controller) {
        for (const line of lines('finn', 700)) controller.enqueue(Buffer.from(line));
        controller.close();
      },
    });
    const response = await fetch(`http://127.0.0.1:${guerdon.httpPort}/v1/imports`, {
      method: 'POST',
      headers: { 'x-api-key': KEY, ...NDJSON },
      body: stream,
      duplex: 'half',
    } as RequestInit);
    const { id } = (await response.json()) as { id: string };
    expect(await done(id)).toMatchObject({ applied: 700 });
  });
});
