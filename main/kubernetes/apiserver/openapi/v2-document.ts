// OpenAPI v2: everything in one document.
import type { ServerCore } from '../core.ts';
import { structures } from '../schema/structures.ts';
import { customDefinitions } from './custom-schemas.ts';
import { definitionOf, type OpenApiStyle } from './schemas.ts';
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
        [...structures.keys()].sort().map((name) => [name, definitionOf(name, STYLE, groupVersions)]),
      ),
      ...customDefinitions(core, resources, STYLE),
    },
  };
}
