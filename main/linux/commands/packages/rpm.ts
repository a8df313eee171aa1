// rpm(8): what is installed, from where, and what belongs to whom.
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { isInstalled, recordOf, removePackage } from './installed.ts';
import { architectureOf, fullName, versionOf, type CommandPackage } from './package.ts';

/** rpm(8): -q with -a, -f, -l, -i, -R, --qf; -V; -e. */
export function makeRpm(repository: () => readonly CommandPackage[]): Program {
  return command(
    {
      short: 'qaflivhVeUFRcdps',
      long: [
        'query>q',
        'all>a',
        'file>f',
        'list>l',
        'info>i',
        'verify>V',
        'erase>e',
        'install',
        'upgrade>U',
        'requires>R',
        'whatprovides',
        'queryformat:',
        'qf:',
        'last',
        'nodeps',
        'force',
        'import',
        'quiet',
        'changelog',
      ],
      usage: '[OPTION...]',
      version: 'version 4.16.1.3',
    },
    async (it) => {
      const packs = repository();
      const { options, proc } = it;
      if (options.has('q')) return query(it, packs);
      if (options.has('V')) return verify(it, packs);
      if (options.has('e')) {
        if (proc.credentials.uid !== 0)
          throw new Failure("can't create transaction lock on /var/lib/rpm/.rpm.lock (Permission denied)");
        for (const name of it.operands) {
          const pack = packs.find((one) => one.name === name);
          if (pack !== undefined && isInstalled(proc, pack)) removePackage(proc, pack);
          else {
            await proc.stderr.write(`error: package ${name} is not installed\n`);
            it.exitCode = 1;
          }
        }
        return it.exitCode;
      }
      if (options.has('import')) return 0;
      if (options.has('i', 'U', 'F', 'install')) {
        for (const name of it.operands) {
          if (proc.fs.exists(name)) throw new Failure("drydock: package files aren't simulated");
          await proc.stderr.write(`error: open of ${name} failed: No such file or directory\n`);
        }
        return it.operands.length || 1;
      }
      throw new Failure('no arguments given');
    },
  );
}

async function query(it: Invocation, packs: readonly CommandPackage[]): Promise<number> {
  const { options, proc } = it;
  const format = options.value('queryformat') ?? options.value('qf');
  if (options.has('a')) {
    const patterns = it.operands.map(
      (pattern) =>
        new RegExp(`^${pattern.replaceAll(/[.+]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`),
    );
    for (const pack of packs) {
      if (!isInstalled(proc, pack)) continue;
      if (patterns.length > 0 && !patterns.some((one) => one.test(pack.name) || one.test(fullName(pack))))
        continue;
      await show(it, pack, format);
    }
    return 0;
  }
  if (it.operands.length === 0) {
    await proc.stderr.write('rpm: no arguments given for query\n');
    return 1;
  }
  for (const name of it.operands) {
    const byFile = options.has('f', 'whatprovides') && (options.has('f') || name.startsWith('/'));
    const path = proc.fs.resolve(name);
    if (options.has('f') && !proc.fs.exists(path)) {
      await proc.stderr.write(`error: file ${path}: No such file or directory\n`);
      it.exitCode = 1;
      continue;
    }
    const pack = byFile
      ? packs.find(
          (one) => one.programs.has(path) || one.programs.has(path.replace(/^\/(s?bin)\//, '/usr/$1/')),
        )
      : packs.find((one) =>
          [one.name, fullName(one), `${one.name}-${versionOf(one)}`, `${one.name}-${one.version}`].includes(
            name,
          ),
        );
    if (pack !== undefined && isInstalled(proc, pack)) {
      await show(it, pack, format);
      continue;
    }
    it.exitCode = 1;
    await it.out.line(
      byFile
        ? `file ${name} is not owned by any package`
        : options.has('whatprovides')
          ? `no package provides ${name}`
          : `package ${name} is not installed`,
    );
  }
  return it.exitCode;
}

async function show(it: Invocation, pack: CommandPackage, format: string | undefined): Promise<void> {
  const { options, out, proc } = it;
  if (format !== undefined) return out.put(formatted(proc, pack, format));
  if (options.has('i')) return out.put(information(proc, pack));
  if (options.has('R')) {
    for (const name of pack.requires ?? []) await out.line(name);
    return;
  }
  if (options.has('l')) {
    for (const path of pack.programs.keys()) await out.line(path);
    if (pack.programs.size === 0) await out.line('(contains no files)');
    return;
  }
  await out.line(fullName(pack));
}

function installedMs(proc: Process, pack: CommandPackage): number {
  return recordOf(proc, pack)?.timeMs ?? proc.kernel.bootMs;
}

function information(proc: Process, pack: CommandPackage): string {
  const at = strftime('%a %b %e %H:%M:%S %Y', installedMs(proc, pack), zoneOf(proc));
  const rows = [
    ['Name', pack.name],
    ['Version', pack.version],
    ['Release', pack.release],
    ['Architecture', architectureOf(pack)],
    ['Install Date', at],
    ['Group', 'Unspecified'],
    ['Size', String(pack.sizeBytes)],
    ['License', 'GPL'],
    ['Signature', '(none)'],
    ['Source RPM', `${pack.name}-${versionOf(pack)}.src.rpm`],
    ['Summary', pack.summary],
  ];
  return `${rows.map(([key, value]) => `${key!.padEnd(12)}: ${value}`).join('\n')}\nDescription :\n${pack.summary}\n`;
}

function formatted(proc: Process, pack: CommandPackage, format: string): string {
  const values: Readonly<Record<string, string>> = {
    NAME: pack.name,
    VERSION: pack.version,
    RELEASE: pack.release,
    ARCH: architectureOf(pack),
    SIZE: String(pack.sizeBytes),
    SUMMARY: pack.summary,
    INSTALLTIME: String(Math.floor(installedMs(proc, pack) / 1000)),
    NVRA: fullName(pack),
    EPOCH: '(none)',
  };
  return format
    .replaceAll(/%(-?\d*)\{(\w+)(?::\w+)?\}/g, (_, width: string, tag: string) => {
      const value = values[tag.toUpperCase()] ?? '(none)';
      const columns = Math.abs(Number(width || 0));
      return width.startsWith('-') ? value.padEnd(columns) : value.padStart(columns);
    })
    .replaceAll('\\n', '\n')
    .replaceAll('\\t', '\t');
}

async function verify(it: Invocation, packs: readonly CommandPackage[]): Promise<number> {
  for (const name of it.operands) {
    const pack = packs.find((one) => one.name === name);
    if (pack !== undefined && isInstalled(it.proc, pack)) continue;
    await it.out.line(`package ${name} is not installed`);
    it.exitCode = 1;
  }
  return it.exitCode;
}
