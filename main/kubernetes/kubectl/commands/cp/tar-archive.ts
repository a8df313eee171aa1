// tar archives as Go's archive/tar writes and reads them: ustar, with GNU's and POSIX's ways of writing long names.
import type { FileSystemView } from '../../../../linux/kernel/index.ts';

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;

export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly linkTarget: string;
  readonly content: Uint8Array;
}

/** The entries of a whole archive, up to its end or to where it breaks off. */
export function* readTar(archive: Uint8Array): Generator<TarEntry> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.length);
  let longName: string | undefined;
  let longTarget: string | undefined;
  for (let at = 0; at + BLOCK_BYTES <= bytes.length;) {
    const head = bytes.subarray(at, at + BLOCK_BYTES);
    if (head[0] === 0) return;
    const sizeBytes = Number.parseInt(textAt(head, 124, 12).trim(), 8) || 0;
    const content = bytes.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + sizeBytes);
    at += BLOCK_BYTES + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    const flag = String.fromCharCode(head[156]!);
    if (flag === 'L') longName = content.toString('utf8').replace(/\0.*$/s, '');
    else if (flag === 'K') longTarget = content.toString('utf8').replace(/\0.*$/s, '');
    else if (flag === 'x') {
      const records = paxRecords(content);
      longName = records.get('path') ?? longName;
      longTarget = records.get('linkpath') ?? longTarget;
    } else if (flag !== 'g') {
      const prefix = textAt(head, 257, 6) === 'ustar' ? textAt(head, 345, 155) : '';
      const short = textAt(head, 0, NAME_BYTES_MAX);
      yield {
        name: longName ?? (prefix === '' ? short : `${prefix}/${short}`),
        type:
          ({ '0': 'file', '\0': 'file', '5': 'directory', '2': 'symlink' }[flag] as TarEntry['type']) ??
          'other',
        linkTarget: longTarget ?? textAt(head, 157, NAME_BYTES_MAX),
        content,
      };
      longName = undefined;
      longTarget = undefined;
    }
  }
}

function textAt(block: Buffer, start: number, sizeBytes: number): string {
  const text = block.subarray(start, start + sizeBytes);
  const end = text.indexOf(0);
  return text.subarray(0, end === -1 ? sizeBytes : end).toString('utf8');
}

function paxRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const sizeBytes = Number.parseInt(content.subarray(at).toString('latin1'), 10);
    if (!(sizeBytes > 0)) break;
    const line = content.subarray(at, at + sizeBytes - 1).toString('utf8');
    const [, key = '', value = ''] = /^\d+ ([^=]*)=(.*)$/s.exec(line) ?? [];
    records.set(key, value);
    at += sizeBytes;
  }
  return records;
}

/** Files and folders below `path`, under `name` in the archive, as it grows. Throws ErrnoError. */
export function* writeTar(fs: FileSystemView, path: string, name: string): Generator<Uint8Array> {
  yield* entriesAt(fs, path, name);
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function* entriesAt(fs: FileSystemView, path: string, name: string): Generator<Uint8Array> {
  const stat = fs.lstat(path);
  if (stat.type === 'directory') {
    const inside = fs.readdir(path);
    if (inside.length === 0) yield header(`${name}/`, '5', stat, 0, '');
    for (const entry of inside) yield* entriesAt(fs, `${path}/${entry.name}`, `${name}/${entry.name}`);
  } else if (stat.type === 'symlink') yield header(name, '2', stat, 0, fs.readlink(path));
  else {
    const content = Buffer.from(fs.readFile(path));
    yield header(name, '0', stat, content.length, '');
    yield content;
    yield Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES);
  }
}

function header(
  name: string,
  flag: string,
  stat: { readonly mode: number; readonly uid: number; readonly gid: number; readonly modifyMs: number },
  sizeBytes: number,
  linkTarget: string,
): Uint8Array {
  const long = Buffer.from(name);
  const before =
    long.length <= NAME_BYTES_MAX
      ? []
      : [
          block('././@LongLink', 'L', { mode: 0, uid: 0, gid: 0, modifyMs: 0 }, long.length + 1, ''),
          padded(long),
        ];
  return Buffer.concat([...before, block(name, flag, stat, sizeBytes, linkTarget)]);
}

function padded(bytes: Buffer): Buffer {
  const whole = Buffer.alloc(Math.ceil((bytes.length + 1) / BLOCK_BYTES) * BLOCK_BYTES);
  bytes.copy(whole);
  return whole;
}

function block(
  name: string,
  flag: string,
  stat: { readonly mode: number; readonly uid: number; readonly gid: number; readonly modifyMs: number },
  sizeBytes: number,
  linkTarget: string,
): Buffer {
  const head = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, width: number): void => {
    head.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  head.write(name, 0, NAME_BYTES_MAX, 'utf8');
  octal(stat.mode & 0o7777, 100, 8);
  octal(stat.uid, 108, 8);
  octal(stat.gid, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(Math.floor(stat.modifyMs / 1000), 136, 12);
  head.write('        ', 148, 'latin1');
  head.write(flag, 156, 'latin1');
  head.write(linkTarget, 157, NAME_BYTES_MAX, 'utf8');
  head.write('ustar\x0000', 257, 'latin1');
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}
