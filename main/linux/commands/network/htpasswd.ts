// htpasswd(1) of apache2-utils: files of users and password hashes.
import { createHash } from 'node:crypto';
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { bcryptHash, bcryptSalt } from './bcrypt.ts';
import { md5Crypt, shaCrypt, verifyPassword } from './password-hash.ts';

const USAGE = `Usage:
	htpasswd [-cimB25dpsDv] [-C cost] [-r rounds] passwordfile username
	htpasswd -b[cmB25dpsDv] [-C cost] [-r rounds] passwordfile username password

	htpasswd -n[imB25dps] [-C cost] [-r rounds] username
	htpasswd -nb[mB25dps] [-C cost] [-r rounds] username password
 -c  Create a new file.
 -n  Don't update file; display results on stdout.
 -b  Use the password from the command line rather than prompting for it.
 -i  Read password from stdin without verification (for script usage).
 -m  Force MD5 hashing of the password (default).
 -2  Force SHA-256 hashing of the password (secure).
 -5  Force SHA-512 hashing of the password (secure).
 -B  Force bcrypt hashing of the password (very secure).
 -C  Set the computing time used for the bcrypt algorithm
     (higher is more secure but slower, default: 5, valid: 4 to 17).
 -r  Set the number of rounds used for the SHA-256, SHA-512 algorithms
     (higher is more secure but slower, default: 5000).
 -d  Force CRYPT hashing of the password (8 chars max, insecure).
 -s  Force SHA-1 hashing of the password (insecure).
 -p  Do not hash the password (plaintext, insecure).
 -D  Delete the specified user.
 -v  Verify password for the specified user.
On other systems than Windows and NetWare the '-p' flag will probably not work.
The SHA-1 algorithm does not use a salt and is less secure than the MD5 algorithm.
`;
const SALT_ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

interface Flags {
  readonly letters: string;
  readonly cost: number;
  readonly rounds: number | undefined;
  readonly operands: readonly string[];
}

function readFlags(args: readonly string[]): Flags | undefined {
  let letters = '';
  let cost = 5;
  let rounds: number | undefined;
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    for (let k = 1; k < word.length; k++) {
      const letter = word[k]!;
      if (letter === 'C' || letter === 'r') {
        const value = word.slice(k + 1) || args[++at];
        if (value === undefined || !/^\d+$/.test(value)) return undefined;
        if (letter === 'C') cost = Number(value);
        else rounds = Number(value);
        break;
      }
      if (!'cnbimB25dpsDv'.includes(letter)) return undefined;
      letters += letter;
    }
  }
  return { letters, cost, rounds, operands };
}

/** htpasswd(1) */
export const htpasswd: Program = async (proc) => {
  const flags = readFlags(proc.argv.slice(1));
  const fail = async (text: string, status: number): Promise<number> => {
    await proc.stderr.write(text);
    return status;
  };
  if (flags === undefined) return fail(USAGE, 2);
  const on = (letter: string): boolean => flags.letters.includes(letter);
  const wanted = (on('n') ? 1 : 2) + (on('b') && !on('D') ? 1 : 0);
  if (flags.operands.length !== wanted) return fail(USAGE, 2);
  const file = on('n') ? undefined : flags.operands[0]!;
  const user = flags.operands[on('n') ? 0 : 1]!;
  if (user.includes(':')) return fail("htpasswd: username contains illegal character ':'\n", 6);
  if (file !== undefined && !on('c') && !proc.fs.exists(file))
    return fail(`htpasswd: cannot ${on('v') ? 'open' : 'modify'} file ${file}; use '-c' to create it\n`, 1);
  const lines =
    file === undefined || on('c') || !proc.fs.exists(file)
      ? []
      : proc.fs.readText(file).replace(/\n$/, '').split('\n');
  const at = lines.findIndex((line) => line.startsWith(`${user}:`));
  if (on('D')) {
    if (at < 0) return fail(`User ${user} not found\n`, 0);
    lines.splice(at, 1);
    return save(proc, file!, lines, `Deleting password for user ${user}\n`);
  }
  const password = await passwordOf(
    proc,
    on('b') ? flags.operands.at(-1) : undefined,
    on('i') || on('v'),
    on('v'),
  );
  if (password === undefined) return fail('htpasswd: password verification error\n', 3);
  if (on('v')) {
    if (at < 0) return fail(`User ${user} not found\n`, 6);
    const holds = verifyPassword(password, lines[at]!.slice(user.length + 1));
    return fail(
      holds ? `Password for user ${user} correct.\n` : 'password verification failed\n',
      holds ? 0 : 3,
    );
  }
  const hash = hashOf(proc, password, flags);
  if (hash === undefined) return fail("htpasswd: drydock: CRYPT hashing isn't simulated\n", 1);
  if (file === undefined) {
    await proc.stdout.write(`${user}:${hash}\n\n`);
    return 0;
  }
  const line = `${user}:${hash}`;
  if (at >= 0) lines[at] = line;
  else lines.push(line);
  return save(
    proc,
    file,
    lines.filter((each) => each !== ''),
    `${at >= 0 ? 'Updating' : 'Adding'} password for user ${user}\n`,
  );
};

async function save(proc: Process, file: string, lines: readonly string[], said: string): Promise<number> {
  try {
    proc.fs.writeFile(file, lines.map((line) => `${line}\n`).join(''));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stderr.write(`htpasswd: cannot create file ${file}\n`);
    return 1;
  }
  await proc.stderr.write(said);
  return 0;
}

/** The password of the command line, of stdin, or typed twice. */
async function passwordOf(
  proc: Process,
  given: string | undefined,
  isOnce: boolean,
  isOld: boolean,
): Promise<string | undefined> {
  if (given !== undefined) return given;
  const ask = async (text: string): Promise<string> => {
    if (proc.stdin.tty !== undefined) await proc.stderr.write(text);
    let line = '';
    for (;;) {
      const bytes = await proc.stdin.read(1);
      if (bytes.length === 0 || bytes[0] === 10) break;
      line += Buffer.from(bytes).toString('latin1');
    }
    if (proc.stdin.tty !== undefined) await proc.stderr.write('\n');
    return line;
  };
  const first = await ask(isOld ? 'Enter password: ' : 'New password: ');
  if (isOnce) return first;
  return (await ask('Re-type new password: ')) === first ? first : undefined;
}

function hashOf(proc: Process, password: string, { letters, cost, rounds }: Flags): string | undefined {
  const kind = letters.replaceAll(/[^mB25dps]/g, '').at(-1) ?? 'm';
  const salt = (size: number): string => proc.random.string(size, SALT_ALPHABET);
  const prefix = rounds === undefined ? '' : `rounds=${rounds}$`;
  switch (kind) {
    case 'B':
      return bcryptHash(
        password,
        `$2y$${String(cost).padStart(2, '0')}$${bcryptSalt(proc.random.bytes(16))}`,
      );
    case '2':
      return shaCrypt(password, prefix + salt(16), 5);
    case '5':
      return shaCrypt(password, prefix + salt(16), 6);
    case 's':
      return `{SHA}${createHash('sha1').update(password).digest('base64')}`;
    case 'p':
      return password;
    case 'd':
      return undefined;
    default:
      return md5Crypt(password, salt(8), 'apr1');
  }
}
