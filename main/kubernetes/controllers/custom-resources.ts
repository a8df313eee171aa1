// The resources that CustomResourceDefinitions add, as controllers of everything need them.
import type { KubernetesObject, Resource } from '../api/index.ts';
import type { Lister } from '../client/index.ts';

/** The part of apiextensions.k8s.io/v1 that names a resource. */
export interface CustomResourceDefinition extends KubernetesObject {
  spec?: {
    group: string;
    scope: string;
    names: { plural: string; kind: string };
    versions: { name: string; served: boolean; storage: boolean }[];
  };
  status?: { conditions?: { type: string; status: string }[] };
}

/** The established custom resources, each in one served version. */
export function customResources(definitions: Lister<CustomResourceDefinition>): Resource[] {
  return definitions.list().flatMap((definition) => {
    const resource = customResource(definition);
    return resource === undefined ? [] : [resource];
  });
}

/** The resource of one definition; undefined while it isn't established. */
export function customResource(definition: CustomResourceDefinition): Resource | undefined {
  const { spec, status } = definition;
  const established = status?.conditions?.some(
    ({ type, status: state }) => type === 'Established' && state === 'True',
  );
  if (spec === undefined || established !== true) return undefined;
  const served = spec.versions.filter((version) => version.served);
  const version = served.find((candidate) => candidate.storage) ?? served[0];
  if (version === undefined) return undefined;
  const { plural, kind } = spec.names;
  return { group: spec.group, version: version.name, plural, kind, namespaced: spec.scope === 'Namespaced' };
}
