// Fails when src/gen is not what `buf generate` makes of proto/. Part of `npm run check`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'guerdon-gen-'));

try {
  const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf');
  const run = spawnSync(process.execPath, [buf, 'generate', '--output', scratch], { cwd: root, stdio: 'inherit' });
  if (run.status !== 0) throw new Error(`buf generate ended with ${run.status ?? run.signal ?? run.error}`);

  const made = readTree(join(scratch, 'src/gen'));
  const kept = readTree(join(root, 'src/gen'));
  const wrong = [...new Set([...made.keys(), ...kept.keys()])].filter((file) => made.get(file) !== kept.get(file));
  if (wrong.length > 0) {
    console.error(
      `Not as generated, run \`npm run generate\`:\n${wrong.map((file) => `  src/gen/${file}`).join('\n')}`,
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function readTree(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(
    files.map((file) => [file.slice(folder.length + 1), readFileSync(file, 'utf8').replaceAll('\r\n', '\n')]),
  );
}
