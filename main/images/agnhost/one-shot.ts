// agnhost's commands that print something and end: DNS settings, arguments, connections, mounts, logs.
import { parseResolvConf, ResolveError } from '../../network/dns/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { goDuration, logStamp } from '../go-http.ts';
import { makeResolver, timeLimit } from './netexec.ts';

type Flags = ReadonlyMap<string, string>;

const METHODS = ['GET', 'POST', 'PUT'];
const NAMESPACES = ['kube-system', 'default', 'ns'];

export async function dnsSuffix(proc: Process): Promise<number> {
  await proc.stdout.write(parseResolvConf(readText(proc, '/etc/resolv.conf')).search.join(','));
  return 0;
}

export async function dnsServerList(proc: Process): Promise<number> {
  await proc.stdout.write(parseResolvConf(readText(proc, '/etc/resolv.conf')).nameservers.join(','));
  return 0;
}

export async function etcHosts(proc: Process): Promise<number> {
  await proc.stdout.write(readText(proc, '/etc/hosts'));
  return 0;
}

function readText(proc: Process, path: string): string {
  return proc.fs.exists(path) ? proc.fs.readText(path) : '';
}

export async function entrypointTester(proc: Process): Promise<number> {
  await proc.stdout.write(`[${proc.argv.join(' ')}]`);
  return 0;
}

/** Opens a connection; on failure prints TIMEOUT, REFUSED, DNS, OTHER or UNKNOWN first. */
export async function connect(
  proc: Process,
  flags: Flags,
  [target = '']: readonly string[],
): Promise<number> {
  const fail = async (text: string): Promise<number> => {
    await proc.stderr.write(`${text}\n`);
    return 1;
  };
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? [];
  const protocol = flags.get('protocol') ?? 'tcp';
  if (host === '') return fail(`UNKNOWN: address ${target}: missing port in address`);
  if (protocol === 'sctp') return fail("drydock: agnhost connect --protocol=sctp isn't simulated");
  if (protocol !== 'tcp' && protocol !== 'udp') return fail(`Unsupported protocol: ${protocol}`);
  const timeoutMs = goDuration(flags.get('timeout') ?? '0') ?? 0;
  using limit = timeLimit(proc, timeoutMs === 0 ? 1e9 : timeoutMs);
  try {
    const [address = ''] = (await makeResolver(proc).resolve(host, limit.signal)).addresses;
    const remote = { address, port: Number(port) };
    if (protocol === 'tcp') {
      const socket = await proc.interruptible(
        proc.net.sockets.connectTcp(remote, { owner: proc.socketOwner, signal: limit.signal }),
      );
      socket.close();
      return 0;
    }
    using socket = proc.net.sockets.openUdp({ owner: proc.socketOwner, remote });
    socket.send(Buffer.from(flags.get('udp-data') ?? ''), remote);
    await proc.interruptible(socket.receive(limit.signal));
    return 0;
  } catch (error) {
    if (limit.signal.aborted) return await fail('TIMEOUT');
    if (error instanceof ResolveError) return await fail(`DNS: lookup ${host}: no such host`);
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'ECONNREFUSED') return await fail('REFUSED');
    if (error.code === 'ETIMEDOUT') return await fail('TIMEOUT');
    return await fail(`OTHER: dial ${protocol} ${target}: connect: ${error.message.toLowerCase()}`);
  }
}

/** Lines of predictable form at an even pace. */
export async function logsGenerator(proc: Process, flags: Flags): Promise<number> {
  const total = Number(flags.get('log-lines-total') ?? flags.get('t') ?? 0);
  const durationMs = goDuration(flags.get('run-duration') ?? flags.get('d') ?? '0') ?? 0;
  if (!(total > 0)) {
    await proc.stderr.write(`${logStamp(proc)}Invalid total number of lines: ${total}\n`);
    return 255;
  }
  if (durationMs <= 0) {
    await proc.stderr.write(`${logStamp(proc)}Invalid duration: 0s\n`);
    return 255;
  }
  const { random } = proc;
  for (let id = 0; id < total; id++) {
    const stamp = new Date(Math.floor(proc.clock.now())).toISOString();
    const method = METHODS[random.integer(METHODS.length)];
    const namespace = NAMESPACES[random.integer(NAMESPACES.length)];
    const name = random.string(3, 'bcdfghjklmnpqrstvwxz2456789');
    await proc.stdout.write(
      `I${stamp.slice(5, 7)}${stamp.slice(8, 10)} ${stamp.slice(11, 23)}000 ${String(proc.pid).padStart(7)} logs_generator.go:76] ${id} ${method} /api/v1/namespaces/${namespace}/pods/${name} ${200 + random.integer(399)}\n`,
    );
    await proc.sleep(durationMs / total);
  }
  return 0;
}

/** Tells about files and makes them: types, modes, owners, content. */
export async function mounttest(proc: Process, flags: Flags): Promise<number> {
  const { fs, stdout } = proc;
  const at = (name: string): string | undefined => flags.get(name) ?? flags.get(name.replaceAll('_', '-'));
  const missing = async (what: string, path: string): Promise<number> => {
    await stdout.write(`error ${what} "${path}": no such file or directory\n`);
    return 1;
  };
  for (const mode of [0o644, 0o666, 0o660, 0o777]) {
    const path = at(`new_file_0${mode.toString(8)}`);
    if (path === undefined) continue;
    fs.writeFile(path, 'mount-tester new file\n', { mode });
    fs.chmod(path, mode & ~proc.umask);
    await stdout.write(`mode of file "${path}": ${modeText(fs.stat(path).mode, '-')}\n`);
  }
  const type = at('fs_type');
  if (type !== undefined) {
    const mount = proc.kernel
      .listMounts(proc)
      .filter(({ target }) => type === target || type.startsWith(target === '/' ? '/' : `${target}/`))
      .toSorted((a, b) => b.target.length - a.target.length)[0];
    await stdout.write(`mount type of "${type}": ${mount?.type ?? 'unknown'}\n`);
  }
  const modeOf = at('file_mode');
  if (modeOf !== undefined) {
    if (!fs.exists(modeOf)) return missing('lstat', modeOf);
    const stat = fs.lstat(modeOf);
    await stdout.write(
      `mode of file "${modeOf}": ${modeText(stat.mode, stat.type === 'directory' ? 'd' : stat.type === 'symlink' ? 'L' : '-')}\n`,
    );
  }
  const permissionsOf = at('file_perm');
  if (permissionsOf !== undefined) {
    if (!fs.exists(permissionsOf)) return missing('lstat', permissionsOf);
    await stdout.write(`perms of file "${permissionsOf}": ${modeText(fs.stat(permissionsOf).mode, '-')}\n`);
  }
  const ownerOf = at('file_owner');
  if (ownerOf !== undefined) {
    if (!fs.exists(ownerOf)) return missing('lstat', ownerOf);
    const { uid, gid } = fs.stat(ownerOf);
    await stdout.write(`owner UID of "${ownerOf}": ${uid}\nowner GID of "${ownerOf}": ${gid}\n`);
  }
  const content = at('file_content');
  if (content !== undefined) {
    if (!fs.exists(content)) return missing('reading file content for', content);
    await stdout.write(`content of file "${content}": ${fs.readText(content)}\n`);
  }
  const loop = at('file_content_in_loop');
  if (loop !== undefined) {
    const untilMs = proc.clock.now() + Number(at('retry_time') ?? 180) * 1000;
    while (proc.clock.now() < untilMs) {
      await stdout.write(
        fs.exists(loop)
          ? `content of file "${loop}": ${fs.readText(loop)}\n`
          : `Error reading file ${loop}: open ${loop}: no such file or directory, retrying\n`,
      );
      if (fs.exists(loop) && at('break_on_expected_content') !== 'false') break;
      await proc.sleep(1000);
    }
  }
  return 0;
}

/** os.FileMode's String. */
function modeText(mode: number, type: string): string {
  const special = `${mode & 0o4000 ? 'u' : ''}${mode & 0o2000 ? 'g' : ''}${mode & 0o1000 ? 't' : ''}`;
  const bits = Array.from('rwxrwxrwx', (letter, index) => (mode & (0o400 >> index) ? letter : '-')).join('');
  return `${type === '-' ? (special === '' ? '-' : '') : type}${special}${bits}`;
}
