// One running cluster, and kubectl twice: the host's real one by loopback HTTPS, and the virtual one on a machine.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Cluster, NO_LATENCY, requireProfile } from '../../../main/cluster/index.ts';
import { nodeHost } from '../../../main/session/index.ts';
import { openApiDoor } from '../../../main/session/loopback/api-door.ts';
import { hostCertificates } from '../../../main/session/loopback/certificates.ts';
import { hostKubeconfig } from '../../../main/session/loopback/kubeconfig.ts';
import { makeRandom, Simulation } from '../../../main/simulation/index.ts';
import { SqliteStore } from '../../../main/storage/index.ts';
import { FILES } from './files.ts';

/** How much faster than the wall the cluster runs, so that grace periods don't hold the tests up. */
const SPEED = 20;
const COMMAND_MS_MAX = 30_000;
const FOLDER = '/root/parity';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** The real kubectl 1.32 beside the `kubectl` of the PATH, or that one if it is 1.32; undefined without. */
export function findRealKubectl(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'kubectl');
    if (folder === '' || !existsSync(path)) continue;
    const beside = join(dirname(realpathSync(path)), 'kubectl.1.32');
    if (existsSync(beside)) return beside;
  }
  return undefined;
}

export class Bench implements AsyncDisposable {
  private readonly cluster: Cluster;
  private readonly simulation: Simulation;
  private readonly folder: string;
  private readonly owned: AsyncDisposableStack;

  private constructor(cluster: Cluster, simulation: Simulation, folder: string, owned: AsyncDisposableStack) {
    this.cluster = cluster;
    this.simulation = simulation;
    this.folder = folder;
    this.owned = owned;
  }

  static async start(kubectl: string): Promise<Bench> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'drydock-kubectl-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const store = stack.use(new SqliteStore({ path: join(folder, 'w.drydock'), turns: nodeHost }));
    const failures: unknown[] = [];
    const simulation = new Simulation({
      startMs: Date.parse('2026-01-05T10:00:00Z'),
      host: nodeHost,
      onFault: (error) => failures.push(error),
    });
    stack.defer(() => simulation.setSpeed(0));
    const cluster = new Cluster({
      simulation,
      store,
      random: makeRandom('parity'),
      profile: { ...requireProfile('current'), latencies: NO_LATENCY },
      onFault: (error) => failures.push(error),
    });
    await cluster.start();
    const certificates = await hostCertificates(store);
    const door = stack.use(
      await openApiDoor({
        simulation,
        durable: () => store.durable(),
        certificates,
        port: 0,
        handler: () => cluster.apiHandler,
        onFault: (error) => failures.push(error),
      }),
    );
    mkdirSync(join(folder, 'bin'));
    symlinkSync(kubectl, join(folder, 'bin', 'kubectl'));
    mkdirSync(join(folder, 'work'));
    writeFileSync(join(folder, 'kubeconfig'), hostKubeconfig(door.url, certificates), { mode: 0o600 });
    const bench = new Bench(cluster, simulation, folder, stack.move());
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, 'work', name)), { recursive: true });
      writeFileSync(join(folder, 'work', name), text);
      await bench.onMachine(
        `mkdir -p $(dirname ${FOLDER}/${name}); cat > ${FOLDER}/${name} <<'END_OF_FILE'\n${text}END_OF_FILE`,
      );
    }
    simulation.setSpeed(SPEED);
    return bench;
  }

  /** A line by the real kubectl, in bash on the host. */
  async real(line: string): Promise<Outcome> {
    return new Promise((resolve) => {
      const env = {
        PATH: `${join(this.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
        HOME: '/root',
        KUBECONFIG: join(this.folder, 'kubeconfig'),
      };
      const options = { cwd: join(this.folder, 'work'), env, timeout: COMMAND_MS_MAX };
      execFile('bash', ['-c', line], options, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
        resolve({ stdout, stderr, exitCode });
      }).stdin?.end();
    });
  }

  /** The same line by the virtual one, in bash on master1. */
  async virtual(line: string): Promise<Outcome> {
    return this.onMachine(`cd ${FOLDER}; ${line}`);
  }

  private async onMachine(line: string): Promise<Outcome> {
    let isDone = false;
    const running = this.cluster.world.runOnMachine('master1', line).finally(() => {
      isDone = true;
    });
    if (this.simulation.speed === 0) await this.simulation.advanceUntil(() => isDone, { minutes: 5 });
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.owned.disposeAsync();
  }
}

/** What may differ between two runs: ages, random suffixes, addresses, the namespaces each has for itself. */
export function masked(text: string): string {
  return text
    .replace(/\bpar-(real|virt)\b/g, 'par-NS')
    .replace(/\/tmp\/drydock-kubectl-\w+\/work\b/g, FOLDER)
    .replace(/https:\/\/(127\.0\.0\.1|192\.168\.10\.10):\d+/g, 'https://SERVER')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UID')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000/g, 'DATE')
    .replace(/(resourceVersion: |"resourceVersion": )"\d+"/g, '$1"VERSION"')
    .replace(/\b10\.(96|97|98|99|1\d\d)\.\d{1,3}\.\d{1,3}\b *|\b10\.244\.\d\.\d{1,3}\b/g, 'IP ')
    .replace(/(-[a-f0-9]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '-SUFFIX')
    .replace(/\b\d+[smhd](\d+[smhd])?\b( *)/g, 'AGE ')
    .replace(/\b[0-9a-f]{64}\b/g, 'ID')
    .replace(/kubectl-edit-\d+/g, 'kubectl-edit-N')
    .replace(/ +$/gm, '')
    .replace(/ {2,}/g, '  ');
}
