// Where a proxy leads: from the names of pods, services and nodes to addresses (registry/core's ResourceLocation).
import type { Stored } from '../../api/meta.ts';
import type { Endpoints, Node, Pod, Service } from '../../api/types.ts';
import { resources } from '../../api/resources.ts';
import type { Served } from '../catalogue.ts';
import type { ServerCore } from '../core.ts';
import type { Exchange } from '../http/door.ts';
import { badRequest, failure, notFound } from '../refusals.ts';
import type { Target } from './dial.ts';

/** Where kubelets listen. */
export const KUBELET_PORT = 10_250;

interface Asked {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  /** A number or a name; empty if none was given. */
  readonly port: string;
}

/** Reads `name`, `name:port` and `scheme:name:port` (apimachinery util/net.SplitSchemeNamePort). */
function splitSchemeNamePort(id: string): Asked | undefined {
  const parts = id.split(':');
  const [scheme, name, port] =
    parts.length === 3 ? parts : ['', parts[0], parts.length === 2 ? parts[1] : ''];
  if (parts.length > 3 || name === '' || name === undefined || port === undefined) return undefined;
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') return undefined;
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

/** Throws 400, 404 and 503 in upstream's words. */
export function proxyTarget(exchange: Exchange, served: Served): Target {
  const { core, info } = exchange;
  const { plural } = served.resource;
  const asked = splitSchemeNamePort(info.name);
  if (asked === undefined)
    throw badRequest(`invalid ${plural.replace(/s$/, '')} request ${JSON.stringify(info.name)}`);
  if (plural === 'services') return serviceTarget(core, info.namespace, info.name, asked);
  const object = served.table.get(info.namespace, asked.name);
  if (object === undefined) throw notFound(served.resource, asked.name);
  if (plural === 'nodes') return nodeTarget(object as unknown as Stored<Node>, asked);
  return podTarget(object as unknown as Stored<Pod>, asked);
}

function podTarget({ spec, status }: Stored<Pod>, { scheme, port }: Asked): Target {
  const first = spec?.containers.find(({ ports = [] }) => ports.length > 0)?.ports?.[0]?.containerPort;
  const address = status?.podIP ?? '';
  if (address === '') throw badRequest('address not allowed');
  const preset = scheme === 'https' ? 443 : 80;
  return { scheme, address, port: port === '' ? (first ?? preset) : portNumber(port) };
}

function portNumber(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (port >= 0 && port <= 65_535) return port;
  const why = Number.isNaN(port) ? `lookup tcp/${text}: unknown port` : `address ${text}: invalid port`;
  throw failure(503, 'ServiceUnavailable', `error trying to reach service: dial tcp: ${why}`, undefined);
}

function nodeTarget({ status, metadata }: Stored<Node>, { scheme, port }: Asked): Target {
  const address = addressOf(status) ?? metadata.name;
  if (port === '' || port === String(KUBELET_PORT))
    return { scheme: 'https', address, port: KUBELET_PORT, asKubeletClient: true };
  return { scheme, address, port: portNumber(port) };
}

/** --kubelet-preferred-address-types as kubeadm sets it. */
function addressOf(status: Node['status']): string | undefined {
  const addresses = status?.addresses ?? [];
  for (const type of ['InternalIP', 'ExternalIP', 'Hostname']) {
    const found = addresses.find((address) => address.type === type)?.address;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The address of a node's kubelet. */
export function kubeletTarget(node: Stored<Node>): Target {
  return nodeTarget(node, { scheme: 'https', name: node.metadata.name, port: '' });
}

function serviceTarget(core: ServerCore, namespace: string, id: string, asked: Asked): Target {
  const { scheme, name } = asked;
  let portName = asked.port;
  if (/^\d+$/.test(asked.port)) {
    const service = core.catalogue.get('services', '', namespace, name) as unknown as
      | Stored<Service>
      | undefined;
    if (service === undefined) throw notFound(resources.services, name);
    const port = service.spec?.ports?.find((declared) => declared.port === Number(asked.port));
    if (port === undefined)
      throw unavailable(`no service port ${Number(asked.port)} found for service ${JSON.stringify(name)}`);
    portName = port.name ?? '';
  }
  const endpoints = core.catalogue.get('endpoints', '', namespace, name) as unknown as
    | Stored<Endpoints>
    | undefined;
  // Upstream finds the Service itself missing where nobody made endpoints for it.
  if (endpoints === undefined) throw notFound(resources.services, name);
  const subsets = endpoints.subsets ?? [];
  if (subsets.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const choices = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports
      .filter((port) => (port.name ?? '') === portName)
      .flatMap(({ port }) => addresses.map(({ ip }) => ({ address: ip, port }))),
  );
  if (choices.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(id)}`);
  return { scheme, ...core.random.pick(choices) };
}

function unavailable(message: string): Error {
  return failure(503, 'ServiceUnavailable', message, undefined);
}
