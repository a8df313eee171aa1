// What port-forward's arguments mean: `8080:80`, `80`, `:http`, in the terms of a pod or of a service before it.
import { CommandError } from '../../frame/command-error.ts';
import type { AnyObject } from '../../rest/builder.ts';
import type { PodObject } from '../../rest/pods.ts';

export interface ForwardedPort {
  /** 0 for one that is free. */
  readonly local: number;
  readonly remote: number;
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol?: string;
}

/** Ports with names and a service's numbers replaced by the pod's numbers. Throws CommandError in kubectl's words. */
export function podPorts(ports: readonly string[], pod: PodObject, service: AnyObject | undefined): string[] {
  return ports.map((text) => {
    let { local, remote } = splitPort(text);
    const wanted = remote;
    if (service === undefined) remote = isNumber(remote) ? remote : String(namedPort(pod, remote));
    else {
      const number = isNumber(remote) ? Number(remote) : namedServicePort(service, remote);
      if (!isNumber(remote) && local === remote) local = String(number);
      remote = String(targetOf(service, pod, number));
      return local === remote ? remote : `${local}:${remote}`;
    }
    return local === wanted ? remote : `${local}:${remote}`;
  });
}

/** Throws CommandError in kubectl's words. */
export function parsePort(text: string): ForwardedPort {
  const parts = text.split(':');
  const [first = '', second = first] = parts;
  const local = parts.length === 2 && first === '' ? 0 : portNumber(first, 'local');
  const remote = portNumber(second, 'remote');
  if (remote === 0) throw new CommandError('remote port must be > 0');
  return { local, remote };
}

/** Only TCP can be carried. Throws CommandError for a port that is UDP alone. */
export function refuseUdp(ports: readonly string[], pod: PodObject, service: AnyObject | undefined): void {
  const declared =
    service === undefined
      ? pod.spec.containers.flatMap(({ ports: own = [] }) =>
          own.map(({ containerPort, name, protocol }) => ({ port: containerPort, name, protocol })),
        )
      : portsOf(service);
  for (const text of ports) {
    const { remote } = splitPort(text);
    const matching = declared.filter(({ port, name }) => String(port) === remote || name === remote);
    if (matching.length > 0 && matching.every(({ protocol }) => protocol === 'UDP'))
      throw new CommandError(`UDP protocol is not supported for ${remote}`);
  }
}

function splitPort(text: string): { local: string; remote: string } {
  const parts = text.split(':');
  return parts.length === 2
    ? { local: parts[0]!, remote: parts[1]! }
    : { local: parts[0]!, remote: parts[0]! };
}

function isNumber(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}

function namedPort(pod: PodObject, name: string): number {
  for (const { ports = [] } of pod.spec.containers) {
    const found = ports.find((port) => (port.name ?? '') === name);
    if (found !== undefined && name === '') throw new CommandError('remote port cannot be empty');
    if (found !== undefined) return found.containerPort;
  }
  throw new CommandError(`Pod '${pod.metadata.name}' does not have a named port '${name}'`);
}

function portsOf(service: AnyObject): readonly ServicePort[] {
  return (service['spec'] as { ports?: readonly ServicePort[] } | undefined)?.ports ?? [];
}

function namedServicePort(service: AnyObject, name: string): number {
  const found = portsOf(service).find((port) => port.name === name);
  if (found === undefined)
    throw new CommandError(`Service '${service.metadata?.name ?? ''}' does not have a named port '${name}'`);
  return found.port;
}

function targetOf(service: AnyObject, pod: PodObject, number: number): number {
  const found = portsOf(service).find(({ port }) => port === number);
  if (found === undefined)
    throw new CommandError(`Service ${service.metadata?.name ?? ''} does not have a service port ${number}`);
  if ((service['spec'] as { clusterIP?: string }).clusterIP === 'None') return number;
  const { targetPort = 0 } = found;
  if (typeof targetPort === 'string') return namedPort(pod, targetPort);
  return targetPort === 0 ? found.port : targetPort;
}

function portNumber(text: string, side: 'local' | 'remote'): number {
  const why = !/^\d+$/.test(text)
    ? 'invalid syntax'
    : Number(text) > 65_535
      ? 'value out of range'
      : undefined;
  if (why !== undefined)
    throw new CommandError(
      `error parsing ${side} port '${text}': strconv.ParseUint: parsing "${text}": ${why}`,
    );
  return Number(text);
}
