// What a cluster has from the start: namespaces.
import { resources } from '../api/resources.ts';
import type { ServerCore } from './core.ts';
import { ALL_AUTHENTICATED } from './auth/user.ts';
import { shape } from './verbs/shaping.ts';
import type { Tree } from './object.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Makes what is missing. */
export function bootstrap(core: ServerCore): void {
  const served = core.catalogue.find(resources.namespaces)!;
  for (const name of NAMESPACES) {
    if (served.table.get('', name) !== undefined) continue;
    const { object } = shape(served, { metadata: { name } } as Tree);
    core.api.writer.create(
      {
        served,
        namespace: '',
        user: { name: 'system:apiserver', groups: ['system:masters', ALL_AUTHENTICATED] },
        subresource: '',
        dryRun: false,
        fieldManager: 'kube-apiserver',
        tracked: false,
        warn: () => undefined,
      },
      object,
    );
  }
}
