// apk(8) of Alpine, on the virtual repository.
import type { Process, Program } from '../../kernel/index.ts';
import { command, type Invocation } from '../frame/command.ts';
import { installPackage, isInstalled, removePackage } from './installed.ts';
import { findNamed, listNamed, type NamedPackage } from './names.ts';
import { downloadBytes, type CommandPackage } from './package.ts';
import { reach } from './repositories.ts';

const INDEX = '/var/cache/apk/APKINDEX';
const RATE = 4_000_000;
const MIB_BYTES = 1024 ** 2;
/** Packages and bytes of the bare image. */
const BASE = { packages: 14, bytes: 7 * MIB_BYTES };

function repositories({ fs }: Process): string[] {
  if (fs.exists('/etc/apk/repositories'))
    return fs
      .readText('/etc/apk/repositories')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
  const release = fs.exists('/etc/alpine-release') ? fs.readText('/etc/alpine-release').trim() : '3.20.0';
  const branch = `v${release.split('.').slice(0, 2).join('.')}`;
  return ['main', 'community'].map((part) => `https://dl-cdn.alpinelinux.org/alpine/${branch}/${part}`);
}

/** apk(8): add, del, update, info, search, list, upgrade. */
export function makeApk(repository: () => readonly CommandPackage[]): Program {
  return command(
    {
      short: 'UqvXt:aeLWdi',
      long: [
        'no-cache',
        'update-cache>U',
        'quiet>q',
        'virtual:>t',
        'repository:',
        'installed>i',
        'all>a',
        'contents>L',
        'who-owns>W',
        'description>d',
        'exists>e',
        'allow-untrusted',
        'force',
      ],
      usage: '[OPTIONS] COMMAND',
      versionText: 'apk-tools 2.14.4, compiled for x86_64.\n',
      hint: () => '',
    },
    async (it) => {
      const [verb = '', ...names] = it.operands;
      switch (verb) {
        case 'add':
          return add(it, repository(), names);
        case 'del':
          return del(it, repository(), names);
        case 'update':
          return (await fetchIndexes(it, true)) ? 0 : 1;
        case 'upgrade':
          await fetchIndexes(it, false);
          await it.out.line(summary(it.proc, repository()));
          return 0;
        case 'info':
          return info(it, repository(), names);
        case 'search':
        case 'list':
          return list(it, repository(), verb, names);
        case 'fix':
        case 'cache':
          return 0;
        default:
          await it.proc.stderr.write(
            verb === ''
              ? 'apk-tools 2.14.4, compiled for x86_64.\n\nusage: apk [<OPTIONS>...] COMMAND [<ARGUMENTS>...]\n'
              : `ERROR: '${verb}' is not an apk command. See 'apk --help'.\n`,
          );
          return 1;
      }
    },
  );
}

/** Whether all of the repositories could be asked. */
async function fetchIndexes(it: Invocation, always: boolean): Promise<boolean> {
  const { proc, options } = it;
  const cached = proc.fs.exists(INDEX) && !options.has('no-cache', 'U');
  if (cached && !always) return true;
  let good = true;
  for (const url of repositories(proc)) {
    await it.out.line(`fetch ${url}/x86_64/APKINDEX.tar.gz`);
    // TLS of mirrors isn't simulated: the plain port is asked.
    const why = await reach(proc, url.replace(/^https:/, 'http:'));
    if (why === undefined) continue;
    good = false;
    await it.out.flush();
    const reason = why.includes('(6)')
      ? 'temporary error (try again later)'
      : why.includes('(28)')
        ? 'operation timed out'
        : 'connection refused';
    await proc.stderr.write(`WARNING: Ignoring ${url}: ${reason}\n`);
  }
  if (good && !options.has('no-cache')) {
    proc.fs.mkdir('/var/cache/apk', { recursive: true });
    proc.fs.writeFile(INDEX, `${repositories(proc).join('\n')}\n`);
  }
  if (always && good)
    await it.out.put(`OK: ${listNamed([], 'alpine').length + 25_000} distinct packages available\n`);
  return good;
}

function summary(proc: Process, repository: readonly CommandPackage[]): string {
  const packs = repository.filter((pack) => isInstalled(proc, pack));
  const bytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, BASE.bytes);
  return `OK: ${Math.round(bytes / MIB_BYTES)} MiB in ${BASE.packages + packs.length} packages`;
}

async function add(
  it: Invocation,
  repository: readonly CommandPackage[],
  names: readonly string[],
): Promise<number> {
  const { proc } = it;
  if (proc.credentials.uid !== 0) return refused(it);
  const good = await fetchIndexes(it, false);
  const chosen: NamedPackage[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const found = findNamed(repository, 'alpine', name.replace(/[=<>~@].*$/, ''));
    if (found === undefined || (!good && !isInstalled(proc, found.pack))) missing.push(name);
    else if (!isInstalled(proc, found.pack) && !chosen.includes(found)) chosen.push(found);
  }
  if (missing.length > 0) {
    await it.out.flush();
    await proc.stderr.write(
      `ERROR: unable to select packages:\n${missing.map((name) => `  ${name} (no such package):\n    required by: world[${name}]\n`).join('')}`,
    );
    return missing.length;
  }
  for (const [index, { name, version, pack }] of chosen.entries()) {
    await it.out.line(`(${index + 1}/${chosen.length}) Installing ${name} (${version})`);
    await it.out.flush();
    await proc.sleep((1000 * downloadBytes(pack)) / RATE);
    installPackage(proc, pack, { repository: 'apk', asked: true });
  }
  if (chosen.length > 0) await it.out.line('Executing busybox-1.36.1-r29.trigger');
  await it.out.line(summary(proc, repository));
  return 0;
}

async function refused(it: Invocation): Promise<number> {
  await it.proc.stderr.write(
    'ERROR: Unable to lock database: Permission denied\nERROR: Failed to open apk database: Permission denied\n',
  );
  return 99;
}

async function del(
  it: Invocation,
  repository: readonly CommandPackage[],
  names: readonly string[],
): Promise<number> {
  const { proc } = it;
  if (proc.credentials.uid !== 0) return refused(it);
  const chosen: NamedPackage[] = [];
  for (const name of names) {
    const found = findNamed(repository, 'alpine', name);
    if (found !== undefined && isInstalled(proc, found.pack)) chosen.push(found);
    else {
      await it.out.flush();
      await proc.stderr.write(
        `World updated, but the following packages are not removed due to:\n  ${name}:\n`,
      );
    }
  }
  for (const [index, { name, version, pack }] of chosen.entries()) {
    removePackage(proc, pack);
    await it.out.line(`(${index + 1}/${chosen.length}) Purging ${name} (${version})`);
  }
  if (chosen.length > 0) await it.out.line('Executing busybox-1.36.1-r29.trigger');
  await it.out.line(summary(proc, repository));
  return 0;
}

async function info(
  it: Invocation,
  repository: readonly CommandPackage[],
  names: readonly string[],
): Promise<number> {
  const { proc, options } = it;
  const installed = listNamed(repository, 'alpine').filter(({ pack }) => isInstalled(proc, pack));
  if (names.length === 0) {
    for (const { name, version } of installed)
      await it.out.line(options.has('v') ? `${name}-${version}` : name);
    return 0;
  }
  for (const name of names) {
    const found = options.has('W')
      ? installed.find(({ pack }) => pack.programs.has(name))
      : installed.find((one) => findNamed([one.pack], 'alpine', name) !== undefined);
    if (found === undefined) {
      it.exitCode = 1;
      if (options.has('W')) await proc.stderr.write(`ERROR: ${name}: Could not find owner package\n`);
    } else if (options.has('W')) await it.out.line(`${name} is owned by ${found.name}-${found.version}`);
    else if (options.has('e')) await it.out.line(found.name);
    else if (options.has('L'))
      await it.out.put(
        `${found.name}-${found.version} contains:\n${[...found.pack.programs.keys()].map((path) => `${path.slice(1)}\n`).join('')}\n`,
      );
    else
      await it.out.put(
        `${found.name}-${found.version} description:\n${found.pack.summary}\n\n${found.name}-${found.version} installed size:\n${Math.ceil(found.pack.sizeBytes / 1024)} KiB\n\n`,
      );
  }
  return it.exitCode;
}

async function list(
  it: Invocation,
  repository: readonly CommandPackage[],
  verb: string,
  names: readonly string[],
): Promise<number> {
  const { proc, options } = it;
  await fetchIndexes(it, false);
  for (const { name, version, pack } of listNamed(repository, 'alpine')) {
    const fits =
      names.length === 0 ||
      names.some(
        (word) =>
          new RegExp(word.replaceAll('*', '.*')).test(name) ||
          (options.has('d') && pack.summary.includes(word)),
      );
    const installed = isInstalled(proc, pack);
    if (!fits || (options.has('i') && !installed)) continue;
    await it.out.line(
      verb === 'search'
        ? `${name}-${version}`
        : `${name}-${version} x86_64 {${name}} (GPL)${installed ? ' [installed]' : ''}`,
    );
  }
  return 0;
}
