// `drydock bench`: figures of this machine, as a table. They are for people; nothing is asserted.
import { availableParallelism, cpus } from 'node:os';
import { readOptions, UsageError, wholeNumber } from '../usage.ts';
import { measureApi } from './api.ts';
import { measureHttps } from './https.ts';
import { measureNodes } from './nodes.ts';
import { measureRollout } from './rollout.ts';
import { measureShells } from './shells.ts';
import type { Row } from './world.ts';

const MIB_BYTES = 1024 ** 2;
const NODES_MAX = 5000;
const PODS_MAX = 20_000;
const SHELLS = 200;
const NGINX = 'nginx:1.20';
const PAUSE = 'registry.k8s.io/pause:3.10';

interface Sizes {
  /** Of one rollout asked for by name; undefined runs the usual ones. */
  readonly rollout: { readonly nodes: number; readonly pods: number; readonly image: string } | undefined;
  readonly full: boolean;
}

const parts: Readonly<Record<string, (sizes: Sizes) => AsyncGenerator<Row[]>>> = {
  async *rollout({ rollout, full }) {
    if (rollout !== undefined) return yield await measureRollout(rollout);
    yield await measureRollout({ nodes: 3, pods: 100, image: NGINX });
    yield await measureRollout({ nodes: 11, pods: 1000, image: NGINX });
    yield await measureRollout({ nodes: 11, pods: 1000, image: PAUSE });
    if (full) yield await measureRollout({ nodes: 101, pods: 10_000, image: PAUSE });
  },
  async *api() {
    yield await measureApi(5000);
  },
  async *https() {
    yield await measureHttps(5000);
  },
  async *shells() {
    yield await measureShells(SHELLS);
  },
  async *nodes({ full }) {
    yield await measureNodes(100);
    if (!full) return;
    yield await measureNodes(1000);
    yield await measureNodes(NODES_MAX);
  },
};

/** Boots clusters, runs pods and requests in them, and prints what that took. */
export async function bench(args: string[]): Promise<number> {
  const { values } = readOptions({
    args,
    options: {
      only: { type: 'string' },
      nodes: { type: 'string' },
      pods: { type: 'string' },
      image: { type: 'string', default: NGINX },
      full: { type: 'boolean', default: false },
    },
  });
  const asked = values.nodes !== undefined || values.pods !== undefined;
  const sizes: Sizes = {
    full: values.full,
    rollout: asked
      ? {
          nodes: wholeNumber('nodes', values.nodes ?? '3', 2, NODES_MAX),
          pods: wholeNumber('pods', values.pods ?? '100', 1, PODS_MAX),
          image: values.image,
        }
      : undefined,
  };
  const names = values.only?.split(',') ?? (asked ? ['rollout'] : Object.keys(parts));
  const unknown = names.find((name) => !(name in parts));
  if (unknown !== undefined)
    throw new UsageError(`--only names parts of ${Object.keys(parts).join(', ')}, not "${unknown}".`);
  const [cpu] = cpus();
  process.stdout.write(
    `${availableParallelism()} cores, ${cpu?.model ?? 'unknown'}, Node ${process.version}\n\n`,
  );
  for (const name of names) {
    for await (const rows of parts[name]!(sizes)) {
      for (const { what, figure } of rows) process.stdout.write(`${what.padEnd(72)}${figure}\n`);
    }
  }
  process.stdout.write(`resident memory of the process`.padEnd(72));
  process.stdout.write(`${Math.round(process.memoryUsage.rss() / MIB_BYTES)} MiB\n`);
  return 0;
}
