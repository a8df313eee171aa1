// passwd(1), chpasswd(8), and how any tool asks a person for a password.
import type { Process, Program } from '../../kernel/index.ts';
import { userByName, userName } from '../frame/accounts.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { findRow, readRows, setPasswordField, shadowField, today } from './account-files.ts';
import { hashPassword, passwordMatches } from './crypt.ts';

const LENGTH_MIN = 8;

/** What is typed without being shown, on stdin or on the terminal; undefined: nobody is there. */
export async function askSecret(
  proc: Process,
  prompt: string,
  from: 'stdin' | 'terminal' = 'stdin',
): Promise<string | undefined> {
  await proc.stderr.write(prompt);
  const tty = from === 'terminal' ? proc.tty : proc.stdin.tty;
  if (tty === undefined) return readLine(proc);
  const before = { ...tty.modes };
  tty.setModes({ echo: false });
  try {
    const terminal = proc.fs.open(tty.path, { read: true, write: true });
    const bytes = await terminal.read();
    return bytes.length === 0
      ? undefined
      : Buffer.from(bytes)
          .toString()
          .replace(/\r?\n$/, '');
  } finally {
    tty.setModes(before);
    await proc.stderr.write('\n');
  }
}

/** One line of stdin, and not a byte more: the next question reads on. */
async function readLine(proc: Process): Promise<string | undefined> {
  const bytes: number[] = [];
  for (;;) {
    const [byte] = await proc.stdin.read(1);
    if (byte === undefined) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString();
    if (byte === 10) return Buffer.from(bytes).toString();
    bytes.push(byte);
  }
}

/** Checks what is typed against a user's password. */
export function isPasswordOf(proc: Process, user: string, password: string): boolean {
  // PAM runs as root, whoever asks.
  const rows = proc.kernel.files.exists('/etc/shadow')
    ? proc.kernel.files
        .readText('/etc/shadow')
        .split('\n')
        .map((line) => line.split(':'))
    : [];
  return passwordMatches(password, findRow(rows, user)?.[1] ?? '!!');
}

/** passwd(1) */
export const passwd: Program = command(
  {
    short: 'deilSukfn:x:w:',
    long: ['delete>d', 'expire>e', 'lock>l', 'unlock>u', 'status>S', 'stdin', 'force>f', 'keep-tokens>k'],
    usage: '[OPTION...] <accountName>',
  },
  async (it) => {
    const { proc, options } = it;
    const uid = proc.credentials.realUid ?? proc.credentials.uid;
    const me = userName(proc, uid);
    const name = it.operands[0] ?? me;
    const isRoot = uid === 0;
    if (userByName(proc, name) === undefined) throw new Failure(`Unknown user name '${name}'.`);
    if (!isRoot && (name !== me || options.has('d', 'l', 'u', 'S', 'stdin')))
      throw new Failure('Only root can do that.');
    if (options.has('l', 'u', 'd', 'S', 'e')) return administer(it, name);
    await it.out.line(`Changing password for user ${name}.`);
    await it.out.flush();
    const password = options.has('stdin') ? await readLine(proc) : await typedTwice(it, name, isRoot);
    if (password === undefined || password === '')
      throw new Failure('Authentication token manipulation error');
    setAsRoot(proc, name, hashPassword(password, proc.random));
    await it.out.line(`${it.name}: all authentication tokens updated successfully.`);
    return 0;
  },
);

/** passwd is setuid: a person may write their own field. */
function setAsRoot(proc: Process, name: string, field: string): void {
  if (proc.credentials.uid === 0) return setPasswordField(proc, name, field);
  const { files } = proc.kernel;
  const rows = files
    .readText('/etc/shadow')
    .split('\n')
    .map((line) => line.split(':'));
  const row = findRow(rows, name);
  if (row === undefined) return;
  row[1] = field;
  row[2] = today(proc);
  files.writeFile('/etc/shadow', rows.map((one) => one.join(':')).join('\n'));
}

async function typedTwice(it: Invocation, name: string, isRoot: boolean): Promise<string | undefined> {
  const { proc } = it;
  if (!isRoot) {
    await it.out.put(`Changing password for ${name}.\n`);
    await it.out.flush();
    const current = await askSecret(proc, 'Current password: ');
    if (current === undefined || !isPasswordOf(proc, name, current))
      throw new Failure('Authentication token manipulation error');
  }
  const first = await askSecret(proc, 'New password: ');
  if (first === undefined || first === '') return undefined;
  const weak = weakness(first, name);
  if (weak !== undefined) {
    await proc.stderr.write(`BAD PASSWORD: ${weak}\n`);
    if (!isRoot) return undefined;
  }
  const second = await askSecret(proc, 'Retype new password: ');
  if (second === first) return first;
  await proc.stderr.write('Sorry, passwords do not match.\n');
  return undefined;
}

/** pam_pwquality's first complaints. */
function weakness(password: string, user: string): string | undefined {
  if (password.length < LENGTH_MIN) return `The password is shorter than ${LENGTH_MIN} characters`;
  if (password.toLowerCase().includes(user.toLowerCase()))
    return 'The password contains the user name in some form';
  return undefined;
}

async function administer(it: Invocation, name: string): Promise<number> {
  const { proc, options } = it;
  const field = shadowField(proc, name) ?? '!!';
  if (options.has('S')) {
    const row = findRow(readRows(proc, 'shadow'), name);
    const [state, words] =
      field === ''
        ? ['NP', 'Empty password.']
        : field.startsWith('!')
          ? ['LK', field.length > 2 ? 'Alternate authentication scheme in use.' : 'Password locked.']
          : ['PS', 'Password set, SHA512 crypt.'];
    const day = new Date(Number(row?.[2] ?? today(proc)) * 86_400_000).toISOString().slice(0, 10);
    await it.out.line(
      `${name} ${state} ${day} ${row?.[3] ?? 0} ${row?.[4] ?? 99_999} ${row?.[5] ?? 7} -1 (${words})`,
    );
    return 0;
  }
  const [verb, next] = options.has('l')
    ? ['Locking password', field.startsWith('!') ? field : `!!${field}`]
    : options.has('u')
      ? ['Unlocking password', field.replace(/^!+/, '')]
      : options.has('d')
        ? ['Removing password', '']
        : ['Expiring password', field];
  await it.out.line(`${verb} for user ${name}.`);
  if (options.has('u') && next === '') {
    await it.out.line(`${it.name}: Warning: unlocked password would be empty.`);
    throw new Failure('Unsafe operation (use -f to force)');
  }
  setPasswordField(proc, name, next);
  await it.out.line(`${it.name}: Success`);
  return 0;
}

/** chpasswd(8) */
export const chpasswd: Program = command(
  { short: 'ec:mR:s:', long: ['encrypted>e', 'crypt-method:>c', 'md5>m'], usage: '[options]' },
  async (it) => {
    const { proc, options } = it;
    if (proc.credentials.uid !== 0)
      throw new Failure('Permission denied.\nchpasswd: cannot lock /etc/passwd; try again later.');
    const changes: [string, string][] = [];
    const lines = (await proc.stdin.readText()).split('\n').filter((line) => line !== '');
    for (const [index, line] of lines.entries()) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon);
      if (colon < 0) await it.warn(`line ${index + 1}: missing new password`);
      else if (userByName(proc, name) === undefined)
        await it.warn(`line ${index + 1}: user '${name}' does not exist`);
      else changes.push([name, line.slice(colon + 1)]);
    }
    if (it.exitCode !== 0) {
      await it.complain('error detected, changes ignored');
      return it.exitCode;
    }
    for (const [name, password] of changes)
      setPasswordField(proc, name, options.has('e') ? password : hashPassword(password, proc.random));
    return 0;
  },
);
