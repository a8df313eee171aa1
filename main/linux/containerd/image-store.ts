// The images on one machine: pulled or side-loaded, remembered by name in the workspace.
import { createHash } from 'node:crypto';
import type { Clock } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import { makeLayer, type FileSystemTree } from '../kernel/index.ts';
import { RuntimeError, type ContainerImage, type ImageRecord, type ImageRegistry } from './containerd.ts';
import { imageOfOrigin, type ImageOrigin } from './derived-image.ts';
import { readArchive, writeArchive } from './image-archive.ts';
import { formatReference, parseReference, repositoryOf } from './reference.ts';

export interface ImageStoreOptions {
  readonly clock: Clock;
  readonly store: Store;
  /** Key prefix, such as `/machines/worker1/containerd/image/`. */
  readonly prefix: string;
  /** What can be pulled. */
  readonly registry: ImageRegistry;
  /** All images that exist, for finding side-loaded ones again; absent: the registry. */
  readonly catalogue?: ImageRegistry | undefined;
  readonly pullLatencyMs: (image: ContainerImage) => number;
  /** containerd's major version, which decides wordings. */
  readonly major: number;
  /** The machine's name server, for the words of a failed look-up. */
  readonly nameserver: () => string;
}

/** A saved image: its names; the content is found in the catalogue again. */
interface SavedImage {
  readonly name: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  /** Of an image that no catalogue has. */
  readonly origin?: ImageOrigin;
}

interface StoredImage extends SavedImage {
  readonly id: string;
  readonly image: ContainerImage;
}

/** How long a registry takes to say that it has no such image, in ms. */
const REFUSAL_MS = 300;

const layers = new WeakMap<ContainerImage, FileSystemTree>();

export class ImageStore {
  private readonly options: ImageStoreOptions;
  private readonly images = new Map<string, StoredImage>();
  private readonly pulls = new Map<string, Promise<ImageRecord>>();

  constructor(options: ImageStoreOptions) {
    this.options = options;
    for (const { value } of options.store.list(options.prefix)) {
      const saved = JSON.parse(String(value)) as SavedImage;
      const image = saved.origin === undefined ? this.find(saved.name) : this.make(saved.name, saved.origin);
      if (image !== undefined) this.images.set(idOf(image), { ...saved, id: idOf(image), image });
    }
  }

  /** An image from what it was made of; undefined if its base is no more. */
  private make(name: string, origin: ImageOrigin): ContainerImage | undefined {
    const base = origin.base === '' ? undefined : this.find(origin.base);
    return base === undefined && origin.base !== '' ? undefined : imageOfOrigin(name, origin, base);
  }

  /** Adds an image that was made here, under names (canonical) or under none but its id. */
  addMade(origin: ImageOrigin, names: readonly string[]): ImageRecord {
    const image = this.make(names[0] ?? '<none>', origin);
    if (image === undefined) throw new RuntimeError('NotFound', `image "${origin.base}": not found`);
    return this.add(image, names);
  }

  /** Takes one name away; the image stays as long as it has another. Throws RuntimeError NotFound. */
  untagImage(name: string): { readonly image: ImageRecord; readonly isGone: boolean } {
    const found = this.require(name);
    if (found === undefined) throw new RuntimeError('NotFound', `image "${name}": not found`);
    const tag = canonical(name);
    if (found.tags.length <= 1 || !found.tags.includes(tag)) {
      this.remove(found.id);
      return { image: recordOf(found), isGone: true };
    }
    this.untag(found, [tag]);
    return { image: recordOf(found), isGone: false };
  }

  private find(name: string): ContainerImage | undefined {
    return this.options.catalogue?.lookup(name) ?? this.options.registry.lookup(name);
  }

  pull(reference: string): Promise<ImageRecord> {
    const parsed = parseReference(reference);
    if (parsed === undefined) {
      return Promise.reject(
        new RuntimeError(
          'InvalidArgument',
          `failed to parse image reference "${reference}": invalid reference format`,
        ),
      );
    }
    const name = formatReference(parsed);
    const running = this.pulls.get(name);
    if (running !== undefined) return running;
    const pull = this.bring(name, repositoryOf(parsed)).finally(() => this.pulls.delete(name));
    this.pulls.set(name, pull);
    return pull;
  }

  private async bring(name: string, repository: string): Promise<ImageRecord> {
    const image = this.options.registry.lookup(name);
    if (image === undefined) {
      await this.options.clock.sleep(REFUSAL_MS);
      throw this.refusal(name, repository);
    }
    const latencyMs = this.has(name) ? 0 : this.options.pullLatencyMs(image);
    if (latencyMs > 0) await this.options.clock.sleep(latencyMs);
    return this.add(image, [name]);
  }

  /** A registry doesn't tell strangers whether a repository exists; an unknown tag of a known one is "not found". */
  private refusal(name: string, repository: string): RuntimeError {
    const { major, registry, nameserver } = this.options;
    const what = major >= 2 ? 'failed to resolve image' : `failed to resolve reference "${name}"`;
    const prefix = `failed to pull and unpack image "${name}": ${what}`;
    const slash = repository.indexOf('/');
    const host = repository.slice(0, slash);
    if (registry.hasHost?.(host) === false) {
      const tag = name.slice(repository.length + 1);
      const url = `https://${host}/v2/${repository.slice(slash + 1)}/manifests/${tag}`;
      const fault = `dial tcp: lookup ${host} on ${nameserver()}:53: no such host`;
      return new RuntimeError('Unknown', `${prefix}: failed to do request: Head "${url}": ${fault}`);
    }
    const known =
      registry.hasRepository?.(repository) ?? registry.lookup(`${repository}:latest`) !== undefined;
    if (known || !repository.startsWith('docker.io/'))
      return new RuntimeError('NotFound', `${prefix}: ${name}: not found`);
    return new RuntimeError(
      'Unknown',
      `${prefix}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
    );
  }

  private has(name: string): boolean {
    return Array.from(this.images.values()).some(
      ({ tags, digests }) => tags.includes(name) || digests.includes(name),
    );
  }

  import(image: ContainerImage): ImageRecord {
    return this.add(image, []);
  }

  tag(reference: string, name: string): ImageRecord {
    const image = this.require(reference);
    if (image === undefined) throw new RuntimeError('NotFound', `image "${reference}": not found`);
    return this.add(image.image, [canonical(name)]);
  }

  export(references: readonly string[]): Uint8Array {
    return writeArchive(
      references.map((reference) => {
        const image = this.require(reference);
        if (image === undefined) throw new RuntimeError('NotFound', `image "${reference}": not found`);
        const name = canonical(reference);
        return { image: image.image, id: image.id, tags: image.tags.includes(name) ? [name] : image.tags };
      }),
    );
  }

  importArchive(archive: Uint8Array): ImageRecord[] {
    return readArchive(archive).map(({ tags, origin }) => {
      const image =
        origin === undefined
          ? tags.map((tag) => this.find(canonical(tag))).find((found) => found !== undefined)
          : this.make(canonical(tags[0] ?? 'image'), origin);
      if (image === undefined)
        throw new RuntimeError('NotFound', `image "${tags.join(', ')}" isn't in the catalogue: not found`);
      return this.add(image, tags.map(canonical));
    });
  }

  private add(image: ContainerImage, names: readonly string[]): ImageRecord {
    const id = idOf(image);
    const parsed = parseReference(image.name);
    const digest = digestOf(image);
    const asked = names.filter((name) => !name.includes('@'));
    const tags = asked.length > 0 ? asked : parsed === undefined ? [] : [formatReference(parsed)];
    for (const other of Array.from(this.images.values())) if (other.id !== id) this.untag(other, tags);
    const before = this.images.get(id);
    const stored: StoredImage = {
      id,
      image,
      name: image.name,
      tags: union(before?.tags, tags),
      // What was made here has been to no registry.
      digests:
        parsed === undefined || image.origin !== undefined
          ? []
          : union(before?.digests, [`${repositoryOf(parsed)}@${digest}`]),
      ...(image.origin === undefined ? {} : { origin: image.origin }),
    };
    this.save(stored);
    return recordOf(stored);
  }

  /** A tag moves to the image that was brought last. */
  private untag(image: StoredImage, tags: readonly string[]): void {
    const left = image.tags.filter((tag) => !tags.includes(tag));
    if (left.length < image.tags.length) this.save({ ...image, tags: left });
  }

  private save(image: StoredImage): void {
    this.images.set(image.id, image);
    const { name, tags, digests, origin } = image;
    const saved: SavedImage = { name, tags, digests, ...(origin === undefined ? {} : { origin }) };
    this.options.store.save([{ key: this.keyOf(image.id), value: JSON.stringify(saved) }]);
  }

  private keyOf(id: string): string {
    return `${this.options.prefix}${id.slice('sha256:'.length)}`;
  }

  /** By any name, digest, id or the beginning of an id. */
  status(reference: string): ImageRecord | undefined {
    const found = this.require(reference);
    return found === undefined ? undefined : recordOf(found);
  }

  private require(reference: string): StoredImage | undefined {
    const byId = this.images.get(reference) ?? this.images.get(`sha256:${reference}`);
    if (byId !== undefined) return byId;
    const parsed = parseReference(reference);
    const name = parsed === undefined ? undefined : formatReference(parsed);
    for (const image of this.images.values()) {
      if (name !== undefined && (image.tags.includes(name) || image.digests.includes(name))) return image;
      if (/^[0-9a-f]{12,64}$/.test(reference) && image.id.startsWith(`sha256:${reference}`)) return image;
    }
    return undefined;
  }

  list(): ImageRecord[] {
    return Array.from(this.images.values(), recordOf);
  }

  remove(reference: string): void {
    const found = this.require(reference);
    if (found === undefined) return; // CRI: removing what isn't there is no error.
    this.images.delete(found.id);
    this.options.store.save([{ key: this.keyOf(found.id), value: undefined }]);
  }
}

/** The image's files as a read-only layer, made once and shared by all its containers. */
export function imageLayer(image: ContainerImage): FileSystemTree {
  const known = layers.get(image);
  if (known !== undefined) return known;
  const builtMs = image.created === undefined ? Date.UTC(2024, 0, 15) : Date.parse(image.created);
  const layer = makeLayer(`image:${image.name}`, image.files, builtMs);
  layers.set(image, layer);
  return layer;
}

/** A name with nothing left out. Throws RuntimeError. */
function canonical(name: string): string {
  const parsed = parseReference(name);
  if (parsed === undefined) throw new RuntimeError('InvalidArgument', `invalid reference format: "${name}"`);
  return formatReference(parsed);
}

function idOf(image: ContainerImage): string {
  const { name, identity, entrypoint, command, env, user, workingDirectory, created } = image;
  const config = JSON.stringify({
    name: identity ?? name,
    entrypoint,
    command,
    env,
    user,
    workingDirectory,
    created,
    files: Array.from(image.files.keys()),
  });
  return `sha256:${createHash('sha256').update(config).digest('hex')}`;
}

function digestOf(image: ContainerImage): string {
  return (
    image.digest ??
    `sha256:${createHash('sha256')
      .update(image.identity ?? image.name)
      .digest('hex')}`
  );
}

function recordOf(stored: StoredImage): ImageRecord {
  const { id, image, tags, digests } = stored;
  return { id, repoTags: tags, repoDigests: digests, sizeBytes: image.sizeBytes, image };
}

function union(a: readonly string[] | undefined, b: readonly string[]): readonly string[] {
  return Array.from(new Set([...(a ?? []), ...b]));
}
