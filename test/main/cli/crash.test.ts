// `kill -9` of `drydock up` in the middle of writes: whatever was acknowledged is there afterwards.
import { Agent, request } from 'node:https';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { drydock, makeTemporaryFolder, RunningUp, type Ready } from '../../support/drydock.ts';

const ROUNDS = 3;
const WRITERS = 4;
/** The longest time of writing before the kill, in ms. */
const WRITING_MS_MAX = 1_200;
const SEED = Number(process.env['DRYDOCK_TEST_SEED'] ?? 20_261);

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly 'certificate-authority-data': string } }[];
  readonly users: readonly {
    readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string };
  }[];
}

/** A client of the API over the HTTPS door, with the kubeconfig's client certificate. */
class Api implements Disposable {
  private readonly base: string;
  private readonly agent: Agent;

  constructor(ready: Ready) {
    const { clusters, users } = parse(readFileSync(ready.kubeconfig, 'utf8')) as Kubeconfig;
    const pem = (base64: string): Buffer => Buffer.from(base64, 'base64');
    const { user } = users[0]!;
    this.base = ready.api;
    this.agent = new Agent({
      keepAlive: true,
      ca: pem(clusters[0]!.cluster['certificate-authority-data']),
      cert: pem(user['client-certificate-data']),
      key: pem(user['client-key-data']),
    });
  }

  /** Rejects when the connection breaks before the whole answer came. */
  send(method: string, target: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json' };
      const sent = request(`${this.base}${target}`, { method, agent: this.agent, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => (text += piece));
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.complete) resolve({ status: answer.statusCode!, body: JSON.parse(text) });
          else reject(new Error('cut off'));
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}

test(
  `nothing acknowledged is lost by kill -9 (DRYDOCK_TEST_SEED=${SEED})`,
  { timeout: 180_000 },
  async () => {
    using folder = makeTemporaryFolder();
    const random = makeRandom(SEED);
    /** What was acknowledged: value by name of the ConfigMap, content by path of the file. */
    const objects = new Map<string, string>();
    const files = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round++) {
      await using up = new RunningUp(folder.path, ['--nodes', '1', '--speed', 'max']);
      const ready = await up.ready();
      using api = new Api(ready);
      await expectThere(api, folder.path, objects, files);

      let killed = false;
      const writers = Array.from({ length: WRITERS }, (_, writer) =>
        write(api, `round${round}-writer${writer}`, objects, () => killed),
      );
      const fileWriter = writeFiles(folder.path, `/root/round${round}`, files, () => killed);
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.floor(random() * WRITING_MS_MAX)));
      const { status } = await up.end('SIGKILL');
      killed = true;
      expect(status).toBe('SIGKILL');
      await Promise.all([...writers, fileWriter]);
      expect(objects.size).toBeGreaterThan((round + 1) * 10);
    }
    await using up = new RunningUp(folder.path, ['--nodes', '1', '--speed', 'max']);
    using api = new Api(await up.ready());
    await expectThere(api, folder.path, objects, files);
    expect(files.size).toBeGreaterThan(0);
    expect((await up.end('SIGTERM')).stderr).toBe('');
  },
);

/** Creates ConfigMaps one after another, updates every other one, and notes what the API server acknowledged. */
async function write(
  api: Api,
  prefix: string,
  acknowledged: Map<string, string>,
  isOver: () => boolean,
): Promise<void> {
  const configMaps = '/api/v1/namespaces/default/configmaps';
  for (let number = 0; !isOver(); number++) {
    const name = `${prefix}-${number}`;
    try {
      const configMap = { metadata: { name }, data: { value: `${number}` } };
      const created = await api.send('POST', configMaps, configMap);
      expect(created).toMatchObject({ status: 201 });
      acknowledged.set(name, `${number}`);
      if (number % 2 === 1) continue;
      const changed = await api.send('PUT', `${configMaps}/${name}`, {
        ...configMap,
        data: { value: `${number} changed` },
      });
      expect(changed).toMatchObject({ status: 200 });
      acknowledged.set(name, `${number} changed`);
    } catch (error) {
      // Sent and not acknowledged: it may be there with either value, so nothing is claimed of it.
      acknowledged.delete(name);
      if (!isConnectionLoss(error)) throw error;
      return;
    }
  }
}

/** One shell writes files, and says of each when it is written. */
async function writeFiles(
  data: string,
  prefix: string,
  acknowledged: Map<string, string>,
  isOver: () => boolean,
): Promise<void> {
  const script = `i=0; while true; do echo "content $i" > ${prefix}-$i; echo $i; i=$((i + 1)); sleep 0.05; done`;
  const { stdout } = await drydock(['exec', '--data', data, 'master1', '--', 'bash', '-c', script]);
  expect(isOver()).toBe(true);
  for (const line of stdout.split('\n').slice(0, -1))
    acknowledged.set(`${prefix}-${line}`, `content ${line}`);
}

async function expectThere(
  api: Api,
  data: string,
  objects: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  const { body } = await api.send('GET', '/api/v1/namespaces/default/configmaps');
  const { items } = body as { items: { metadata: { name: string }; data: { value: string } }[] };
  const found = new Map(items.map((item) => [item.metadata.name, item.data.value]));
  expect([...objects].filter(([name, value]) => found.get(name) !== value)).toEqual([]);
  if (files.size === 0) return;
  const paths = [...files.keys()];
  const { stdout } = await drydock(['exec', '--data', data, 'master1', '--', 'cat', ...paths]);
  expect(stdout).toBe(paths.map((file) => `${files.get(file)}\n`).join(''));
}

function isConnectionLoss(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    code === 'ECONNRESET' ||
    code === 'ECONNREFUSED' ||
    code === 'EPIPE' ||
    message === 'cut off' ||
    message === 'aborted'
  );
}

/** mulberry32. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
