// Images as files: what `docker save` writes and `docker load` and `ctr images import` read. OCI image-spec, docker's manifest.json.
import { RuntimeError, type ContainerImage } from './containerd.ts';
import type { ImageOrigin } from './derived-image.ts';

const BLOCK_BYTES = 512;
/** Begins the layer of an image that was made here; the rest is its origin. */
const MADE_MARK = 'drydock image: ';

interface ManifestEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/**
 * A tar file with docker's manifest.
 * Differs: the layers hold only a note, since built-in programs are no bytes; reading one finds the image by its name.
 */
export function writeArchive(
  images: readonly {
    readonly image: ContainerImage;
    readonly id: string;
    readonly tags: readonly string[];
  }[],
): Uint8Array {
  const members: Uint8Array[] = [];
  const manifest: ManifestEntry[] = images.map(({ id, tags }) => ({
    Config: `${digits(id)}.json`,
    RepoTags: tags,
    Layers: [`${digits(id)}/layer.tar`],
  }));
  for (const { image, id } of images) {
    const config = {
      architecture: 'amd64',
      os: 'linux',
      created: image.created,
      config: {
        Env: image.env,
        Cmd: image.command,
        Entrypoint: image.entrypoint,
        WorkingDir: image.workingDirectory,
        User: image.user,
      },
    };
    members.push(tarMember(`${digits(id)}.json`, JSON.stringify(config)));
    const layer =
      image.origin === undefined
        ? `drydock layer of ${image.name}\n`
        : `${MADE_MARK}${JSON.stringify(image.origin)}\n`;
    members.push(tarMember(`${digits(id)}/layer.tar`, layer));
  }
  members.push(tarMember('manifest.json', JSON.stringify(manifest)));
  return Buffer.concat([...members, new Uint8Array(2 * BLOCK_BYTES)]);
}

/** The names in an archive, and what images made by hand are made of. Throws RuntimeError for what isn't one. */
export function readArchive(
  archive: Uint8Array,
): readonly { readonly tags: readonly string[]; readonly origin: ImageOrigin | undefined }[] {
  const manifest = findMember(archive, 'manifest.json');
  if (manifest === undefined) throw new RuntimeError('InvalidArgument', 'unrecognized image format');
  try {
    return (JSON.parse(manifest) as ManifestEntry[]).map(({ RepoTags, Layers }) => {
      const layer = findMember(archive, Layers[0] ?? '') ?? '';
      return {
        tags: RepoTags,
        origin: layer.startsWith(MADE_MARK)
          ? (JSON.parse(layer.slice(MADE_MARK.length)) as ImageOrigin)
          : undefined,
      };
    });
  } catch (error) {
    throw new RuntimeError('InvalidArgument', 'unrecognized image format', { cause: error });
  }
}

function digits(id: string): string {
  return id.replace('sha256:', '');
}

/** ustar: tar(5). */
function tarMember(name: string, text: string): Uint8Array {
  const content = Buffer.from(text, 'utf8');
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0, 100, 'utf8');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0ustar\x0000', 156, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const padding = (BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return Buffer.concat([header, content, new Uint8Array(padding)]);
}

function findMember(archive: Uint8Array, wanted: string): string | undefined {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  for (let at = 0; at + BLOCK_BYTES <= bytes.length;) {
    const name = bytes.toString('utf8', at, at + 100).split('\0', 1)[0]!;
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8);
    if (name === '' || Number.isNaN(size)) return undefined;
    if (name === wanted) return bytes.toString('utf8', at + BLOCK_BYTES, at + BLOCK_BYTES + size);
    at += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return undefined;
}
