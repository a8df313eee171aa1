// crictl's lists: ps, pods, images, stats.
import type { Container, Sandbox } from '../../../containerd/index.ts';
import { printValue, tabular, type CrictlWorld } from './words.ts';
import { canonicalReference, decimalSize, humanAge, sandboxOf, shortId, splitReference } from '../runtime.ts';
import {
  SHOWN,
  STATES,
  isPinned,
  labelsFit,
  limitTo,
  metadataOf,
  nanos,
  printedOtherwise,
} from './shared.ts';

export async function ps(world: CrictlWorld): Promise<number> {
  const { runtime, words, proc } = world;
  const name = words.value('name');
  const state = words.value('state')?.toLowerCase();
  const namespace = words.value('namespace');
  const all = runtime
    .listContainers()
    .toReversed()
    .toSorted((a, b) => b.createdMs - a.createdMs)
    .filter(
      (one) =>
        words.has('all') ||
        state !== undefined ||
        words.has('latest') ||
        words.has('last') ||
        one.state === 'running',
    )
    .filter((one) => state === undefined || one.state === state)
    .filter((one) => name === undefined || new RegExp(name).test(one.spec.name))
    .filter((one) => words.value('pod') === undefined || one.sandboxId.startsWith(words.value('pod')!))
    .filter((one) => words.value('id') === undefined || one.id.startsWith(words.value('id')!))
    .filter(
      (one) =>
        namespace === undefined ||
        new RegExp(namespace).test(sandboxOf(runtime, one)?.spec.podNamespace ?? ''),
    )
    .filter(
      (one) =>
        words.value('image') === undefined ||
        runtime.imageStatus(canonicalReference(words.value('image')!))?.id === one.imageId,
    )
    .filter((one) => labelsFit(one.spec.labels, words.values('label')));
  const wanted = limitTo(world, all);
  const value = {
    containers: wanted.map((one) => ({
      annotations: one.spec.annotations,
      createdAt: nanos(one.createdMs),
      id: one.id,
      image: { annotations: {}, image: one.imageId, runtimeHandler: '', userSpecifiedImage: one.spec.image },
      imageId: one.imageId,
      imageRef: one.imageId,
      labels: one.spec.labels,
      metadata: { attempt: one.spec.attempt, name: one.spec.name },
      podSandboxId: one.sandboxId,
      state: STATES[one.state],
    })),
  };
  if (
    await printedOtherwise(
      world,
      wanted.map(({ id }) => id),
      value,
    )
  )
    return 0;
  const length = words.has('no-trunc') ? 64 : 13;
  const now = proc.clock.now();
  await world.print(
    tabular([
      ['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID', 'POD'],
      ...wanted.map((one) => [
        one.id.slice(0, length),
        words.has('no-trunc') ? one.imageId : shortId(one.imageId, 13),
        `${humanAge(now - one.createdMs)} ago`,
        SHOWN[one.state],
        one.spec.name,
        String(one.spec.attempt),
        one.sandboxId.slice(0, 13),
        sandboxOf(runtime, one)?.spec.podName ?? 'unknown',
      ]),
    ]),
  );
  return 0;
}

export async function pods(world: CrictlWorld): Promise<number> {
  const { runtime, words, proc } = world;
  const [name, namespace, state] = [
    words.value('name'),
    words.value('namespace'),
    words.value('state')?.toLowerCase(),
  ];
  const all = runtime
    .listSandboxes()
    .toReversed()
    .toSorted((a, b) => b.createdMs - a.createdMs)
    .filter((one) => name === undefined || new RegExp(name).test(one.spec.podName))
    .filter((one) => namespace === undefined || new RegExp(namespace).test(one.spec.podNamespace))
    .filter((one) => state === undefined || one.state === state)
    .filter((one) => words.value('id') === undefined || one.id.startsWith(words.value('id')!))
    .filter((one) => labelsFit(one.spec.labels, words.values('label')));
  const wanted = limitTo(world, all);
  const value = {
    items: wanted.map((one) => ({
      annotations: one.spec.annotations,
      createdAt: nanos(one.createdMs),
      id: one.id,
      labels: one.spec.labels,
      metadata: metadataOf(one),
      runtimeHandler: '',
      state: one.state === 'ready' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    })),
  };
  if (
    await printedOtherwise(
      world,
      wanted.map(({ id }) => id),
      value,
    )
  )
    return 0;
  const length = words.has('no-trunc') ? 64 : 13;
  const now = proc.clock.now();
  await world.print(
    tabular([
      ['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'],
      ...wanted.map((one) => [
        one.id.slice(0, length),
        `${humanAge(now - one.createdMs)} ago`,
        one.state === 'ready' ? 'Ready' : 'NotReady',
        one.spec.podName,
        one.spec.podNamespace,
        String(one.spec.attempt),
        '(default)',
      ]),
    ]),
  );
  return 0;
}

export async function images(world: CrictlWorld): Promise<number> {
  const { runtime, words } = world;
  const [wanted] = words.operands;
  const pattern =
    wanted === undefined
      ? undefined
      : canonicalReference(wanted).replace(/:latest$/, wanted.endsWith(':latest') ? ':latest' : '');
  const chosen = runtime
    .listImages()
    .filter(
      (image) =>
        pattern === undefined ||
        image.repoTags.some((tag) => tag === pattern || tag.startsWith(`${pattern}:`)) ||
        image.id.startsWith(`sha256:${wanted ?? ''}`),
    );
  const value = {
    images: chosen.map((image) => ({
      id: image.id,
      pinned: isPinned(image),
      repoDigests: image.repoDigests,
      repoTags: image.repoTags,
      size: String(image.sizeBytes),
      spec: null,
      uid: null,
      username: image.image.user ?? '',
    })),
  };
  if (words.has('verbose')) {
    for (const image of chosen)
      await world.print(
        `ID: ${image.id}\n${image.repoTags.map((tag) => `RepoTags: ${tag}\n`).join('')}${image.repoDigests.map((digest) => `RepoDigests: ${digest}\n`).join('')}Size: ${decimalSize(image.sizeBytes)}\n${image.image.user === undefined ? '' : `Username: ${image.image.user}\n`}\n`,
      );
    return 0;
  }
  if (
    await printedOtherwise(
      world,
      chosen.map(({ id }) => id),
      value,
    )
  )
    return 0;
  const rows = chosen
    .flatMap((image) =>
      (image.repoTags.length > 0 ? image.repoTags : ['<none>:<none>']).map((reference) => ({
        image,
        ...splitReference(reference, false),
      })),
    )
    .toSorted((a, b) => (`${a.repository}:${a.tag}` < `${b.repository}:${b.tag}` ? -1 : 1));
  const digests = words.has('digests');
  await world.print(
    tabular([
      [
        'IMAGE',
        'TAG',
        ...(digests ? ['DIGEST'] : []),
        'IMAGE ID',
        'SIZE',
        ...(words.has('pinned') ? ['PINNED'] : []),
      ],
      ...rows.map(({ image, repository, tag }) => [
        repository,
        tag,
        ...(digests ? [(image.repoDigests[0]?.split('@sha256:')[1] ?? '<none>').slice(0, 13)] : []),
        words.has('no-trunc') ? image.id : shortId(image.id, 13),
        decimalSize(image.sizeBytes),
        ...(words.has('pinned') ? [String(isPinned(image))] : []),
      ]),
    ]),
  );
  return 0;
}

export async function stats(world: CrictlWorld): Promise<number> {
  const { runtime, words, proc } = world;
  const [wanted] = words.operands;
  const chosen = runtime
    .listContainers()
    .filter(
      (one) =>
        (words.has('all') || one.state === 'running') &&
        (wanted === undefined || one.id.startsWith(wanted)) &&
        (words.value('id') === undefined || one.id.startsWith(words.value('id')!)) &&
        (words.value('pod') === undefined || one.sandboxId.startsWith(words.value('pod')!)) &&
        labelsFit(one.spec.labels, words.values('label')),
    );
  const usageOf = (one: Container): { cpuMs: number; memoryBytes: number } =>
    proc.kernel.cgroupUsage(`${sandboxOf(runtime, one)?.spec.cgroupParent ?? ''}/${one.id}`) ?? {
      cpuMs: 0,
      memoryBytes: 0,
    };
  if (words.value('output') === 'json' || words.value('output') === 'yaml') {
    const now = nanos(proc.clock.now());
    await printValue(world, {
      stats: chosen.map((one) => ({
        attributes: {
          annotations: one.spec.annotations,
          id: one.id,
          labels: one.spec.labels,
          metadata: { attempt: one.spec.attempt, name: one.spec.name },
        },
        cpu: {
          timestamp: now,
          usageCoreNanoSeconds: { value: String(Math.round(usageOf(one).cpuMs * 1e6)) },
        },
        memory: { timestamp: now, workingSetBytes: { value: String(usageOf(one).memoryBytes) } },
        writableLayer: { usedBytes: { value: String(runtime.layerBytes(one.id)) } },
      })),
    });
    return 0;
  }
  const before = new Map(chosen.map((one) => [one.id, usageOf(one).cpuMs]));
  const startMs = proc.clock.now();
  await proc.sleep(Number(words.value('seconds') ?? 1) * 1000);
  const tookMs = Math.max(1, proc.clock.now() - startMs);
  await world.print(
    tabular([
      ['CONTAINER', 'NAME', 'CPU %', 'MEM', 'DISK', 'INODES', 'SWAP'],
      ...chosen.map((one) => {
        const usage = usageOf(one);
        return [
          one.id.slice(0, 13),
          one.spec.name,
          (((usage.cpuMs - before.get(one.id)!) / tookMs) * 100).toFixed(2),
          decimalSize(usage.memoryBytes),
          decimalSize(runtime.layerBytes(one.id)),
          '10',
          '0B',
        ];
      }),
    ]),
  );
  return 0;
}

export async function podStats(world: CrictlWorld): Promise<number> {
  const { runtime, proc } = world;
  const sandboxes = runtime.listSandboxes().filter(({ state }) => state === 'ready');
  const usageOf = ({ spec }: Sandbox): { cpuMs: number; memoryBytes: number } =>
    proc.kernel.cgroupUsage(spec.cgroupParent) ?? { cpuMs: 0, memoryBytes: 0 };
  const before = new Map(sandboxes.map((one) => [one.id, usageOf(one).cpuMs]));
  await proc.sleep(1000);
  await world.print(
    tabular([
      ['POD', 'POD ID', 'CPU %', 'MEM'],
      ...sandboxes.map((one) => [
        one.spec.podName,
        one.id.slice(0, 13),
        ((usageOf(one).cpuMs - before.get(one.id)!) / 10).toFixed(2),
        decimalSize(usageOf(one).memoryBytes),
      ]),
    ]),
  );
  return 0;
}

export async function imageFs(world: CrictlWorld): Promise<number> {
  const bytes = world.runtime.listImages().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await printValue(world, {
    status: {
      containerFilesystems: [],
      imageFilesystems: [
        {
          fsId: { mountpoint: '/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs' },
          inodesUsed: { value: String(world.runtime.listImages().length * 1200) },
          timestamp: nanos(world.proc.clock.now()),
          usedBytes: { value: String(bytes) },
        },
      ],
    },
  });
  return 0;
}
