// Images made from other images: by docker build and commit, by a lab's declaration. They are saved as what they change.
import { createHash } from 'node:crypto';
import type { FileSystemView } from '../kernel/index.ts';
import type { ContainerImage, ImageFile } from './containerd.ts';

/** A file that was added or changed; contents in base64. */
export type ChangedFile =
  | {
      readonly type: 'file';
      readonly content: string;
      readonly mode: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'directory'; readonly mode: number; readonly uid?: number; readonly gid?: number };

/** The settings of an image that a Dockerfile sets. */
export type ImageConfig = Pick<
  ContainerImage,
  | 'entrypoint'
  | 'command'
  | 'env'
  | 'user'
  | 'workingDirectory'
  | 'exposedPorts'
  | 'stopSignal'
  | 'labels'
  | 'volumes'
  | 'created'
>;

/** Where a made image comes from: what makes it again from one of the catalogue. */
export interface ImageOrigin {
  /** An image of the catalogue, such as `docker.io/library/busybox:1.36`; '' for scratch. */
  readonly base: string;
  readonly files: Readonly<Record<string, ChangedFile>>;
  /** Paths of the base that are gone. */
  readonly removed: readonly string[];
  readonly config: ImageConfig;
  /** What docker history shows, the newest first. */
  readonly history: readonly {
    readonly createdMs: number;
    readonly by: string;
    readonly sizeBytes: number;
  }[];
}

/** The image under a name. `base` is the catalogue's of the origin's `base`; undefined for scratch. */
export function imageOfOrigin(
  name: string,
  origin: ImageOrigin,
  base: ContainerImage | undefined,
): ContainerImage {
  const files = new Map(base?.files ?? []);
  for (const path of origin.removed)
    for (const other of Array.from(files.keys()))
      if (other === path || other.startsWith(`${path}/`)) files.delete(other);
  let addedBytes = 0;
  for (const [path, file] of Object.entries(origin.files)) {
    files.set(path, fileOf(file));
    if (file.type === 'file') addedBytes += Buffer.byteLength(file.content, 'base64');
  }
  return {
    ...origin.config,
    name,
    identity: createHash('sha256').update(JSON.stringify(origin)).digest('hex'),
    sizeBytes: (base?.sizeBytes ?? 0) + addedBytes,
    files,
    origin,
  };
}

function fileOf(file: ChangedFile): ImageFile {
  if (file.type !== 'file') return file;
  const { content, ...rest } = file;
  return { ...rest, content: Buffer.from(content, 'base64') };
}

/** The settings alone. */
export function configOf(image: ContainerImage): ImageConfig {
  const {
    entrypoint,
    command,
    env,
    user,
    workingDirectory,
    exposedPorts,
    stopSignal,
    labels,
    volumes,
    created,
  } = image;
  return {
    entrypoint,
    command,
    env,
    user,
    workingDirectory,
    exposedPorts,
    stopSignal,
    labels,
    volumes,
    created,
  };
}

/** The origin of an image of which nothing has changed. */
export function originOf(image: ContainerImage): ImageOrigin {
  return (
    image.origin ?? {
      base: image.name,
      files: {},
      removed: [],
      config: configOf(image),
      history: [
        {
          createdMs: image.created === undefined ? 0 : Date.parse(image.created),
          by: `/bin/sh -c #(nop)  CMD ${JSON.stringify(image.command ?? [])}`,
          sizeBytes: image.sizeBytes,
        },
      ],
    }
  );
}

/** What the kernel puts into a container; none of it belongs to an image. */
const NOT_OF_THE_IMAGE = new Set([
  '/proc',
  '/sys',
  '/dev',
  '/.dockerenv',
  '/etc/hosts',
  '/etc/hostname',
  '/etc/resolv.conf',
]);

export interface FileChange {
  readonly kind: 'A' | 'C' | 'D';
  readonly path: string;
}

/** How a container's files differ from its image: docker diff, and what a commit adds. */
export function changesOf(
  files: FileSystemView,
  image: ContainerImage,
): { readonly files: Record<string, ChangedFile>; readonly removed: string[]; readonly list: FileChange[] } {
  const changed: Record<string, ChangedFile> = {};
  const list: FileChange[] = [];
  const seen = new Set<string>();
  const implied = new Set(Array.from(image.files.keys()).flatMap(parentsOf));
  const note = (path: string, file: ChangedFile): void => {
    changed[path] = file;
    const isNew = !image.files.has(path) && !implied.has(path);
    list.push({ kind: isNew ? 'A' : 'C', path });
  };
  const walk = (folder: string): void => {
    for (const { name } of files.readdir(folder === '' ? '/' : folder)) {
      const path = `${folder}/${name}`;
      if (NOT_OF_THE_IMAGE.has(path)) continue;
      seen.add(path);
      const file = changedFile(files, path, image.files.get(path), implied.has(path));
      if (file !== undefined) note(path, file);
      if (files.lstat(path).type === 'directory') walk(path);
    }
  };
  walk('');
  const known = [...image.files.keys(), ...implied];
  const removed = known.filter(
    (path) => path !== '/' && path !== '' && !seen.has(path) && !isSpecial(path) && !isBelowLink(image, path),
  );
  const topmost = removed.filter((path) => !parentsOf(path).some((parent) => removed.includes(parent)));
  for (const path of topmost) list.push({ kind: 'D', path });
  return { files: changed, removed: topmost, list: list.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

function isSpecial(path: string): boolean {
  return [...NOT_OF_THE_IMAGE].some((special) => path === special || path.startsWith(`${special}/`));
}

/** Paths that an image names by way of a link (`/bin/x` where /bin is usr/bin) are seen elsewhere. */
function isBelowLink(image: ContainerImage, path: string): boolean {
  return parentsOf(path).some((parent) => image.files.get(parent)?.type === 'symlink');
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** Undefined where it is as the image has it. */
function changedFile(
  files: FileSystemView,
  path: string,
  before: ImageFile | undefined,
  isImplied: boolean,
): ChangedFile | undefined {
  const { type, mode, uid, gid } = files.lstat(path);
  const owner = { ...(uid === 0 ? {} : { uid }), ...(gid === 0 ? {} : { gid }) };
  if (type === 'directory') {
    const same =
      before === undefined
        ? isImplied && mode === 0o755 && uid === 0
        : before.type === 'directory' &&
          (before.mode ?? 0o755) === mode &&
          (before.uid ?? 0) === uid &&
          (before.gid ?? 0) === gid;
    return same ? undefined : { type, mode, ...owner };
  }
  if (type === 'symlink') {
    const target = files.readlink(path);
    return before?.type === 'symlink' && before.target === target ? undefined : { type, target };
  }
  if (type !== 'file') return undefined;
  if (before?.type === 'program' && mode === (before.mode ?? 0o755)) {
    const bytes = Buffer.from(files.readFile(path));
    if (bytes.includes(Buffer.from(`drydock:${before.name}\0`))) return undefined;
  }
  const content = Buffer.from(files.readFile(path));
  if (
    before?.type === 'file' &&
    (before.mode ?? 0o644) === mode &&
    (before.uid ?? 0) === uid &&
    (before.gid ?? 0) === gid
  ) {
    const old =
      typeof before.content === 'string' ? Buffer.from(before.content, 'utf8') : Buffer.from(before.content);
    if (old.equals(content)) return undefined;
  }
  return { type: 'file', content: content.toString('base64'), mode, ...owner };
}

/** Adds a container's changes to the origin of its image. */
export function extendOrigin(
  origin: ImageOrigin,
  changes: Pick<ImageOrigin, 'files' | 'removed'>,
  config: ImageConfig,
  step: { readonly createdMs: number; readonly by: string },
): ImageOrigin {
  const kept = Object.entries(origin.files).filter(
    ([path]) => !changes.removed.some((gone) => path === gone || path.startsWith(`${gone}/`)),
  );
  const sizeBytes = Object.values(changes.files).reduce(
    (sum, file) => sum + (file.type === 'file' ? Buffer.byteLength(file.content, 'base64') : 0),
    0,
  );
  return {
    base: origin.base,
    files: { ...Object.fromEntries(kept), ...changes.files },
    removed: [...new Set([...origin.removed, ...changes.removed])].filter(
      (path) => changes.files[path] === undefined,
    ),
    config,
    history: [{ ...step, sizeBytes }, ...origin.history],
  };
}
