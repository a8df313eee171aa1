// Ingress of extensions/v1beta1 and networking.k8s.io/v1beta1 (pkg/apis/networking/v1beta1/conversion.go).
import {
  isTree,
  listAt,
  mapList,
  mapMember,
  present,
  renamed,
  without,
  type Conversion,
  type Tree,
} from './tree.ts';

/** What a path without a type means: as the controller likes. */
const PATH_TYPE = 'ImplementationSpecific';

export const ingress: Conversion = {
  defaults(object) {
    const { spec } = object;
    if (!isTree(spec)) return;
    for (const rule of listAt(spec, 'rules')) {
      const { http } = rule;
      if (isTree(http)) for (const path of listAt(http, 'paths')) path['pathType'] ??= PATH_TYPE;
    }
  },
  toStored: (object) =>
    mapMember(object, 'spec', (spec) =>
      mapPaths(
        mapMember(renamed(spec, 'backend', 'defaultBackend'), 'defaultBackend', backendToStored),
        (path) => ({
          ...mapMember(path, 'backend', backendToStored),
          pathType: path['pathType'] ?? PATH_TYPE,
        }),
      ),
    ),
  fromStored: (object) =>
    mapMember(object, 'spec', (spec) =>
      mapPaths(
        renamed(mapMember(spec, 'defaultBackend', backendFromStored), 'defaultBackend', 'backend'),
        (path) => mapMember(path, 'backend', backendFromStored),
      ),
    ),
};

function mapPaths(spec: Tree, change: (path: Tree) => Tree): Tree {
  return mapList(spec, 'rules', (rule) => mapMember(rule, 'http', (http) => mapList(http, 'paths', change)));
}

function backendToStored(backend: Tree): Tree {
  const { serviceName, servicePort } = backend;
  const rest = without(backend, 'serviceName', 'servicePort');
  if (serviceName === undefined && servicePort === undefined) return rest;
  const port =
    typeof servicePort === 'number'
      ? { number: servicePort }
      : typeof servicePort === 'string' && servicePort !== ''
        ? { name: servicePort }
        : {};
  return { ...rest, service: { name: serviceName ?? '', port } };
}

function backendFromStored(backend: Tree): Tree {
  const { service } = backend;
  const rest = without(backend, 'service');
  if (!isTree(service)) return rest;
  const port = isTree(service['port']) ? service['port'] : {};
  return {
    ...rest,
    ...present({ serviceName: service['name'] }),
    servicePort: port['name'] ?? port['number'] ?? 0,
  };
}
