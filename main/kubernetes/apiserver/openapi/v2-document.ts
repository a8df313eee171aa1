// OpenAPI v2: everything in one document.
import type { ResourceInfo } from '../../api/resources.ts';
import type { ServerCore } from '../core.ts';
import { schemaNameOf, structures } from '../schema/structures.ts';
import { customDefinitions } from './custom-schemas.ts';
import { closureOf, definitionOf, type OpenApiStyle } from './schemas.ts';
import { groupVersionsOf, pathsOf, resourcesOf } from './v3-document.ts';

const STYLE: OpenApiStyle = { version: 2, refPrefix: '#/definitions/' };

/** The document at `/openapi/v2`. */
export function wholeDocument(core: ServerCore): unknown {
  const resources = resourcesOf(core);
  const groupVersions = [
    ...new Map(
      resources.map(({ group, version }) => [`${group}/${version}`, [group, version] as const]),
    ).values(),
  ];
  const paths = Object.assign(
    {},
    ...groupVersionsOf(core).map((path) =>
      pathsOf(
        path,
        resources.filter(
          ({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`) === path,
        ),
      ),
    ),
  ) as Record<string, unknown>;
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: core.version.gitVersion },
    paths,
    definitions: {
      ...Object.fromEntries(
        namesOf(resources).map((name) => [name, definitionOf(name, STYLE, groupVersions)]),
      ),
      ...customDefinitions(core, resources, STYLE),
    },
  };
}

/** All schemas; of versions that only some releases serve, those that these resources need. */
function namesOf(resources: readonly ResourceInfo[]): string[] {
  const needed = new Set(
    closureOf(
      resources.flatMap((resource) => {
        const name = schemaNameOf(resource);
        return name === undefined ? [] : [name, `${name}List`];
      }),
    ),
  );
  return [...structures.keys()]
    .filter((name) => !/\.v\d+beta\d+\.\w+$/.test(name) || needed.has(name))
    .sort();
}
