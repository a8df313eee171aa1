// EndpointSlice of discovery.k8s.io/v1beta1, where zone and node are in a map (pkg/apis/discovery/v1beta1/conversion.go).
import { mapList, present, treeAt, without, type Conversion, type Tree } from './tree.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';

export const endpointSlice: Conversion = {
  toStored: (object) => mapList(object, 'endpoints', endpointToStored),
  fromStored: (object) => mapList(object, 'endpoints', endpointFromStored),
};

function endpointToStored(endpoint: Tree): Tree {
  const topology = treeAt(endpoint, 'topology');
  const deprecatedTopology = without(topology, ZONE, HOSTNAME);
  return present({
    ...without(endpoint, 'topology'),
    nodeName: endpoint['nodeName'] ?? topology[HOSTNAME],
    zone: topology[ZONE],
    deprecatedTopology: Object.keys(deprecatedTopology).length === 0 ? undefined : deprecatedTopology,
  });
}

function endpointFromStored(endpoint: Tree): Tree {
  const topology = present({
    ...treeAt(endpoint, 'deprecatedTopology'),
    [HOSTNAME]: endpoint['nodeName'],
    [ZONE]: endpoint['zone'],
  });
  return {
    ...without(endpoint, 'zone', 'deprecatedTopology'),
    ...(Object.keys(topology).length === 0 ? {} : { topology }),
  };
}
