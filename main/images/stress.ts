// Programs that use CPU and memory on purpose: stress (polinux/stress), vish/stress, resource-consumer.
import { untilStopped } from '../kubernetes/daemon/index.ts';
import type { Process, Program } from '../linux/kernel/index.ts';
import { goDuration, goError, goFlags, goResponse, listenGo, readBody } from './go-http.ts';

/** How long a busy worker computes before it looks up, in ms of a CPU. */
const SLICE_MS = 100;
const MIB_BYTES = 1024 ** 2;
const VM_BYTES_DEFAULT = 256 * MIB_BYTES;

const STRESS_USAGE = `\`stress' imposes certain types of compute stress on your system

Usage: stress [OPTION [ARG]] ...
 -?, --help         show this help statement
     --version      show version statement
 -v, --verbose      be verbose
 -q, --quiet        be quiet
 -n, --dry-run      show what would have been done
 -t, --timeout N    timeout after N seconds
     --backoff N    wait factor of N microseconds before work starts
 -c, --cpu N        spawn N workers spinning on sqrt()
 -i, --io N         spawn N workers spinning on sync()
 -m, --vm N         spawn N workers spinning on malloc()/free()
     --vm-bytes B   malloc B bytes per vm worker (default is 256MB)
     --vm-stride B  touch a byte every B bytes (default is 4096)
     --vm-hang N    sleep N secs before free (default none, 0 is inf)
     --vm-keep      redirty memory instead of freeing and reallocating
 -d, --hdd N        spawn N workers spinning on write()/unlink()
     --hdd-bytes B  write B bytes per hdd worker (default is 1GB)

Example: stress --cpu 8 --io 4 --vm 2 --vm-bytes 128M --timeout 10s

Note: Numbers may be suffixed with s,m,h,d,y (time) or B,K,M,G (size).
`;
const SHORT: Readonly<Record<string, string>> = {
  c: 'cpu',
  i: 'io',
  m: 'vm',
  d: 'hdd',
  t: 'timeout',
  q: 'quiet',
  v: 'verbose',
  n: 'dry-run',
};

/** stress(1) 1.0.4. */
export const stressTool: Program = async (proc) => {
  const { flags } = goFlags(proc.argv.slice(1), [
    'v',
    'q',
    'n',
    'verbose',
    'quiet',
    'dry-run',
    'help',
    'version',
    'vm-keep',
  ]);
  const options = new Map([...flags].map(([name, value]) => [SHORT[name] ?? name, value] as const));
  if (options.size === 0 || options.has('help')) {
    await proc.stdout.write(STRESS_USAGE);
    return options.has('help') ? 0 : 1;
  }
  if (options.has('version')) {
    await proc.stdout.write('stress 1.0.4\n');
    return 0;
  }
  const count = (name: string): number => Number(options.get(name) ?? 0);
  const quiet = options.has('quiet');
  const say = async (level: string, text: string): Promise<void> => {
    if (!quiet || level === 'FAIL')
      await (level === 'info' ? proc.stdout : proc.stderr).write(`stress: ${level}: [${proc.pid}] ${text}\n`);
  };
  await say(
    'info',
    `dispatching hogs: ${count('cpu')} cpu, ${count('io')} io, ${count('vm')} vm, ${count('hdd')} hdd`,
  );
  const startMs = proc.clock.now();
  const vmBytes = options.has('vm-bytes') ? sizeOf(options.get('vm-bytes')!) : VM_BYTES_DEFAULT;
  const hangSeconds = options.has('vm-hang') ? count('vm-hang') : undefined;
  const work: Program[] = [
    ...Array.from({ length: count('cpu') }, () => spin),
    ...Array.from({ length: count('io') }, () => spin),
    ...Array.from({ length: count('hdd') }, () => spin),
    ...Array.from({ length: count('vm') }, () => memoryHog(vmBytes, hangSeconds)),
  ];
  const workers = work.map((program) => proc.spawn({ argv: proc.argv, program }));
  const timeoutMs = options.has('timeout') ? secondsOf(options.get('timeout')!) * 1000 : undefined;
  const seconds = (): number => Math.floor((proc.clock.now() - startMs) / 1000);
  const finished = Promise.race(workers.map(async (worker) => ({ worker, status: await worker.wait() })));
  const alarm = new AbortController();
  const outcome = await proc.interruptible(
    timeoutMs === undefined
      ? finished
      : Promise.race([finished, proc.clock.sleep(timeoutMs, alarm.signal).then(() => undefined)]),
  );
  alarm.abort();
  if (outcome === undefined) {
    for (const worker of workers) worker.kill('SIGTERM');
    await say('info', `successful run completed in ${seconds()}s`);
    return 0;
  }
  const { status, worker } = outcome;
  if (status.kind === 'signaled') {
    await say('FAIL', `(415) <-- worker ${worker.pid} got signal ${status.signal === 'SIGKILL' ? 9 : 15}`);
    await say('WARN', '(417) now reaping child worker processes');
  }
  for (const other of workers) if (other !== worker) other.kill('SIGTERM');
  await say('FAIL', `(451) failed run completed in ${seconds()}s`);
  return 1;
};

const spin: Program = async (proc) => {
  for (;;) await proc.cpu(SLICE_MS);
};

function memoryHog(bytes: number, hangSeconds: number | undefined): Program {
  return async (proc) => {
    for (;;) {
      proc.useMemory(bytes);
      if (hangSeconds === undefined) await proc.cpu(SLICE_MS);
      else await proc.sleep(hangSeconds === 0 ? 1e12 : hangSeconds * 1000);
    }
  };
}

/** `250M`, `1g`, `4096`. */
function sizeOf(text: string): number {
  const [, number = '0', unit = ''] = /^(\d+)([BKMG]?)/i.exec(text) ?? [];
  return Number(number) * ({ b: 1, k: 1024, m: MIB_BYTES, g: 1024 ** 3 }[unit.toLowerCase()] ?? 1);
}

/** `10`, `10s`, `2m`. */
function secondsOf(text: string): number {
  const [, number = '0', unit = ''] = /^(\d+)([smhdy]?)/i.exec(text) ?? [];
  return Number(number) * ({ s: 1, m: 60, h: 3600, d: 86_400, y: 31_556_926 }[unit.toLowerCase()] ?? 1);
}

/** vish/stress and agnhost stress: `-cpus 2 -mem-total 950Mi -mem-alloc-size 100Mi -mem-alloc-sleep 1s`. */
export const stress: Program = async (proc) => {
  const { flags } = goFlags(proc.argv.slice(1));
  const [total, step] = [flags.get('mem-total') ?? '0', flags.get('mem-alloc-size') ?? '4Ki'];
  const pauseMs = goDuration(flags.get('mem-alloc-sleep') ?? '1ms') ?? 1;
  await glog(
    proc,
    26,
    `Allocating "${total}" memory, in "${step}" chunks, with a ${flags.get('mem-alloc-sleep') ?? '1ms'} sleep between allocations`,
  );
  for (let index = 0; index < Number(flags.get('cpus') ?? 0); index++) {
    await glog(proc, 39, 'Spawning a thread to consume CPU');
    proc.spawn({ argv: proc.argv, program: spin });
  }
  const [wanted, chunk] = [quantity(total), quantity(step)];
  for (let bytes = 0; bytes < wanted;) {
    bytes = Math.min(wanted, bytes + chunk);
    proc.useMemory(bytes);
    await proc.sleep(pauseMs);
  }
  await glog(proc, 42, `Allocated "${total}" memory`);
  return untilStopped(proc);
};

function glog(proc: Process, line: number, text: string): Promise<void> {
  const stamp = new Date(Math.floor(proc.clock.now())).toISOString();
  return proc.stderr.write(
    `I${stamp.slice(5, 7)}${stamp.slice(8, 10)} ${stamp.slice(11, 23)}000 ${String(proc.pid).padStart(7)} main.go:${line}] ${text}\n`,
  );
}

/** resource.Quantity in bytes: `950Mi`, `1Gi`, `100M`. */
function quantity(text: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)(Ki|Mi|Gi|k|M|G)?$/.exec(text) ?? [];
  const units: Readonly<Record<string, number>> = {
    Ki: 1024,
    Mi: MIB_BYTES,
    Gi: 1024 ** 3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
  };
  return Number(number) * (units[unit] ?? 1);
}

/** registry.k8s.io/e2e-test-images/resource-consumer: uses what it's asked to over HTTP on 8080. */
export const resourceConsumer: Program = async (proc) => {
  const port = Number(goFlags(proc.argv.slice(1)).flags.get('port') ?? 8080);
  using server = await listenGo(proc, port, async ({ path, request }) => {
    if (request.method !== 'POST') return goError(proc, 400, 'unsupported method. method should be POST');
    const form = new URLSearchParams(String(await readBody(request)));
    const seconds = form.get('durationSec');
    const amount = form.get(
      { '/ConsumeCPU': 'millicores', '/ConsumeMem': 'megabytes', '/BumpMetric': 'delta' }[path] ?? '',
    );
    if (!['/ConsumeCPU', '/ConsumeMem', '/BumpMetric'].includes(path))
      return goError(proc, 404, `unknown function: ${path}`);
    if (path === '/BumpMetric')
      return goError(proc, 501, "drydock: resource-consumer's /BumpMetric isn't simulated");
    if (seconds === null || amount === null) return goError(proc, 400, 'not given function parameters');
    if (!/^\d+$/.test(seconds) || !/^\d+$/.test(amount))
      return goError(proc, 400, 'incorrect function parameters');
    const untilMs = proc.clock.now() + Number(seconds) * 1000;
    proc.spawn({
      argv: [path === '/ConsumeCPU' ? '/consume-cpu' : 'stress', amount, seconds],
      program:
        path === '/ConsumeCPU'
          ? partly(Number(amount) / 1000, untilMs)
          : heldMemory(Number(amount) * MIB_BYTES, untilMs),
    });
    const name = path.slice(1);
    return goResponse(
      proc,
      `${name}\n${amount} ${name === 'ConsumeCPU' ? 'millicores' : 'megabytes'}\n${seconds} durationSec\n`,
    );
  });
  return server === undefined ? 1 : await untilStopped(proc);
};

/** A share of a CPU: computes and rests in turns. */
function partly(cpus: number, untilMs: number): Program {
  return async (proc) => {
    while (proc.clock.now() < untilMs) {
      const share = Math.min(1, cpus);
      await proc.cpu(SLICE_MS * share);
      if (share < 1) await proc.sleep(SLICE_MS * (1 - share));
    }
    return 0;
  };
}

function heldMemory(bytes: number, untilMs: number): Program {
  return async (proc) => {
    proc.useMemory(bytes);
    await proc.sleep(Math.max(0, untilMs - proc.clock.now()));
    return 0;
  };
}
