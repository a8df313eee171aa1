// openssl's way with arguments: long options with one dash, a subcommand before them.
import { ErrnoError } from '../../../../network/index.ts';
import type { Process } from '../../../kernel/index.ts';
import { readAll } from '../../frame/input.ts';

/** What ends a subcommand: its text goes to stderr as it is. */
export class OpensslError extends Error {
  readonly status: number;
  constructor(message: string, status = 1) {
    super(message);
    this.status = status;
  }
}

export interface Arguments {
  /** In the order given. */
  readonly given: readonly { readonly name: string; readonly value: string }[];
  readonly operands: readonly string[];
}

/** Reads options; `values` names those with a parameter. Throws OpensslError. */
export function parseArguments(
  command: string,
  args: readonly string[],
  flags: string,
  values: string,
  unknown = 'Unknown option or cipher: ',
): Arguments {
  const [plain, withValue] = [flags.split(' '), values.split(' ')];
  const given: { name: string; value: string }[] = [];
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith('-') || word === '-') {
      operands.push(...args.slice(at));
      break;
    }
    const name = word.replace(/^--?/, '');
    if (name === '') {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (withValue.includes(name)) {
      const value = args[++at];
      if (value === undefined)
        throw new OpensslError(
          `${command}: Option -${name} needs a value\n${command}: Use -help for summary.\n`,
        );
      given.push({ name, value });
    } else if (plain.includes(name) || DIGESTS.has(name)) given.push({ name, value: '' });
    else throw new OpensslError(`${command}: ${unknown}${name}\n${command}: Use -help for summary.\n`);
  }
  return { given, operands };
}

export const has = (args: Arguments, name: string): boolean => args.given.some((each) => each.name === name);
export const valueOf = (args: Arguments, name: string): string | undefined =>
  args.given.findLast((each) => each.name === name)?.value;
export const valuesOf = (args: Arguments, name: string): string[] =>
  args.given.flatMap((each) => (each.name === name ? [each.value] : []));

/** Names of digests that openssl takes as options, by what node:crypto calls them. */
export const DIGESTS: ReadonlyMap<string, { readonly algorithm: string; readonly label: string }> = new Map(
  (
    [
      ['md5', 'md5', 'MD5'],
      ['sha1', 'sha1', 'SHA1'],
      ['sha224', 'sha224', 'SHA2-224'],
      ['sha256', 'sha256', 'SHA2-256'],
      ['sha384', 'sha384', 'SHA2-384'],
      ['sha512', 'sha512', 'SHA2-512'],
      ['sha512-256', 'sha512-256', 'SHA2-512/256'],
      ['sha3-256', 'sha3-256', 'SHA3-256'],
      ['sha3-512', 'sha3-512', 'SHA3-512'],
      ['blake2b512', 'blake2b512', 'BLAKE2B-512'],
      ['blake2s256', 'blake2s256', 'BLAKE2S-256'],
      ['ripemd160', 'ripemd160', 'RIPEMD-160'],
    ] as const
  ).map(([name, algorithm, label]) => [name, { algorithm, label }]),
);

/** The digest among the options, as node:crypto calls it. */
export function digestOf(args: Arguments): string | undefined {
  return args.given.findLast(({ name }) => DIGESTS.has(name))?.name;
}

/** A file's text, or stdin's. `what` stands in openssl's error. */
export async function readInput(proc: Process, path: string | undefined, what: string): Promise<Buffer> {
  if (path === undefined || path === '-') return Buffer.from(await readAll(proc.stdin));
  try {
    return Buffer.from(proc.fs.readFile(path));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const place = 'calling stat(' + path + ')';
    throw new OpensslError(
      `Could not open file or uri for loading ${what} from ${path}\n${fault(proc, '16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme:../crypto/store/store_register.c:237:scheme=file')}${fault(proc, `80000002:system library:file_open:${error.message}:../providers/implementations/storemgmt/file_store.c:268:${place}`)}`,
    );
  }
}

/** A line of OpenSSL's error queue. */
export function fault(proc: Process, text: string): string {
  return `${((0x4000_0000 + proc.pid * 4096) % 2 ** 32).toString(16).toUpperCase().padStart(8, '0')}127F0000:error:${text}\n`;
}

export async function writeOutput(
  proc: Process,
  path: string | undefined,
  data: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  if (path === undefined || path === '-') {
    await proc.stdout.write(data);
    return;
  }
  try {
    const file = proc.fs.open(path, { write: true, create: true, truncate: true }, mode);
    await file.write(data);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new OpensslError(
      `Can't open "${path}" for writing, ${error.message}\n${fault(proc, `80000002:system library:BIO_new_file:${error.message}:../crypto/bio/bss_file.c:67:calling fopen(${path}, w)`)}${fault(proc, '10000080:BIO routines:BIO_new_file:no such file:../crypto/bio/bss_file.c:75:')}`,
    );
  }
}
