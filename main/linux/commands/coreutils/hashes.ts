// md5sum(1), sha1sum, sha224sum, sha256sum, sha384sum, sha512sum, cksum
import { createHash } from 'node:crypto';

import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { command, type Invocation } from '../frame/command.ts';

async function digest(file: OpenFile, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  for (;;) {
    const chunk = await file.read(65_536);
    if (chunk.length === 0) return hash.digest('hex');
    hash.update(chunk);
  }
}

function hashCommand(algorithm: string): Program {
  return command(
    {
      short: 'bctwz',
      long: [
        'binary>b',
        'check>c',
        'tag',
        'text>t',
        'ignore-missing',
        'quiet',
        'status',
        'strict',
        'warn>w',
        'zero>z',
      ],
      usage: '[OPTION]... [FILE]...',
      summary: `Print or check ${algorithm.toUpperCase()} checksums.`,
      version: '(GNU coreutils) 9.1',
    },
    async (it) => {
      for (const path of it.inputs) {
        try {
          if (it.options.has('c')) await check(it, path, algorithm);
          else {
            const sum = await digest(it.open(path), algorithm);
            await it.out.line(
              it.options.has('tag')
                ? `${algorithm.toUpperCase()} (${path}) = ${sum}`
                : `${sum} ${it.options.has('b') ? '*' : ' '}${path}`,
            );
          }
        } catch (error) {
          if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
          await it.warn(`${path}: ${error.message}`);
        }
      }
    },
  );
}

async function check(it: Invocation, path: string, algorithm: string): Promise<void> {
  let [mismatched, unread, malformed, good] = [0, 0, 0, 0];
  for (const line of (await it.open(path).readText()).split('\n')) {
    if (line === '') continue;
    const match = /^\\?([0-9a-fA-F]+) [ *](.+)$/.exec(line);
    if (match === null) {
      malformed++;
      continue;
    }
    const [, wanted = '', name = ''] = match;
    try {
      const sum = await digest(it.open(name), algorithm);
      const matches = sum === wanted.toLowerCase();
      if (matches) good++;
      else mismatched++;
      if (!it.options.has('status') && !(matches && it.options.has('quiet')))
        await it.out.line(`${name}: ${matches ? 'OK' : 'FAILED'}`);
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      if (it.options.has('ignore-missing') && error.code === 'ENOENT') continue;
      unread++;
      await it.warn(`${name}: ${error.message}`);
      if (!it.options.has('status')) await it.out.line(`${name}: FAILED open or read`);
    }
  }
  const plural = (n: number, one: string, many: string): string => `WARNING: ${n} ${n === 1 ? one : many}`;
  if (mismatched + unread + good === 0)
    return it.warn(`${path === '-' ? "'standard input'" : path}: no properly formatted checksum lines found`);
  if (it.options.has('status')) {
    if (mismatched + unread > 0) it.exitCode = 1;
    return;
  }
  if (malformed > 0)
    await it.complain(plural(malformed, 'line is improperly formatted', 'lines are improperly formatted'));
  if (unread > 0)
    await it.warn(plural(unread, 'listed file could not be read', 'listed files could not be read'));
  if (mismatched > 0)
    await it.warn(plural(mismatched, 'computed checksum did NOT match', 'computed checksums did NOT match'));
}

export const md5sum: Program = hashCommand('md5');
export const sha1sum: Program = hashCommand('sha1');
export const sha224sum: Program = hashCommand('sha224');
export const sha256sum: Program = hashCommand('sha256');
export const sha384sum: Program = hashCommand('sha384');
export const sha512sum: Program = hashCommand('sha512');

/** cksum(1): the POSIX CRC. */
export const cksum: Program = command(
  {
    usage: '[FILE]...',
    summary: 'Print CRC checksum and byte counts of each FILE.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    for (const path of it.inputs) {
      try {
        const file = it.open(path);
        let crc = 0;
        let size = 0;
        for (;;) {
          const chunk = await file.read(65_536);
          if (chunk.length === 0) break;
          size += chunk.length;
          for (const byte of chunk) crc = crcStep(crc, byte);
        }
        for (let length = size; length > 0; length = Math.floor(length / 256))
          crc = crcStep(crc, length & 0xff);
        await it.out.line(`${~crc >>> 0} ${size}${it.operands.length > 0 ? ` ${path}` : ''}`);
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        await it.warn(`${path}: ${error.message}`);
      }
    }
  },
);

function crcStep(crc: number, byte: number): number {
  let value = crc ^ (byte << 24);
  for (let i = 0; i < 8; i++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
}
