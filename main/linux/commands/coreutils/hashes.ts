// md5sum(1), sha1sum, sha224sum, sha256sum, sha384sum, sha512sum, b2sum, cksum, sum
import { createHash } from 'node:crypto';

import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { shownName, command, UsageError, type Invocation } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';

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
            await it.out.put(
              (it.options.has('tag')
                ? `${tagOf(algorithm)} (${path}) = ${sum}`
                : `${sum} ${it.options.has('b') ? '*' : ' '}${path}`) + (it.options.has('z') ? '\0' : '\n'),
            );
          }
        } catch (error) {
          if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
          await it.warn(`${shownName(it, path)}: ${error.message}`);
        }
      }
    },
  );
}

/** An algorithm's name in tagged lines. */
function tagOf(algorithm: string): string {
  return algorithm === 'blake2b512' ? 'BLAKE2b' : algorithm.toUpperCase();
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

export const b2sum: Program = hashCommand('blake2b512');

/** sum(1): BSD's checksum by 1 KiB blocks, or System V's (-s) by half of them. */
export const sum: Program = command(
  {
    short: 'rs',
    long: ['sysv>s'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Print or check BSD (16-bit) checksums.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const systemV = it.options.last('r', 's') === 's';
    for (const path of it.inputs) {
      try {
        const file = it.open(path);
        let [total, size] = [0, 0];
        for (;;) {
          const chunk = await file.read(65_536);
          if (chunk.length === 0) break;
          size += chunk.length;
          for (const byte of chunk)
            total = systemV ? (total + byte) >>> 0 : (((total >> 1) | ((total & 1) << 15)) + byte) & 0xffff;
        }
        if (systemV) {
          const folded = (total & 0xffff) + (total >>> 16);
          total = (folded & 0xffff) + (folded >> 16);
        }
        const blocks = Math.ceil(size / (systemV ? 512 : 1024));
        const name = it.operands.length > 0 ? ` ${path}` : '';
        await it.out.line(
          systemV
            ? `${total} ${blocks}${name}`
            : `${String(total).padStart(5, '0')} ${String(blocks).padStart(5)}${name}`,
        );
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
  },
);

/** cksum(1): the POSIX CRC. */
export const cksum: Program = command(
  {
    short: 'a:cl:',
    long: ['algorithm:>a', 'untagged', 'check>c', 'length:>l', 'debug'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Print or verify checksums.\nBy default use the 32 bit CRC algorithm.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const named = it.options.value('a');
    if (named !== undefined && named !== 'crc') {
      const algorithm = {
        md5: 'md5',
        sha1: 'sha1',
        sha224: 'sha224',
        sha256: 'sha256',
        sha384: 'sha384',
        sha512: 'sha512',
        blake2b: 'blake2b512',
      }[named];
      if (algorithm === undefined)
        throw new UsageError(
          `invalid argument ${quote(named)} for ${quote('--algorithm')}\nValid arguments are:\n${['bsd', 'sysv', 'crc', 'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'blake2b', 'sm3'].map((one) => `  - ${quote(one)}`).join('\n')}`,
        );
      for (const path of it.inputs) {
        const sum = await digest(it.open(path), algorithm);
        await it.out.line(
          it.options.has('untagged') ? `${sum}  ${path}` : `${tagOf(algorithm)} (${path}) = ${sum}`,
        );
      }
      return;
    }
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
        await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
  },
);

function crcStep(crc: number, byte: number): number {
  let value = crc ^ (byte << 24);
  for (let i = 0; i < 8; i++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
}
