// kubectl create service: clusterip, nodeport, loadbalancer, externalname.
import type { Command, Invocation } from '../../frame/command.ts';
import { CommandError } from '../../frame/command-error.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { generator, metadata } from './generator.ts';

interface PortSpec {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP';
  readonly targetPort: number | string;
  readonly nodePort?: number;
}

export const createService: Command = {
  name: 'service',
  aliases: ['svc'],
  commands: [
    generator('clusterip', { failure: 'ClusterIP service' }, (invocation, name) => {
      const clusterIP = invocation.flags.string('clusterip');
      const ports = portsOf(invocation);
      if (ports.length === 0 && clusterIP !== 'None')
        throw new CommandError('at least one tcp port specifier must be provided');
      return service(name, {
        ...(clusterIP === '' ? {} : { clusterIP }),
        ...portsMember(ports),
        selector: { app: name },
        type: 'ClusterIP',
      });
    }),
    generator(
      'externalname',
      { failure: 'ExternalName service', required: ['external-name'] },
      (invocation, name) =>
        service(name, {
          externalName: invocation.flags.string('external-name'),
          ...portsMember(portsOf(invocation)),
          selector: { app: name },
          type: 'ExternalName',
        }),
    ),
    generator('loadbalancer', { failure: 'LoadBalancer service' }, (invocation, name) =>
      service(name, {
        ...portsMember(requirePorts(invocation)),
        selector: { app: name },
        type: 'LoadBalancer',
      }),
    ),
    generator('nodeport', { failure: 'NodePort service' }, (invocation, name) => {
      const nodePort = invocation.flags.int('node-port');
      const ports = requirePorts(invocation).map((port) => (nodePort === 0 ? port : { ...port, nodePort }));
      return service(name, { ...portsMember(ports), selector: { app: name }, type: 'NodePort' });
    }),
  ],
};

function service(name: string, spec: Record<string, unknown>): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name, { labels: { app: name } }),
    spec,
    status: { loadBalancer: {} },
  } as unknown as AnyObject;
}

function portsMember(ports: readonly PortSpec[]): Record<string, unknown> {
  return ports.length === 0 ? {} : { ports };
}

function requirePorts(invocation: Invocation): PortSpec[] {
  const ports = portsOf(invocation);
  if (ports.length === 0) throw new CommandError('at least one tcp port specifier must be provided');
  return ports;
}

function portsOf({ flags }: Invocation): PortSpec[] {
  return flags.list('tcp').map((text) => {
    const [portText = '', targetText] = text.split(':');
    const port = portNumber(portText);
    if (targetText === undefined) return { name: portText, port, protocol: 'TCP', targetPort: port };
    const isNumber = /^\d+$/.test(targetText);
    if (!isNumber && !/^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(targetText)) {
      throw new CommandError(`invalid target port: ${targetText}`);
    }
    return {
      name: `${portText}-${targetText}`,
      port,
      protocol: 'TCP',
      targetPort: isNumber ? Number(targetText) : targetText,
    };
  });
}

function portNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new CommandError(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  const port = Number(text);
  if (port > 65_535) throw new CommandError(`strconv.ParseUint: parsing "${text}": value out of range`);
  return port;
}
