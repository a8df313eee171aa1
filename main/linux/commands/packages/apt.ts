// apt-get(8), apt(8), apt-cache(8) and dpkg(1) of Debian's family, on the virtual repository.
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { installPackage, isInstalled, removePackage } from './installed.ts';
import { findNamed, listNamed, type NamedPackage } from './names.ts';
import { downloadBytes, type CommandPackage } from './package.ts';
import { reach } from './repositories.ts';

const LISTS = '/var/lib/apt/lists';
const ARCHIVE_RATE = 4_000_000;
const SETUP_MS = 100;
/** Files that dpkg's database counts before anything is added. */
const DATABASE_FILES = 6088;
const LOCK = '/var/lib/dpkg/lock-frontend';
const LISTS_LOCK = '/var/lib/apt/lists/lock';

interface Source {
  readonly url: string;
  readonly suite: string;
  readonly components: string;
}

/** `deb` lines and deb822 files; Debian's own mirror where there are none. */
function sources({ fs }: Process): Source[] {
  const files = ['/etc/apt/sources.list', ...listed(fs, '/etc/apt/sources.list.d')].filter((path) =>
    fs.exists(path),
  );
  const found = files.flatMap((path) => parseSources(fs.readText(path)));
  if (files.length > 0) return found;
  const release = fs.exists('/etc/os-release') ? fs.readText('/etc/os-release') : '';
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(release)?.[1] ?? 'bookworm';
  if (/^ID=ubuntu/m.test(release))
    return [
      { url: 'http://archive.ubuntu.com/ubuntu', suite: codename, components: 'main' },
      { url: 'http://archive.ubuntu.com/ubuntu', suite: `${codename}-updates`, components: 'main' },
      { url: 'http://security.ubuntu.com/ubuntu', suite: `${codename}-security`, components: 'main' },
    ];
  return [
    { url: 'http://deb.debian.org/debian', suite: codename, components: 'main' },
    { url: 'http://deb.debian.org/debian', suite: `${codename}-updates`, components: 'main' },
    { url: 'http://deb.debian.org/debian-security', suite: `${codename}-security`, components: 'main' },
  ];
}

function listed(fs: Process['fs'], folder: string): string[] {
  return fs.exists(folder) ? fs.readdir(folder).map(({ name }) => `${folder}/${name}`) : [];
}

function parseSources(text: string): Source[] {
  const lines = text
    .split('\n')
    .map((line) => /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(line.trim()))
    .filter((match) => match !== null)
    .map(([, url = '', suite = '', components = '']) => ({
      url: url.replace(/\/$/, ''),
      suite,
      components: components.split(/\s+/)[0] ?? '',
    }));
  const blocks = text.split(/\n\s*\n/).flatMap((block) => {
    const field = (name: string): string[] =>
      (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(block)?.[1] ?? '')
        .split(/\s+/)
        .filter((word) => word !== '');
    return field('URIs').flatMap((url) =>
      field('Suites').map((suite) => ({
        url: url.replace(/\/$/, ''),
        suite,
        components: field('Components')[0] ?? '',
      })),
    );
  });
  return [...lines, ...blocks];
}

function kilobytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  const units: readonly (readonly [string, number])[] = [
    ['MB', 1_000_000],
    ['kB', 1000],
  ];
  const [unit, size] = bytes >= 10_000_000 ? units[0]! : units[1]!;
  const value = bytes / size;
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** curl's words become apt's. */
function aptFailure(why: string, url: string): string {
  const host = /^https?:\/\/([^/:]+)/.exec(url)?.[1] ?? url;
  if (why.includes('(6)')) return `Temporary failure resolving '${host}'`;
  if (why.includes('(28)')) return `Could not connect to ${host}:80, connection timed out`;
  return `Could not connect to ${host}:80 - connect (111: Connection refused)`;
}

/** apt-get(8) and apt(8). */
export function makeApt(repository: () => readonly CommandPackage[]): Program {
  return command(
    {
      short: 'yqdfsmut:o:c:V',
      long: [
        'yes>y',
        'assume-yes>y',
        'quiet::>q',
        'no-install-recommends',
        'no-install-suggests',
        'fix-broken>f',
        'fix-missing>m',
        'download-only>d',
        'simulate>s',
        'dry-run>s',
        'purge',
        'auto-remove',
        'allow-unauthenticated',
        'installed',
        'upgradable',
        'option:>o',
        'reinstall',
        'no-upgrade',
      ],
      usage: 'command',
      versionText: 'apt 2.6.1 (amd64)\n',
      usageExit: 100,
      hint: () => '',
    },
    async (it) => new Apt(it, repository()).run(),
  );
}

class Apt {
  private readonly it: Invocation;
  private readonly proc: Process;
  private readonly repository: readonly CommandPackage[];
  constructor(it: Invocation, repository: readonly CommandPackage[]) {
    this.it = it;
    this.proc = it.proc;
    this.repository = repository;
  }

  private get isApt(): boolean {
    return this.it.name.endsWith('apt');
  }

  async run(): Promise<number> {
    const [verb = '', ...names] = this.it.operands;
    if (this.isApt && this.proc.stdout.tty === undefined)
      await this.proc.stderr.write(
        '\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n',
      );
    switch (verb) {
      case 'update':
        return this.update();
      case 'install':
      case 'reinstall':
        return this.install(names);
      case 'remove':
      case 'purge':
      case 'autoremove':
      case 'autopurge':
        return this.remove(verb, names);
      case 'upgrade':
      case 'dist-upgrade':
      case 'full-upgrade':
        return this.upgrade();
      case 'clean':
      case 'autoclean':
        return 0;
      case 'list':
        return this.list(names);
      case 'search':
      case 'show':
      case 'policy':
        return queryCache(this.it, this.repository, verb, names);
      case '':
        await this.it.out.put(`apt 2.6.1 (amd64)\nUsage: ${this.it.name} [options] command\n`);
        return this.isApt ? 0 : 1;
      default:
        await this.error(`Invalid operation ${verb}`);
        return 100;
    }
  }

  private async error(text: string): Promise<void> {
    await this.it.out.flush();
    await this.proc.stderr.write(`E: ${text}\n`);
  }

  /** False with apt's complaint for everybody but root. */
  private async mayLock(path: string): Promise<boolean> {
    if (this.proc.credentials.uid === 0) return true;
    await this.error(`Could not open lock file ${path} - open (13: Permission denied)`);
    await this.error(
      path === LISTS_LOCK
        ? 'Unable to lock directory /var/lib/apt/lists/'
        : `Unable to acquire the dpkg frontend lock (${path}), are you root?`,
    );
    return false;
  }

  private async update(): Promise<number> {
    const { proc, it } = this;
    if (!(await this.mayLock(LISTS_LOCK))) return 100;
    const failures: string[] = [];
    let [number, bytes] = [0, 0];
    const from = proc.clock.now();
    for (const { url, suite, components } of sources(proc)) {
      const why = await reach(proc, `${url}/dists/${suite}/InRelease`);
      number++;
      if (why !== undefined) {
        const text = aptFailure(why, url);
        await it.out.put(`Err:${number} ${url} ${suite} InRelease\n  ${text}\n`);
        failures.push(`W: Failed to fetch ${url}/dists/${suite}/InRelease  ${text}\n`);
        continue;
      }
      const [release, list] = [151_000, 900_000];
      await it.out.put(`Get:${number} ${url} ${suite} InRelease [${kilobytes(release)}]\n`);
      await it.out.flush();
      await proc.sleep((1000 * (release + list)) / ARCHIVE_RATE);
      number++;
      await it.out.put(`Get:${number} ${url} ${suite}/${components} amd64 Packages [${kilobytes(list)}]\n`);
      bytes += release + list;
      proc.fs.mkdir(LISTS, { recursive: true });
      const name = `${url.replace(/^\w+:\/\//, '').replaceAll('/', '_')}_dists_${suite}_InRelease`;
      proc.fs.writeFile(`${LISTS}/${name}`, `Suite: ${suite}\n`);
    }
    const seconds = Math.max(0, Math.round((proc.clock.now() - from) / 1000));
    if (bytes > 0)
      await it.out.put(
        `Fetched ${kilobytes(bytes)} in ${seconds}s (${kilobytes(Math.round(bytes / Math.max(1, seconds)))}/s)\n`,
      );
    await it.out.put('Reading package lists... Done\n');
    if (this.isApt)
      await it.out.put(
        'Building dependency tree... Done\nReading state information... Done\nAll packages are up to date.\n',
      );
    if (failures.length === 0) return 0;
    await it.out.flush();
    await proc.stderr.write(
      `${failures.join('')}W: Some index files failed to download. They have been ignored, or old ones used instead.\n`,
    );
    return 0;
  }

  /** Nothing is known of packages before the first update, as in images. */
  private get isUpdated(): boolean {
    const { fs } = this.proc;
    return fs.exists(LISTS) && fs.readdir(LISTS).length > 0;
  }

  private find(name: string): NamedPackage | undefined {
    const plain = name.replace(/=.*$|:amd64$/g, '').replace(/\/.*$/, '');
    const found = findNamed(this.repository, 'debian', plain);
    if (found === undefined) return undefined;
    return this.isUpdated || isInstalled(this.proc, found.pack) ? found : undefined;
  }

  private async readState(): Promise<void> {
    await this.it.out.put(
      'Reading package lists... Done\nBuilding dependency tree... Done\nReading state information... Done\n',
    );
  }

  private async install(names: readonly string[]): Promise<number> {
    const { it, proc } = this;
    if (!(await this.mayLock(LOCK))) return 100;
    await this.readState();
    const chosen: NamedPackage[] = [];
    for (const name of names) {
      const found = this.find(name);
      if (found === undefined) {
        await this.error(`Unable to locate package ${name}`);
        return 100;
      }
      if (isInstalled(proc, found.pack))
        await it.out.line(`${found.name} is already the newest version (${found.version}).`);
      else if (!chosen.includes(found)) {
        if (found.name !== name && !name.includes('='))
          await it.out.line(`Note, selecting '${found.name}' instead of '${name}'`);
        chosen.push(found);
      }
    }
    const needed = chosen.flatMap(({ pack }) =>
      (pack.requires ?? [])
        .map((name) => findNamed(this.repository, 'debian', name))
        .filter(
          (one) =>
            one !== undefined &&
            !isInstalled(proc, one.pack) &&
            !chosen.some(({ name }) => name === one.name),
        ),
    ) as NamedPackage[];
    const all = [...needed, ...chosen].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (all.length > 0) {
      if (needed.length > 0)
        await it.out.put(
          `The following additional packages will be installed:\n  ${needed.map(({ name }) => name).join(' ')}\n`,
        );
      await it.out.put(
        `The following NEW packages will be installed:\n  ${all.map(({ name }) => name).join(' ')}\n`,
      );
    }
    await it.out.line(`0 upgraded, ${all.length} newly installed, 0 to remove and 0 not upgraded.`);
    if (all.length === 0) return 0;
    const bytes = all.reduce((sum, { pack }) => sum + downloadBytes(pack), 0);
    const space = all.reduce((sum, { pack }) => sum + pack.sizeBytes, 0);
    await it.out.put(
      `Need to get ${kilobytes(bytes)} of archives.\nAfter this operation, ${kilobytes(space)} of additional disk space will be used.\n`,
    );
    if (it.options.has('s')) return 0;
    if (needed.length > 0 && !(await this.agreed())) return 1;
    if (!(await this.download(all, bytes))) return 100;
    await this.unpack(all, chosen);
    return 0;
  }

  private async agreed(): Promise<boolean> {
    if (this.it.options.has('y')) return true;
    await this.it.out.put('Do you want to continue? [Y/n] ');
    await this.it.out.flush();
    const answer = Buffer.from(await this.proc.stdin.read(64))
      .toString()
      .trim();
    if (answer !== '' ? /^y/i.test(answer) : this.proc.stdin.tty !== undefined) return true;
    await this.it.out.line('Abort.');
    return false;
  }

  private async download(all: readonly NamedPackage[], bytes: number): Promise<boolean> {
    const { it, proc } = this;
    const [source] = sources(proc);
    const url = source?.url ?? '';
    const from = proc.clock.now();
    for (const [index, { name, version, pack }] of all.entries()) {
      const label = `${index + 1} ${url} ${source?.suite}/${source?.components} amd64 ${name} amd64 ${version}`;
      const why = await reach(proc, `${url}/pool/`);
      if (why !== undefined) {
        const text = aptFailure(why, url);
        await it.out.put(`Err:${label}\n  ${text}\n`);
        const file = `${url}/pool/main/${name[0]}/${name}/${name}_${version}_amd64.deb`;
        await this.error(`Failed to fetch ${file}  ${text}`);
        await this.error(
          'Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?',
        );
        return false;
      }
      await it.out.put(`Get:${label} [${kilobytes(downloadBytes(pack))}]\n`);
      await it.out.flush();
      await proc.sleep((1000 * downloadBytes(pack)) / ARCHIVE_RATE);
    }
    const seconds = Math.round((proc.clock.now() - from) / 1000);
    await it.out.line(
      `Fetched ${kilobytes(bytes)} in ${seconds}s (${kilobytes(Math.round(bytes / Math.max(1, seconds)))}/s)`,
    );
    if (proc.stdin.tty === undefined || proc.env.get('TERM') === undefined)
      await proc.stderr.write('debconf: delaying package configuration, since apt-utils is not installed\n');
    return true;
  }

  private async unpack(all: readonly NamedPackage[], chosen: readonly NamedPackage[]): Promise<void> {
    const { it, proc } = this;
    for (const [index, { name, version }] of all.entries()) {
      await it.out.line(`Selecting previously unselected package ${name}.`);
      if (index === 0)
        await it.out.line(
          `(Reading database ... ${DATABASE_FILES} files and directories currently installed.)`,
        );
      const file =
        all.length === 1 ? `${name}_${version}_amd64.deb` : `${index}-${name}_${version}_amd64.deb`;
      await it.out.put(`Preparing to unpack .../${file} ...\nUnpacking ${name} (${version}) ...\n`);
      await it.out.flush();
      await proc.sleep(SETUP_MS);
    }
    for (const one of all) {
      installPackage(proc, one.pack, { repository: 'apt', asked: chosen.includes(one) });
      await it.out.line(`Setting up ${one.name} (${one.version}) ...`);
    }
  }

  private async remove(verb: string, names: readonly string[]): Promise<number> {
    const { it, proc } = this;
    if (!(await this.mayLock(LOCK))) return 100;
    await this.readState();
    const chosen: NamedPackage[] = [];
    for (const name of names) {
      const found = findNamed(this.repository, 'debian', name);
      if (found === undefined || (!this.isUpdated && !isInstalled(proc, found.pack))) {
        await this.error(`Unable to locate package ${name}`);
        return 100;
      }
      if (isInstalled(proc, found.pack)) chosen.push(found);
      else await it.out.line(`Package '${found.name}' is not installed, so not removed`);
    }
    const mark = verb === 'purge' || verb === 'autopurge' || it.options.has('purge') ? '*' : '';
    if (chosen.length > 0)
      await it.out.put(
        `The following packages will be REMOVED:\n  ${chosen.map(({ name }) => name + mark).join(' ')}\n`,
      );
    await it.out.line(`0 upgraded, 0 newly installed, ${chosen.length} to remove and 0 not upgraded.`);
    if (chosen.length === 0) return 0;
    const freed = chosen.reduce((sum, { pack }) => sum + pack.sizeBytes, 0);
    await it.out.line(`After this operation, ${kilobytes(freed)} disk space will be freed.`);
    if (!(await this.agreed())) return 1;
    await it.out.line(`(Reading database ... ${DATABASE_FILES} files and directories currently installed.)`);
    for (const { name, version, pack } of chosen) {
      removePackage(proc, pack);
      await it.out.line(`Removing ${name} (${version}) ...`);
    }
    return 0;
  }

  private async upgrade(): Promise<number> {
    if (!(await this.mayLock(LOCK))) return 100;
    await this.readState();
    await this.it.out.put(
      'Calculating upgrade... Done\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n',
    );
    return 0;
  }

  private async list(names: readonly string[]): Promise<number> {
    const { it, proc } = this;
    await it.out.line('Listing... Done');
    if (it.options.has('upgradable')) return 0;
    for (const { name, version, pack } of listNamed(this.repository, 'debian')) {
      const installed = isInstalled(proc, pack);
      if (!installed && (it.options.has('installed') || !this.isUpdated)) continue;
      if (names.length > 0 && !names.some((one) => new RegExp(`^${one.replaceAll('*', '.*')}$`).test(name)))
        continue;
      await it.out.line(
        `${name}/stable${installed ? ',now' : ''} ${version} amd64${installed ? ' [installed]' : ''}`,
      );
    }
    return 0;
  }
}

/** apt-cache(8) */
export function makeAptCache(repository: () => readonly CommandPackage[]): Program {
  return command(
    { short: 'qo:c:n', long: ['names-only>n'], usage: 'command', usageExit: 100, hint: () => '' },
    async (it) => {
      const [verb = '', ...names] = it.operands;
      return queryCache(it, repository(), verb, names);
    },
  );
}

async function queryCache(
  it: Invocation,
  repository: readonly CommandPackage[],
  verb: string,
  names: readonly string[],
): Promise<number> {
  const { proc } = it;
  const updated = proc.fs.exists(LISTS) && proc.fs.readdir(LISTS).length > 0;
  const known = listNamed(repository, 'debian').filter(({ pack }) => updated || isInstalled(proc, pack));
  if (verb === 'search') {
    const hits = known.filter(({ name, pack }) =>
      names.every((word) => `${name} ${pack.summary}`.toLowerCase().includes(word.toLowerCase())),
    );
    for (const { name, pack } of hits) await it.out.line(`${name} - ${pack.summary}`);
    return 0;
  }
  for (const name of names) {
    const found = known.find((one) => findNamed([one.pack], 'debian', name) !== undefined);
    if (found === undefined) {
      await it.out.flush();
      if (verb === 'policy') await it.out.line(`N: Unable to locate package ${name}`);
      else
        await proc.stderr.write(
          `${verb === 'show' ? 'N' : 'E'}: Unable to locate package ${name}\nE: No packages found\n`,
        );
      if (verb !== 'policy') return 100;
      continue;
    }
    const installed = isInstalled(proc, found.pack);
    if (verb === 'policy')
      await it.out.put(
        `${found.name}:\n  Installed: ${installed ? found.version : '(none)'}\n  Candidate: ${found.version}\n  Version table:\n ${installed ? '***' : '   '} ${found.version} 500\n`,
      );
    else
      await it.out.put(
        `Package: ${found.name}\nVersion: ${found.version}\nPriority: optional\nInstalled-Size: ${Math.ceil(found.pack.sizeBytes / 1024)}\nArchitecture: amd64\nDescription: ${found.pack.summary}\n\n`,
      );
  }
  return 0;
}

/** dpkg(1): -l, -L, -S, -s, -i refused. */
export function makeDpkg(repository: () => readonly CommandPackage[]): Program {
  return command(
    {
      short: 'lLSsiIrPC',
      long: [
        'list>l',
        'listfiles>L',
        'search>S',
        'status>s',
        'install>i',
        'remove>r',
        'purge>P',
        'print-architecture',
        'get-selections',
        'configure',
        'audit>C',
      ],
      usage: '[<option> ...] <command>',
      usageExit: 2,
      versionText: "Debian 'dpkg' package management program version 1.21.22 (amd64).\n",
    },
    async (it) => {
      const { options, proc, operands } = it;
      const packs = listNamed(repository(), 'debian').filter(({ pack }) => isInstalled(proc, pack));
      const find = (name: string): NamedPackage | undefined =>
        packs.find((one) => findNamed([one.pack], 'debian', name) !== undefined);
      if (options.has('print-architecture')) return void (await it.out.line('amd64'));
      if (options.has('get-selections')) {
        for (const { name } of packs) await it.out.line(`${name}\t\t\t\t\tinstall`);
        return;
      }
      if (options.has('l')) return dpkgList(it, packs);
      if (options.has('S')) {
        for (const path of operands) {
          const owner = packs.find(({ pack }) =>
            [...pack.programs.keys()].some((one) =>
              path.startsWith('/') ? one === path : one.includes(path),
            ),
          );
          if (owner === undefined) {
            await it.out.flush();
            await proc.stderr.write(`dpkg-query: no path found matching pattern ${path}\n`);
            it.exitCode = 1;
          } else
            await it.out.line(
              `${owner.name}: ${[...owner.pack.programs.keys()].find((one) => (path.startsWith('/') ? one === path : one.includes(path)))}`,
            );
        }
        return it.exitCode;
      }
      if (options.has('L', 's')) {
        for (const name of operands) {
          const found = find(name);
          if (found === undefined) {
            await it.out.flush();
            await proc.stderr.write(
              `dpkg-query: package '${name}' is not installed${options.has('s') ? ' and no information is available' : ''}\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n`,
            );
            it.exitCode = 1;
          } else if (options.has('L'))
            for (const path of ['/.', '/usr', '/usr/bin', ...found.pack.programs.keys()])
              await it.out.line(path);
          else
            await it.out.put(
              `Package: ${found.name}\nStatus: install ok installed\nPriority: optional\nInstalled-Size: ${Math.ceil(found.pack.sizeBytes / 1024)}\nArchitecture: amd64\nVersion: ${found.version}\nDescription: ${found.pack.summary}\n`,
            );
        }
        return it.exitCode;
      }
      if (options.has('i')) throw new Failure("drydock: package files aren't simulated");
      if (options.has('configure', 'C')) return 0;
      if (options.has('r', 'P')) {
        for (const name of operands) {
          const found = find(name);
          if (found === undefined)
            await proc.stderr.write(
              `dpkg: warning: ignoring request to remove ${name} which isn't installed\n`,
            );
          else {
            removePackage(proc, found.pack);
            await it.out.line(`Removing ${found.name} (${found.version}) ...`);
          }
        }
        return 0;
      }
      await proc.stderr.write(
        "dpkg: error: need an action option\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\n",
      );
      return 2;
    },
  );
}

async function dpkgList(it: Invocation, packs: readonly NamedPackage[]): Promise<number> {
  const { operands } = it;
  const shown = packs.filter(
    ({ name }) =>
      operands.length === 0 ||
      operands.some((one) => new RegExp(`^${one.replaceAll('*', '.*')}$`).test(name)),
  );
  if (shown.length === 0) {
    for (const name of operands)
      await it.proc.stderr.write(`dpkg-query: no packages found matching ${name}\n`);
    return 1;
  }
  const width = (value: (one: NamedPackage) => string, least: number): number =>
    Math.max(least, ...shown.map((one) => value(one).length));
  const [names, versions, summaries] = [
    width((one) => one.name, 14),
    width((one) => one.version, 12),
    width((one) => one.pack.summary, 33),
  ];
  await it.out.put(
    `Desired=Unknown/Install/Remove/Purge/Hold\n| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n||/ ${'Name'.padEnd(names)} ${'Version'.padEnd(versions)} Architecture Description\n+++-${'='.repeat(names)}-${'='.repeat(versions)}-============-${'='.repeat(summaries)}\n`,
  );
  for (const { name, version, pack } of shown)
    await it.out.line(`ii  ${name.padEnd(names)} ${version.padEnd(versions)} amd64        ${pack.summary}`);
  return 0;
}
