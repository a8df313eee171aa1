// docker(1) and nerdctl: their commands by name, and what a failure prints.
import { RuntimeError } from '../../../containerd/index.ts';
import { EngineError } from '../../../docker/index.ts';
import { ErrnoError } from '../../../../network/index.ts';
import type { Process, Program } from '../../../kernel/index.ts';
import { build } from './build.ts';
import { copy } from './copy.ts';
import { CliError } from './flags.ts';
import { COMMAND_LIST, helpOf } from './help.ts';
import { commit, load, pull, removeImages, save, tag } from './image-commands.ts';
import { findImage, inspect } from './inspect.ts';
import { attach, exec, kill, logs, remove, rename, restart, start, stop, wait } from './lifecycle.ts';
import { history, images, port, ps, stats, top } from './listing.ts';
import { info, network, prune, system, volume } from './objects.ts';
import { create, run } from './run.ts';
import { configWarning, findShown, openWorld, type World } from './world.ts';

type Command = (world: World, args: readonly string[]) => Promise<number>;

const BUILD = '5650f9b';

async function diff(world: World, [name = '']: readonly string[]): Promise<number> {
  const shown = findShown(world, name);
  if (shown.own === undefined)
    throw new CliError("drydock: docker diff of a container of the kubelet's isn't simulated");
  await world.print(
    world.engine
      .diff(shown.id)
      .map(({ kind, path }) => `${kind} ${path}\n`)
      .join(''),
  );
  return 0;
}

async function events(world: World): Promise<number> {
  const { proc, engine } = world;
  let writing = Promise.resolve();
  using _events = engine.onEvent(({ timeMs, type, action, id, attributes }) => {
    const stamp = new Date(Math.floor(timeMs)).toISOString().replace('Z', '000000Z');
    const text = Object.entries(attributes)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ');
    writing = writing.then(() => proc.stdout.write(`${stamp} ${type} ${action} ${id} (${text})\n`));
  });
  for (;;) await proc.sleep(1e9);
}

const COMMANDS: Readonly<Record<string, Command>> = {
  attach,
  build,
  commit,
  cp: copy,
  create,
  diff,
  events,
  exec,
  history: (world, args) => history(world, args, (name) => findImage(world, name)),
  images,
  info,
  inspect,
  kill,
  load,
  logs,
  network,
  port,
  ps,
  pull,
  rename,
  restart,
  rm: remove,
  rmi: removeImages,
  run,
  save,
  start,
  stats,
  stop,
  system,
  tag,
  top,
  volume,
  wait,
  version: (world) => version(world.proc),
};

/** `docker container ls` and the like. */
const MANAGEMENT: Readonly<Record<string, Readonly<Record<string, Command>>>> = {
  container: {
    ...COMMANDS,
    ls: ps,
    list: ps,
    ps,
    rm: remove,
    prune: (world, args) => prune(world, 'container', args),
    inspect: (world, args) => inspect(world, args, 'container'),
  },
  image: {
    ls: images,
    list: images,
    rm: removeImages,
    remove: removeImages,
    build,
    load,
    save,
    pull,
    tag,
    history: COMMANDS['history']!,
    inspect: (world, args) => inspect(world, args, 'image'),
    prune: (world, args) => prune(world, 'image', args),
  },
};
/** Commands there are, and that do nothing here. */
const NOT_SIMULATED = [
  'push',
  'login',
  'logout',
  'search',
  'export',
  'import',
  'pause',
  'unpause',
  'update',
  'builder',
  'buildx',
  'compose',
  'completion',
  'config',
  'context',
  'manifest',
  'node',
  'plugin',
  'secret',
  'service',
  'stack',
  'swarm',
  'trust',
];

/** docker(1). */
export const docker: Program = (proc) => main(proc, false);
/** nerdctl(1). */
export const nerdctl: Program = (proc) => main(proc, true);

async function main(proc: Process, isNerd: boolean): Promise<number> {
  const name = isNerd ? 'nerdctl' : 'docker';
  try {
    return await dispatch(proc, isNerd, name);
  } catch (error) {
    if (error instanceof CliError) {
      if (error.message !== '')
        await (error.exitCode === 0 ? proc.stdout : proc.stderr).write(`${error.message}\n`);
      return error.exitCode;
    }
    if (error instanceof EngineError) {
      await proc.stderr.write(
        `${error.kind === 'not-found' ? 'Error: ' : 'Error response from daemon: '}${error.message}\n`,
      );
      return 1;
    }
    if (error instanceof RuntimeError) {
      await proc.stderr.write(`Error response from daemon: ${error.message}\n`);
      return 1;
    }
    if (error instanceof ErrnoError && error.code === 'EINTR') return 130;
    if (error instanceof ErrnoError && error.path !== undefined) {
      await proc.stderr.write(`open ${error.path}: ${error.message.toLowerCase()}\n`);
      return 1;
    }
    throw error;
  }
}

async function dispatch(proc: Process, isNerd: boolean, name: string): Promise<number> {
  const words = proc.argv.slice(1);
  let namespace = isNerd ? (proc.env.get('CONTAINERD_NAMESPACE') ?? 'default') : 'moby';
  while (words[0]?.startsWith('-') === true) {
    const word = words.shift()!;
    if (word === '-v' || word === '--version') {
      await proc.stdout.write(
        isNerd ? 'nerdctl version 1.7.7\n' : `Docker version ${await serverVersion(proc)}, build ${BUILD}\n`,
      );
      return 0;
    }
    if (word === '--help' || word === '-h') {
      await proc.stdout.write(COMMAND_LIST.replaceAll('{name}', name));
      return 0;
    }
    const assigned = /^(?:-n|--namespace)=(.*)$/.exec(word)?.[1];
    if (isNerd && (word === '-n' || word === '--namespace')) namespace = words.shift() ?? namespace;
    else if (isNerd && assigned !== undefined) namespace = assigned;
    else if (
      ['-H', '--host', '-c', '--context', '--config', '-l', '--log-level', '-a', '--address'].includes(word)
    )
      words.shift();
    else if (!/^(-D|--debug|--tls|--tlsverify|--.*=.*)$/.test(word))
      throw new CliError(
        `unknown ${word.startsWith('--') ? 'flag: ' : `shorthand flag: '${word.charAt(1)}' in `}${word}\nSee '${name} --help'.`,
        125,
      );
  }
  const [verb, ...rest] = words;
  if (verb === undefined || verb === 'help') {
    await proc.stdout.write(
      rest.length > 0 ? helpOf(name, rest[0]!) : COMMAND_LIST.replaceAll('{name}', name),
    );
    return 0;
  }
  const group = MANAGEMENT[verb];
  const [inner, ...others] = rest;
  const command = group === undefined ? COMMANDS[verb] : inner === undefined ? undefined : group[inner];
  const args = group === undefined ? rest : others;
  const isKnown = command !== undefined || group !== undefined || NOT_SIMULATED.includes(verb);
  if (!isKnown) {
    if (isNerd)
      throw new CliError(
        `time="${new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19)}Z" level=fatal msg="unknown subcommand \\"${verb}\\" for \\"nerdctl\\""`,
      );
    throw new CliError(`docker: '${verb}' is not a docker command.\nSee 'docker --help'`);
  }
  if (args.includes('--help') && !isBehindCommand(args)) {
    await proc.stdout.write(helpOf(name, group === undefined ? verb : (inner ?? verb)));
    return 0;
  }
  if (group !== undefined && command === undefined) {
    await proc.stdout.write(helpOf(name, verb));
    return inner === undefined ? 0 : 1;
  }
  if (command === undefined) throw new CliError(`drydock: ${name} ${verb} isn't simulated`);
  if (verb === 'version' && !isNerd) return version(proc);
  const warning = isNerd ? '' : configWarning(proc);
  if (warning !== '') await proc.stderr.write(warning);
  return command(openWorld(proc, isNerd, namespace), args);
}

/** `docker run x --help`: the container's. */
function isBehindCommand(args: readonly string[]): boolean {
  const at = args.indexOf('--help');
  return args
    .slice(0, at)
    .some((word, index) => !word.startsWith('-') && !(args[index - 1] ?? '').startsWith('-'));
}

async function serverVersion(proc: Process): Promise<string> {
  await Promise.resolve();
  try {
    return openWorld(proc, false, 'moby').engine.version;
  } catch (error) {
    if (error instanceof CliError) return '26.1.4';
    throw error;
  }
}

async function version(proc: Process): Promise<number> {
  const client = await serverVersion(proc);
  await proc.stdout.write(
    `Client:\n Version:           ${client}\n API version:       1.41\n Go version:        go1.19.8\n Git commit:        ${BUILD}\n Built:             Wed Jun  5 11:29:25 2024\n OS/Arch:           linux/amd64\n Context:           default\n Experimental:      true\n`,
  );
  const server = openWorld(proc, false, 'moby');
  const containerd = server.runtime?.version ?? '1.6.33';
  await proc.stdout.write(
    `\nServer:\n Engine:\n  Version:          ${server.engine.version}\n  API version:      1.41 (minimum version 1.12)\n  Go version:       go1.19.8\n  Git commit:       de5c9cf\n  Built:            Wed Jun  5 11:29:25 2024\n  OS/Arch:          linux/amd64\n  Experimental:     false\n` +
      ` containerd:\n  Version:          ${containerd}\n  GitCommit:        d2d58213f83a351ca8f528a95fbd145f5654e957\n runc:\n  Version:          1.1.12\n  GitCommit:        v1.1.12-0-g51d5e94\n docker-init:\n  Version:          0.19.0\n  GitCommit:        de40ad0\n`,
  );
  return 0;
}
