// crictl inspect and its kin: all that the runtime knows about one thing, or about itself.
import { CrictlError, printValue, type CrictlWorld } from './words.ts';
import { canonicalReference, sandboxOf } from '../runtime.ts';
import {
  STATES,
  isPinned,
  metadataOf,
  nanos,
  needIds,
  printInspected,
  requireContainer,
  requireSandbox,
  stamp,
} from './shared.ts';

export async function inspect(world: CrictlWorld): Promise<number> {
  const { runtime } = world;
  for (const id of needIds(world)) {
    const one = requireContainer(world, id, `getting the status of the container "${id}": `);
    const sandbox = sandboxOf(runtime, one);
    const image = runtime.imageStatus(one.imageId);
    const argv =
      one.spec.command !== undefined && one.spec.command.length > 0
        ? [...one.spec.command, ...(one.spec.args ?? [])]
        : [...(image?.image.entrypoint ?? []), ...(one.spec.args ?? image?.image.command ?? [])];
    await printInspected(world, {
      info: {
        pid: one.pid ?? 0,
        removing: false,
        runtimeOptions: { systemd_cgroup: true },
        runtimeType: 'io.containerd.runc.v2',
        runtimeSpec: {
          ociVersion: '1.1.0',
          process: {
            args: argv,
            cwd: one.spec.workingDirectory ?? image?.image.workingDirectory ?? '/',
            env: [...(image?.image.env ?? []), ...one.spec.env.map(({ name, value }) => `${name}=${value}`)],
            terminal: one.spec.tty,
          },
          root: { path: 'rootfs', readonly: one.spec.readOnlyRoot === true },
          hostname: sandbox?.spec.hostname ?? '',
          linux: { cgroupsPath: `${sandbox?.spec.cgroupParent ?? ''}/${one.id}` },
        },
        sandboxID: one.sandboxId,
        snapshotKey: one.id,
        snapshotter: 'overlayfs',
      },
      status: {
        annotations: one.spec.annotations,
        createdAt: stamp(one.createdMs),
        exitCode: one.exitCode ?? 0,
        finishedAt: stamp(one.finishedMs),
        id: one.id,
        image: {
          annotations: {},
          image: image?.repoTags[0] ?? one.spec.image,
          runtimeHandler: '',
          userSpecifiedImage: '',
        },
        imageId: one.imageId,
        imageRef: image?.repoDigests[0] ?? one.imageId,
        labels: one.spec.labels,
        logPath: one.spec.logPath ?? '',
        message: one.message ?? '',
        metadata: { attempt: one.spec.attempt, name: one.spec.name },
        mounts: one.spec.mounts.map((mount) => ({
          containerPath: mount.containerPath,
          gidMappings: [],
          hostPath: mount.hostPath,
          image: null,
          propagation: 'PROPAGATION_PRIVATE',
          readonly: mount.readOnly === true,
          recursiveReadOnly: false,
          selinuxRelabel: false,
          uidMappings: [],
        })),
        reason: one.reason ?? '',
        resources: { linux: { memoryLimitInBytes: String(one.spec.memoryMaxBytes ?? 0) }, windows: null },
        startedAt: stamp(one.startedMs),
        state: STATES[one.state],
      },
    });
  }
  return 0;
}

export async function inspectPod(world: CrictlWorld): Promise<number> {
  for (const id of needIds(world)) {
    const one = requireSandbox(world, id, `getting the pod sandbox status for "${id}": `);
    await printInspected(world, {
      info: {
        image: world.runtime.sandboxImage,
        pid: 0,
        runtimeType: 'io.containerd.runc.v2',
        snapshotter: 'overlayfs',
        config: {
          annotations: one.spec.annotations,
          hostname: one.spec.hostname,
          labels: one.spec.labels,
          linux: { cgroup_parent: one.spec.cgroupParent },
          metadata: { name: one.spec.podName, namespace: one.spec.podNamespace, uid: one.spec.podUid },
        },
      },
      status: {
        annotations: one.spec.annotations,
        createdAt: stamp(one.createdMs),
        id: one.id,
        labels: one.spec.labels,
        linux: {
          namespaces: {
            options: {
              ipc: 'POD',
              network: one.spec.hostNetwork ? 'NODE' : 'POD',
              pid: 'CONTAINER',
              targetId: '',
              usernsOptions: null,
            },
          },
        },
        metadata: metadataOf(one),
        network: { additionalIps: [], ip: one.ips[0] ?? '' },
        runtimeHandler: '',
        state: one.state === 'ready' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
      },
    });
  }
  return 0;
}

export async function inspectImage(world: CrictlWorld): Promise<number> {
  const { runtime } = world;
  for (const name of needIds(world)) {
    const image =
      runtime.imageStatus(name) ??
      runtime.imageStatus(canonicalReference(name)) ??
      runtime.listImages().find(({ id }) => id.startsWith(`sha256:${name}`));
    if (image === undefined) throw new CrictlError(`no such image "${name}" present`);
    const { entrypoint, command, env, user, workingDirectory, exposedPorts, labels, created } = image.image;
    await printInspected(world, {
      info: {
        chainID: image.id,
        imageSpec: {
          architecture: 'amd64',
          config: {
            ...(command === undefined ? {} : { Cmd: command }),
            ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
            Env: env ?? [],
            ...(exposedPorts === undefined
              ? {}
              : { ExposedPorts: Object.fromEntries(exposedPorts.map((port) => [port, {}])) }),
            ...(labels === undefined ? {} : { Labels: labels }),
            ...(user === undefined ? {} : { User: user }),
            ...(workingDirectory === undefined ? {} : { WorkingDir: workingDirectory }),
          },
          created: created ?? '1970-01-01T00:00:00Z',
          os: 'linux',
          rootfs: { diff_ids: [image.id], type: 'layers' },
        },
      },
      status: {
        id: image.id,
        pinned: isPinned(image),
        repoDigests: image.repoDigests,
        repoTags: image.repoTags,
        size: String(image.sizeBytes),
        spec: null,
        uid: null,
        username: user ?? '',
      },
    });
  }
  return 0;
}

export async function version({ runtime, print }: CrictlWorld): Promise<number> {
  await print(
    `Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  ${runtime.version.startsWith('v') ? '' : 'v'}${runtime.version}\nRuntimeApiVersion:  v1\n`,
  );
  return 0;
}

export async function info(world: CrictlWorld): Promise<number> {
  const { proc } = world;
  const config = proc.fs.exists('/etc/cni/net.d')
    ? proc.fs.readdir('/etc/cni/net.d').find(({ name }) => /\.(conf|conflist|json)$/.test(name))
    : undefined;
  const isReady = config !== undefined;
  await printValue(world, {
    cniconfig: {
      PluginConfDir: '/etc/cni/net.d',
      PluginDirs: ['/opt/cni/bin'],
      PluginMaxConfNum: 1,
      Prefix: 'eth',
    },
    config: {
      containerd: { defaultRuntimeName: 'runc', snapshotter: 'overlayfs' },
      sandboxImage: world.runtime.sandboxImage,
    },
    golang: 'go1.21.13',
    lastCNILoadStatus: isReady
      ? 'OK'
      : 'cni config load failed: no network config found in /etc/cni/net.d: cni plugin not initialized: failed to load cni config',
    status: {
      conditions: [
        { message: '', reason: '', status: true, type: 'RuntimeReady' },
        isReady
          ? { message: '', reason: '', status: true, type: 'NetworkReady' }
          : {
              message: 'Network plugin returns error: cni plugin not initialized',
              reason: 'NetworkPluginNotReady',
              status: false,
              type: 'NetworkReady',
            },
      ],
    },
  });
  return 0;
}

export async function events(world: CrictlWorld): Promise<number> {
  const { runtime, proc } = world;
  let writing = Promise.resolve();
  using _events = runtime.onEvent(({ kind, id }) => {
    const event = {
      containerId: id,
      containerEventType: `CONTAINER_${kind.toUpperCase()}_EVENT`,
      createdAt: nanos(proc.clock.now()),
    };
    writing = writing.then(() => proc.stdout.write(`${JSON.stringify(event)}\n`));
  });
  for (;;) await proc.sleep(1e9);
}
