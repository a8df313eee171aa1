// yum(8) and dnf: installs from the virtual repository, which really adds the commands; rpm -q.
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { humanSize, padEnd } from '../frame/format.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { parentPart } from '../coreutils/files.ts';
import { storePath, type CommandPackage } from './package.ts';

const ARCHITECTURE = 'x86_64';
/** Bytes per second of the virtual mirror. */
const DOWNLOAD_RATE = 4_000_000;

function isInstalled(proc: Process, pack: CommandPackage): boolean {
  return [...pack.programs.keys()].every((path) => proc.fs.exists(path));
}

function fullName(pack: CommandPackage): string {
  return `${pack.name}-${pack.version}-${pack.release}.${ARCHITECTURE}`;
}

function shortSize(bytes: number): string {
  return humanSize(bytes, 1024).replace(/([KMG])$/, (unit) => ` ${unit === 'K' ? 'k' : unit}`);
}

/** yum(8): install, remove, list, info, search, provides, repolist, makecache, clean, update. */
export function makeYum(repository: () => readonly CommandPackage[]): Program {
  return command(
    {
      short: 'yqvCd:e:R:c:x:',
      long: [
        'assumeyes>y',
        'assumeno',
        'quiet>q',
        'verbose>v',
        'enablerepo:',
        'disablerepo:',
        'nogpgcheck',
        'installroot:',
        'releasever:',
        'best',
        'nobest',
        'skip-broken',
        'allowerasing',
        'setopt:',
        'installed',
        'available',
        'showduplicates',
        'cacheonly>C',
      ],
      usage: '[options] COMMAND',
      hint: () => '',
    },
    async (it) => {
      const [verb, ...names] = it.operands;
      const tool = new Yum(it, repository());
      return tool.run(verb ?? '', names);
    },
  );
}

class Yum {
  private readonly it: Invocation;
  private readonly repository: readonly CommandPackage[];
  constructor(it: Invocation, repository: readonly CommandPackage[]) {
    this.it = it;
    this.repository = repository;
  }

  private get proc(): Process {
    return this.it.proc;
  }

  private get quiet(): boolean {
    return this.it.options.has('q');
  }

  private get width(): number {
    return Math.min(this.proc.stdout.tty?.size.columns ?? 80, 100);
  }

  private bold(text: string): string {
    return this.proc.stdout.tty === undefined ? text : `\u001b[1m${text}\u001b(B\u001b[m`;
  }

  private async say(text: string): Promise<void> {
    if (!this.quiet) await this.it.out.put(text);
  }

  private async metadata(): Promise<void> {
    const bootMs = this.proc.kernel.bootMs;
    const age = Math.floor((this.proc.clock.now() - bootMs) / 1000);
    const shown = `${Math.floor(age / 3600)}:${String(Math.floor(age / 60) % 60).padStart(2, '0')}:${String(age % 60).padStart(2, '0')}`;
    await this.say(
      `Last metadata expiration check: ${shown} ago on ${strftime('%a %b %e %H:%M:%S %Y', bootMs, zoneOf(this.proc))}.\n`,
    );
  }

  async run(verb: string, names: readonly string[]): Promise<number> {
    switch (verb) {
      case 'install':
      case 'localinstall':
      case 'reinstall':
        return this.install(names);
      case 'remove':
      case 'erase':
      case 'autoremove':
        return this.remove(names);
      case 'list':
        return this.list(names);
      case 'info':
        return this.info(names);
      case 'search':
        return this.search(names);
      case 'provides':
      case 'whatprovides':
        return this.provides(names);
      case 'repolist':
        await this.it.out.put(`${'repo id'.padEnd(51)}repo name\n${'baseos'.padEnd(51)}BaseOS\n`);
        return 0;
      case 'makecache':
        await this.metadata();
        await this.it.out.line('Metadata cache created.');
        return 0;
      case 'clean':
        await this.it.out.line('0 files removed');
        return 0;
      case 'update':
      case 'upgrade':
        await this.metadata();
        await this.say('Dependencies resolved.\nNothing to do.\nComplete!\n');
        return 0;
      case 'check-update':
        await this.metadata();
        return 0;
      case '':
        throw new Failure('usage: yum [options] COMMAND');
      default:
        await this.proc.stderr.write(
          `No such command: ${verb}. Please use /usr/bin/yum --help\nIt could be a YUM plugin command, try: "yum install 'dnf-command(${verb})'"\n`,
        );
        return 1;
    }
  }

  private requireRoot(): void {
    if (this.proc.credentials.uid !== 0)
      throw new Plain(
        'Error: This command has to be run with superuser privileges (under the root user on most systems).',
      );
  }

  private find(name: string): CommandPackage | undefined {
    return (
      this.repository.find(
        (pack) => pack.name === name || fullName(pack) === name || `${pack.name}.${ARCHITECTURE}` === name,
      ) ??
      this.repository.find(
        (pack) =>
          pack.programs.has(name) ||
          (name.startsWith('*bin/') &&
            [...pack.programs.keys()].some((path) => path.endsWith(`/${name.slice(5)}`))),
      )
    );
  }

  private async agreed(): Promise<boolean> {
    if (this.it.options.has('y')) return true;
    await this.it.out.put('Is this ok [y/N]: ');
    await this.it.out.flush();
    const answer = this.it.options.has('assumeno')
      ? 'n'
      : Buffer.from(await this.proc.stdin.read(64)).toString();
    if (/^y/i.test(answer.trim())) return true;
    await this.it.out.line('Operation aborted.');
    return false;
  }

  private async install(names: readonly string[]): Promise<number> {
    try {
      this.requireRoot();
    } catch (error) {
      return this.plain(error);
    }
    await this.metadata();
    const chosen: CommandPackage[] = [];
    const missing: string[] = [];
    for (const name of names) {
      const pack = this.find(name);
      if (pack === undefined) {
        missing.push(name);
        await this.it.out.line(`No match for argument: ${this.bold(name)}`);
      } else if (isInstalled(this.proc, pack))
        await this.say(`Package ${fullName(pack)} is already installed.\n`);
      else if (!chosen.includes(pack)) chosen.push(pack);
    }
    if (missing.length > 0) {
      await this.it.out.flush();
      await this.proc.stderr.write(`Error: Unable to find a match: ${missing.join(' ')}\n`);
      return 1;
    }
    await this.say('Dependencies resolved.\n');
    if (chosen.length === 0) {
      await this.say('Nothing to do.\nComplete!\n');
      return 0;
    }
    await this.transaction('Installing', chosen);
    const total = chosen.reduce((sum, pack) => sum + Math.ceil(pack.sizeBytes / 3), 0);
    await this.say(
      `\nTransaction Summary\n${'='.repeat(this.width)}\nInstall  ${chosen.length} Package${chosen.length === 1 ? '' : 's'}\n\nTotal download size: ${shortSize(total)}\nInstalled size: ${shortSize(chosen.reduce((sum, pack) => sum + pack.sizeBytes, 0))}\n`,
    );
    if (!(await this.agreed())) return 1;
    await this.say('Downloading Packages:\n');
    for (const [index, pack] of chosen.entries()) {
      const bytes = Math.ceil(pack.sizeBytes / 3);
      await this.it.out.flush();
      await this.proc.sleep((1000 * bytes) / DOWNLOAD_RATE);
      await this.say(
        `${padEnd(`${chosen.length > 1 ? `(${index + 1}/${chosen.length}): ` : ''}${fullName(pack)}.rpm`, this.width - 35)}${`${shortSize(DOWNLOAD_RATE)}B/s | ${shortSize(bytes)}B`.padStart(22)}     00:00    \n`,
      );
    }
    await this.say(
      'Running transaction check\nTransaction check succeeded.\nRunning transaction test\nTransaction test succeeded.\nRunning transaction\n',
    );
    const step = async (label: string, name: string, n: number, of: number): Promise<void> =>
      this.say(
        `  ${label.padEnd(17)}: ${padEnd(name, this.width - 20 - `${of}/${of} `.length - 1)} ${n}/${of} \n`,
      );
    await step('Preparing', '', 1, 1);
    for (const [index, pack] of chosen.entries()) {
      await this.it.out.flush();
      await this.proc.sleep(150);
      for (const path of pack.programs.keys()) this.link(pack, path);
      await step('Installing', fullName(pack), index + 1, chosen.length);
    }
    for (const [index, pack] of chosen.entries())
      await step('Verifying', fullName(pack), index + 1, chosen.length);
    await this.say(
      `\nInstalled:\n  ${padEnd(chosen.map(fullName).join('   '), this.width - 2)}\n\nComplete!\n`,
    );
    return 0;
  }

  private link(pack: CommandPackage, path: string): void {
    const { fs } = this.proc;
    const source = storePath(pack, path);
    if (fs.exists(path)) return;
    if (!fs.exists(source)) throw new Failure(`drydock: the repository of this machine has no ${pack.name}`);
    fs.mkdir(parentPart(path), { recursive: true });
    fs.symlink(source, path);
  }

  private async transaction(heading: string, packs: readonly CommandPackage[]): Promise<void> {
    const line = '='.repeat(this.width);
    const cells = [0.22, 0.2, 0.28, 0.18].map((share) => Math.floor(this.width * share));
    const row = (values: readonly string[]): string =>
      ` ${values.map((value, index) => (index === 4 ? value.padStart(this.width - 1 - cells.reduce((sum, cell) => sum + cell, 0)) : padEnd(value, cells[index]!))).join('')}\n`;
    await this.say(
      `${line}\n${row(['Package', 'Architecture', 'Version', 'Repository', 'Size'])}${line}\n${heading}:\n`,
    );
    for (const pack of packs)
      await this.say(
        row([
          pack.name,
          ARCHITECTURE,
          `${pack.version}-${pack.release}`,
          'baseos',
          shortSize(Math.ceil(pack.sizeBytes / 3)),
        ]),
      );
  }

  private async remove(names: readonly string[]): Promise<number> {
    try {
      this.requireRoot();
    } catch (error) {
      return this.plain(error);
    }
    const chosen: CommandPackage[] = [];
    for (const name of names) {
      const pack = this.find(name);
      if (pack !== undefined && isInstalled(this.proc, pack)) chosen.push(pack);
      else await this.it.out.line(`No match for argument: ${this.bold(name)}`);
    }
    if (chosen.length === 0) {
      await this.it.out.line('No packages marked for removal.');
      await this.say('Dependencies resolved.\nNothing to do.\nComplete!\n');
      return 0;
    }
    await this.say('Dependencies resolved.\n');
    await this.transaction('Removing', chosen);
    await this.say(
      `\nTransaction Summary\n${'='.repeat(this.width)}\nRemove  ${chosen.length} Package${chosen.length === 1 ? '' : 's'}\n\n`,
    );
    if (!(await this.agreed())) return 1;
    for (const pack of chosen)
      for (const path of pack.programs.keys()) if (this.proc.fs.exists(path)) this.proc.fs.unlink(path);
    await this.say(`Running transaction\n\nRemoved:\n  ${chosen.map(fullName).join('   ')}\n\nComplete!\n`);
    return 0;
  }

  private async list(args: readonly string[]): Promise<number> {
    const wanted = args.filter((arg) => !['installed', 'available', 'all'].includes(arg));
    const only =
      args.find((arg) => arg === 'installed' || arg === 'available') ??
      (this.it.options.has('installed')
        ? 'installed'
        : this.it.options.has('available')
          ? 'available'
          : undefined);
    const packs = this.repository
      .filter(
        (pack) =>
          wanted.length === 0 ||
          wanted.some((name) =>
            new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(pack.name),
          ),
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (only !== 'installed') await this.metadata();
    const row = (pack: CommandPackage, repository: string): string =>
      `${padEnd(`${pack.name}.${ARCHITECTURE}`, 46)} ${padEnd(`${pack.version}-${pack.release}`, 30)} ${repository}\n`;
    const installed = packs.filter((pack) => isInstalled(this.proc, pack));
    const available = packs.filter((pack) => !isInstalled(this.proc, pack));
    if (packs.length === 0 || (only === 'installed' && installed.length === 0 && wanted.length > 0)) {
      await this.it.out.flush();
      await this.proc.stderr.write('Error: No matching Packages to list\n');
      return 1;
    }
    if (only !== 'available' && installed.length > 0)
      await this.it.out.put(`Installed Packages\n${installed.map((pack) => row(pack, '@baseos')).join('')}`);
    if (only !== 'installed' && available.length > 0)
      await this.it.out.put(`Available Packages\n${available.map((pack) => row(pack, 'baseos')).join('')}`);
    return 0;
  }

  private async info(names: readonly string[]): Promise<number> {
    await this.metadata();
    const packs = names.map((name) => this.find(name)).filter((pack) => pack !== undefined);
    if (packs.length === 0) {
      await this.it.out.flush();
      await this.proc.stderr.write('Error: No matching Packages to list\n');
      return 1;
    }
    for (const pack of packs) {
      const here = isInstalled(this.proc, pack);
      await this.it.out.put(
        `${here ? 'Installed' : 'Available'} Packages\nName         : ${pack.name}\nVersion      : ${pack.version}\nRelease      : ${pack.release}\nArchitecture : ${ARCHITECTURE}\nSize         : ${shortSize(pack.sizeBytes)}\nSource       : ${pack.name}-${pack.version}-${pack.release}.src.rpm\nRepository   : ${here ? '@System' : 'baseos'}\nSummary      : ${pack.summary}\n\n`,
      );
    }
    return 0;
  }

  private async search(words: readonly string[]): Promise<number> {
    await this.metadata();
    const found = this.repository.filter((pack) =>
      words.every((word) => `${pack.name} ${pack.summary}`.toLowerCase().includes(word.toLowerCase())),
    );
    if (found.length === 0) {
      await this.it.out.line('No matches found.');
      return 0;
    }
    await this.it.out.line(
      ` Name & Summary Matched: ${words.join(' ')} `.padStart(60, '=').padEnd(this.width, '='),
    );
    for (const pack of found) await this.it.out.line(`${pack.name}.${ARCHITECTURE} : ${pack.summary}`);
    return 0;
  }

  private async provides(names: readonly string[]): Promise<number> {
    await this.metadata();
    for (const name of names) {
      const found = this.repository.filter((pack) =>
        [...pack.programs.keys()].some(
          (path) => path === name || path.endsWith(`/${name.replace(/^\*(?:bin)?\//, '')}`),
        ),
      );
      if (found.length === 0) {
        await this.it.out.flush();
        await this.proc.stderr.write(
          'Error: No matches found. If searching for a file, try specifying the full path or using a wildcard prefix ("*/") at the beginning.\n',
        );
        return 1;
      }
      for (const pack of found)
        await this.it.out.put(
          `${fullName(pack)} : ${pack.summary}\nRepo        : baseos\nMatched from:\nFilename    : ${[...pack.programs.keys()].find((path) => path === name || path.endsWith(`/${name.replace(/^\*(?:bin)?\//, '')}`))}\n\n`,
        );
    }
    return 0;
  }

  private async plain(error: unknown): Promise<number> {
    if (!(error instanceof Plain)) throw error;
    await this.it.out.flush();
    await this.proc.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** A message that stands alone. */
class Plain extends Error {}

/** rpm(8): -q, -qa, -qf, -ql. */
export function makeRpm(repository: () => readonly CommandPackage[]): Program {
  return command(
    { short: 'qaflivh', long: ['query>q', 'all>a', 'file>f', 'list>l', 'info>i'], usage: '[OPTION...]' },
    async (it) => {
      const packs = repository();
      const named = (pack: CommandPackage): string => fullName(pack);
      if (!it.options.has('q')) throw new Failure("drydock: rpm other than -q isn't simulated");
      if (it.options.has('a')) {
        for (const pack of packs) if (isInstalled(it.proc, pack)) await it.out.line(named(pack));
        return 0;
      }
      for (const name of it.operands) {
        const pack = it.options.has('f')
          ? packs.find((one) => one.programs.has(it.proc.fs.resolve(name)))
          : packs.find((one) => one.name === name);
        if (pack === undefined || !isInstalled(it.proc, pack)) {
          await it.out.line(
            it.options.has('f')
              ? `file ${name} is not owned by any package`
              : `package ${name} is not installed`,
          );
          it.exitCode = 1;
        } else if (it.options.has('l')) for (const path of pack.programs.keys()) await it.out.line(path);
        else await it.out.line(named(pack));
      }
      return it.exitCode;
    },
  );
}
