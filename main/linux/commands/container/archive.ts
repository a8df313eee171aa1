// Images as files: ctr images import and export.
import { ErrnoError } from '../../../network/index.ts';
import type { Containerd } from '../../containerd/index.ts';
import { Failure, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';

/** ctr images import FILE; `-` is stdin. Throws RuntimeError. */
export async function ctrImport(it: Invocation, runtime: Containerd, file: string): Promise<number> {
  let archive: Uint8Array;
  try {
    archive = await readAll(it.open(file));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`open ${file}: ${error.message.toLowerCase()}`);
  }
  for (const image of runtime.importArchive(archive))
    for (const tag of image.repoTags.slice(-1))
      await it.out.line(`unpacking ${tag} (${image.repoDigests[0]?.split('@')[1] ?? image.id})...done`);
  return 0;
}

/** ctr images export FILE REF... Throws RuntimeError. */
export async function ctrExport(
  it: Invocation,
  runtime: Containerd,
  file: string,
  references: readonly string[],
): Promise<number> {
  const archive = runtime.exportImages(references);
  if (file === '-') await it.out.put(archive);
  else it.proc.fs.writeFile(file, archive);
  return 0;
}
