// Records what the host's real openssl 3.0 says to cases.ts: run by hand, `node test/parity/openssl/record.ts`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { COMMANDS, MAKING } from './cases.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'openssl-'));
execFileSync('bash', ['-ec', MAKING], { cwd: folder, stdio: 'ignore' });
const files = Object.fromEntries(
  readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name)).toString('base64')]),
);
const outcomes = COMMANDS.map((command) => {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `openssl ${command} </dev/null`], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { command, stdout, stderr, status };
});
rmSync(folder, { recursive: true });
writeFileSync(
  path.join(import.meta.dirname, 'recorded.json'),
  `${JSON.stringify({ atMs: Date.now(), files, outcomes }, undefined, 1)}\n`,
);
