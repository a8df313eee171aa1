// openssl against the recorded answers of the real 3.0; and both ways between the host's and this one's keys and certificates.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { machinePrograms, PACKAGES } from '../../../main/linux/commands/index.ts';
import { bash } from '../../../main/linux/shell/index.ts';
import type { Program } from '../../../main/linux/kernel/index.ts';
import { Simulation } from '../../../main/simulation/index.ts';
import { hostLoop } from '../../support/host-loop.ts';
import { makeBareMachine, run, type BareMachine } from '../../support/make-machine.ts';
import { COMMANDS } from './cases.ts';

interface Recording {
  readonly atMs: number;
  readonly files: Readonly<Record<string, string>>;
  readonly outcomes: readonly {
    readonly command: string;
    readonly stdout: string;
    readonly stderr: string;
    readonly status: number;
  }[];
}
const recording = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'recorded.json'), 'utf8'),
) as Recording;
const hasOpenssl = /OpenSSL 3/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? '');

function makeMachine(): BareMachine {
  const programs: Record<string, Program> = { '/usr/bin/bash': bash };
  for (const [file, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
    programs[file] = program;
  const faults: unknown[] = [];
  const simulation = new Simulation({
    startMs: recording.atMs,
    host: hostLoop,
    onFault: (error) => faults.push(error),
  });
  const machine = makeBareMachine({ programs, simulation });
  for (const [name, base64] of Object.entries(recording.files))
    machine.kernel.files.writeFile(`/root/${name}`, Buffer.from(base64, 'base64'));
  return machine;
}

/** The error queue's thread number differs from run to run, and how deep the queue is. */
function masked(text: string): string {
  return text.replaceAll(/^[0-9A-F]{12,16}:error:.*\n/gm, '');
}

test('openssl says what the real one says', async () => {
  const machine = makeMachine();
  expect(recording.outcomes.map(({ command }) => command)).toEqual(COMMANDS);
  for (const want of recording.outcomes) {
    const got = await run(machine, ['bash', '-c', `openssl ${want.command} </dev/null`]);
    expect.soft(got.stdout, want.command).toBe(want.stdout);
    expect.soft(masked(got.stderr), want.command).toBe(masked(want.stderr));
    expect.soft(got.status, want.command).toBe(want.status);
  }
});

test('no two keys, serial numbers or random bytes are the same', async () => {
  const script = `for i in 1 2; do openssl genpkey -algorithm ed25519 | sha256sum; openssl rand -hex 8;
    openssl req -x509 -newkey ed25519 -nodes -subj /CN=x -keyout /dev/null 2>/dev/null | openssl x509 -noout -serial; done`;
  const lines = (await run(makeMachine(), ['bash', '-c', script])).stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(6);
  expect(new Set(lines).size).toBe(6);
});

test.runIf(hasOpenssl)('the host’s openssl reads and verifies what this one makes', async () => {
  const machine = makeMachine();
  const script = `
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/O=Lab/CN=own ca" -keyout own.key -out own.crt &&
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out leaf.key &&
    openssl req -new -key leaf.key -subj /CN=leaf.test -addext subjectAltName=DNS:leaf.test -out leaf.csr &&
    printf 'subjectAltName=@names\\nkeyUsage=critical,digitalSignature\\n[names]\\nDNS.1=leaf.test\\nIP.1=10.0.0.1\\n' > ext.cnf &&
    openssl x509 -req -in leaf.csr -CA own.crt -CAkey own.key -CAcreateserial -days 9 -extfile ext.cnf -out leaf.crt &&
    openssl verify -CAfile own.crt leaf.crt && openssl genrsa -out old.key 2048`;
  const made = await run(machine, ['bash', '-c', script]);
  expect(made).toMatchObject({ status: 0 });
  const folder = mkdtempSync(path.join(tmpdir(), 'openssl-'));
  try {
    for (const name of ['own.key', 'own.crt', 'leaf.key', 'leaf.csr', 'leaf.crt', 'old.key'])
      writeFileSync(path.join(folder, name), machine.kernel.files.readFile(`/root/${name}`));
    const host = (command: string): string =>
      execFileSync('bash', ['-c', `openssl ${command} 2>&1`], { cwd: folder, encoding: 'utf8' });
    expect(host(`verify -attime ${Math.floor(recording.atMs / 1000) + 60} -CAfile own.crt leaf.crt`)).toBe(
      'leaf.crt: OK\n',
    );
    expect(host('rsa -in own.key -check -noout')).toBe('RSA key ok\n');
    expect(host('rsa -in old.key -check -noout')).toBe('RSA key ok\n');
    expect(host('req -in leaf.csr -noout -verify')).toBe('Certificate request self-signature verify OK\n');
    for (const name of ['own.crt', 'leaf.crt']) {
      const ours = await run(machine, ['bash', '-c', `openssl x509 -in ${name} -noout -text`]);
      expect(ours.stdout).toBe(host(`x509 -in ${name} -noout -text`));
    }
    expect(host('pkey -in leaf.key -pubout')).toBe(
      (await run(machine, ['bash', '-c', 'openssl pkey -in leaf.key -pubout'])).stdout,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
