// `drydock up`: a cluster without a screen, served on loopback until SIGINT or SIGTERM.
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { listProfiles, NO_LATENCY } from '../cluster/index.ts';
import {
  defaultDataFolder,
  labsFolder,
  nodeHost,
  openControlDoor,
  openHostDoors,
  packageVersion,
  Session,
  workspaceIn,
} from '../session/index.ts';

import { readOptions, UsageError, wholeNumber } from './usage.ts';

const PORT_MAX = 65_535;

/** Boots or resumes the cluster of a data folder, prints one JSON line when it is ready, and runs until told to stop. */
export async function up(args: string[]): Promise<number> {
  const { values } = readOptions({
    args,
    options: {
      data: { type: 'string' },
      kubeconfig: { type: 'string' },
      profile: { type: 'string', default: 'current' },
      nodes: { type: 'string' },
      seed: { type: 'string' },
      speed: { type: 'string', default: '1' },
      latency: { type: 'string', default: 'lifelike' },
      'api-port': { type: 'string', default: '0' },
      'proxy-port': { type: 'string', default: '0' },
      'dns-port': { type: 'string', default: '0' },
    },
  });
  const { profile, latency } = values;
  if (!listProfiles().includes(profile)) {
    throw new UsageError(`There is no profile "${profile}"; choose one of ${listProfiles().join(', ')}.`);
  }
  if (latency !== 'lifelike' && latency !== 'none')
    throw new UsageError(`--latency is lifelike or none, not "${latency}".`);
  const speed = values.speed === 'max' ? Infinity : Number(values.speed);
  if (!(speed > 0)) throw new UsageError(`--speed wants a positive number or max, not "${values.speed}".`);
  const nodes = values.nodes === undefined ? undefined : wholeNumber('nodes', values.nodes, 1);
  const ports = {
    apiPort: wholeNumber('api-port', values['api-port'], 0, PORT_MAX),
    proxyPort: wholeNumber('proxy-port', values['proxy-port'], 0, PORT_MAX),
    dnsPort: wholeNumber('dns-port', values['dns-port'], 0, PORT_MAX),
  };
  const folder = values.data ?? defaultDataFolder();
  const kubeconfig = values.kubeconfig ?? join(folder, 'kubeconfig');

  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await using session = new Session({
    workspace: workspaceIn(folder),
    labsFolder,
    host: nodeHost,
    version: packageVersion,
    door: 'browser',
    language: 'en',
    onFault: (error) =>
      process.stderr.write(`drydock: ${error instanceof Error ? error.stack : String(error)}\n`),
  });
  const isNew = session.clusters.identity === undefined;
  tellIgnored(session.clusters.identity, values);
  await session.openFree({
    profile,
    seed: values.seed ?? randomUUID(),
    ...(nodes === undefined ? {} : { nodes }),
    ...(latency === 'none' ? { latencies: NO_LATENCY } : {}),
  });
  // A new cluster is ready when its own pods are: network and DNS come up after the nodes.
  if (isNew) await session.call('clock.skipUntilReady', {});
  mkdirSync(dirname(kubeconfig), { recursive: true });
  await using doors = await openHostDoors(session, { kubeconfig, ...ports });
  await using _control = await openControlDoor({
    simulation: session.simulation,
    durable: () => session.durable(),
    cluster: () => session.clusters.cluster,
    folder,
  });
  if (speed === Infinity) session.simulation.setSpeed(Infinity);
  else session.clock.setSpeed(speed);
  const { api, proxy, dns } = doors;
  process.stdout.write(`${JSON.stringify({ ready: true, kubeconfig, api, proxy, dns })}\n`);
  await stopped;
  return 0;
}

/** The cluster that a workspace holds stays as it was made; options that would have made another are named. */
function tellIgnored(
  identity: Session['clusters']['identity'],
  asked: { readonly profile: string; readonly nodes?: string; readonly seed?: string },
): void {
  if (identity?.owner !== 'free') return;
  const ignored = [
    ...(asked.profile === identity.profile ? [] : ['--profile']),
    ...(asked.nodes === undefined || Number(asked.nodes) === identity.nodes ? [] : ['--nodes']),
    ...(asked.seed === undefined || asked.seed === identity.seed ? [] : ['--seed']),
  ];
  if (ignored.length === 0) return;
  process.stderr.write(
    `drydock: This data folder holds a cluster already, so ${ignored.join(', ')} changes nothing; choose another --data for a new one.\n`,
  );
}
