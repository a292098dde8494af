import type { Config } from '../config.ts';

export interface Whereabouts {
  config: Config;
  databaseUrl: string;
  httpPort: number | undefined;
  grpcPort: number | undefined;
  adminKey: string | undefined;
}

/** What a person sees at a start: where everything is, and one command to paste. */
export function banner({ config, databaseUrl, httpPort, grpcPort, adminKey: key }: Whereabouts): string {
  const lines = ['', `Guerdon is ready (${config.role}).`, ''];
  const row = (name: string, value: string) => lines.push(`  ${name.padEnd(10)} ${value}`);
  if (httpPort !== undefined && grpcPort !== undefined) {
    row('page', `http://localhost:${httpPort}/${key === undefined ? '' : `#key=${key}`}`);
    row('http', `http://localhost:${httpPort}  (Connect, gRPC-Web, REST)`);
    row('grpc', `localhost:${grpcPort}`);
  }
  row('database', databaseUrl);
  row('queue', config.redisUrl ?? 'in the same database');
  row('admin key', key ?? 'made at an earlier start; another one: npm run guerdon -- key');
  if (httpPort !== undefined) {
    lines.push('', 'Send an event and get the points back:', '', curl(httpPort, key ?? 'PREFIX.BODY'));
  }
  return `${lines.join('\n')}\n`;
}

function curl(port: number, key: string): string {
  const body = { metricKey: 'lessons', user: { id: 'ada' }, value: '1', idempotencyKey: 'lesson-1' };
  return [
    `  curl -s http://localhost:${port}/guerdon.v1.EventService/SendEvent \\`,
    `    -H 'content-type: application/json' -H 'x-api-key: ${key}' \\`,
    `    -d '${JSON.stringify(body)}'`,
  ].join('\n');
}
