// CustomResourceDefinition of apiextensions.k8s.io/v1beta1 (apiextensions-apiserver/pkg/apis/apiextensions/v1beta1/{defaults,conversion}.go).
import { isTree, listAt, mapMember, present, treeAt, without, type Conversion, type Tree } from './tree.ts';

/** What v1beta1 takes for a version without a schema: anything. */
const ANYTHING = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;
/** What v1beta1 says once for all versions. */
const SHARED = ['validation', 'subresources', 'additionalPrinterColumns'] as const;

export const customResourceDefinition: Conversion = {
  defaults(object) {
    const { spec } = object;
    if (!isTree(spec)) return;
    // Decoding has put an empty text where a required field is missing.
    if ((spec['scope'] ?? '') === '') spec['scope'] = 'Namespaced';
    spec['preserveUnknownFields'] ??= true;
    spec['conversion'] ??= { strategy: 'None' };
    if (listAt(spec, 'versions').length === 0 && (spec['version'] ?? '') !== '') {
      spec['versions'] = [{ name: spec['version'], served: true, storage: true }];
    }
    if ((spec['version'] ?? '') === '') spec['version'] = listAt(spec, 'versions')[0]?.['name'];
  },
  toStored: (object) =>
    mapMember(mapMember(object, 'spec', specToStored), 'spec', (spec) =>
      mapMember(spec, 'conversion', conversionToStored),
    ),
  fromStored: (object) =>
    mapMember(mapMember(object, 'spec', specFromStored), 'spec', (spec) =>
      mapMember(spec, 'conversion', conversionFromStored),
    ),
};

function specToStored(spec: Tree): Tree {
  const keepsUnknown = spec['preserveUnknownFields'] === true;
  const versions = listAt(spec, 'versions').map((version) => {
    const schema = treeAt(treeAt(version, 'schema'), 'openAPIV3Schema');
    const shared = treeAt(treeAt(spec, 'validation'), 'openAPIV3Schema');
    const own = Object.keys(schema).length > 0 ? schema : shared;
    const columns = version['additionalPrinterColumns'] ?? spec['additionalPrinterColumns'];
    return present({
      ...without(version, ...SHARED, 'schema'),
      schema: { openAPIV3Schema: openSchema(own, keepsUnknown) },
      subresources: version['subresources'] ?? spec['subresources'],
      additionalPrinterColumns: Array.isArray(columns)
        ? (columns as Tree[]).map(({ JSONPath, ...column }) => ({ ...column, jsonPath: JSONPath }))
        : undefined,
    });
  });
  return { ...without(spec, ...SHARED, 'version', 'preserveUnknownFields'), versions };
}

/** A definition that keeps unknown fields says so at the root of its schema. */
function openSchema(schema: Tree, keepsUnknown: boolean): Tree {
  if (Object.keys(schema).length === 0) return { ...ANYTHING };
  return keepsUnknown ? { ...schema, 'x-kubernetes-preserve-unknown-fields': true } : schema;
}

function specFromStored(spec: Tree): Tree {
  const versions = listAt(spec, 'versions');
  const schemas = versions.map((version) => treeAt(treeAt(version, 'schema'), 'openAPIV3Schema'));
  const keepsUnknown =
    schemas.length > 0 && schemas.every((schema) => schema['x-kubernetes-preserve-unknown-fields'] === true);
  const plain = versions.map((version, index) => {
    const { 'x-kubernetes-preserve-unknown-fields': keeps, ...rest } = schemas[index]!;
    const schema = keepsUnknown || keeps !== true ? rest : schemas[index]!;
    const isAnything = keepsUnknown && Object.keys(rest).every((member) => member === 'type');
    return present({
      ...without(version, 'schema', 'additionalPrinterColumns'),
      validation: isAnything ? undefined : { openAPIV3Schema: schema },
      additionalPrinterColumns: Array.isArray(version['additionalPrinterColumns'])
        ? listAt(version, 'additionalPrinterColumns').map(({ jsonPath, ...column }) => ({
            ...column,
            JSONPath: jsonPath,
          }))
        : undefined,
    });
  });
  const together = SHARED.filter((member) =>
    plain.every((version) => JSON.stringify(version[member]) === JSON.stringify(plain[0]?.[member])),
  );
  return present({
    ...spec,
    preserveUnknownFields: keepsUnknown,
    version: versions[0]?.['name'],
    ...Object.fromEntries(together.map((member) => [member, plain[0]?.[member]])),
    versions: plain.map((version) => {
      const own = without(version, ...together, 'validation');
      const validation = together.includes('validation') ? undefined : version['validation'];
      return validation === undefined ? own : { ...own, schema: validation };
    }),
  });
}

function conversionToStored(conversion: Tree): Tree {
  const { webhookClientConfig, conversionReviewVersions, ...rest } = conversion;
  if (webhookClientConfig === undefined) return rest;
  return {
    ...rest,
    webhook: present({
      clientConfig: webhookClientConfig,
      conversionReviewVersions: conversionReviewVersions ?? ['v1beta1'],
    }),
  };
}

function conversionFromStored(conversion: Tree): Tree {
  const { webhook, ...rest } = conversion;
  if (!isTree(webhook)) return rest;
  return present({
    ...rest,
    webhookClientConfig: webhook['clientConfig'],
    conversionReviewVersions: webhook['conversionReviewVersions'],
  });
}
