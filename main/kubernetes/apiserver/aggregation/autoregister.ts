// Makes an APIService for each version that definitions serve (kube-aggregator's crd registration and autoregister).
import { resources } from '../../api/resources.ts';
import type { ServerCore } from '../core.ts';
import type { StoredObject } from '../object.ts';
import { shape } from '../verbs/shaping.ts';
import { ownWrite } from '../verbs/request.ts';
import { isRemote } from './registration.ts';

const LABEL = 'kube-aggregator.kubernetes.io/automanaged';
/** Of every group that definitions make. */
const GROUP_PRIORITY = 1000;
const VERSION_PRIORITY = 100;

interface Definition extends StoredObject {
  readonly spec: {
    readonly group: string;
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/** Follows the definitions; what is written is written after the event that caused it. */
export function registerCustomGroups(core: ServerCore): void {
  const definitions = core.catalogue.find(resources.customresourcedefinitions)!.table;
  /** `VERSION.GROUP` → how many definitions serve it. */
  const wanted = new Map<string, Set<string>>();
  const queued = new Set<string>();
  const queue = (name: string): void => {
    if (queued.has(name)) return;
    queued.add(name);
    core.objects.afterEvents(() => {
      queued.delete(name);
      sync(core, name, (wanted.get(name)?.size ?? 0) > 0);
    });
  };
  definitions.observe((before, after) => {
    for (const name of before === undefined ? [] : namesOf(before as Definition)) {
      wanted.get(name)?.delete(before!.metadata.uid);
      queue(name);
    }
    for (const name of after === undefined ? [] : namesOf(after as Definition)) {
      wanted.set(name, (wanted.get(name) ?? new Set()).add(after!.metadata.uid));
      queue(name);
    }
  });
}

function namesOf({ spec }: Definition): string[] {
  return spec.versions.filter(({ served }) => served).map(({ name }) => `${name}.${spec.group}`);
}

function sync(core: ServerCore, name: string, isWanted: boolean): void {
  const served = core.catalogue.find(resources.apiservices)!;
  const existing = served.table.get('', name);
  const write = ownWrite(served);
  if (isWanted && existing === undefined) {
    const [version = '', ...group] = name.split('.');
    const object = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name, labels: { [LABEL]: 'true' } },
      spec: {
        group: group.join('.'),
        version,
        groupPriorityMinimum: GROUP_PRIORITY,
        versionPriority: VERSION_PRIORITY,
      },
    };
    core.api.writer.create(write, shape(served, object).object);
  }
  // One that somebody made by hand stays.
  const isOurs = existing?.metadata.labels?.[LABEL] === 'true' && !isRemote(existing);
  if (!isWanted && isOurs) core.api.writer.delete(write, name, {});
}
