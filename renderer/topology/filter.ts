// Which namespaces of the picture are shown.
import type { Topology } from '../../preload/contract.ts';

/** `''` is every namespace but kube-system, `*` is every one, anything else is the namespace of that name. */
export type NamespaceFilter = string;

export const USER_NAMESPACES: NamespaceFilter = '';
export const ALL_NAMESPACES: NamespaceFilter = '*';

/** The namespaces of the control plane and the network, which a learner rarely looks for. */
const SYSTEM = new Set(['kube-system', 'kube-flannel', 'kube-public', 'kube-node-lease', 'calico-system']);

export function filterTopology(topology: Topology, filter: NamespaceFilter): Topology {
  const shows = ({ namespace }: { namespace: string }): boolean => {
    if (filter === ALL_NAMESPACES) return true;
    return filter === USER_NAMESPACES ? !SYSTEM.has(namespace) : namespace === filter;
  };
  return { ...topology, pods: topology.pods.filter(shows), services: topology.services.filter(shows) };
}

/** Every namespace that has something to show, in order. */
export function namespacesOf({ pods, services }: Topology): string[] {
  return [...new Set([...pods, ...services].map(({ namespace }) => namespace))].sort();
}
