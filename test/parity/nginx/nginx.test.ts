// nginx against the recorded answers of the real 1.22.1, byte for byte but for dates and process ids.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeNginx } from '../../../main/images/nginx/program.ts';
import type { BareMachine } from '../../support/make-machine.ts';
import { makeBareMachine, run } from '../../support/make-machine.ts';
import { CASES, CONFIGS, FILES, type Case } from './cases.ts';
import { masked, wholeConfig, type Recording } from './recording.ts';

const recording = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'recorded.json'), 'utf8'),
) as Recording;
const QUIET_MS = 250;

/** Answers that differ, with the reason: by case and number of the request. The list may only get shorter. */
const KNOWN: Readonly<Record<string, string>> = {
  'heads that are wrong 18':
    "the real one waits for what else the client may send; lingering_close isn't simulated",
  'heads that are wrong 21':
    "the real one waits for what else the client may send; lingering_close isn't simulated",
};

function machineFor(config: string): BareMachine {
  return makeBareMachine({
    programs: { '/usr/sbin/nginx': makeNginx('1.22.1') },
    files: {
      ...FILES,
      '/srv/nginx/nginx.conf': config,
      '/srv/nginx/access.log': '',
      '/srv/nginx/error.log': '',
      '/etc/resolv.conf': '',
    },
  });
}

/** Sends bytes and reads until the server closes or is quiet for a while. */
async function ask(machine: BareMachine, port: number, text: string): Promise<string> {
  const { net } = machine.kernel;
  let answer = '';
  let isOver = false;
  const talk = async (): Promise<void> => {
    const stream = await net.sockets.connectTcp({ address: '127.0.0.1', port });
    void stream.write(Buffer.from(text, 'latin1')).catch(() => undefined);
    let timer: Disposable | undefined;
    const late = (): Promise<undefined> =>
      new Promise((resolve) => {
        timer?.[Symbol.dispose]();
        timer = machine.clock.after(QUIET_MS, () => {
          answer += '[open]';
          stream.close();
          resolve(undefined);
        });
      });
    for (;;) {
      const bytes = await Promise.race([stream.read(), late()]);
      if (bytes === undefined) break;
      answer += Buffer.from(bytes).toString('latin1');
    }
    timer?.[Symbol.dispose]();
  };
  talk()
    .catch((error: unknown) => {
      if (answer === '') answer = String(error);
    })
    .finally(() => (isOver = true));
  await machine.clock.advanceUntil(() => isOver, { ms: 20_000 });
  return masked(answer);
}

async function play(each: Case): Promise<{ answers: string[]; access: string; errors: string }> {
  const machine = machineFor(wholeConfig(each));
  const server = machine.kernel.start({
    argv: ['nginx', '-c', '/srv/nginx/nginx.conf'],
    cwd: '/',
    env: new Map([['PATH', '/usr/sbin']]),
  });
  await machine.clock.advance({ ms: 500 });
  const answers: string[] = [];
  for (const request of each.requests) {
    const { port, text } = typeof request === 'string' ? { port: 8080, text: request } : request;
    answers.push(await ask(machine, port, text));
  }
  const fs = machine.kernel.files;
  const read = (file: string): string => masked(fs.readText(file));
  const result = { answers, access: read('/srv/nginx/access.log'), errors: read('/srv/nginx/error.log') };
  void server;
  expect(machine.faults).toEqual([]);
  return result;
}

for (const each of CASES)
  test(`${each.name}: as the real nginx`, async () => {
    const want = recording.cases[each.name]!;
    const got = await play(each);
    for (const [index, answer] of got.answers.entries()) {
      const key = `${each.name} ${index}`;
      const request = each.requests[index]!;
      const text = typeof request === 'string' ? request.slice(0, 200) : request.text;
      const isKnown = KNOWN[key] !== undefined;
      expect.soft(answer === want.answers[index], `${key}, the list of known ones: ${text}`).toBe(!isKnown);
      if (isKnown) continue;
      expect.soft(answer, text).toBe(want.answers[index]);
    }
    expect.soft(got.access).toBe(want.access);
    expect.soft(got.errors).toBe(want.errors);
  });

test('nginx -t says what the real one says', async () => {
  for (const [index, config] of CONFIGS.entries()) {
    const machine = machineFor(config);
    const { stderr, status } = await run(machine, ['nginx', '-t', '-c', '/srv/nginx/nginx.conf']);
    const want = recording.configs[index]!;
    expect.soft({ status, output: masked(stderr) }, config).toEqual(want);
  }
});
