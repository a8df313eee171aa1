// Pods from the manifests folder, and their mirrors on the API server.
import { createHash } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import { disposable, rfc3339, type Clock } from '../../simulation/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { FileSystemView } from '../../linux/kernel/index.ts';
import { isStatus, resources } from '../api/index.ts';
import type { Pod, Stored } from '../api/index.ts';
import type { ApiClient } from '../client/index.ts';
import { CONFIG_HASH, CONFIG_MIRROR, CONFIG_SEEN, CONFIG_SOURCE, type KnownPod } from './pod-facts.ts';

const EDIT_SETTLE_MS = 200;

/** Reads one manifest. Throws, in the kubelet's words, when it holds no pod. */
function readManifest(text: string, path: string, nodeName: string, nowMs: number): KnownPod {
  const fault = (words: string): Error =>
    new Error(`${path}: couldn't parse as pod(${words}), please check config file`);
  const [document] = parseAllDocuments(text);
  const [problem] = document?.errors ?? [];
  if (problem !== undefined) {
    const line = problem.linePos?.[0].line ?? 1;
    throw fault(`yaml: line ${line}: ${problem.message.split(' at line')[0]}`);
  }
  const pod: unknown = document?.toJS();
  if (!isObject(pod) || typeof pod['kind'] !== 'string' || pod['kind'] === '')
    throw fault(`Object 'Kind' is missing in '${JSON.stringify(pod ?? null)}'`);
  if (typeof pod['apiVersion'] !== 'string' || pod['apiVersion'] === '')
    throw fault(`Object 'apiVersion' is missing in '${JSON.stringify(pod)}'`);
  if (pod['kind'] !== 'Pod' || pod['apiVersion'] !== 'v1')
    throw fault(
      `no kind "${pod['kind']}" is registered for version "${pod['apiVersion']}" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`,
    );
  return makeStatic(pod as Pod, text, path, nodeName, nowMs);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function makeStatic(pod: Pod, text: string, path: string, nodeName: string, nowMs: number): KnownPod {
  const problems = problemsOf(pod);
  if (problems.length > 0) throw new Error(`${path}: invalid pod: ${problems.join(', ')}`);
  const uid = createHash('md5').update(`host:${nodeName}file:${path}${text}`).digest('hex');
  const tolerations = [
    ...(pod.spec!.tolerations ?? []),
    { operator: 'Exists' as const, effect: 'NoExecute' as const },
  ];
  return {
    ...pod,
    apiVersion: 'v1',
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata?.name ?? ''}-${nodeName}`,
      namespace: pod.metadata?.namespace ?? 'default',
      uid,
      annotations: {
        ...pod.metadata?.annotations,
        [CONFIG_HASH]: uid,
        [CONFIG_SEEN]: rfc3339(nowMs),
        [CONFIG_SOURCE]: 'file',
      },
    },
    spec: { ...pod.spec!, nodeName, tolerations },
  };
}

/** The few things without which nothing can run; the server looks at the rest when the mirror is made. */
function problemsOf({ metadata, spec }: Pod): string[] {
  const problems: string[] = [];
  if ((metadata?.name ?? '') === '')
    problems.push('metadata.name: Required value: name or generateName is required');
  if ((spec?.containers ?? []).length === 0) problems.push('spec.containers: Required value');
  (spec?.containers ?? []).forEach(({ name, image }, index) => {
    if ((name ?? '') === '') problems.push(`spec.containers[${index}].name: Required value`);
    if ((image ?? '') === '') problems.push(`spec.containers[${index}].image: Required value`);
  });
  if ((spec?.serviceAccountName ?? '') !== '')
    problems.push('spec.serviceAccountName: Forbidden: static pods may not reference serviceaccounts');
  return problems;
}

export interface StaticPodsOptions {
  readonly fs: FileSystemView;
  readonly clock: Clock;
  readonly folder: string;
  readonly nodeName: string;
  readonly onChange: (pods: readonly KnownPod[]) => void;
  readonly onFault: (error: unknown) => void;
}

/** Follows the folder until disposed; tells of all its pods after each change. */
export function followStaticPods({
  fs,
  clock,
  folder,
  nodeName,
  onChange,
  onFault,
}: StaticPodsOptions): Disposable {
  const known = new Map<string, { text: string; pod: KnownPod }>();
  let pending: Disposable | undefined;

  const read = (): void => {
    const present = new Set<string>();
    for (const { name, type } of fs.exists(folder) ? fs.readdir(folder) : []) {
      if (type !== 'file' || name.startsWith('.')) continue;
      const path = `${folder}/${name}`;
      try {
        const text = fs.readText(path);
        present.add(path);
        if (known.get(path)?.text !== text)
          known.set(path, { text, pod: readManifest(text, path, nodeName, clock.now()) });
      } catch (error) {
        // What can't be read counts as it was before; an editor may be half way through.
        if (!(error instanceof ErrnoError)) onFault(error);
      }
    }
    for (const path of known.keys()) if (!present.has(path)) known.delete(path);
    onChange([...known.values()].map(({ pod }) => pod));
  };
  const watching = fs.watch(folder, () => {
    pending ??= clock.after(EDIT_SETTLE_MS, () => {
      pending = undefined;
      read();
    });
  });
  read();
  return disposable(() => {
    watching[Symbol.dispose]();
    pending?.[Symbol.dispose]();
  });
}

/** Keeps a static pod's mirror on the server: made, replaced when the file changed, renewed when deleted. */
export async function ensureMirror(
  client: ApiClient,
  pod: KnownPod,
  mirror: Stored<Pod> | undefined,
  nodeUid: string | undefined,
): Promise<void> {
  const { namespace } = pod.metadata;
  if (mirror !== undefined) {
    const isCurrent =
      mirror.metadata.annotations?.[CONFIG_MIRROR] === pod.metadata.uid &&
      mirror.metadata.deletionTimestamp === undefined;
    if (isCurrent) return;
    await removeMirror(client, mirror);
  }
  const { uid, ...metadata } = pod.metadata;
  const { status: _, ...rest } = pod;
  try {
    await client.create<Pod>(
      resources.pods,
      {
        ...rest,
        metadata: {
          ...metadata,
          annotations: { ...metadata.annotations, [CONFIG_MIRROR]: uid },
          ...(nodeUid === undefined
            ? {}
            : {
                ownerReferences: [
                  {
                    apiVersion: 'v1',
                    kind: 'Node',
                    name: pod.spec.nodeName ?? '',
                    uid: nodeUid,
                    controller: true,
                  },
                ],
              }),
        },
      },
      { namespace },
    );
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}

/** Takes a mirror off the server. */
export async function removeMirror(client: ApiClient, mirror: Stored<Pod>): Promise<void> {
  const { name, namespace, uid } = mirror.metadata;
  try {
    await client.delete(resources.pods, name, {
      ...(namespace === undefined ? {} : { namespace }),
      gracePeriodSeconds: 0,
      uid,
    });
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
  }
}
