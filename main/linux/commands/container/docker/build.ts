// docker build: a Dockerfile's steps, each in a container of its own whose changes become the next image. https://docs.docker.com/reference/dockerfile/
import { EngineError, type EngineSpec } from '../../../docker/index.ts';
import { configOf, type ImageConfig, type ImageRecord } from '../../../containerd/index.ts';
import { ErrnoError } from '../../../../network/index.ts';
import type { FileSystemView } from '../../../kernel/index.ts';
import { canonicalReference, shortId } from '../runtime.ts';
import { copyTree } from './copy.ts';
import { CliError, parseFlags } from './flags.ts';
import { usage } from './objects.ts';
import { pullImage } from './run.ts';
import type { World } from './world.ts';

interface Step {
  readonly line: number;
  readonly name: string;
  readonly rest: string;
  readonly text: string;
}

interface Stage {
  image: ImageRecord;
  config: Mutable<ImageConfig>;
  shell: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const KNOWN = [
  'FROM',
  'RUN',
  'CMD',
  'LABEL',
  'MAINTAINER',
  'EXPOSE',
  'ENV',
  'ADD',
  'COPY',
  'ENTRYPOINT',
  'VOLUME',
  'USER',
  'WORKDIR',
  'ARG',
  'ONBUILD',
  'STOPSIGNAL',
  'HEALTHCHECK',
  'SHELL',
];

export async function build(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(
    `${world.program} build`,
    args,
    't,tag= f,file= build-arg= no-cache pull q,quiet target= platform= network= progress= label= rm force-rm',
  );
  if (flags.operands.length !== 1)
    throw usage(
      world,
      'build',
      'exactly 1 argument',
      '[OPTIONS] PATH | URL | -',
      'Build an image from a Dockerfile',
    );
  const { proc } = world;
  const folder = proc.fs.resolve(flags.operands[0]!);
  if (!proc.fs.exists(folder))
    throw new CliError(`unable to prepare context: path "${flags.operands[0]}" not found`);
  const file =
    flags.value('file') === undefined ? `${folder}/Dockerfile` : proc.fs.resolve(flags.value('file')!);
  if (!proc.fs.exists(file))
    throw new CliError(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${file}: no such file or directory`,
    );
  const steps = parseDockerfile(proc.fs.readText(file));
  const builder = new Builder(
    world,
    folder,
    flags.has('quiet'),
    new Map(flags.values('build-arg').map((each) => each.split(/=(.*)/s).slice(0, 2) as [string, string])),
  );
  if (!flags.has('quiet'))
    await world.print(`Sending build context to Docker daemon  ${contextSize(proc.fs, folder)}\n`);
  try {
    const image = await builder.run(steps, flags.value('target'));
    for (const tag of flags.values('tag')) world.images.tag(image.id, canonicalReference(tag));
    if (flags.has('quiet')) await world.print(`${image.id}\n`);
    else
      await world.print(
        `Successfully built ${shortId(image.id, 12)}\n${flags
          .values('tag')
          .map((tag) => `Successfully tagged ${tag.includes(':') ? tag : `${tag}:latest`}\n`)
          .join('')}`,
      );
    return 0;
  } catch (error) {
    if (error instanceof EngineError)
      throw new CliError(
        error.message.startsWith('The command ')
          ? error.message
          : `Error response from daemon: ${error.message}`,
        error.exitCode === 125 ? 1 : error.exitCode,
      );
    throw error;
  }
}

/** In the size of a tar file: 512 bytes per entry, contents in blocks, at least two kilobytes. */
function contextSize(fs: FileSystemView, folder: string): string {
  const sizeOf = (path: string): number => {
    const stat = fs.lstat(path);
    if (stat.type === 'directory')
      return 512 + fs.readdir(path).reduce((sum, { name }) => sum + sizeOf(`${path}/${name}`), 0);
    return 512 + Math.ceil(stat.sizeBytes / 512) * 512;
  };
  const bytes = Math.ceil(Math.max(2048, sizeOf(folder)) / 512) * 512;
  return bytes < 1e6 ? `${bytes / 1000}kB` : `${Number((bytes / 1e6).toPrecision(4))}MB`;
}

/** Lines joined at backslashes (or as the escape directive says), comments out. Throws CliError. */
function parseDockerfile(text: string): Step[] {
  const steps: Step[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let whole = lines[index]!.trim();
    if (whole === '' || whole.startsWith('#')) continue;
    while (whole.endsWith('\\') && index + 1 < lines.length) {
      const next = lines[++index]!.trim();
      if (!next.startsWith('#'))
        whole = `${whole.slice(0, -1)}${next === '' ? '\\' : ` ${next}`}`
          .replace(/ {2,}(?=\S)/, '  ')
          .replace('   ', ' ');
    }
    const [name = ''] = whole.split(/\s/, 1);
    const rest = whole.slice(name.length).trim();
    if (!KNOWN.includes(name.toUpperCase()))
      throw new CliError(
        `Error response from daemon: dockerfile parse error line ${line}: unknown instruction: ${name.toUpperCase()}`,
      );
    if (rest === '')
      throw new CliError(
        `Error response from daemon: dockerfile parse error line ${line}: ${name.toUpperCase()} requires at least one argument`,
      );
    steps.push({ line, name: name.toUpperCase(), rest, text: `${name.toUpperCase()} ${rest}` });
  }
  if (steps.length === 0)
    throw new CliError('Error response from daemon: the Dockerfile (Dockerfile) cannot be empty');
  const first = steps.find(({ name }) => name !== 'ARG');
  if (first?.name !== 'FROM')
    throw new CliError(`Error response from daemon: no build stage in current context`);
  return steps;
}

class Builder {
  private readonly world: World;
  private readonly folder: string;
  private readonly isQuiet: boolean;
  private readonly given: ReadonlyMap<string, string>;
  private readonly args = new Map<string, string>();
  private readonly stages = new Map<string, Stage>();
  private stage: Stage | undefined;
  private count = 0;
  /** Images of steps in between; only the last one is kept. */
  private readonly between = new Set<string>();

  constructor(world: World, folder: string, isQuiet: boolean, given: ReadonlyMap<string, string>) {
    this.world = world;
    this.folder = folder;
    this.isQuiet = isQuiet;
    this.given = given;
  }

  async run(steps: readonly Step[], target: string | undefined): Promise<ImageRecord> {
    for (const [index, step] of steps.entries()) {
      if (
        step.name === 'FROM' &&
        this.stage !== undefined &&
        target !== undefined &&
        this.stages.get(target) === this.stage
      )
        break;
      await this.say(`Step ${index + 1}/${steps.length} : ${step.text}\n`);
      await this.perform(step);
      if (this.stage !== undefined) await this.say(` ---> ${shortId(this.stage.image.id, 12)}\n`);
    }
    const { image } = this.stage!;
    for (const id of this.between)
      if (id !== image.id && this.world.images.status(id)?.repoTags.length === 0)
        this.world.images.remove(id);
    return image;
  }

  private async say(text: string): Promise<void> {
    if (!this.isQuiet) await this.world.print(text);
  }

  private async perform(step: Step): Promise<void> {
    if (step.name === 'FROM') return this.from(step);
    if (step.name === 'ARG') {
      const [name = '', value] = step.rest.split(/=(.*)/s);
      const chosen = this.given.get(name) ?? (value === undefined ? undefined : unquote(this.expand(value)));
      if (chosen !== undefined) this.args.set(name, chosen);
      if (this.stage !== undefined) await this.configure(step, {});
      return undefined;
    }
    if (step.name === 'RUN') return this.execute(step);
    if (step.name === 'COPY' || step.name === 'ADD') return this.copy(step);
    return this.configure(step, this.settingOf(step));
  }

  private async from({ rest }: Step): Promise<void> {
    const words = this.expand(rest)
      .split(/\s+/)
      .filter((word) => !word.startsWith('--'));
    const [name = '', as, alias] = words;
    const earlier = this.stages.get(name);
    let image = earlier?.image;
    if (name === 'scratch')
      throw new CliError(
        "drydock: building from scratch isn't simulated, since no program of the host's can run here",
      );
    image ??=
      this.world.images.status(canonicalReference(name)) ??
      (await pullImage(this.world, name, (text) => this.say(text)));
    this.stage = { image, config: { ...configOf(image.image) }, shell: ['/bin/sh', '-c'] };
    this.stages.set(String(this.count++), this.stage);
    if (as?.toLowerCase() === 'as' && alias !== undefined) this.stages.set(alias, this.stage);
  }

  /** `$NAME`, `${NAME}`, `${NAME:-text}` of ENV and ARG. */
  private expand(text: string): string {
    const env = new Map([
      ...this.args,
      ...(this.stage?.config.env ?? []).map(
        (entry) => [entry.split('=', 1)[0]!, entry.slice(entry.indexOf('=') + 1)] as const,
      ),
    ]);
    return text.replaceAll(
      /\\\$|\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g,
      (
        part,
        braced: string | undefined,
        operator: string | undefined,
        word: string | undefined,
        plain: string | undefined,
      ) => {
        if (part === '\\$') return '$';
        const value = env.get(braced ?? plain ?? '') ?? '';
        if (operator === '-') return value === '' ? (word ?? '') : value;
        if (operator === '+') return value === '' ? '' : (word ?? '');
        return value;
      },
    );
  }

  private settingOf({ name, rest }: Step): Partial<Mutable<ImageConfig>> {
    const { config } = this.stage!;
    const words = (): string[] => {
      const list = jsonList(rest);
      return list ?? [...this.stage!.shell, rest];
    };
    switch (name) {
      case 'CMD':
        return { command: words() };
      case 'ENTRYPOINT':
        return { entrypoint: words(), command: undefined };
      case 'ENV':
        return { env: mergeEnv(config.env ?? [], pairs(this.expand(rest))) };
      case 'LABEL':
        return { labels: { ...config.labels, ...Object.fromEntries(pairs(this.expand(rest))) } };
      case 'MAINTAINER':
        return { labels: { ...config.labels, maintainer: rest } };
      case 'EXPOSE':
        return {
          exposedPorts: [
            ...new Set([
              ...(config.exposedPorts ?? []),
              ...this.expand(rest)
                .split(/\s+/)
                .map((port) => (port.includes('/') ? port : `${port}/tcp`)),
            ]),
          ],
        };
      case 'VOLUME':
        return {
          volumes: [...new Set([...(config.volumes ?? []), ...(jsonList(rest) ?? rest.split(/\s+/))])],
        };
      case 'USER':
        return { user: this.expand(rest) };
      case 'STOPSIGNAL':
        return { stopSignal: this.expand(rest) };
      case 'WORKDIR': {
        const path = this.expand(rest);
        return {
          workingDirectory: path.startsWith('/')
            ? path
            : `${(config.workingDirectory ?? '').replace(/\/$/, '')}/${path}`,
        };
      }
      case 'SHELL':
        this.stage!.shell = jsonList(rest) ?? this.stage!.shell;
        return {};
      default:
        throw new CliError(`drydock: docker build's ${name} isn't simulated`);
    }
  }

  /** A step that only changes settings still shows the container that the classic builder makes for it. */
  private async configure(step: Step, changes: Partial<Mutable<ImageConfig>>): Promise<void> {
    Object.assign(this.stage!.config, changes);
    const container = this.container(['/bin/sh', '-c', `#(nop) ${step.text}`]);
    await this.say(` ---> Running in ${container.slice(0, 12)}\n`);
    if (step.name === 'WORKDIR') {
      const files = this.world.engine.filesOf(container);
      const path = this.stage!.config.workingDirectory ?? '/';
      if (!files.exists(path)) files.mkdir(path, { recursive: true, mode: 0o755 });
    }
    await this.keep(container, `/bin/sh -c #(nop)  ${step.text}`);
  }

  private container(command: readonly string[]): string {
    const { world, stage } = this;
    const args = [...this.args].map(([name, value]) => `${name}=${value}`);
    const spec: EngineSpec = {
      name: '',
      namespace: world.namespace,
      image: stage!.image.id,
      imageReference: stage!.image.id,
      entrypoint: [],
      command,
      env: [...args, ...(stage!.config.env ?? [])],
      labels: {},
      hostname: undefined,
      user: stage!.config.user,
      workingDirectory: stage!.config.workingDirectory,
      tty: false,
      stdin: false,
      mounts: [],
      ports: [],
      network: 'bridge',
      addHosts: [],
      dns: [],
      restart: { name: 'no', max: 0 },
      autoRemove: false,
      memoryMaxBytes: undefined,
      readOnlyRoot: false,
      privileged: false,
      capabilities: { add: [], drop: [] },
      stopSignal: undefined,
      pidOfMachine: false,
    };
    return world.engine.create(spec).id;
  }

  private async keep(container: string, by: string): Promise<void> {
    const { engine } = this.world;
    this.stage!.image = engine.commit(container, [], { ...this.stage!.config }, by);
    this.between.add(this.stage!.image.id);
    await engine.remove(container, { force: true, volumes: true });
    await this.say(`Removing intermediate container ${container.slice(0, 12)}\n`);
  }

  private async execute(step: Step): Promise<void> {
    const { world, stage } = this;
    const { proc, engine } = world;
    const list = jsonList(step.rest);
    const command = list ?? [...stage!.shell, step.rest.replace(/^(--\S+\s+)*/, '')];
    const container = this.container(command);
    await this.say(` ---> Running in ${container.slice(0, 12)}\n`);
    const { kernel } = proc;
    const [input, output, errors] = [kernel.pipe(), kernel.pipe(), kernel.pipe()];
    const copied = Promise.all([
      this.isQuiet ? output.reader.readText() : proc.stdout.copyFrom(output.reader),
      proc.stderr.copyFrom(errors.reader),
    ]);
    let status: number;
    try {
      const { ended } = await engine.start(container, {
        command: [],
        stdio: [input.reader, output.writer, errors.writer],
        hasInput: false,
      });
      const result = await proc.interruptible(ended!);
      await copied;
      status = result.kind === 'exited' ? result.exitCode : 137;
    } catch (error) {
      await engine.remove(container, { force: true, volumes: true });
      throw error;
    }
    if (status !== 0) {
      await engine.remove(container, { force: true, volumes: true });
      throw new EngineError(
        'start-failed',
        `The command '${command.join(' ')}' returned a non-zero code: ${status}`,
        status,
      );
    }
    await this.keep(container, command.join(' '));
  }

  private async copy(step: Step): Promise<void> {
    const { world, stage } = this;
    const flags = Array.from(
      step.rest.matchAll(/--([\w-]+)=(\S+)\s/g),
      ([, name, value]) => [name!, value!] as const,
    );
    const plain = this.expand(step.rest.replaceAll(/--[\w-]+=\S+\s+/g, ''));
    const words = jsonList(plain) ?? plain.split(/\s+/);
    const sources = words.slice(0, -1);
    const target = words.at(-1)!;
    const fromName = flags.find(([name]) => name === 'from')?.[1];
    const container = this.container(['/bin/sh', '-c', `#(nop) ${step.text}`]);
    const helper = fromName === undefined ? undefined : this.helperOf(fromName);
    try {
      const to = world.engine.filesOf(container);
      const from = helper === undefined ? world.proc.fs : world.engine.filesOf(helper);
      const root = helper === undefined ? this.folder : '';
      const absolute = target.startsWith('/') ? target : `${stage!.config.workingDirectory ?? ''}/${target}`;
      const owner = this.ownerOf(to, flags.find(([name]) => name === 'chown')?.[1]);
      const mode = flags.find(([name]) => name === 'chmod')?.[1];
      for (const source of sources) {
        const paths = globPaths(from, `${root}/${source.replace(/^\.?\//, '')}`.replace(/\/\.?$/, ''));
        if (paths.length === 0 || /^https?:/.test(source)) {
          const text = /^https?:/.test(source)
            ? "drydock: ADD of an address isn't simulated"
            : `${step.name} failed: file not found in build context or excluded by .dockerignore: stat ${source}: file does not exist`;
          throw new EngineError('start-failed', text, 1);
        }
        for (const path of paths) {
          const isFolder = from.stat(path).type === 'directory';
          const isInto =
            absolute.endsWith('/') ||
            sources.length > 1 ||
            paths.length > 1 ||
            (to.exists(absolute) && to.stat(absolute).type === 'directory');
          const place = isFolder
            ? absolute.replace(/(.)\/$/, '$1')
            : isInto
              ? `${absolute.replace(/\/$/, '')}/${path.slice(path.lastIndexOf('/') + 1)}`
              : absolute;
          copyTree(from, path, to, place, owner, mode === undefined ? undefined : Number.parseInt(mode, 8));
        }
      }
    } catch (error) {
      await world.engine.remove(container, { force: true, volumes: true });
      if (error instanceof ErrnoError)
        throw new EngineError(
          'start-failed',
          `${step.name} failed: ${error.path ?? ''}: ${error.message.toLowerCase()}`,
          1,
        );
      throw error;
    } finally {
      if (helper !== undefined) await world.engine.remove(helper, { force: true, volumes: true });
    }
    this.stage!.image = world.engine.commit(
      container,
      [],
      { ...stage!.config },
      `/bin/sh -c #(nop) ${step.text} `,
    );
    this.between.add(this.stage!.image.id);
    await world.engine.remove(container, { force: true, volumes: true });
  }

  private helperOf(name: string): string {
    const stage = this.stages.get(name) ?? { image: this.world.images.status(canonicalReference(name)) };
    if (stage.image === undefined)
      throw new EngineError(
        'start-failed',
        `invalid from flag value ${name}: pull access denied for ${name}, repository does not exist or may require 'docker login'`,
        1,
      );
    const before = this.stage!.image;
    this.stage!.image = stage.image;
    try {
      return this.container(['true']);
    } finally {
      this.stage!.image = before;
    }
  }

  private ownerOf(files: FileSystemView, text: string | undefined): { uid: number; gid: number } {
    const [user = '', group] = (text ?? '').split(':');
    const look = (path: string, name: string, column: number): number =>
      /^\d*$/.test(name)
        ? Number(name)
        : Number(
            files.exists(path)
              ? (files
                  .readText(path)
                  .split('\n')
                  .find((line) => line.startsWith(`${name}:`))
                  ?.split(':')[column] ?? 0)
              : 0,
          );
    const uid = look('/etc/passwd', user, 2);
    return {
      uid,
      gid:
        group === undefined
          ? /^\d*$/.test(user)
            ? uid
            : look('/etc/passwd', user, 3)
          : look('/etc/group', group, 2),
    };
  }
}

function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list = JSON.parse(text) as unknown;
    return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // Then it's for the shell, as docker takes it.
    throw error;
  }
}

function unquote(text: string): string {
  return text.replaceAll(
    /^"(.*)"$|^'(.*)'$/gs,
    (_, double: string | undefined, single: string | undefined) => double ?? single ?? '',
  );
}

/** `a=b c="d e"`, or the old `a b c`. */
function pairs(text: string): [string, string][] {
  if (!/^\S+=/.test(text)) {
    const [name = '', ...rest] = text.split(/\s+/);
    return [[name, rest.join(' ')]];
  }
  return Array.from(
    text.matchAll(/([\w.\-/]+|"[^"]+")=("(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|\S)*)/g),
    ([, name, value]) => [unquote(name!), unquote(value!).replaceAll(/\\(.)/g, '$1')],
  );
}

function mergeEnv(before: readonly string[], added: readonly (readonly [string, string])[]): string[] {
  const all = new Map(before.map((entry) => [entry.split('=', 1)[0]!, entry]));
  for (const [name, value] of added) all.set(name, `${name}=${value}`);
  return Array.from(all.values());
}

function globPaths(fs: FileSystemView, pattern: string): string[] {
  if (!/[*?[]/.test(pattern))
    return fs.exists(pattern === '' ? '/' : pattern) ? [pattern === '' ? '/' : pattern] : [];
  const slash = pattern.lastIndexOf('/');
  const folder = pattern.slice(0, slash);
  const expression = new RegExp(
    `^${pattern
      .slice(slash + 1)
      .replaceAll(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '.')}$`,
  );
  return fs.exists(folder)
    ? fs
        .readdir(folder)
        .filter(({ name }) => expression.test(name))
        .map(({ name }) => `${folder}/${name}`)
    : [];
}
