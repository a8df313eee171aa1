// What labs do to a cluster from outside: commands aside, requests, files.
import { httpRequest } from '../network/http/index.ts';
import { ResolveError } from '../network/dns/index.ts';
import { ErrnoError } from '../network/index.ts';
import { containerdSocket, RuntimeError } from '../linux/containerd/index.ts';
import { SIGNAL_NUMBERS, type Kernel, type OpenFile, type WaitStatus } from '../linux/kernel/index.ts';
import type { ApiClient } from '../kubernetes/client/index.ts';
import { resources, type Pod } from '../kubernetes/api/index.ts';
import type { Clock } from '../simulation/index.ts';
import type { Cluster } from './cluster.ts';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export type HttpResult =
  | { readonly ok: true; readonly status: number; readonly body: string }
  | { readonly ok: false; readonly message: string };

export class World {
  private readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  get clock(): Clock {
    return this.cluster.clock;
  }

  get api(): ApiClient {
    return this.cluster.admin;
  }

  /** Runs a bash script on a machine as root, aside from all terminals. Throws RangeError for an unknown machine. */
  async runOnMachine(machine: string, script: string): Promise<CommandResult> {
    const process = this.cluster.startProcess(machine, ['bash', '-c', script]);
    process.endInput();
    const [stdout, stderr, exitCode] = await Promise.all([
      text(process.stdout),
      text(process.stderr),
      process.exitCode,
    ]);
    return { stdout, stderr, exitCode };
  }

  /** Runs a command in the first running container of a pod; one that can't start ends with 126 and the runtime's words. */
  async runInPod(namespace: string, name: string, argv: readonly string[]): Promise<CommandResult> {
    const pod = await this.api.get<Pod>(resources.pods, name, { namespace });
    const { kernel } = this.cluster.requireMachine(pod.spec?.nodeName ?? '');
    const status = pod.status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
    if (status?.containerID === undefined) return failed(`pod ${name} has no running container`);
    const id = status.containerID.replace(/^\w+:\/\//, '');
    const [output, errors] = [kernel.pipe(), kernel.pipe()];
    try {
      const ended = kernel
        .connectService(containerdSocket)
        .exec(id, { command: argv, stdio: [kernel.nullFile(), output.writer, errors.writer] });
      const [end, stdout, stderr] = await Promise.all([
        ended,
        drain(kernel, output.reader),
        drain(kernel, errors.reader),
      ]);
      return { stdout, stderr, exitCode: exitCodeOf(end) };
    } catch (error) {
      if (error instanceof RuntimeError || error instanceof ErrnoError) return failed(error.message);
      throw error;
    }
  }

  /** One GET on a new connection from a machine. */
  async httpGet(machine: string, url: string): Promise<HttpResult> {
    const { hostname, port, pathname, search, host } = new URL(url);
    try {
      const stream = await this.cluster.connect(machine, hostname, Number(port || 80));
      try {
        const response = await httpRequest(stream, {
          method: 'GET',
          target: pathname + search,
          headers: [
            ['Host', host],
            ['Connection', 'close'],
          ],
        });
        return { ok: true, status: response.status, body: await text(response.body) };
      } finally {
        stream.close();
      }
    } catch (error) {
      if (error instanceof ErrnoError || error instanceof ResolveError)
        return { ok: false, message: error.message };
      throw error;
    }
  }

  /** A file of a machine as text; undefined if it isn't there. */
  readMachineFile(machine: string, path: string): string | undefined {
    const { files } = this.cluster.requireMachine(machine).kernel;
    return files.exists(path) ? files.readText(path) : undefined;
  }
}

function exitCodeOf(status: WaitStatus): number {
  return status.kind === 'exited' ? status.exitCode : 128 + SIGNAL_NUMBERS[status.signal];
}

function failed(message: string): CommandResult {
  return { stdout: '', stderr: message, exitCode: 126 };
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const gathered: Uint8Array[] = [];
  for await (const piece of pieces) gathered.push(piece);
  return Buffer.concat(gathered).toString('utf8');
}

async function drain(kernel: Kernel, reader: OpenFile): Promise<string> {
  const content = await reader.readText();
  kernel.closeFile(reader);
  return content;
}
