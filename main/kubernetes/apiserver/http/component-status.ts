// ComponentStatuses, which are asked for and not stored (pkg/registry/core/componentstatus).
import type { HttpResponse } from '../../../network/http/index.ts';
import { resources } from '../../api/resources.ts';
import type { Served } from '../catalogue.ts';
import type { ServerCore } from '../core.ts';
import { componentStatusKind } from '../kinds/registry.ts';
import type { StoredObject } from '../object.ts';
import { methodNotAllowed, noSuchResource, notFound } from '../refusals.ts';
import { ObjectTable } from '../storage/object-store.ts';
import { getObject, listObjects } from '../verbs/reading.ts';
import { documentAnswer } from './answer.ts';
import type { Exchange } from './door.ts';
import { presentationOf } from './presentation.ts';
import { warningHeaders } from './warnings.ts';
import { listParametersOf } from './options.ts';
import { presentList, presentObject } from './presenting.ts';
import { isTrue } from './request-info.ts';

interface Component {
  readonly name: string;
  /** Label of its static pod; etcd is this server's own storage. */
  readonly label?: string;
  readonly port?: number;
}

const COMPONENTS: readonly Component[] = [
  { name: 'etcd-0' },
  { name: 'scheduler', label: 'kube-scheduler', port: 10_259 },
  { name: 'controller-manager', label: 'kube-controller-manager', port: 10_257 },
];

/** Answers requests for component statuses; each is looked at when it is asked for. Throws 404, 405 and 406. */
export function componentStatusAnswer(exchange: Exchange): HttpResponse {
  const { core, request, info, query, warnings } = exchange;
  const { name, subresource, namespace } = info;
  if (subresource !== '' || namespace !== '') throw noSuchResource();
  if (request.method !== 'GET' || isTrue(query, 'watch')) throw methodNotAllowed();
  warnings.push('v1 ComponentStatus is deprecated in v1.19+');
  const served = servedNow(core);
  const presentation = presentationOf(exchange);
  const headers = warningHeaders(warnings);
  if (name !== '') {
    // Upstream names the resource by its singular here.
    if (!COMPONENTS.some((component) => component.name === name))
      throw notFound({ group: '', plural: 'componentstatus' }, name);
    const document = presentObject(served, getObject(served, '', name), presentation);
    return documentAnswer(200, document, presentation.wanted, headers);
  }
  const { labelSelector, fieldSelector } = listParametersOf(query, false);
  const list = listObjects(core.objects, { served, namespace: undefined, labelSelector, fieldSelector });
  const inOrder = COMPONENTS.flatMap((component) =>
    list.items.filter(({ metadata }) => metadata.name === component.name),
  );
  const document = presentList(
    served,
    { ...list, metadata: {} as typeof list.metadata, items: inOrder },
    presentation,
  );
  return documentAnswer(200, document, presentation.wanted, headers);
}

/** A table of this moment's statuses, to be read like those in storage. */
function servedNow(core: ServerCore): Served {
  const { resource, prefix, schemaName } = componentStatusKind;
  const table = new ObjectTable({ prefix, namespaced: false });
  for (const component of COMPONENTS) table.load(component.name, statusOf(core, component));
  const same = <T>(object: T): T => object;
  return { resource, kind: componentStatusKind, table, present: same, store: same, schemaName } as Served;
}

/** Nothing listens where a component's pod isn't ready. */
function statusOf(core: ServerCore, { name, label, port }: Component): StoredObject {
  const isUp = label === undefined || isReady(core, label);
  const address = `127.0.0.1:${port}`;
  return {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name },
    conditions: [
      isUp
        ? { type: 'Healthy', status: 'True', message: 'ok' }
        : {
            type: 'Healthy',
            status: 'False',
            message: `Get "https://${address}/healthz": dial tcp ${address}: connect: connection refused`,
          },
    ],
  } as unknown as StoredObject;
}

function isReady(core: ServerCore, component: string): boolean {
  const pods = core.catalogue.find(resources.pods)!.table.list('kube-system');
  return pods.some(({ metadata, status }) => {
    if (metadata.labels?.['component'] !== component) return false;
    const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
    return conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  });
}
