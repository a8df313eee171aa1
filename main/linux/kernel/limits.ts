// Resource limits of processes: which there are, what a process starts with, and who may change them. getrlimit(2).
import { ErrnoError } from '../../network/index.ts';

/** RLIMIT_…, in lower case. */
export type Resource =
  | 'cpu'
  | 'fsize'
  | 'data'
  | 'stack'
  | 'core'
  | 'rss'
  | 'nproc'
  | 'nofile'
  | 'memlock'
  | 'as'
  | 'locks'
  | 'sigpending'
  | 'msgqueue'
  | 'nice'
  | 'rtprio'
  | 'rttime';

/** Infinity: unlimited. In bytes, seconds, microseconds or numbers, as setrlimit(2) counts each. */
export interface ResourceLimit {
  readonly soft: number;
  readonly hard: number;
}

/** Shared by processes until one of them changes something; never changed in place. */
export type ResourceLimits = Readonly<Record<Resource, ResourceLimit>>;

/** The kernel's own ceiling of RLIMIT_NOFILE (fs.nr_open). */
const DESCRIPTORS_CEILING = 1_048_576;

const UNLIMITED: ResourceLimit = { soft: Infinity, hard: Infinity };

/** What init has, and all that it starts: include/asm-generic/resource.h. `processesMax` goes with the memory. */
export function initialLimits(processesMax: number): ResourceLimits {
  const processes: ResourceLimit = { soft: processesMax, hard: processesMax };
  const none: ResourceLimit = { soft: 0, hard: 0 };
  return {
    cpu: UNLIMITED,
    fsize: UNLIMITED,
    data: UNLIMITED,
    stack: { soft: 8 * 1024 ** 2, hard: Infinity },
    core: { soft: 0, hard: Infinity },
    rss: UNLIMITED,
    nproc: processes,
    nofile: { soft: 1024, hard: 4096 },
    memlock: { soft: 65_536, hard: 65_536 },
    as: UNLIMITED,
    locks: UNLIMITED,
    sigpending: processes,
    msgqueue: { soft: 819_200, hard: 819_200 },
    nice: none,
    rtprio: none,
    rttime: UNLIMITED,
  };
}

/** setrlimit(2). Throws EINVAL for a soft limit beyond the hard one, EPERM for a raised hard one without the right to. */
export function withLimit(
  limits: ResourceLimits,
  resource: Resource,
  limit: ResourceLimit,
  mayRaise: boolean,
): ResourceLimits {
  if (!(limit.soft >= 0) || !(limit.soft <= limit.hard)) throw new ErrnoError('EINVAL');
  const isAboveCeiling = resource === 'nofile' && limit.hard > DESCRIPTORS_CEILING;
  if (isAboveCeiling || (limit.hard > limits[resource].hard && !mayRaise)) throw new ErrnoError('EPERM');
  return { ...limits, [resource]: limit };
}

/** The rows of /proc/PID/limits in the kernel's order: fs/proc/base.c, lnames. */
const ROWS: readonly (readonly [resource: Resource, name: string, unit: string])[] = [
  ['cpu', 'Max cpu time', 'seconds'],
  ['fsize', 'Max file size', 'bytes'],
  ['data', 'Max data size', 'bytes'],
  ['stack', 'Max stack size', 'bytes'],
  ['core', 'Max core file size', 'bytes'],
  ['rss', 'Max resident set', 'bytes'],
  ['nproc', 'Max processes', 'processes'],
  ['nofile', 'Max open files', 'files'],
  ['memlock', 'Max locked memory', 'bytes'],
  ['as', 'Max address space', 'bytes'],
  ['locks', 'Max file locks', 'locks'],
  ['sigpending', 'Max pending signals', 'signals'],
  ['msgqueue', 'Max msgqueue size', 'bytes'],
  ['nice', 'Max nice priority', ''],
  ['rtprio', 'Max realtime priority', ''],
  ['rttime', 'Max realtime timeout', 'us'],
];

/** /proc/PID/limits. */
export function limitsText(limits: ResourceLimits): string {
  const line = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(26)}${soft.padEnd(21)}${hard.padEnd(21)}${unit.padEnd(10)}\n`;
  const value = (number: number): string => (number === Infinity ? 'unlimited' : String(number));
  const rows = ROWS.map(([resource, name, unit]) => {
    const { soft, hard } = limits[resource];
    return line(name, value(soft), value(hard), unit);
  });
  return line('Limit', 'Soft Limit', 'Hard Limit', 'Units') + rows.join('');
}
