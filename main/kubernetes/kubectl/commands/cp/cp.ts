// kubectl cp: files to and from containers, as tar archives through exec.
import * as posix from 'node:path/posix';
import { ErrnoError } from '../../../../network/index.ts';
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { defaultContainer, type PodObject } from '../../rest/pods.ts';
import { runRemote } from '../../rest/remote-streams.ts';
import { fetchObject } from '../../rest/selection.ts';
import { readTar, writeTar } from './tar-archive.ts';

export const cp: Command = { name: 'cp', run: runCp };

/** A file here, or in a pod. */
interface Place {
  readonly namespace: string;
  /** Empty for this machine. */
  readonly pod: string;
  readonly file: string;
}

async function runCp(invocation: Invocation): Promise<number> {
  const { args, kubectl } = invocation;
  if (args.length !== 2) throw new CommandError('source and destination are required');
  const [from, to] = args.map(placeOf) as [Place, Place];
  if (from.pod !== '' && to.pod !== '')
    throw new CommandError('one of src or dest must be a local file specification');
  if (from.file === '' || to.file === '') throw new CommandError('filepath can not be empty');
  const remote = from.pod === '' ? to : from;
  if (remote.pod === '') throw new CommandError('one of src or dest must be a remote file specification');
  if (remote === to && !isThere(invocation, from.file))
    throw new CommandError(`${from.file} doesn't exist in local filesystem`);
  const container = await containerOf(invocation, {
    ...remote,
    namespace: remote.namespace === '' ? kubectl.namespace : remote.namespace,
  });
  return remote === to
    ? copyToPod(invocation, from.file, to.file, container)
    : copyFromPod(invocation, from.file, to.file, container);
}

/** `[[namespace/]pod:]file`. Throws CommandError. */
function placeOf(text: string): Place {
  const colon = text.indexOf(':');
  const bad = new CommandError('filespec must match the canonical format: [[namespace/]pod:]file/path');
  if (colon === 0) throw bad;
  if (colon === -1) return { namespace: '', pod: '', file: text };
  const [pod, file] = [text.slice(0, colon), text.slice(colon + 1)];
  const parts = pod.split('/');
  if (parts.length === 1) return { namespace: '', pod, file };
  if (parts.length === 2) return { namespace: parts[0]!, pod: parts[1]!, file };
  throw bad;
}

function isThere({ proc }: Invocation, path: string): boolean {
  try {
    proc.fs.stat(path);
    return true;
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

/** Runs a command where the files are. */
type Container = (
  command: readonly string[],
  streams: {
    readonly input?: AsyncIterable<Uint8Array>;
    readonly onStdout?: (bytes: Uint8Array) => Promise<void>;
    readonly onStderr?: (bytes: Uint8Array) => Promise<void>;
  },
) => Promise<number>;

async function containerOf(
  { kubectl, flags }: Invocation,
  { namespace, pod: name }: Place,
): Promise<Container> {
  const pods = (await kubectl.mapper()).require('pods');
  const pod = (await fetchObject(kubectl, pods, namespace, name)) as PodObject;
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new CommandError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  const container =
    flags.string('container') === ''
      ? await defaultContainer(kubectl, pod, false)
      : flags.string('container');
  return (command, streams) =>
    runRemote(kubectl, {
      path: `/api/v1/namespaces/${namespace}/pods/${name}/exec`,
      query: [...command.map((word) => ['command', word] as const), ['container', container]],
      stdin: streams.input !== undefined,
      tty: false,
      ...streams,
    });
}

const NOWHERE = { onStdout: () => Promise.resolve(), onStderr: () => Promise.resolve() };

async function copyToPod(
  { kubectl, flags, proc }: Invocation,
  from: string,
  to: string,
  container: Container,
): Promise<number> {
  const base = posix.basename(posix.resolve(proc.cwd, from));
  const isFolder = (await container(['test', '-d', to], NOWHERE)) === 0;
  const target = clean(isFolder ? posix.join(to, base) : to);
  const exitCode = await container(
    [
      'tar',
      ...(flags.bool('no-preserve') ? ['--no-same-permissions', '--no-same-owner'] : []),
      '-xmf',
      '-',
      '-C',
      posix.dirname(target),
    ],
    { input: pieces(writeTar(proc.fs, from.replace(/(.)\/$/, '$1'), posix.basename(target))) },
  );
  if (exitCode !== 0) await kubectl.err(`command terminated with exit code ${exitCode}\n`);
  return exitCode;
}

async function* pieces(archive: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* archive;
}

/** Without a slash at the end. */
function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

async function copyFromPod(
  { kubectl, proc }: Invocation,
  from: string,
  to: string,
  container: Container,
): Promise<number> {
  const archive: Uint8Array[] = [];
  // What goes wrong there, tar has said: what came of the archive is taken as it is.
  // kubectl passes its words on to standard output.
  await container(['tar', 'cf', '-', from], {
    onStdout: (bytes) => Promise.resolve(void archive.push(bytes)),
    onStderr: (bytes) => proc.stdout.write(bytes),
  });
  const prefix = clean(from.replace(/^\/+/, '')).replace(/^(\.\.\/)+|^\.\.?$/g, '');
  const top = clean(to);
  for (const entry of readTar(Buffer.concat(archive))) {
    if (!entry.name.startsWith(prefix)) throw new CommandError('tar contents corrupted');
    const path = clean(posix.join(top, entry.name.slice(prefix.length)));
    if (path !== top && !posix.relative(top, path).match(/^(?!\.\.(\/|$))/)) {
      await kubectl.err(`warning: file ${JSON.stringify(path)} is outside target destination, skipping\n`);
      continue;
    }
    makeFolders(proc.fs, entry.type === 'directory' ? path : posix.dirname(path));
    if (entry.type === 'symlink') {
      await kubectl.err(
        `warning: skipping symlink: ${JSON.stringify(path)} -> ${JSON.stringify(entry.linkTarget)}\n`,
      );
    } else if (entry.type !== 'directory') writeFile(proc.fs, path, entry.content);
  }
  return 0;
}

function writeFile(fs: Invocation['proc']['fs'], path: string, content: Uint8Array): void {
  try {
    fs.writeFile(path, content);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(`open ${path}: ${error.message.toLowerCase()}`);
  }
}

function makeFolders(fs: Invocation['proc']['fs'], path: string): void {
  if (fs.exists(path)) return;
  try {
    fs.mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(`mkdir ${path}: ${error.message.toLowerCase()}`);
  }
}
