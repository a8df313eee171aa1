// /proc, /sys and /dev as tools read them.
import { expect, test } from 'vitest';
import { ErrnoError } from '../../../../main/network/index.ts';
import type { Process } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, run } from '../../../support/make-machine.ts';

async function inside(look: (proc: Process) => void | Promise<void>): Promise<string> {
  const machine = makeBareMachine();
  const result = await run(
    machine,
    async (proc) => {
      await look(proc);
      return 0;
    },
    { argv: ['looker', 'a b'] },
  );
  expect(machine.faults).toEqual([]);
  return result.stdout;
}

test('a process finds itself: command line, environment, status, stat, working directory', async () => {
  await inside((proc) => {
    expect(proc.fs.readText('/proc/self/cmdline')).toBe('looker\0a b\0');
    expect(proc.fs.readText('/proc/self/environ')).toContain('HOME=/root\0');
    expect(proc.fs.readlink('/proc/self/cwd')).toBe('/root');
    expect(proc.fs.readText('/proc/self/status')).toMatch(
      new RegExp(`^Name:\tlooker\n(?:.*\n)*Pid:\t${proc.pid}\nPPid:\t1\n`),
    );
    expect(proc.fs.readText(`/proc/${proc.pid}/stat`)).toMatch(
      new RegExp(`^${proc.pid} \\(looker\\) R 1 ${proc.pid} ${proc.pid} 0 -1 `),
    );
    expect(proc.fs.readdir('/proc').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['1', String(proc.pid), 'meminfo', 'self', 'sys']),
    );
    expect(proc.fs.readText('/proc/1/cmdline')).toContain('/usr/lib/systemd/systemd\0');
    expect(proc.fs.exists('/proc/99999')).toBe(false);
  });
});

test('the figures of the machine are there', async () => {
  await inside((proc) => {
    expect(proc.fs.readText('/proc/meminfo')).toMatch(/^MemTotal: {8}4194304 kB\nMemFree: /);
    expect(proc.fs.readText('/proc/cpuinfo').match(/^processor/gm)).toHaveLength(2);
    expect(proc.fs.readText('/proc/uptime')).toMatch(/^0\.00 0\.00\n$/);
    expect(proc.fs.readText('/proc/loadavg')).toMatch(/^\d\.\d\d \d\.\d\d \d\.\d\d \d+\/\d+ \d+\n$/);
    expect(proc.fs.readText('/proc/version')).toMatch(/^Linux version 3\.10\.0/);
    expect(proc.fs.readText('/proc/mounts')).toMatch(
      /^\/dev\/sda1 \/ xfs rw,relatime,attr2,inode64,noquota 0 0\nsysfs \/sys sysfs/,
    );
  });
});

test('kernel parameters are read and written as files; what is no value is EINVAL, others than root may not', async () => {
  await inside((proc) => {
    expect(proc.fs.readText('/proc/sys/vm/swappiness')).toBe('30\n');
    proc.fs.writeFile('/proc/sys/vm/swappiness', '0\n');
    expect(proc.fs.readText('/proc/sys/vm/swappiness')).toBe('0\n');
    expect(() => proc.fs.writeFile('/proc/sys/vm/swappiness', 'much\n')).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    );
    expect(() => proc.fs.writeFile('/proc/sys/kernel/osrelease', 'x')).toThrow(ErrnoError);
    proc.fs.writeFile('/proc/sys/kernel/hostname', 'other\n');
    expect(proc.kernel.hostname).toBe('other');
    expect(proc.fs.readText('/proc/sys/kernel/random/boot_id')).toBe(
      proc.fs.readText('/proc/sys/kernel/random/boot_id'),
    );
    expect(proc.fs.readdir('/proc/sys').map(({ name }) => name)).toEqual([
      'fs',
      'kernel',
      'net',
      'user',
      'vm',
    ]);
    expect(() => proc.fs.readText('/proc/sys/vm')).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  });
});

test('/dev/stdout is the standard output, be it a pipe or a file', async () => {
  const output = await inside(async (proc) => {
    expect(proc.fs.readlink('/proc/self/fd/1')).toMatch(/^pipe:\[\d+\]$/);
    proc.fs.writeFile('/dev/stdout', 'by its path\n');
    proc.fs.symlink('/dev/stdout', '/var/log/access.log');
    await proc.fs
      .open('/var/log/access.log', { write: true, append: true, create: true })
      .write('through a log\n');
    const kept = proc.setFd(proc.stdout);
    proc.setFd(proc.fs.open('/root/out', { write: true, create: true }), 1);
    proc.fs.writeFile('/dev/stdout', 'in a file\n');
    proc.setFd(proc.fds.get(kept)!, 1);
    expect(proc.fs.readText('/root/out')).toBe('in a file\n');
  });
  expect(output).toBe('by its path\nthrough a log\n');
});

test('devices: null swallows, zero and urandom never end, full is full, a process without terminal has no /dev/tty', async () => {
  await inside(async (proc) => {
    proc.fs.writeFile('/dev/null', 'gone');
    expect(proc.fs.readText('/dev/null')).toBe('');
    expect(await proc.fs.open('/dev/zero').read(4)).toEqual(new Uint8Array(4));
    expect(await proc.fs.open('/dev/urandom').read(16)).not.toEqual(new Uint8Array(16));
    expect(() => proc.fs.writeFile('/dev/full', 'x')).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(() => proc.fs.open('/dev/tty')).toThrow(expect.objectContaining({ code: 'ENXIO' }));
    expect(proc.fs.stat('/dev/null')).toMatchObject({ type: 'character-device', mode: 0o666 });
  });
});

test('the network of a process is in its /proc/net, /proc/sys/net and /sys/class/net', async () => {
  const machine = makeBareMachine();
  const { net, files } = machine.kernel;
  const eth0 = net.links.addDummy({ name: 'eth0', mac: '52:54:00:00:00:01' });
  net.links.setUp(eth0);
  net.addresses.add(eth0, { address: '192.168.10.10', prefixLength: 24 });
  expect(files.readText('/sys/class/net/eth0/address')).toBe('52:54:00:00:00:01\n');
  expect(files.readText('/sys/class/net/lo/mtu')).toBe('65536\n');
  expect(files.readText('/proc/net/dev')).toMatch(/\n {4}lo: {8}0 {7}0 .*\n {2}eth0: /);
  expect(files.readText('/proc/net/route')).toMatch(/\neth0\t000AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t/);
  net.sockets.listenTcp({ address: '0.0.0.0', port: 80 });
  expect(files.readText('/proc/net/tcp')).toMatch(/\n {3}0: 00000000:0050 00000000:0000 0A /);
  files.writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  expect(net.sysctls.get('net.ipv4.ip_forward')).toBe('1');
  expect(files.readText('/proc/sys/net/ipv4/conf/eth0/forwarding')).toBe('1\n');
  expect(files.exists('/proc/sys/net/bridge')).toBe(false);
  machine.kernel.loadModule('br_netfilter');
  expect(files.readText('/proc/sys/net/bridge/bridge-nf-call-iptables')).toBe('1\n');
});

test('kernel.pid_max and kernel.threads-max act, and refuse what they can’t be', async () => {
  const machine = makeBareMachine();
  const answers: string[] = [];
  await run(machine, async (proc) => {
    const attempt = (action: () => void): void => {
      try {
        action();
        answers.push('ok');
      } catch (error) {
        answers.push((error as { code: string }).code);
      }
    };
    const sleeper = () => proc.spawn({ argv: ['x'], program: (inner) => inner.sleep(5000).then(() => 0) });
    attempt(() => proc.fs.writeFile('/proc/sys/kernel/pid_max', '100'));
    attempt(() => proc.fs.writeFile('/proc/sys/kernel/pid_max', '920'));
    const pids = Array.from({ length: 40 }, () => sleeper().pid);
    answers.push(String(pids.every((pid) => pid < 920)), String(pids.some((pid) => pid < 400)));
    attempt(() => proc.fs.writeFile('/proc/sys/kernel/threads-max', '45'));
    for (let i = 0; i < 5; i++) attempt(sleeper);
    return 0;
  });
  expect(answers.slice(0, 5)).toEqual(['EINVAL', 'ok', 'true', 'true', 'ok']);
  expect(answers.at(-1)).toBe('EAGAIN');
});

test('what modules bring to /proc/net is there while they are', async () => {
  const machine = makeBareMachine();
  const { files } = machine.kernel;
  expect(files.exists('/proc/net/ip_vs')).toBe(false);
  machine.kernel.loadModule('ip_vs');
  machine.kernel.net.ipvs.addService(
    { protocol: 'tcp', address: '10.96.0.1', port: 443 },
    { scheduler: 'rr', persistentSeconds: 360 },
  );
  machine.kernel.net.ipvs.addDestination(
    { protocol: 'tcp', address: '10.96.0.1', port: 443 },
    { address: '192.168.1.5', port: 6443, weight: 1, forwarding: 'masq' },
  );
  expect(files.readText('/proc/net/ip_vs')).toBe(
    'IP Virtual Server version 1.2.1 (size=4096)\n' +
      'Prot LocalAddress:Port Scheduler Flags\n' +
      '  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n' +
      'TCP  0A600001:01BB rr  persistent 36000 FFFFFFFF\n' +
      '  -> C0A80105:192B      Masq    1      0          0         \n',
  );
  expect(files.readText('/proc/net/ip_vs_stats').split('\n')[2]).toBe(
    '       0        0        0                0                0',
  );
  expect(files.readText('/proc/net/nf_conntrack')).toBe('');
  expect(files.readText('/proc/net/sockstat')).toContain('TCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\n');
});

test('a descriptor tells its place and flags, a deleted file that it is one, a process what it has done', async () => {
  const stdout = await inside(async (proc) => {
    const { fs } = proc;
    const file = fs.open('/tmp/f', { write: true, create: true, append: true });
    const fd = proc.setFd(file);
    await proc.fds.get(fd)!.write('hello');
    fs.unlink('/tmp/f');
    const lines = [
      fs.readText(`/proc/self/fdinfo/${fd}`).split('\n')[0],
      fs.readText(`/proc/self/fdinfo/${fd}`).split('\n')[1],
      fs.readlink(`/proc/self/fd/${fd}`),
      fs.readText(`/proc/self/fd/${fd}`),
      fs.readText('/proc/self/io').split('\n')[1],
      fs.readlink('/proc/thread-self') === `${proc.pid}/task/${proc.pid}`,
      fs.readText(`/proc/self/task/${proc.pid}/comm`).trim(),
      fs.readText('/proc/self/stat').split(' ').length,
    ];
    await proc.stdout.write(lines.join('\n'));
  });
  expect(stdout.split('\n')).toEqual([
    'pos:\t5',
    'flags:\t0102001',
    '/tmp/f (deleted)',
    'hello',
    'wchar: 5',
    'true',
    'looker',
    '52',
  ]);
});
