// tar(1) of GNU and of busybox: archives in ustar format, plain or gzipped.
import { gunzipSync, gzipSync } from 'node:zlib';

import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, Program } from '../../kernel/index.ts';
import { groupByName, groupName, userByName, userName } from '../frame/accounts.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { modeString } from '../frame/format.ts';
import { globRegex } from '../frame/glob.ts';
import { readAll, readAllText } from '../frame/input.ts';
import { compileRegex } from '../frame/regex.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { lstatOf } from '../coreutils/files.ts';

const BLOCK_BYTES = 512;
const RECORD_BYTES = 20 * BLOCK_BYTES;
const TYPES = { file: '0', symlink: '2', directory: '5' } as const;

interface Member {
  readonly name: string;
  readonly type: 'file' | 'symlink' | 'directory' | 'link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  readonly modifyMs: number;
  readonly target: string;
  readonly content: Uint8Array;
}

/** tar(1): -c, -x, -t, -r with -f, -z, -v, -C, --exclude, --strip-components. */
export const tar: Program = command(
  {
    short: 'cxtruvzjJaf:C:T:X:pPhkOmb:',
    long: [
      'create>c',
      'extract>x',
      'get>x',
      'list>t',
      'append>r',
      'file:>f',
      'directory:>C',
      'gzip>z',
      'gunzip>z',
      'bzip2>j',
      'xz>J',
      'auto-compress>a',
      'verbose>v',
      'to-stdout>O',
      'keep-old-files>k',
      'absolute-names>P',
      'preserve-permissions>p',
      'dereference>h',
      'touch>m',
      'exclude:',
      'strip-components:',
      'no-same-owner',
      'same-owner',
      'numeric-owner',
      'wildcards',
      'overwrite',
      'no-recursion',
      'recursion',
      'owner:',
      'group:',
      'files-from:>T',
      'transform:',
      'xform:>transform',
      'delete',
      'exclude-from:>X',
      'same-permissions>p',
    ],
    usage: '[OPTION...] [FILE]...',
    version: '(GNU tar) 1.34',
    usageExit: 2,
    hint: (name) => `Try '${name} --help' or '${name} --usage' for more information.\n`,
    // `tar czf a.tgz b`: letters without a dash take their arguments in turn.
    prepare(args) {
      const [letters, ...rest] = args;
      if (letters === undefined || letters.startsWith('-')) return args;
      return [...letters]
        .flatMap((letter) => ('fCTXb'.includes(letter) ? [`-${letter}`, rest.shift() ?? ''] : [`-${letter}`]))
        .concat(rest);
    },
  },
  async (it) => {
    const { options } = it;
    const modes = options.list
      .map(({ name }) => name)
      .filter((name) => ('cxtru'.includes(name) && name.length === 1) || name === 'delete');
    if (modes.length === 0)
      throw usage(it, "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options");
    if (new Set(modes).size > 1)
      throw usage(it, "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option");
    if (options.has('j', 'J')) throw new Failure("drydock: bzip2 and xz aren't simulated", 2);
    const [mode] = modes;
    if (mode === 'c') return create(it);
    if (mode === 'r' || mode === 'u') return create(it, await readMembers(it), mode === 'u');
    const members = await readMembers(it);
    if (mode === 'delete') {
      const gone = chosen(it, members);
      await writeArchive(it, members.filter((one) => !gone.members.includes(one)).flatMap(pack));
      return finish(it, gone.missing);
    }
    return mode === 't' ? list(it, members) : extract(it, members);
  },
);

function usage(it: Invocation, text: string): Failure {
  return new Failure(`${text}\nTry '${it.name} --help' or '${it.name} --usage' for more information.`, 2);
}

function archivePath(it: Invocation): string {
  return it.options.value('f') ?? '-';
}

function inDirectory(it: Invocation, path: string): string {
  const folder = it.options.value('C');
  return folder === undefined || path.startsWith('/') ? path : `${folder}/${path}`;
}

/** What is to be packed: operands, and the lines of -T's files. */
async function packed(it: Invocation): Promise<string[]> {
  const paths = [...it.operands];
  for (const list of it.options.values('T')) {
    const text = await readAllText(it.open(list));
    paths.push(...text.split('\n').filter((line) => line !== ''));
  }
  return paths;
}

async function create(it: Invocation, before: readonly Member[] = [], newer = false): Promise<number> {
  const paths = await packed(it);
  if (paths.length === 0)
    throw new Failure(
      `Cowardly refusing to create an empty archive\nTry '${it.name} --help' or '${it.name} --usage' for more information.`,
      2,
    );
  const file = archivePath(it);
  const parts: Uint8Array[] = before.flatMap(pack);
  for (const path of paths) {
    const known = before.findLast((one) => one.name.replace(/\/$/, '') === path);
    if (newer && known !== undefined && (lstatOf(it.proc.fs, path)?.modifyMs ?? 0) <= known.modifyMs)
      continue;
    await add(it, path, parts, file === '-');
  }
  await writeArchive(it, parts);
  return told(it);
}

async function writeArchive(it: Invocation, parts: Uint8Array[]): Promise<void> {
  const { proc, options } = it;
  const file = archivePath(it);
  const size = parts.reduce((sum, part) => sum + part.length, 0) + 2 * BLOCK_BYTES;
  parts.push(new Uint8Array(Math.ceil(size / RECORD_BYTES) * RECORD_BYTES - size + 2 * BLOCK_BYTES));
  const plain = Buffer.concat(parts);
  const zipped = options.has('z') || (options.has('a') && /\.t?gz$/.test(file));
  const bytes = zipped ? gzipSync(plain) : plain;
  if (file === '-') await it.out.put(bytes);
  else
    try {
      proc.fs.writeFile(file, bytes);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw cannotOpen(it, file, error.message);
    }
}

/** The exit status, after a word on what went wrong before. */
async function told(it: Invocation): Promise<number> {
  if (it.exitCode !== 0)
    await it.complain(
      isBusybox(it)
        ? 'error exit delayed from previous errors'
        : 'Exiting with failure status due to previous errors',
    );
  return it.exitCode;
}

function isBusybox(it: Invocation): boolean {
  return it.dialect === 'busybox';
}

/** An archive or folder that can't be had ends it. */
function cannotOpen(it: Invocation, path: string, reason: string): Failure {
  return isBusybox(it)
    ? new Failure(`can't open '${path}': ${reason}`, 1)
    : new Failure(`${path}: Cannot open: ${reason}\n${it.name}: Error is not recoverable: exiting now`, 2);
}

const slashes = new WeakSet<Invocation>();

async function add(it: Invocation, path: string, parts: Uint8Array[], toStdout: boolean): Promise<void> {
  const { proc, options } = it;
  if (options.values('exclude').some((pattern) => matches(pattern, path))) return;
  const real = inDirectory(it, path);
  let stat: FileStat;
  try {
    stat = options.has('h') ? proc.fs.stat(real) : proc.fs.lstat(real);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return isBusybox(it)
      ? it.warn(`${path}: ${error.message}`, 1)
      : it.warn(`${path}: Cannot stat: ${error.message}`, 2);
  }
  let name = path;
  if (path.startsWith('/') && !options.has('P')) {
    if (!slashes.has(it))
      await it.complain(
        isBusybox(it) ? "removing leading '/' from member names" : "Removing leading `/' from member names",
      );
    slashes.add(it);
    name = path.replace(/^\/+/, '');
  }
  if (stat.type !== 'file' && stat.type !== 'directory' && stat.type !== 'symlink') return;
  if (stat.type === 'directory' && !name.endsWith('/')) name += '/';
  const [owner, group] = [options.value('owner'), options.value('group')];
  const uid =
    owner === undefined
      ? stat.uid
      : /^\d+$/.test(owner)
        ? Number(owner)
        : (userByName(proc, owner)?.uid ?? stat.uid);
  const gid =
    group === undefined
      ? stat.gid
      : /^\d+$/.test(group)
        ? Number(group)
        : (groupByName(proc, group)?.gid ?? stat.gid);
  const member: Member = {
    name: transformed(it, name),
    type: stat.type,
    mode: stat.mode,
    uid,
    gid,
    user: options.has('numeric-owner') ? '' : userName(proc, uid),
    group: options.has('numeric-owner') ? '' : groupName(proc, gid),
    modifyMs: stat.modifyMs,
    target: stat.type === 'symlink' ? proc.fs.readlink(real) : '',
    content: stat.type === 'file' ? proc.fs.readFile(real) : new Uint8Array(0),
  };
  parts.push(...pack(member));
  if (options.has('v'))
    await (toStdout ? proc.stderr.write(`${shown(it, member)}\n`) : it.out.line(shown(it, member)));
  if (stat.type === 'directory' && !options.has('no-recursion'))
    for (const entry of proc.fs.readdir(real))
      await add(it, `${path.replace(/\/$/, '')}/${entry.name}`, parts, toStdout);
}

/** A member's name after --transform's s/// commands. */
function transformed(it: Invocation, name: string): string {
  let text = name;
  for (const expression of it.options.values('transform')) {
    const found = /^s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gixrRsShH]*)$/s.exec(expression);
    if (found === null) throw new Failure(`Invalid transform expression`, 2);
    const flags = found[4]!;
    const regex = compileRegex(found[2]!, {
      syntax: flags.includes('x') ? 'extended' : 'basic',
      ignoreCase: flags.includes('i'),
      global: flags.includes('g'),
    });
    text = text.replace(regex, (...match) =>
      found[3]!.replaceAll(/\\(\d)|&|\\(.)/g, (whole, digit?: string, c?: string) =>
        digit !== undefined
          ? String(match[Number(digit)] ?? '')
          : whole === '&'
            ? String(match[0])
            : (c ?? ''),
      ),
    );
  }
  return text;
}

function matches(pattern: string, path: string): boolean {
  const regex = globRegex(pattern);
  const pieces = path.replace(/^\.?\/+/, '').split('/');
  return regex.test(path) || pieces.some((_, index) => regex.test(pieces.slice(index).join('/')));
}

function pack(member: Member): Uint8Array[] {
  const name = Buffer.from(member.name);
  const long =
    name.length > 100
      ? pack({
          ...member,
          name: '././@LongLink',
          type: 'file',
          content: Buffer.concat([name, Buffer.from([0])]),
          target: 'L',
        })
      : [];
  const head = Buffer.alloc(BLOCK_BYTES);
  const put = (text: string | Buffer, at: number, size: number): void => {
    (typeof text === 'string' ? Buffer.from(text) : text).copy(head, at, 0, size);
  };
  const octal = (value: number, size: number): string => value.toString(8).padStart(size, '0');
  const isLongName = member.target === 'L' && member.name === '././@LongLink';
  put(name, 0, 100);
  put(octal(member.mode & 0o7777, 7), 100, 8);
  put(octal(member.uid, 7), 108, 8);
  put(octal(member.gid, 7), 116, 8);
  put(octal(member.content.length, 11), 124, 12);
  put(octal(Math.floor(member.modifyMs / 1000), 11), 136, 12);
  put(' '.repeat(8), 148, 8);
  put(isLongName ? 'L' : member.type === 'link' ? '1' : TYPES[member.type], 156, 1);
  if (!isLongName) put(member.target, 157, 100);
  put('ustar  \0', 257, 8);
  put(member.user, 265, 32);
  put(member.group, 297, 32);
  put(
    `${octal(
      head.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
    8,
  );
  return [
    ...long,
    head,
    member.content,
    new Uint8Array((BLOCK_BYTES - (member.content.length % BLOCK_BYTES)) % BLOCK_BYTES),
  ];
}

async function readMembers(it: Invocation): Promise<Member[]> {
  const path = archivePath(it);
  let bytes: Uint8Array;
  try {
    bytes = await readAll(it.open(path));
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    if (it.options.has('z') && !isBusybox(it)) {
      const child = `${it.name} (child)`;
      await it.proc.stderr.write(
        `${child}: ${path}: Cannot open: ${error.message}\n${child}: Error is not recoverable: exiting now\n`,
      );
      throw new Failure(`Child returned status 2\n${it.name}: Error is not recoverable: exiting now`, 2);
    }
    throw cannotOpen(it, path, error.message);
  }
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (it.options.has('z') && !isZipped) {
    await it.proc.stderr.write('\ngzip: stdin: not in gzip format\n');
    throw new Failure(`Child returned status 1\n${it.name}: Error is not recoverable: exiting now`, 2);
  }
  if (isZipped)
    try {
      bytes = gunzipSync(bytes);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      await it.proc.stderr.write('\ngzip: stdin: unexpected end of file\n');
      throw new Failure(`Child returned status 1\n${it.name}: Error is not recoverable: exiting now`, 2);
    }
  const members = unpack(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (members !== undefined) return members;
  throw new Failure(
    `This does not look like a tar archive\n${it.name}: Exiting with failure status due to previous errors`,
    2,
  );
}

/** Undefined if it is no archive. */
function unpack(bytes: Buffer): Member[] | undefined {
  const members: Member[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK_BYTES <= bytes.length;) {
    const head = bytes.subarray(at, at + BLOCK_BYTES);
    if (head.every((byte) => byte === 0)) return members;
    if (head.toString('latin1', 257, 262) !== 'ustar') return members.length > 0 ? members : undefined;
    const text = (from: number, size: number): string =>
      head.toString('utf8', from, from + size).replace(/\0.*$/s, '');
    const number = (from: number, size: number): number => Number.parseInt(text(from, size).trim(), 8) || 0;
    const size = number(124, 12);
    const content = bytes.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + size);
    at += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    const flag = text(156, 1);
    if (flag === 'L') {
      longName = content.toString().replace(/\0.*$/s, '');
      continue;
    }
    // Archives by other tools: ustar's prefix.
    const prefix = head.toString('latin1', 257, 265) === 'ustar\u000000' ? text(345, 155) : '';
    members.push({
      name: longName ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`),
      type: flag === '5' ? 'directory' : flag === '2' ? 'symlink' : flag === '1' ? 'link' : 'file',
      mode: number(100, 8),
      uid: number(108, 8),
      gid: number(116, 8),
      user: text(265, 32),
      group: text(297, 32),
      modifyMs: number(136, 12) * 1000,
      target: text(157, 100),
      content,
    });
    longName = undefined;
  }
  return bytes.length === 0 || members.length > 0 ? members : undefined;
}

/** A line of -v: the name alone, or with -tv and -cvv as `ls -l` would show it. */
function shown(it: Invocation, member: Member): string {
  const { options, proc } = it;
  if (options.count('v') < (options.has('t') ? 1 : 2)) return member.name;
  const owner = options.has('numeric-owner')
    ? `${member.uid}/${member.gid}`
    : `${member.user}/${member.group}`;
  const time = strftime('%F %R', member.modifyMs, zoneOf(proc));
  const size = String(member.content.length).padStart(Math.max(1, 18 - owner.length));
  const target =
    member.type === 'symlink'
      ? ` -> ${member.target}`
      : member.type === 'link'
        ? ` link to ${member.target}`
        : '';
  const mode =
    member.type === 'link'
      ? `h${modeString('file', member.mode).slice(1)}`
      : modeString(member.type, member.mode);
  return `${mode} ${owner} ${size} ${time} ${member.name}${target}`;
}

function chosen(it: Invocation, members: readonly Member[]): { members: Member[]; missing: string[] } {
  const wanted = it.operands.map((operand) => operand.replace(/\/+$/, ''));
  const isWanted = (name: string, operand: string): boolean =>
    name === operand ||
    name.startsWith(`${operand}/`) ||
    (it.options.has('wildcards') && globRegex(operand).test(name));
  const bare = (member: Member): string => member.name.replace(/\/$/, '');
  return {
    members: members.filter(
      (member) =>
        (wanted.length === 0 || wanted.some((operand) => isWanted(bare(member), operand))) &&
        !it.options.values('exclude').some((pattern) => matches(pattern, bare(member))),
    ),
    missing: wanted.filter((operand) => !members.some((member) => isWanted(bare(member), operand))),
  };
}

async function finish(it: Invocation, missing: readonly string[]): Promise<number> {
  for (const name of missing)
    await (isBusybox(it)
      ? it.warn(`${name}: not found in archive`, 1)
      : it.warn(`${name}: Not found in archive`, 2));
  return told(it);
}

async function list(it: Invocation, all: readonly Member[]): Promise<number> {
  const { members, missing } = chosen(it, all);
  for (const member of members) await it.out.line(shown(it, member));
  return finish(it, missing);
}

async function extract(it: Invocation, all: readonly Member[]): Promise<number> {
  const { proc, options } = it;
  const { members, missing } = chosen(it, all);
  const folder = options.value('C');
  if (folder !== undefined && !proc.fs.exists(folder)) {
    const reason = 'No such file or directory';
    throw isBusybox(it)
      ? new Failure(`can't change directory to '${folder}': ${reason}`, 1)
      : cannotOpen(it, folder, reason);
  }
  const strip = Number(options.value('strip-components') ?? 0);
  const directories: [path: string, modifyMs: number][] = [];
  for (const member of members) {
    const pieces = member.name.replace(/^\/+/, '').split('/').slice(strip);
    const name = pieces.join('/');
    if (name === '' || name === '/') continue;
    if (pieces.includes('..') && !options.has('P')) {
      await it.warn(`${member.name}: Member name contains '..', skipping`, 2);
      continue;
    }
    if (options.has('v')) await it.out.line(shown(it, member));
    if (options.has('O')) {
      if (member.type === 'file') await it.out.put(member.content);
      continue;
    }
    const path = inDirectory(it, name);
    try {
      place(it, member, path);
      if (member.type === 'directory') directories.push([path, member.modifyMs]);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      const what = member.type === 'directory' ? 'mkdir' : 'open';
      await (isBusybox(it)
        ? it.warn(`can't ${what === 'open' ? 'open' : 'make dir'} '${path}': ${error.message}`, 1)
        : it.warn(`${name}: Cannot ${what}: ${error.message}`, 2));
    }
  }
  if (!options.has('m'))
    for (const [path, modifyMs] of directories.toReversed()) proc.fs.utimes(path, modifyMs, modifyMs);
  return finish(it, missing);
}

function place(it: Invocation, member: Member, path: string): void {
  const { proc, options } = it;
  const { fs } = proc;
  const bare = path.replace(/\/+$/, '');
  const parent = bare.slice(0, Math.max(0, bare.lastIndexOf('/')));
  if (parent !== '' && !fs.exists(parent)) fs.mkdir(parent, { recursive: true });
  const isRoot = proc.credentials.uid === 0;
  const mode = isRoot || options.has('p') ? member.mode : member.mode & ~proc.umask;
  if (member.type === 'directory') {
    if (!fs.exists(bare)) fs.mkdir(bare);
    fs.chmod(bare, mode);
  } else {
    if (fs.exists(bare) && options.has('k')) throw new ErrnoError('EEXIST', bare);
    fs.removeAll(bare);
    if (member.type === 'symlink') return fs.symlink(member.target, bare);
    if (member.type === 'link') return fs.link(inDirectory(it, member.target), bare);
    fs.writeFile(bare, member.content);
    fs.chmod(bare, mode);
    if (!options.has('m')) fs.utimes(bare, member.modifyMs, member.modifyMs);
  }
  if (isRoot && !options.has('no-same-owner')) fs.chown(bare, member.uid, member.gid);
}
