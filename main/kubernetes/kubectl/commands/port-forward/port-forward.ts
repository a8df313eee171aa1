// kubectl port-forward: listens on this machine and carries each connection to a port in a pod.
import { ErrnoError } from '../../../../network/index.ts';
import { StatusError } from '../../../api/index.ts';
import { CommandError, UsageError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { byActivity, podOf, type PodObject } from '../../rest/pods.ts';
import { fetchObject, selectObjects } from '../../rest/selection.ts';
import { ForwardedConnection, openLifeline } from './forwarded-connection.ts';
import { parsePort, podPorts, refuseUdp, type ForwardedPort } from './ports.ts';

export const portForward: Command = { name: 'port-forward', run: runPortForward };

type Listener = ReturnType<Invocation['proc']['net']['sockets']['listenTcp']>;

interface Place {
  readonly address: string;
  readonly family: 'tcp4' | 'tcp6';
}

async function runPortForward(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, path } = invocation;
  const [target = '', ...asked] = args;
  if (asked.length === 0)
    throw new UsageError('TYPE/NAME and list of ports are required for port-forward', path);
  const [selected] = await selectObjects(invocation, { args: [target], defaultType: 'pods' });
  const { pod } = await podOf(kubectl, selected!, flags.durationMs('pod-running-timeout'), byActivity);
  const service = selected!.resource.kind === 'Service' ? selected!.object : undefined;
  refuseUdp(asked, pod, service);
  const translated = podPorts(asked, pod, service);
  await requireRunning(invocation, pod);
  const ports = translated.map(parsePort);
  const places = placesOf(flags.list('address'));
  return forward(invocation, pod, ports, places);
}

async function requireRunning({ kubectl }: Invocation, pod: PodObject): Promise<void> {
  const pods = (await kubectl.mapper()).require('pods');
  const { metadata } = pod;
  const { status } = (await fetchObject(kubectl, pods, metadata.namespace, metadata.name)) as PodObject;
  if (status?.phase !== 'Running')
    throw new CommandError(
      `unable to forward port because pod is not running. Current status=${status?.phase ?? ''}`,
    );
}

/** `localhost` means both families. Throws CommandError for a name. */
function placesOf(addresses: readonly string[]): (Place & { isLocalhost: boolean })[] {
  const places = new Map<string, Place & { isLocalhost: boolean }>();
  for (const address of addresses) {
    if (address === 'localhost') {
      places.set('127.0.0.1', { address: '127.0.0.1', family: 'tcp4', isLocalhost: true });
      places.set('::1', { address: '::1', family: 'tcp6', isLocalhost: true });
    } else if (
      /^\d{1,3}(\.\d{1,3}){3}$/.test(address) &&
      address.split('.').every((part) => Number(part) < 256)
    )
      places.set(address, { address, family: 'tcp4', isLocalhost: false });
    else if (/^[0-9a-fA-F]*:[0-9a-fA-F:.]*$/.test(address))
      places.set(address, { address, family: 'tcp6', isLocalhost: false });
    else throw new CommandError(`${address} is not a valid IP`);
  }
  return [...places.values()];
}

async function forward(
  invocation: Invocation,
  pod: PodObject,
  ports: readonly ForwardedPort[],
  places: readonly (Place & { isLocalhost: boolean })[],
): Promise<number> {
  const { kubectl, proc } = invocation;
  const lifeline = await openLifeline(kubectl, pod).catch((error: unknown) => {
    if (!(error instanceof StatusError)) throw error;
    throw new CommandError(`error upgrading connection: ${error.message}`);
  });
  using listeners = new DisposableStack();
  let stop!: () => void;
  const stopped = new Promise<'stopped'>((resolve) => (stop = () => resolve('stopped')));
  let lose!: () => void;
  const lost = new Promise<'lost'>((resolve) => (lose = () => resolve('lost')));
  void lifeline.closed.then(lose);
  try {
    let listening = 0;
    for (const port of ports) {
      const opened = await listen(invocation, port, places);
      if (opened.length > 0) listening++;
      for (const { listener, local } of opened) {
        listeners.use(listener);
        void serve(invocation, pod, listener, local, port.remote, lose).catch(lose);
      }
    }
    if (listening === 0) {
      const list = ports.map(({ local, remote }) => `{${local} ${remote}}`).join(' ');
      throw new CommandError(`unable to listen on any of the requested ports: [${list}]`);
    }
    proc.onSignal('SIGINT', stop);
    if ((await proc.interruptible(Promise.race([stopped, lost])).catch(unlessInterrupted)) !== 'lost')
      return 0;
    throw new CommandError('lost connection to pod');
  } finally {
    proc.onSignal('SIGINT', 'default');
    lifeline.close();
  }
}

/** A signal that is handled ends the wait. */
function unlessInterrupted(error: unknown): 'stopped' {
  if (error instanceof ErrnoError && error.code === 'EINTR') return 'stopped';
  throw error;
}

async function listen(
  { kubectl, proc }: Invocation,
  { local, remote }: ForwardedPort,
  places: readonly (Place & { isLocalhost: boolean })[],
): Promise<{ listener: Listener; local: number }[]> {
  const opened: { listener: Listener; local: number }[] = [];
  const problems: string[] = [];
  let chosen = local;
  for (const { address, family } of places) {
    const shown = family === 'tcp6' ? `[${address}]` : address;
    try {
      const listener = proc.net.sockets.listenTcp({ address, port: chosen }, { owner: proc.socketOwner });
      chosen = listener.local.port;
      opened.push({ listener, local: chosen });
      await kubectl.out(`Forwarding from ${shown}:${chosen} -> ${remote}\n`);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      problems.push(
        `unable to create listener: Error listen ${family} ${shown}:${chosen}: bind: ${error.message.toLowerCase()}`,
      );
    }
  }
  const failed = places.some(({ isLocalhost }) => !isLocalhost) ? problems.length > 0 : opened.length === 0;
  if (!failed) return opened;
  await kubectl.err(
    `Unable to listen on port ${local}: Listeners failed to create with the following errors: [${problems.join(' ')}]\n`,
  );
  for (const { listener } of opened) listener[Symbol.dispose]();
  return [];
}

async function serve(
  { kubectl, proc }: Invocation,
  pod: PodObject,
  listener: Listener,
  local: number,
  remote: number,
  lose: () => void,
): Promise<void> {
  for (;;) {
    const socket = await listener.accept();
    await kubectl.out(`Handling connection for ${local}\n`);
    const connection = new ForwardedConnection(kubectl, pod, remote);
    void connection
      .carry(socket)
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .then(async (problem) => {
        if (problem === undefined || proc.signal.aborted) return;
        await kubectl.err(
          `${klogHead(proc)} "Unhandled Error" err=${JSON.stringify(`an error occurred forwarding ${local} -> ${remote}: ${problem}`)}\n`,
        );
        lose();
      })
      .catch(lose);
  }
}

/** klog's head of an error line. */
function klogHead({ clock, pid }: Invocation['proc']): string {
  const [, month, day, time] = /^\d+-(\d\d)-(\d\d)T([\d:.]+)Z$/.exec(new Date(clock.now()).toISOString())!;
  return `E${month}${day} ${time!.padEnd(15, '0')} ${String(pid).padStart(7)} portforward.go:424]`;
}
