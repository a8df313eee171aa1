// docker pull, rmi, tag, load, save, commit, import: images by name.
import { EngineError } from '../../../docker/index.ts';
import { configOf, RuntimeError, type ImageConfig } from '../../../containerd/index.ts';
import { ErrnoError } from '../../../../network/index.ts';
import { canonicalReference, shortId, splitReference } from '../runtime.ts';
import { CliError, parseFlags } from './flags.ts';
import { findImage } from './inspect.ts';
import { usage } from './objects.ts';
import { pullImage } from './run.ts';
import { findShown, listShown, type World } from './world.ts';

function shortName(reference: string): string {
  const { repository, tag } = splitReference(reference, true);
  return `${repository}:${tag}`;
}

export async function pull(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(
    `${world.program} pull`,
    args,
    'a,all-tags q,quiet platform= disable-content-trust',
  );
  const [name] = flags.operands;
  if (name === undefined || flags.operands.length > 1)
    throw usage(
      world,
      'pull',
      'exactly 1 argument',
      '[OPTIONS] NAME[:TAG|@DIGEST]',
      'Pull an image or a repository from a registry',
    );
  const isQuiet = flags.has('quiet');
  if (!/:[^/]+$|@/.test(name) && !isQuiet) await world.print('Using default tag: latest\n');
  try {
    await pullImage(world, name, (text) => (isQuiet ? Promise.resolve() : world.print(text)));
  } catch (error) {
    if (error instanceof EngineError) throw new CliError(`Error response from daemon: ${error.message}`);
    throw error;
  }
  await world.print(`${canonicalReference(name)}\n`);
  return 0;
}

export async function removeImages(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} rmi`, args, 'f,force no-prune');
  if (flags.operands.length === 0)
    throw usage(
      world,
      'rmi',
      'at least 1 argument',
      '[OPTIONS] IMAGE [IMAGE...]',
      'Remove one or more images',
    );
  let status = 0;
  for (const name of flags.operands) {
    const image = findImage(world, name);
    if (image === undefined) {
      status = 1;
      await world.complain(`Error: No such image: ${name}\n`);
      continue;
    }
    const isId = !image.repoTags.includes(canonicalReference(name));
    const users = listShown(world).filter(({ imageId }) => imageId === image.id);
    const running = users.find(({ state }) => state === 'running');
    const isLast = image.repoTags.length <= 1 || isId;
    const user = running ?? users[0];
    if (isLast && user !== undefined && (!flags.has('force') || running !== undefined)) {
      status = 1;
      const id = shortId(image.id, 12);
      const text = isId
        ? `unable to delete ${id} (${running === undefined ? 'must be forced' : 'cannot be forced'}) - image is being used by ${running === undefined ? 'stopped' : 'running'} container ${user.id.slice(0, 12)}`
        : `unable to remove repository reference "${name}" (must force) - container ${user.id.slice(0, 12)} is using its referenced image ${id}`;
      await world.complain(`Error response from daemon: conflict: ${text}\n`);
      continue;
    }
    if (isId && image.repoTags.length > 1 && !flags.has('force')) {
      status = 1;
      await world.complain(
        `Error response from daemon: conflict: unable to delete ${shortId(image.id, 12)} (must be forced) - image is referenced in multiple repositories\n`,
      );
      continue;
    }
    if (isId) {
      world.images.remove(image.id);
      await world.print(
        `${image.repoTags.map((tag) => `Untagged: ${shortName(tag)}\n`).join('')}Deleted: ${image.id}\n`,
      );
      continue;
    }
    const { isGone } = world.images.untagImage(canonicalReference(name));
    const digest = image.repoDigests[0];
    await world.print(
      `Untagged: ${shortName(canonicalReference(name))}\n${isGone ? `${digest === undefined ? '' : `Untagged: ${digest.replace(/^docker\.io\/(?:library\/)?/, '')}\n`}Deleted: ${image.id}\n` : ''}`,
    );
  }
  return status;
}

export async function tag(world: World, args: readonly string[]): Promise<number> {
  const [source, target] = args;
  if (source === undefined || target === undefined || args.length > 2)
    throw usage(
      world,
      'tag',
      'exactly 2 arguments',
      'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
      'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    );
  const image = findImage(world, source);
  if (image === undefined)
    throw new CliError(
      `Error response from daemon: No such image: ${source.includes(':') ? source : `${source}:latest`}`,
    );
  try {
    world.images.tag(image.id, canonicalReference(target));
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CliError(
      `Error parsing reference: "${target}" is not a valid repository/tag: invalid reference format`,
    );
  }
  return await Promise.resolve(0);
}

export async function load(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} load`, args, 'i,input= q,quiet all-platforms');
  const file = flags.value('input');
  const { proc } = world;
  if (file === undefined && proc.stdin.tty !== undefined)
    throw new CliError('requested load from stdin, but stdin is empty');
  let archive: Uint8Array;
  try {
    if (file === undefined) {
      const parts: Uint8Array[] = [];
      for (let part = await proc.stdin.read(65_536); part.length > 0; part = await proc.stdin.read(65_536))
        parts.push(part);
      archive = Buffer.concat(parts);
    } else archive = proc.fs.readFile(file);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CliError(`open ${file}: ${error.message.toLowerCase()}`);
  }
  try {
    for (const image of world.images.importArchive(archive))
      await world.print(
        `Loaded image${image.repoTags.length === 0 ? ` ID: ${image.id}` : `: ${shortName(image.repoTags.at(-1)!)}`}\n`,
      );
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CliError(
      error.message === 'unrecognized image format'
        ? 'open /var/lib/docker/tmp/docker-import/repositories: no such file or directory'
        : error.message,
    );
  }
  return 0;
}

export async function save(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} save`, args, 'o,output= platform=');
  if (flags.operands.length === 0)
    throw usage(
      world,
      'save',
      'at least 1 argument',
      '[OPTIONS] IMAGE [IMAGE...]',
      'Save one or more images to a tar archive (streamed to STDOUT by default)',
    );
  const { proc } = world;
  const file = flags.value('output');
  const references = flags.operands.map((name) => {
    const image = findImage(world, name);
    if (image === undefined)
      throw new CliError(
        `Error response from daemon: reference does not exist`.replace(
          'reference does not exist',
          `No such image: ${name.includes(':') ? name : `${name}:latest`}`,
        ),
      );
    return image.repoTags.includes(canonicalReference(name)) ? canonicalReference(name) : image.id;
  });
  if (file === undefined && proc.stdout.tty !== undefined)
    throw new CliError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
  const archive = world.images.export(references);
  if (file === undefined) await proc.stdout.write(archive);
  else proc.fs.writeFile(file, archive, { mode: 0o600 });
  return 0;
}

export async function commit(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} commit`, args, 'a,author= c,change= m,message= p,pause');
  const [name, target] = flags.operands;
  if (name === undefined)
    throw usage(
      world,
      'commit',
      'at least 1 and at most 2 arguments',
      '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
      "Create a new image from a container's changes",
    );
  const shown = findShown(world, name);
  if (shown.own === undefined)
    throw new CliError("drydock: docker commit of a container of the kubelet's isn't simulated");
  let config: ImageConfig | undefined;
  const base = world.images.status(shown.imageId)?.image;
  for (const change of flags.values('change')) {
    const [word = '', rest = ''] = change.split(/\s+(.*)/s);
    const list = rest.startsWith('[') ? (JSON.parse(rest) as string[]) : ['/bin/sh', '-c', rest];
    const settings: Readonly<Record<string, Partial<ImageConfig>>> = {
      CMD: { command: list },
      ENTRYPOINT: { entrypoint: list },
      USER: { user: rest },
      WORKDIR: { workingDirectory: rest },
      EXPOSE: { exposedPorts: [rest.includes('/') ? rest : `${rest}/tcp`] },
      ENV: { env: [...(config?.env ?? base?.env ?? []), rest.replace(/^(\w+)\s+/, '$1=')] },
    };
    const setting = settings[word.toUpperCase()];
    if (setting === undefined)
      throw new CliError(`Error response from daemon: ${word.toUpperCase()} is not a valid change command`);
    config = { ...(config ?? (base === undefined ? {} : configOf(base))), ...setting };
  }
  const image = world.engine.commit(
    shown.id,
    target === undefined ? [] : [canonicalReference(target)],
    config,
    shown.argv.join(' '),
  );
  await world.print(`${image.id}\n`);
  return 0;
}
