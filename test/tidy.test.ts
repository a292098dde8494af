import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

// The structure of the code as a table. A path ends in "/" for a folder; the longest match decides.

const root = resolve(import.meta.dirname, '..');

/** What the files of a place may import of our own code. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'src/rules/': [],
  'src/program/': ['src/rules/'],
  'src/db/': ['src/rules/', 'src/program/'],
  'src/ledger/': ['src/rules/', 'src/db/'],
  'src/contract-ids.ts': [],
  'src/webhooks/': ['src/rules/', 'src/db/entities/', 'src/contract-ids.ts'],
  'src/commands/': [
    'src/keys.ts',
    'src/rules/',
    'src/program/',
    'src/ledger/',
    'src/db/',
    'src/webhooks/',
    'src/contract-ids.ts',
  ],
  'src/errors.ts': ['src/rules/'],
  'src/config.ts': ['src/keys.ts'],
  'src/keys.ts': [],
  'src/log.ts': [],
  'src/uuids.ts': [],
  'src/queue/': ['src/commands/', 'src/db/', 'src/errors.ts'],
  'src/context.ts': ['src/config.ts', 'src/db/', 'src/queue/'],
  'src/rpc/': [
    'src/gen/',
    'src/errors.ts',
    'src/keys.ts',
    'src/rules/',
    'src/program/',
    'src/ledger/',
    'src/commands/',
    'src/webhooks/',
    'src/db/catalog.ts',
    'src/db/entities/',
    'src/db/failures.ts',
    'src/db/pool.ts',
    'src/context.ts',
    'src/queue/ingest.ts',
  ],
  'src/rest/': [
    'src/contract-ids.ts',
    'src/gen/',
    'src/errors.ts',
    'src/rules/',
    'src/ledger/',
    'src/commands/',
    'src/db/catalog.ts',
    'src/rpc/',
  ],
  'src/setup/': [
    'src/config.ts',
    'src/keys.ts',
    'src/context.ts',
    'src/db/',
    'src/program/',
    'src/commands/',
    'src/queue/backend.ts',
  ],
  'src/cli/': ['src/'],
  'src/process.ts': ['src/', 'workers/'],
  'src/main.ts': ['src/process.ts'],
  'workers/': ['src/commands/', 'src/context.ts', 'src/db/', 'src/queue/', 'src/webhooks/'],
  'workers/main.ts': ['src/process.ts'],
};

/** Which files alone may import a library. */
const ONLY_HERE: Record<string, readonly string[]> = {
  bullmq: ['src/queue/backend.ts'],
  ioredis: ['src/queue/backend.ts'],
  '@mikro-orm/': ['src/db/'],
  '@connectrpc/': ['src/rpc/', 'src/cli/'],
  '@grpc/grpc-js': ['src/rpc/', 'src/cli/'],
  luxon: ['src/rules/'],
  yaml: ['src/program/'],
  ajv: ['src/program/', 'src/rest/'],
  'ipaddr.js': ['src/webhooks/', 'src/config.ts'],
  pg: ['src/db/', 'src/queue/replies.ts', 'src/ledger/'],
  pino: ['src/log.ts', 'src/cli/'],
  'rate-limiter-flexible': ['src/rpc/rate-limits.ts'],
};

/** Texts that have no place in some folders. */
const BANNED: readonly { text: RegExp; except: readonly string[]; in: readonly string[] }[] = [
  {
    text: /process\.env/,
    in: ['src/', 'workers/'],
    except: ['src/main.ts', 'workers/main.ts', 'src/cli/', 'src/db/embedded-places.ts', 'src/db/embedded-process.ts'],
  },
  {
    text: /\b(new Date\(\)|Date\.now|DateTime\.(now|local|utc)|Math\.random|performance\.now)/,
    in: [
      'src/rules/',
      'src/ledger/',
      'src/webhooks/',
      'src/commands/',
      'src/rpc/',
      'src/rest/',
      'src/queue/',
      'workers/',
    ],
    except: [],
  },
  { text: /\basync\b|\bawait\b|\bPromise\b|from 'node:/, in: ['src/rules/'], except: [] },
  { text: /\bparseFloat\b|\bNumber\.parseFloat\b|\.toFixed\(/, in: ['src/'], except: [] },
  {
    text: /\b(TODO|FIXME|HACK|XXX)\b/,
    in: ['src/', 'workers/', 'test/', 'proto/guerdon/'],
    except: ['test/tidy.test.ts'],
  },
  { text: /isolation level/i, in: ['src/', 'workers/'], except: ['src/db/serializable.ts'] },
  {
    text: /insert into (entries|accounts|events|commands)\b|update (accounts|entries|events)\b/i,
    in: ['src/', 'workers/'],
    except: ['src/ledger/', 'src/db/migrations/'],
  },
  { text: /pg_advisory_lock/, in: ['src/', 'workers/'], except: ['src/db/'] },
];

const LINES_MAX = { 'src/': 300, 'workers/': 200, 'bench/': 200, 'test/': 450 };
const GENERATED = 'src/gen/';

const files = ['src', 'workers', 'test', 'bench', 'proto/guerdon']
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => walk(join(root, folder)));
const sources = files.filter((file) => /\.ts$/.test(file) && !file.startsWith(GENERATED));

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [relative(root, path)];
  });
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function within(file: string, place: string): boolean {
  return place.endsWith('/') ? file.startsWith(place) : file === place;
}

function placeOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((place) => within(file, place))
    .sort((a, b) => b.length - a.length)[0];
}

interface Import {
  from: string;
  typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const pattern =
    /^(import|export)(\s+type)?\b[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/gm;
  return [...read(file).matchAll(pattern)].map((match) => ({
    from: (match[3] ?? match[4] ?? match[5]) as string,
    typeOnly: match[2] !== undefined,
  }));
}

function ownImports(file: string): string[] {
  return importsOf(file)
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from }) => relative(root, resolve(dirname(join(root, file)), from)));
}

describe('the layers', () => {
  it('every source file is in a place of the table', () => {
    const homeless = sources.filter((file) => /^(src|workers)\//.test(file) && placeOf(file) === undefined);
    expect(homeless).toEqual([]);
  });

  it('files import only what their place may', () => {
    const wrong = sources
      .filter((file) => /^(src|workers)\//.test(file))
      .flatMap((file) => {
        const place = placeOf(file) as string;
        const allowed = [
          ...(MAY_IMPORT[place] as readonly string[]),
          place.endsWith('/') ? place : dirname(place) === '.' ? place : '',
        ];
        return ownImports(file)
          .filter((target) => !allowed.some((item) => item !== '' && within(target, item)))
          .map((target) => `${file} imports ${target}`);
      });
    expect(wrong).toEqual([]);
  });

  it('libraries are imported only where they belong', () => {
    const wrong = sources
      .filter((file) => /^(src|workers)\//.test(file))
      .flatMap((file) =>
        importsOf(file)
          .filter(({ from, typeOnly }) => {
            const library = Object.keys(ONLY_HERE).find((name) =>
              name.endsWith('/') ? from.startsWith(name) : from === name,
            );
            return library !== undefined && !typeOnly && !ONLY_HERE[library]?.some((place) => within(file, place));
          })
          .map(({ from }) => `${file} imports ${from}`),
      );
    expect(wrong).toEqual([]);
  });

  it('the rules import luxon and themselves, nothing else', () => {
    const wrong = sources
      .filter((file) => file.startsWith('src/rules/'))
      .flatMap((file) => importsOf(file).filter(({ from }) => from !== 'luxon' && !/^\.\/[a-z-]+\.ts$/.test(from)));
    expect(wrong).toEqual([]);
  });

  it('no import goes in a circle', () => {
    const graph = new Map(sources.map((file) => [file, valueImports(file)]));
    expect(findCycle(graph)).toEqual([]);
  });
});

function valueImports(file: string): string[] {
  return importsOf(file)
    .filter(({ from, typeOnly }) => from.startsWith('.') && !typeOnly)
    .map(({ from }) => relative(root, resolve(dirname(join(root, file)), from)));
}

function findCycle(graph: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe('the texts', () => {
  it.each(BANNED)('$text stays out of $in', ({ text, in: places, except }) => {
    const wrong = files
      .filter((file) => !file.startsWith(GENERATED))
      .filter((file) => places.some((place) => within(file, place)) && !except.some((place) => within(file, place)))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .flatMap((line, index) => (text.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
      );
    expect(wrong).toEqual([]);
  });

  it('files stay short enough to be read in one go', () => {
    const long = sources.flatMap((file) => {
      const folder = Object.keys(LINES_MAX).find((place) => file.startsWith(place)) as
        | keyof typeof LINES_MAX
        | undefined;
      const lines = read(file).split('\n').length - 1;
      if (file.startsWith('src/db/migrations/')) return [];
      return folder !== undefined && lines > LINES_MAX[folder] ? [`${file}: ${lines} lines`] : [];
    });
    expect(long).toEqual([]);
  });

  it('there are no barrel files', () => {
    expect(sources.filter((file) => /(^|\/)index\.ts$/.test(file))).toEqual([]);
  });
});
