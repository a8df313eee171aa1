// Figures of the API server as the host's clients meet it: HTTPS on loopback, answers only once durable.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parse } from 'yaml';
import { NO_LATENCY } from '../../cluster/index.ts';
import {
  labsFolder,
  nodeHost,
  openHostDoors,
  packageVersion,
  Session,
  workspaceIn,
} from '../../session/index.ts';
import type { LoadOptions, LoadResult } from './load-worker.ts';
import { makeFolder, perSecond, type Row } from './world.ts';

const CONNECTIONS = 16;

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string } }[];
  readonly users: readonly {
    readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string };
  }[];
}

/** Creates, reads and patches `count` ConfigMaps over 16 connections, from another thread. */
export async function measureHttps(count: number): Promise<Row[]> {
  using folder = makeFolder();
  await using session = new Session({
    workspace: workspaceIn(folder.path),
    labsFolder,
    host: nodeHost,
    version: packageVersion,
    door: 'browser',
    language: 'en',
    onFault: (error) => void process.stderr.write(`${String(error)}\n`),
  });
  await session.openFree({ profile: 'current', seed: 'bench', nodes: 1, latencies: NO_LATENCY });
  await session.call('clock.skipUntilReady', {});
  await using doors = await openHostDoors(session, { kubeconfig: join(folder.path, 'kubeconfig') });
  session.clock.setSpeed(1);
  const { users } = parse(readFileSync(doors.kubeconfig, 'utf8')) as Kubeconfig;
  const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8');
  const options: LoadOptions = {
    url: doors.api ?? '',
    certificate: decode(users[0]!.user['client-certificate-data']),
    key: decode(users[0]!.user['client-key-data']),
    connections: CONNECTIONS,
    count,
  };
  const rows = await load(options);
  return [{ what: `API server over HTTPS, ${CONNECTIONS} connections (ConfigMaps)`, figure: '' }, ...rows];
}

/** Runs the worker to its end; beside the rate, what the server's own thread spent on each request. */
function load(options: LoadOptions): Promise<Row[]> {
  const rows: Row[] = [];
  let spent = process.threadCpuUsage();
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: options });
    worker.on('message', (result: LoadResult | undefined) => {
      const { user, system } = process.threadCpuUsage(spent);
      spent = process.threadCpuUsage();
      if (result === undefined) return;
      const { verb, ms } = result;
      const each = Math.round((user + system) / options.count);
      rows.push({
        what: `  ${verb}`,
        figure: `${perSecond(options.count, ms)} (${each} µs of the server's thread each)`,
      });
    });
    worker.once('error', reject);
    worker.once('exit', () => resolve(rows));
  });
}
