// Repositories as a machine's files name them, and whether their servers can be reached.
// Differs: only reaching them is real; what they hold is on the machine already.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';
import { lookupHost } from '../../libc/index.ts';

const FOLDER = '/etc/yum.repos.d';
const CONNECT_TIMEOUT_MS = 30_000;

export interface Repository {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly url: string;
}

/** Where there is no such folder, as in some images. */
const DEFAULT: Repository = {
  id: 'baseos',
  name: 'BaseOS',
  enabled: true,
  url: 'http://mirrors.aliyun.com/centos/9/BaseOS/x86_64/os/',
};

/** What the .repo files name, in their order. */
export function readRepositories({ fs }: Process): Repository[] {
  if (!fs.exists(FOLDER)) return [DEFAULT];
  return fs
    .readdir(FOLDER)
    .filter(({ name }) => name.endsWith('.repo'))
    .flatMap(({ name }) => parseRepositories(fs.readText(`${FOLDER}/${name}`)));
}

function parseRepositories(text: string): Repository[] {
  const found: Repository[] = [];
  let settings = new Map<string, string>();
  for (const line of text.split('\n').map((one) => one.trim())) {
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      settings = new Map([['id', section]]);
      found.push(repositoryOf(settings));
    } else if (/^[^#;=]+=/.test(line)) {
      settings.set(line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim());
      if (found.length > 0) found[found.length - 1] = repositoryOf(settings);
    }
  }
  return found.filter(({ id }) => id !== 'main');
}

function repositoryOf(settings: ReadonlyMap<string, string>): Repository {
  const id = settings.get('id')!;
  return {
    id,
    name: settings.get('name') ?? id,
    enabled: !/^(?:0|no|false)$/i.test(settings.get('enabled') ?? '1'),
    url: settings.get('baseurl') ?? settings.get('mirrorlist') ?? settings.get('metalink') ?? '',
  };
}

/** undefined: reached. Else why not, as curl says it. */
export async function reach(proc: Process, address: string): Promise<string | undefined> {
  const match = /^(https?):\/\/([^/:]+)(?::(\d+))?/.exec(address);
  if (match === null) return undefined; // A folder of the machine.
  const [, scheme, host = '', given] = match;
  const port = Number(given ?? (scheme === 'https' ? 443 : 80));
  const [found] = (await lookupHost(proc, host)).addresses;
  if (found === undefined)
    return `Curl error (6): Couldn't resolve host name for ${address} [Could not resolve host: ${host}]`;
  const stop = new AbortController();
  const timer = proc.clock.after(CONNECT_TIMEOUT_MS, () => stop.abort(new ErrnoError('ETIMEDOUT')));
  const from = proc.clock.now();
  try {
    const socket = await proc.interruptible(
      proc.net.sockets.connectTcp({ address: found, port }, { owner: proc.socketOwner, signal: stop.signal }),
    );
    socket.close();
    return undefined;
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    if (stop.signal.aborted)
      return `Curl error (28): Timeout was reached for ${address} [Connection timeout after ${CONNECT_TIMEOUT_MS} ms]`;
    const tookMs = Math.round(proc.clock.now() - from);
    return `Curl error (7): Couldn't connect to server for ${address} [Failed to connect to ${host} port ${port} after ${tookMs} ms: Couldn't connect to server]`;
  } finally {
    timer[Symbol.dispose]();
  }
}
