// yum(8) and dnf(8): installs from the repositories that the machine's files name, which really adds the commands.
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { padEnd } from '../frame/format.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { columnWidths, countLengths } from './columns.ts';
import { installPackage, isInstalled, recordOf, removePackage } from './installed.ts';
import { architectureOf, downloadBytes, fullName, versionOf, type CommandPackage } from './package.ts';
import { reach, readRepositories, type Repository } from './repositories.ts';

/** Bytes per second of the virtual mirrors, and what a repository's metadata weighs. */
const DOWNLOAD_RATE = 4_000_000;
const METADATA_BYTES = 1_240_000;
/** metadata_expire. */
const EXPIRE_MS = 48 * 3_600_000;
const INSTALL_MS = 150;
const RETRIES = 3;
const CACHE = '/var/cache/dnf';
const CACHE_FILES = ['repomd.xml', 'primary.xml.gz', 'filelists.xml.gz', 'solv', 'filenames.solvx'];
const USAGE = `usage: yum [options] COMMAND

List of Main Commands:

autoremove                remove all unneeded packages that were originally installed as dependencies
check-update              check for available package upgrades
clean                     remove cached data
history                   display, or use, the transaction history
info                      display details about a package or group of packages
install                   install a package or packages on your system
list                      list a package or groups of packages
makecache                 generate the metadata cache
provides                  find what package provides the given value
reinstall                 reinstall a package
remove                    remove a package or packages from your system
repolist                  display the configured software repositories
search                    search package details for the given string
upgrade                   upgrade a package or packages on your system
`;

type Action = 'Installing' | 'Reinstalling' | 'Removing' | 'Installing dependencies';

/** `5.9 k`, as dnf's format_number. */
function sizeText(bytes: number): string {
  const symbols = [' ', 'k', 'M', 'G', 'T'];
  let [value, depth] = [bytes, 0];
  while (value > 999 && depth < symbols.length - 1) {
    value /= 1024;
    depth++;
  }
  const text = depth === 0 ? String(value) : value < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return `${text} ${symbols[depth]}`;
}

/** A message that stands alone, and exit status 1. */
class Plain extends Error {}

/** yum(8): install, remove, list, info, search, provides, repolist, makecache, clean, update, history. */
export function makeYum(repository: () => readonly CommandPackage[]): Program {
  return command(
    {
      short: 'yqvCd:e:R:c:x:4b46',
      long: [
        'assumeyes>y',
        'assumeno',
        'quiet>q',
        'verbose>v',
        'enablerepo:',
        'disablerepo:',
        'repo:',
        'repoid:',
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
        'all',
        'enabled',
        'disabled',
        'showduplicates',
        'cacheonly>C',
        'refresh',
        'disableexcludes:',
        'exclude:>x',
        'setopt:',
        'downloadonly',
        'nodocs',
        'color:',
      ],
      usage: '[options] COMMAND',
      help: USAGE,
      versionText: '4.14.0\n',
      hint: () => '',
    },
    async (it) => {
      const [verb = '', ...names] = it.operands;
      try {
        return await new Yum(it, repository()).run(verb, names);
      } catch (error) {
        if (!(error instanceof Plain)) throw error;
        await it.out.flush();
        await it.proc.stderr.write(`${error.message}\n`);
        return 1;
      }
    },
  );
}

class Yum {
  private readonly it: Invocation;
  private readonly proc: Process;
  private readonly repository: readonly CommandPackage[];
  private repositories: Repository[] = [];
  constructor(it: Invocation, repository: readonly CommandPackage[]) {
    this.it = it;
    this.proc = it.proc;
    this.repository = repository;
  }

  private get width(): number {
    return this.proc.stdout.tty?.size.columns ?? 80;
  }
  private get painted(): boolean {
    return this.proc.stdout.tty !== undefined;
  }
  private color(text: string, ...codes: number[]): string {
    if (!this.painted) return text;
    return `${codes.map((code) => `\u001b[${code}m`).join('')}${text}\u001b(B\u001b[m`;
  }
  private async say(text: string): Promise<void> {
    if (!this.it.options.has('q')) await this.it.out.put(text);
  }
  private rule(): string {
    return `${'='.repeat(this.width)}\n`;
  }

  async run(verb: string, names: readonly string[]): Promise<number> {
    switch (verb) {
      case 'install':
      case 'localinstall':
      case 'reinstall':
        return this.install(verb, names);
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
        return this.repolist(names);
      case 'makecache':
        await this.metadata(true);
        await this.say('Metadata cache created.\n');
        return 0;
      case 'clean':
        return this.clean();
      case 'update':
      case 'upgrade':
      case 'check-update':
        return this.update(verb, names);
      case 'history':
        return this.history();
      case '':
        await this.it.out.put(USAGE);
        return 0;
      case 'groupinstall':
      case 'group':
      case 'module':
      case 'swap':
      case 'downgrade':
      case 'repoquery':
        throw new Failure(`drydock: yum ${verb} isn't simulated`);
      default:
        throw new Plain(
          `No such command: ${verb}. Please use /usr/bin/yum --help\nIt could be a YUM plugin command, try: "yum install 'dnf-command(${verb})'"`,
        );
    }
  }

  private requireRoot(): void {
    if (this.proc.credentials.uid !== 0)
      throw new Plain(
        'Error: This command has to be run with superuser privileges (under the root user on most systems).',
      );
  }

  // ── Repositories ──

  private enabled(): Repository[] {
    const { options } = this.it;
    const matches = (ids: readonly string[], id: string): boolean =>
      ids.some((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(id));
    const list = (name: string): string[] => options.values(name).flatMap((text) => text.split(','));
    const only = [...list('repo'), ...list('repoid')];
    const chosen = readRepositories(this.proc).filter(({ id, enabled }) => {
      if (only.length > 0) return matches(only, id);
      if (matches(list('enablerepo'), id)) return true;
      return enabled && !matches(list('disablerepo'), id);
    });
    if (chosen.length === 0)
      throw new Plain(
        'Error: There are no enabled repositories in "/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d".',
      );
    return chosen;
  }

  /** Fetches what is missing or too old of the repositories' lists, and says how old the rest is. */
  private async metadata(all = false): Promise<void> {
    const ignored: string[] = [];
    let fetched = false;
    const enabled = this.enabled();
    for (const repository of enabled) {
      const cached = this.cachedMs(repository);
      const old = cached === undefined || this.proc.clock.now() - cached > EXPIRE_MS;
      if (!old && !all && !this.it.options.has('refresh')) continue;
      const failure = await this.fetch(repository);
      if (failure === undefined) fetched = true;
      else ignored.push(repository.id);
      if (failure !== undefined && enabled.length === 1) throw new Plain(failure);
      if (failure !== undefined) await this.tell(`${failure}\n`);
    }
    this.repositories = enabled.filter(({ id }) => !ignored.includes(id));
    if (ignored.length > 0) {
      if (this.repositories.length === 0) throw new Plain(`Error: no repository could be reached`);
      await this.say(`Ignoring repositories: ${ignored.join(', ')}\n`);
      return;
    }
    if (fetched && !all) return;
    const times = this.repositories.map((repository) => this.cachedMs(repository) ?? this.proc.clock.now());
    const at = Math.min(...times);
    const age = Math.floor((this.proc.clock.now() - at) / 1000);
    const two = (value: number): string => String(value).padStart(2, '0');
    const shown = `${Math.floor(age / 3600)}:${two(Math.floor(age / 60) % 60)}:${two(age % 60)}`;
    await this.say(
      `Last metadata expiration check: ${shown} ago on ${strftime('%a %b %d %H:%M:%S %Y', at, zoneOf(this.proc))}.\n`,
    );
  }

  private async tell(text: string): Promise<void> {
    await this.it.out.flush();
    await this.proc.stderr.write(text);
  }

  private cachedMs({ id }: Repository): number | undefined {
    const path = `${CACHE}/${id}/${CACHE_FILES[0]}`;
    return this.proc.fs.exists(path) ? this.proc.fs.stat(path).modifyMs : undefined;
  }

  /** undefined: it is here. */
  private async fetch(repository: Repository): Promise<string | undefined> {
    const { fs } = this.proc;
    const base = repository.url.replace(/\/?$/, '/');
    const why = await reach(this.proc, `${base}repodata/repomd.xml`);
    const line = (rate: number, bytes: number): string =>
      `${padEnd(repository.name, this.width - 38)}${`${sizeText(rate)}B/s`.padStart(11)} | ${`${sizeText(bytes)}B`.padStart(7)}     00:00    \n`;
    if (why !== undefined) {
      await this.say(line(0, 0));
      await this.tell(
        `Errors during downloading metadata for repository '${repository.id}':\n${`  - ${why}\n`.repeat(this.attempts)}`,
      );
      return `Error: Failed to download metadata for repo '${repository.id}': Cannot download repomd.xml: Cannot download repodata/repomd.xml: All mirrors were tried`;
    }
    const local = !/^https?:/.test(repository.url);
    if (!local) await this.proc.sleep((1000 * METADATA_BYTES) / DOWNLOAD_RATE);
    await this.say(line(DOWNLOAD_RATE, METADATA_BYTES));
    if (this.proc.credentials.uid !== 0) return undefined;
    fs.mkdir(`${CACHE}/${repository.id}`, { recursive: true });
    for (const file of CACHE_FILES) fs.writeFile(`${CACHE}/${repository.id}/${file}`, `${base}\n`);
    return undefined;
  }

  /** How often a file is asked for before it is given up. */
  private get attempts(): number {
    const given = this.it.options.values('setopt').map((text) => /retries=(\d+)$/.exec(text)?.[1]);
    return Number(given.find((text) => text !== undefined) ?? RETRIES) + 1;
  }

  private async clean(): Promise<number> {
    const { fs } = this.proc;
    let removed = 0;
    if (fs.exists(CACHE))
      for (const { name, type } of fs.readdir(CACHE)) {
        const path = `${CACHE}/${name}`;
        removed += type === 'directory' ? fs.readdir(path).length : 1;
        fs.removeAll(path);
      }
    await this.it.out.line(`${removed} files removed`);
    return 0;
  }

  private async repolist(args: readonly string[]): Promise<number> {
    const all = args.includes('all') || args.includes('disabled') || this.it.options.has('all', 'disabled');
    const enabled = new Set(all ? [] : this.enabled().map(({ id }) => id));
    const rows = readRepositories(this.proc).filter(({ id }) => all || enabled.has(id));
    const half = Math.floor(this.width / 2);
    const status = (repository: Repository): string =>
      all ? (repository.enabled ? 'enabled' : 'disabled') : '';
    await this.it.out.line(
      `${'repo id'.padEnd(half)} repo name${all ? ' '.repeat(Math.max(1, half - 20)) + 'status' : ''}`,
    );
    for (const repository of rows)
      await this.it.out.line(
        `${repository.id.padEnd(half)} ${all ? repository.name.padEnd(half - 11) : repository.name}${status(repository)}`.trimEnd(),
      );
    return 0;
  }

  private get source(): string {
    return (this.repositories[0] ?? this.enabled()[0]!).id;
  }
  private get isLocal(): boolean {
    return !/^https?:/.test((this.repositories[0] ?? this.enabled()[0]!).url);
  }

  // ── Changes ──

  private find(name: string): CommandPackage | undefined {
    const plain = name.replace(/-0:/, '-');
    return (
      this.repository.find((pack) =>
        [
          pack.name,
          fullName(pack),
          `${pack.name}-${versionOf(pack)}`,
          `${pack.name}-${pack.version}`,
          `${pack.name}.${architectureOf(pack)}`,
        ].includes(plain),
      ) ??
      this.repository.find(
        (pack) =>
          pack.programs.has(name) ||
          (/^\*?\/?(?:\*\/)?s?bin\//.test(name) &&
            [...pack.programs.keys()].some((path) =>
              path.endsWith(`/${name.slice(name.lastIndexOf('/') + 1)}`),
            )),
      )
    );
  }

  private async agreed(): Promise<boolean> {
    if (this.it.options.has('y')) return true;
    await this.it.out.put('Is this ok [y/N]: ');
    await this.it.out.flush();
    if (!this.it.options.has('assumeno')) {
      const answer = Buffer.from(await this.proc.stdin.read(64)).toString();
      if (/^y/i.test(answer.trim())) return true;
    }
    await this.it.out.line('Operation aborted.');
    return false;
  }

  private async install(verb: string, names: readonly string[]): Promise<number> {
    this.requireRoot();
    if (names.length === 0) throw new Plain(`Error: Need to pass a list of pkgs to ${verb}`);
    await this.metadata();
    const chosen: CommandPackage[] = [];
    const missing: string[] = [];
    for (const name of names) {
      const pack = this.find(name);
      if (pack === undefined) {
        missing.push(name);
        await this.say(`No match for argument: ${this.color(name, 1)}\n`);
      } else if (verb !== 'reinstall' && isInstalled(this.proc, pack))
        await this.say(`Package ${fullName(pack)} is already installed.\n`);
      else if (!chosen.includes(pack)) chosen.push(pack);
    }
    if (missing.length > 0 && !this.it.options.has('skip-broken'))
      throw new Plain(`Error: Unable to find a match: ${missing.join(' ')}`);
    await this.say('Dependencies resolved.\n');
    if (chosen.length === 0) {
      await this.say('Nothing to do.\nComplete!\n');
      return 0;
    }
    const needed = verb === 'reinstall' ? [] : this.neededBy(chosen);
    const reinstall = verb === 'reinstall';
    await this.transaction([
      [reinstall ? 'Reinstalling' : 'Installing', chosen],
      ['Installing dependencies', needed],
    ]);
    const all = [...chosen, ...needed];
    const total = (bytes: (pack: CommandPackage) => number): string =>
      sizeText(all.reduce((sum, pack) => sum + bytes(pack), 0));
    const count = `Install  ${all.length} Package${all.length === 1 ? '' : 's'}\n`;
    await this.say(
      `\nTransaction Summary\n${this.rule()}${reinstall ? '' : count}\nTotal ${this.isLocal ? '' : 'download '}size: ${total(downloadBytes)}\nInstalled size: ${total((pack) => pack.sizeBytes)}\n`,
    );
    if (!(await this.agreed())) return 1;
    await this.download(all);
    await this.checks();
    // What is needed goes in first.
    const order = [...needed, ...chosen];
    for (const [index, pack] of order.entries()) {
      await this.it.out.flush();
      await this.proc.sleep(INSTALL_MS);
      installPackage(this.proc, pack, { repository: this.source, asked: chosen.includes(pack) });
      await this.step(reinstall ? 'Reinstalling' : 'Installing', fullName(pack), index + 1, order.length);
    }
    for (const [index, pack] of order.entries())
      await this.step('Verifying', fullName(pack), index + 1, order.length);
    await this.say(`\n${reinstall ? 'Reinstalled' : 'Installed'}:\n${this.names(all)}\nComplete!\n`);
    return 0;
  }

  private neededBy(chosen: readonly CommandPackage[]): CommandPackage[] {
    const found: CommandPackage[] = [];
    const visit = (pack: CommandPackage): void => {
      for (const name of pack.requires ?? []) {
        const other = this.find(name);
        if (other === undefined || chosen.includes(other) || found.includes(other)) continue;
        if (isInstalled(this.proc, other)) continue;
        found.push(other);
        visit(other);
      }
    };
    for (const pack of chosen) visit(pack);
    return found;
  }

  private async download(packs: readonly CommandPackage[]): Promise<void> {
    await this.say('Downloading Packages:\n');
    if (this.isLocal) return;
    const why = await reach(this.proc, (this.repositories[0] ?? this.enabled()[0]!).url);
    if (why !== undefined) throw new Plain(`Error: Error downloading packages:\n  ${why}`);
    const line = (label: string, bytes: number): string =>
      `${padEnd(label, this.width - 38)}${`${sizeText(DOWNLOAD_RATE)}B/s`.padStart(11)} | ${`${sizeText(bytes)}B`.padStart(7)}     00:${String(Math.floor(bytes / DOWNLOAD_RATE)).padStart(2, '0')}    \n`;
    for (const [index, pack] of packs.entries()) {
      const bytes = downloadBytes(pack);
      await this.it.out.flush();
      await this.proc.sleep((1000 * bytes) / DOWNLOAD_RATE);
      await this.say(
        line(`${packs.length > 1 ? `(${index + 1}/${packs.length}): ` : ''}${fullName(pack)}.rpm`, bytes),
      );
    }
    const total = packs.reduce((sum, pack) => sum + downloadBytes(pack), 0);
    await this.say(`${'-'.repeat(this.width)}\n${line('Total', total)}`);
  }

  private async checks(): Promise<void> {
    await this.say(
      'Running transaction check\nTransaction check succeeded.\nRunning transaction test\nTransaction test succeeded.\nRunning transaction\n',
    );
    await this.step('Preparing', '', 1, 1);
  }

  private async step(label: string, name: string, n: number, of: number): Promise<void> {
    const counter = ` ${n}/${of} `;
    await this.say(`  ${label.padEnd(17)}: ${padEnd(name, this.width - 21 - counter.length)}${counter}\n`);
  }

  /** The table of what is about to happen. */
  private async transaction(
    groups: readonly (readonly [Action, readonly CommandPackage[]])[],
  ): Promise<void> {
    const removing = groups[0]![0] === 'Removing';
    const cells = (pack: CommandPackage): string[] => {
      const record = recordOf(this.proc, pack);
      return [
        pack.name,
        architectureOf(pack),
        versionOf(pack),
        removing ? `@${record?.repository ?? 'System'}` : this.source,
        sizeText(removing ? pack.sizeBytes : downloadBytes(pack)),
      ];
    };
    const rows = groups.flatMap(([, packs]) => packs.map(cells));
    const lengths = countLengths(rows, 5);
    const widths = columnWidths([lengths[0]!, new Map(), lengths[2]!, lengths[3]!, new Map()], {
      total: this.width,
      least: [1, Math.max(...rows.map((row) => row[1]!.length)), 1, 1, 5],
      indent: 2,
      remainder: 2,
    });
    const line = ([name, ...rest]: readonly string[], paint: (text: string) => string): string =>
      ` ${paint(name!.padEnd(widths[0]!))} ${rest.map((text, i) => (i === 3 ? text.padStart(widths[4]!) : text.padEnd(widths[i + 1]!))).join(' ')}\n`;
    await this.say(
      `${this.rule()}${line(['Package', 'Architecture', 'Version', 'Repository', 'Size'], (text) => text)}${this.rule()}`,
    );
    for (const [action, packs] of groups) {
      if (packs.length === 0) continue;
      await this.say(`${action}:\n`);
      for (const pack of packs)
        await this.say(
          line(cells(pack), (text) => (removing ? this.color(text, 31) : this.color(text, 1, 32))),
        );
    }
  }

  /** Names in as many columns as fit. */
  private names(packs: readonly CommandPackage[]): string {
    const texts = packs.map(fullName).toSorted();
    const fitting = [8, 7, 6, 5, 4, 3, 2]
      .map((count) => this.fit(texts, count))
      .find((widths) => widths !== undefined);
    const widths = fitting ?? [this.width - 2];
    let text = '';
    for (let i = 0; i < texts.length; i += widths.length)
      text += `  ${texts
        .slice(i, i + widths.length)
        .map((name, column) => name.padEnd(widths[column]!))
        .join(' ')}\n`;
    return text;
  }

  private fit(texts: readonly string[], count: number): number[] | undefined {
    if (texts.length < count) return undefined;
    let left = this.width - (count + 1);
    const widths = Array.from({ length: count }, () => 0);
    for (const [index, text] of texts.entries()) {
      const more = text.length - widths[index % count]!;
      if (more <= 0) continue;
      if (left <= more) return undefined;
      left -= more;
      widths[index % count] = text.length;
    }
    return widths.map((width) => width + Math.floor(left / count));
  }

  private async remove(names: readonly string[]): Promise<number> {
    this.requireRoot();
    const chosen: CommandPackage[] = [];
    for (const name of names) {
      const pack = this.find(name);
      if (pack !== undefined && isInstalled(this.proc, pack)) {
        if (!chosen.includes(pack)) chosen.push(pack);
      } else await this.say(`No match for argument: ${this.color(name, 1)}\n`);
    }
    if (chosen.length === 0) {
      await this.say('No packages marked for removal.\nDependencies resolved.\nNothing to do.\nComplete!\n');
      return 0;
    }
    // What needs a package that goes, goes too.
    const dependents = this.repository.filter(
      (pack) =>
        !chosen.includes(pack) &&
        isInstalled(this.proc, pack) &&
        (pack.requires ?? []).some((name) => chosen.some((other) => other.name === name)),
    );
    const all = [...chosen, ...dependents];
    await this.say('Dependencies resolved.\n');
    await this.transaction([['Removing', all]]);
    const freed = sizeText(all.reduce((sum, pack) => sum + pack.sizeBytes, 0));
    await this.say(
      `\nTransaction Summary\n${this.rule()}Remove  ${all.length} Package${all.length === 1 ? '' : 's'}\n\nFreed space: ${freed}\n`,
    );
    if (!(await this.agreed())) return 1;
    await this.checks();
    for (const [index, pack] of all.entries()) {
      removePackage(this.proc, pack);
      await this.step('Erasing', fullName(pack), index + 1, all.length);
    }
    for (const [index, pack] of all.entries())
      await this.step('Verifying', fullName(pack), index + 1, all.length);
    await this.say(`\nRemoved:\n${this.names(all)}\nComplete!\n`);
    return 0;
  }

  private async update(verb: string, names: readonly string[]): Promise<number> {
    if (verb !== 'check-update') this.requireRoot();
    await this.metadata();
    if (verb === 'check-update') return 0;
    for (const name of names)
      if (this.find(name) === undefined) {
        await this.say(`No match for argument: ${this.color(name, 1)}\n`);
        throw new Plain(`Error: No packages marked for upgrade.`);
      }
    await this.say('Dependencies resolved.\nNothing to do.\nComplete!\n');
    return 0;
  }

  private async history(): Promise<number> {
    const rows = this.repository
      .flatMap((pack) => recordOf(this.proc, pack) ?? [])
      .toSorted((a, b) => b.timeMs - a.timeMs);
    const zone = zoneOf(this.proc);
    await this.it.out.line('ID     | Command line             | Date and time    | Action(s)      | Altered');
    await this.it.out.line('-'.repeat(79));
    for (const [index, { name, timeMs }] of rows.entries())
      await this.it.out.line(
        `${String(rows.length - index).padStart(6)} | ${`install ${name}`.padEnd(24)} | ${strftime('%F %H:%M', timeMs, zone)} | Install        |    1   `,
      );
    return 0;
  }

  // ── Questions ──

  private async list(args: readonly string[]): Promise<number> {
    const words = ['installed', 'available', 'all', 'updates', 'extras'];
    const wanted = args.filter((arg) => !words.includes(arg));
    const only = args.find((arg) => words.includes(arg)) ?? words.find((word) => this.it.options.has(word));
    const pattern = (name: string): RegExp =>
      new RegExp(`^${name.replaceAll(/[.+]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`);
    const packs = this.repository
      .filter(
        (pack) =>
          wanted.length === 0 ||
          wanted.some(
            (name) =>
              pattern(name).test(pack.name) || pattern(name).test(`${pack.name}.${architectureOf(pack)}`),
          ),
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (only !== 'installed') await this.metadata();
    if (only === 'updates') return 0;
    const installed = only === 'available' ? [] : packs.filter((pack) => isInstalled(this.proc, pack));
    const available = only === 'installed' ? [] : packs.filter((pack) => !isInstalled(this.proc, pack));
    if (wanted.length > 0 && installed.length + available.length === 0)
      throw new Plain('Error: No matching Packages to list');
    if (installed.length > 0) await this.listing('Installed Packages', installed, true);
    if (available.length > 0) await this.listing('Available Packages', available, false);
    return 0;
  }

  private async listing(title: string, packs: readonly CommandPackage[], installed: boolean): Promise<void> {
    const rows = packs.map((pack) => {
      const repository = recordOf(this.proc, pack)?.repository ?? 'System';
      return [
        `${pack.name}.${architectureOf(pack)}`,
        versionOf(pack),
        installed ? `@${repository}` : this.source,
      ];
    });
    const widths = columnWidths(countLengths(rows, 3), { total: this.width, least: [1, 1, 1], remainder: 1 });
    await this.it.out.line(title);
    for (const [name, version, repository] of rows) {
      const shown = name!.padEnd(widths[0]!);
      await this.it.out.line(
        `${installed ? this.color(shown, 1, 31) : shown} ${version!.padEnd(widths[1]!)} ${repository}`,
      );
    }
  }

  private async info(names: readonly string[]): Promise<number> {
    await this.metadata();
    const packs = names.map((name) => this.find(name)).filter((pack) => pack !== undefined);
    if (packs.length === 0) throw new Plain('Error: No matching Packages to list');
    for (const pack of packs) {
      const here = isInstalled(this.proc, pack);
      const record = recordOf(this.proc, pack);
      const rows: [string, string][] = [
        ['Name', this.color(pack.name, here ? 36 : 1)],
        ['Version', pack.version],
        ['Release', pack.release],
        ['Architecture', architectureOf(pack)],
        ['Size', sizeText(here ? pack.sizeBytes : downloadBytes(pack))],
        ['Source', `${pack.name}-${versionOf(pack)}.src.rpm`],
        ['Repository', here ? '@System' : this.source],
        ...(record === undefined ? [] : ([['From repo', record.repository]] as [string, string][])),
        ['Summary', pack.summary],
        ['License', 'GPL'],
        ['Description', pack.summary],
      ];
      await this.it.out.line(`${here ? 'Installed' : 'Available'} Packages`);
      for (const [key, value] of rows) await this.it.out.line(`${key.padEnd(13)}: ${value}`);
      await this.it.out.line('');
    }
    return 0;
  }

  private async search(words: readonly string[]): Promise<number> {
    await this.metadata();
    const hits = (text: string): boolean =>
      words.every((word) => text.toLowerCase().includes(word.toLowerCase()));
    const packs = this.repository.filter(({ name, summary }) => hits(`${name} ${summary}`));
    if (packs.length === 0) {
      await this.it.out.line('No matches found.');
      return 0;
    }
    const groups: readonly (readonly [string, (pack: CommandPackage) => boolean])[] = [
      ['Name & Summary', ({ name, summary }) => hits(name) && hits(summary)],
      ['Name', ({ name, summary }) => hits(name) && !hits(summary)],
      ['Summary', ({ name }) => !hits(name)],
    ];
    for (const [label, belongs] of groups) {
      const found = packs.filter(belongs);
      if (found.length === 0) continue;
      const title = ` ${label} Matched: ${words.join(', ')} `;
      const side = Math.floor((this.width - title.length) / 2);
      await this.it.out.line(`${'='.repeat(side)}${title}`.padEnd(this.width, '='));
      for (const pack of found)
        await this.it.out.line(
          `${this.highlighted(pack.name, words)}.${architectureOf(pack)} : ${this.highlighted(pack.summary, words)}`,
        );
    }
    return 0;
  }

  private highlighted(text: string, words: readonly string[]): string {
    const pattern = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
    return text.replaceAll(new RegExp(pattern, 'gi'), (found) => this.color(found, 1, 35));
  }

  private async provides(names: readonly string[]): Promise<number> {
    await this.metadata();
    for (const name of names) {
      const ending = /^\*(?:bin|sbin)?\/?/.test(name)
        ? `/${name.slice(name.lastIndexOf('/') + 1)}`
        : undefined;
      const fits = (path: string): boolean =>
        path === name ||
        path === `/usr/bin/${name}` ||
        path === `/usr/sbin/${name}` ||
        (ending !== undefined && path.endsWith(ending));
      const found = this.repository.filter((pack) => [...pack.programs.keys()].some(fits));
      if (found.length === 0)
        throw new Plain(
          'Error: No matches found. If searching for a file, try specifying the full path or using a wildcard prefix ("*/") at the beginning.',
        );
      for (const pack of found)
        for (const place of [...(isInstalled(this.proc, pack) ? ['@System'] : []), this.source])
          await this.it.out.put(
            `${fullName(pack)} : ${pack.summary}\nRepo        : ${place}\nMatched from:\nFilename    : ${this.color([...pack.programs.keys()].find(fits)!, 1, 35)}\n\n`,
          );
    }
    return 0;
  }
}
