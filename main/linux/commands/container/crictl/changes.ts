// crictl's commands on what is there: logs, exec, pull, stop and remove.
import { RuntimeError } from '../../../containerd/index.ts';
import { runInContainer } from '../exec.ts';
import { CrictlError, type CrictlWorld } from './words.ts';
import { followLog } from '../log.ts';
import { canonicalReference } from '../runtime.ts';
import { STATES, isPinned, needIds, requireContainer, requireSandbox } from './shared.ts';

export async function logs(world: CrictlWorld): Promise<number> {
  const [id] = needIds(world, 'container ID');
  const container = requireContainer(world, id!, '');
  const tail = world.words.value('tail');
  await followLog(world.proc, container.spec.logPath, {
    follow: world.words.has('follow'),
    tail: tail === undefined ? undefined : Number(tail),
    timestamps: world.words.has('timestamps'),
    isRunning: () => world.runtime.containerStatus(container.id)?.state === 'running',
  });
  return 0;
}

export async function exec(world: CrictlWorld): Promise<number> {
  const { proc, runtime, words } = world;
  const [id = '', ...command] = words.operands;
  if (id === '') throw new CrictlError('ID cannot be empty');
  const container = requireContainer(world, id, 'execing command in container: ');
  if (container.state !== 'running')
    throw new CrictlError(
      `execing command in container: rpc error: code = Unknown desc = failed to exec in container: container is in ${STATES[container.state]} state`,
    );
  if (command.length === 0)
    throw new CrictlError('execing command in container: exec command cannot be empty');
  try {
    const status = await runInContainer(
      proc,
      runtime,
      container,
      command,
      words.has('tty'),
      words.has('interactive'),
    );
    if (status !== 0 && words.has('sync'))
      throw new CrictlError(
        `execing command in container synchronously: command terminated with exit code ${status}`,
      );
    if (status !== 0)
      await proc.stderr.write(
        proc.stderr.tty === undefined
          ? `time="${new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19)}Z" level=fatal msg="execing command in container: command terminated with exit code ${status}"\n`
          : `\u001b[31mFATA\u001b[0m[0000] execing command in container: command terminated with exit code ${status} \n`,
      );
    return status === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CrictlError(
      `execing command in container: Internal error occurred: error executing command in container: ${error.message}`,
    );
  }
}

export async function pull(world: CrictlWorld): Promise<number> {
  const [name] = needIds(world, 'Image name');
  try {
    const image = await world.proc.interruptible(world.runtime.pullImage(canonicalReference(name!)));
    await world.print(`Image is up to date for ${image.id}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CrictlError(`pulling image: rpc error: code = ${error.code} desc = ${error.message}`);
  }
}

export async function removeImages(world: CrictlWorld): Promise<number> {
  const { runtime, words } = world;
  const used = new Set(runtime.listContainers().map(({ imageId }) => imageId));
  const all = runtime.listImages();
  const wanted = words.has('all')
    ? all
    : words.has('prune')
      ? all.filter((image) => !used.has(image.id) && !isPinned(image))
      : needIds(world, 'Image name').map((name) => {
          const image =
            runtime.imageStatus(name) ??
            runtime.imageStatus(canonicalReference(name)) ??
            all.find(({ id }) => id.startsWith(`sha256:${name}`));
          if (image === undefined) throw new CrictlError(`no such image ${name}`);
          return image;
        });
  for (const image of wanted) {
    runtime.removeImage(image.id);
    await world.print(
      (image.repoTags.length > 0 ? image.repoTags : [image.id]).map((tag) => `Deleted: ${tag}\n`).join(''),
    );
  }
  return 0;
}

export async function stop(world: CrictlWorld): Promise<number> {
  const timeoutMs = Number(world.words.value('timeout') ?? 0) * 1000;
  for (const id of needIds(world)) {
    const one = requireContainer(world, id, `stopping the container "${id}": `);
    await world.proc.interruptible(world.runtime.stopContainer(one.id, timeoutMs));
    await world.print(`${id}\n`);
  }
  return 0;
}

export async function remove(world: CrictlWorld): Promise<number> {
  const { words, runtime } = world;
  const ids = words.has('all') ? runtime.listContainers().map(({ id }) => id) : needIds(world);
  let failures = 0;
  for (const id of ids) {
    const one = requireContainer(world, id, `removing the container "${id}": `);
    if (one.state === 'running' && !words.has('force')) {
      failures++;
      await world.proc.stderr.write(`container ${JSON.stringify(id)} is running, please stop it first\n`);
      continue;
    }
    await world.proc.interruptible(runtime.removeContainer(one.id));
    await world.print(`${id}\n`);
  }
  if (failures > 0) throw new CrictlError('unable to remove container(s)');
  return 0;
}

export async function stopPods(world: CrictlWorld): Promise<number> {
  for (const id of needIds(world)) {
    const one = requireSandbox(world, id, `stopping the pod sandbox "${id}": `);
    await world.proc.interruptible(world.runtime.stopSandbox(one.id));
    await world.print(`Stopped sandbox ${id}\n`);
  }
  return 0;
}

export async function removePods(world: CrictlWorld): Promise<number> {
  const { words, runtime } = world;
  const ids = words.has('all') ? runtime.listSandboxes().map(({ id }) => id) : needIds(world);
  for (const id of ids) {
    const one = requireSandbox(world, id, `getting sandbox status of pod "${id}": `);
    if (one.state === 'ready' && !words.has('force'))
      throw new CrictlError(
        `removing the pod sandbox "${id}": pod sandbox ${JSON.stringify(id)} is running, please stop it first`,
      );
    await world.proc.interruptible(runtime.removeSandbox(one.id));
    await world.print(`Removed sandbox ${id}\n`);
  }
  return 0;
}
