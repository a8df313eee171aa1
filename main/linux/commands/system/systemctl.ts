// systemctl(1), service(8), timedatectl(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import {
  journalSocket,
  systemdSocket,
  UnitError,
  type Systemd,
  type UnitStatus,
} from '../../systemd/index.ts';
import { parseSignal } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { globRegex } from '../frame/glob.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { entryLine } from './journalctl.ts';

const RED = '\u001b[0;1;31m';
const GREEN = '\u001b[0;1;32m';
const YELLOW = '\u001b[0;1;38;5;185m';
const GREY = '\u001b[0;38;5;245m';
const OFF = '\u001b[0m';

function connect(proc: Process): Systemd {
  try {
    return proc.kernel.connectService(systemdSocket);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure('');
  }
}

function full(name: string): string {
  return /\.(?:service|socket|target|timer|mount|slice|path|scope)$/.test(name) ? name : `${name}.service`;
}

class Paint {
  readonly on: boolean;
  constructor(proc: Process) {
    this.on = proc.stdout.tty !== undefined;
  }
  color(text: string, code: string): string {
    return this.on ? `${code}${text}${OFF}` : text;
  }
  link(target: string, text: string): string {
    return this.on ? `\u001b]8;;${target}\u0007${text}\u001b]8;;\u0007` : text;
  }
}

/** systemctl(1) */
export const systemctl: Program = command(
  {
    short: 'aflqt:p:s:n:o:rTH:M:i',
    long: [
      'all>a',
      'full>l',
      'quiet>q',
      'type:>t',
      'property:>p',
      'signal:>s',
      'lines:>n',
      'output:>o',
      'no-pager',
      'no-legend',
      'plain',
      'now',
      'force>f',
      'failed',
      'state:',
      'no-block',
      'no-ask-password',
      'user',
      'system',
      'runtime',
      'value',
      'recursive>r',
      'kill-whom:',
      'no-wall',
      'show-types',
      'reverse',
    ],
    usage: '[OPTIONS...] COMMAND ...',
    hint: () => '',
  },
  async (it) => {
    const [verb = it.options.has('failed') ? 'list-units' : 'list-units', ...names] = it.operands;
    if (it.options.has('version')) return 0;
    let systemd: Systemd;
    try {
      systemd = connect(it.proc);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await it.proc.stderr.write(
        "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n",
      );
      return 1;
    }
    return new Systemctl(it, systemd).run(verb, names);
  },
);

class Systemctl {
  private readonly it: Invocation;
  private readonly systemd: Systemd;
  private readonly paint: Paint;
  constructor(it: Invocation, systemd: Systemd) {
    this.it = it;
    this.systemd = systemd;
    this.paint = new Paint(it.proc);
  }

  private async fail(text: string, code: number): Promise<number> {
    await this.it.out.flush();
    await this.it.proc.stderr.write(
      `${this.it.proc.stderr.tty === undefined ? text : `${RED}${text}${OFF}`}\n`,
    );
    return code;
  }

  private status(name: string): UnitStatus | undefined {
    try {
      const found = this.systemd.status(full(name));
      return found.loadState === 'not-found' ? undefined : found;
    } catch (error) {
      if (error instanceof UnitError) return undefined;
      throw error;
    }
  }

  async run(verb: string, names: readonly string[]): Promise<number> {
    const { it, systemd } = this;
    const needsUnit = [
      'start',
      'stop',
      'restart',
      'reload',
      'try-restart',
      'reload-or-restart',
      'condrestart',
      'kill',
      'enable',
      'disable',
      'reenable',
      'mask',
      'unmask',
      'is-active',
      'is-enabled',
      'is-failed',
      'cat',
      'edit',
    ];
    if (needsUnit.includes(verb) && names.length === 0) return this.fail('Too few arguments.', 1);
    switch (verb) {
      case 'start':
      case 'stop':
      case 'restart':
      case 'reload':
      case 'try-restart':
      case 'reload-or-restart':
      case 'condrestart': {
        let status = 0;
        for (const name of names) status = Math.max(status, await this.job(verb, name));
        return status;
      }
      case 'enable':
      case 'disable':
      case 'reenable':
      case 'mask':
      case 'unmask': {
        for (const name of names) {
          const status = await this.install(verb, full(name));
          if (status !== 0) return status;
          if (it.options.has('now')) await this.job(verb === 'enable' ? 'start' : 'stop', name);
        }
        return 0;
      }
      case 'status':
        return this.showStatus(names);
      case 'is-active':
        return this.is(
          names,
          (unit) => unit?.activeState ?? 'inactive',
          (text) => text === 'active',
          3,
        );
      case 'is-failed':
        return this.is(
          names,
          (unit) => unit?.activeState ?? 'inactive',
          (text) => text === 'failed',
          1,
        );
      case 'is-enabled': {
        let good = false;
        for (const name of names) {
          const unit = this.status(name);
          if (unit === undefined)
            await this.fail(`Failed to get unit file state for ${full(name)}: No such file or directory`, 1);
          else {
            good ||= unit.enabled !== 'disabled' && unit.enabled !== 'masked';
            await it.out.line(unit.enabled);
          }
        }
        return good ? 0 : 1;
      }
      case 'kill': {
        const signal = parseSignal(it.options.value('s') ?? 'TERM');
        if (signal === undefined)
          return this.fail(`Failed to parse signal string ${it.options.value('s')}.`, 1);
        for (const name of names) {
          if (this.status(name) === undefined)
            return this.fail(`Failed to kill unit ${full(name)}: Unit ${full(name)} not loaded.`, 5);
          systemd.kill(full(name), signal);
        }
        return 0;
      }
      case 'daemon-reload':
      case 'daemon-reexec':
        systemd.daemonReload();
        return 0;
      case 'reset-failed':
        if (names.length === 0) systemd.resetFailed();
        else for (const name of names) systemd.resetFailed(full(name));
        return 0;
      case 'list-units':
        return this.listUnits(names);
      case 'list-unit-files':
        return this.listFiles(names);
      case 'show':
        return this.show(names);
      case 'cat':
        return this.cat(names);
      case 'is-system-running': {
        const degraded = systemd.list().some((unit) => unit.activeState === 'failed');
        await it.out.line(degraded ? 'degraded' : 'running');
        return degraded ? 1 : 0;
      }
      case 'get-default':
        await it.out.line('multi-user.target');
        return 0;
      case 'list-timers':
      case 'list-sockets':
      case 'set-default':
      case 'isolate':
      case 'reboot':
      case 'poweroff':
      case 'halt':
      case 'edit':
      case 'list-dependencies':
      case 'list-jobs':
        return this.fail(`drydock: systemctl ${verb} isn't simulated`, 1);
      default:
        return this.fail(`Unknown command verb ${verb}.`, 1);
    }
  }

  private async job(verb: string, given: string): Promise<number> {
    const name = full(given);
    const { systemd } = this;
    const word =
      verb === 'condrestart' || verb === 'try-restart' || verb === 'reload-or-restart' ? 'restart' : verb;
    if (this.it.proc.credentials.uid !== 0) return this.fail(`Failed to ${word} ${name}: Access denied`, 4);
    const unit = this.status(given);
    if (unit === undefined)
      return this.fail(
        `Failed to ${word} ${name}: Unit ${name} ${word === 'stop' ? 'not loaded' : 'not found'}.`,
        5,
      );
    if (verb === 'try-restart' && unit.activeState !== 'active') return 0;
    try {
      await this.it.proc.interruptible(
        word === 'start'
          ? systemd.start(name)
          : word === 'stop'
            ? systemd.stop(name)
            : word === 'reload'
              ? systemd.reload(name)
              : systemd.restart(name),
      );
      return 0;
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      if (error.code === 'failed' && word === 'reload')
        return this.fail(`Failed to reload ${name}: ${error.message}`, 3);
      if (error.code === 'failed') return this.fail(error.message, 1);
      return this.fail(`Failed to ${word} ${name}: ${error.message}`, error.code === 'masked' ? 1 : 5);
    }
  }

  private async install(verb: string, name: string): Promise<number> {
    const { systemd } = this;
    const { stderr } = this.it.proc;
    if (this.status(name) === undefined)
      return this.fail(
        verb === 'mask' || verb === 'unmask'
          ? `Unit ${name} does not exist, proceeding anyway.`
          : `Failed to ${verb === 'reenable' ? 'reenable' : verb} unit: Unit file ${name} does not exist.`,
        1,
      );
    try {
      if (verb === 'disable' || verb === 'unmask')
        for (const path of verb === 'disable' ? systemd.disable(name) : systemd.unmask(name))
          await stderr.write(`Removed "${path}".\n`);
      else
        for (const [path, target] of verb === 'mask' ? systemd.mask(name) : systemd.enable(name))
          await stderr.write(`Created symlink ${path} → ${target}.\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      return this.fail(`Failed to ${verb} unit: ${error.message}`, 1);
    }
  }

  private async is(
    names: readonly string[],
    text: (unit: UnitStatus | undefined) => string,
    good: (text: string) => boolean,
    bad: number,
  ): Promise<number> {
    let any = false;
    for (const name of names) {
      const shown = text(this.status(name));
      any ||= good(shown);
      if (!this.it.options.has('q')) await this.it.out.line(shown);
    }
    return any ? 0 : bad;
  }

  private async showStatus(names: readonly string[]): Promise<number> {
    if (names.length === 0) {
      const list = this.systemd.list();
      await this.it.out.put(
        `${this.paint.color('●', GREEN)} ${this.it.proc.kernel.hostname}\n    State: ${list.some((unit) => unit.activeState === 'failed') ? 'degraded' : 'running'}\n    Units: ${list.length} loaded\n     Jobs: 0 queued\n   Failed: ${list.filter((unit) => unit.activeState === 'failed').length} units\n`,
      );
      return 0;
    }
    let status = 0;
    for (const [index, name] of names.entries()) {
      const unit = this.status(name);
      if (unit === undefined) {
        status = Math.max(status, await this.fail(`Unit ${full(name)} could not be found.`, 4));
        continue;
      }
      if (index > 0) await this.it.out.put('\n');
      await this.unitText(unit);
      if (unit.activeState !== 'active' && unit.activeState !== 'activating') status = Math.max(status, 3);
    }
    return status;
  }

  private async unitText(unit: UnitStatus): Promise<void> {
    const { it, paint } = this;
    const { proc } = it;
    const active = unit.activeState === 'active';
    const failed = unit.activeState === 'failed';
    const dot = active
      ? paint.color('●', GREEN)
      : failed
        ? paint.color('×', RED)
        : unit.activeState === 'inactive'
          ? '○'
          : '●';
    const host = proc.kernel.hostname;
    const state = (text: string): string => paint.color(text, text === 'enabled' ? GREEN : YELLOW);
    const path = paint.link(`file://${host}${unit.fragmentPath}`, unit.fragmentPath);
    await it.out.line(`${dot} ${unit.name} - ${unit.description}`);
    await it.out.line(
      `     Loaded: loaded (${path}; ${unit.enabled === 'static' ? 'static' : `${state(unit.enabled)}; preset: ${state(unit.vendorPreset)}`})`,
    );
    const [first, ...more] = unit.dropIns;
    if (first !== undefined) {
      const directory = first.slice(0, first.lastIndexOf('/'));
      const files = [first, ...more].map((one) =>
        paint.link(`file://${host}${one}`, one.slice(one.lastIndexOf('/') + 1)),
      );
      await it.out.put(`    Drop-In: ${directory}\n             └─${files.join(', ')}\n`);
    }
    const since =
      unit.sinceMs === undefined
        ? ''
        : ` since ${strftime('%a %F %T %Z', unit.sinceMs, zoneOf(proc))}; ${ago(proc.clock.now() - unit.sinceMs)} ago`;
    const result = unit.result;
    const why = failed
      ? ` (Result: ${result?.code === 'killed' ? 'signal' : 'exit-code'})`
      : unit.activeState === 'activating' && unit.subState === 'auto-restart'
        ? ` (auto-restart) (Result: ${result?.code === 'killed' ? 'signal' : 'exit-code'})`
        : ` (${unit.subState})`;
    const shown = active
      ? paint.color(`active${why}`, GREEN)
      : failed
        ? `${paint.color('failed', RED)}${why}`
        : unit.activeState === 'activating'
          ? paint.color(`activating${why}`, YELLOW)
          : `${unit.activeState}${why}`;
    await it.out.line(`     Active: ${shown}${since}`);
    if (unit.documentation !== undefined)
      await it.out.line(`       Docs: ${paint.link(unit.documentation, unit.documentation)}`);
    const ended =
      result === undefined
        ? ''
        : result.code === 'exited'
          ? `(code=exited, status=${result.status}/${exitName(result.status)})`
          : `(code=killed, signal=${signalName(result.status)})`;
    if (result !== undefined && !active)
      await it.out.line(
        `    Process: ${result.pid} ExecStart=${unit.execStart.join(' ')} ${result.status === 0 ? ended : paint.color(ended, RED)}`,
      );
    if (unit.mainPid !== 0) {
      const command = proc.kernel.listProcesses().find((info) => info.pid === unit.mainPid)?.command ?? '';
      await it.out.put(
        `   Main PID: ${unit.mainPid} (${command})\n      Tasks: ${unit.pids.length}${paint.color(' (limit: 7055)', GREY)}\n     Memory: ${memory(unit.memoryBytes)}\n        CPU: ${cpu(unit.pids.reduce((sum, pid) => sum + (proc.kernel.listProcesses().find((info) => info.pid === pid)?.cpuMs ?? 0), 0))}\n     CGroup: /system.slice/${unit.name}\n`,
      );
      for (const [index, pid] of unit.pids.entries()) {
        const info = proc.kernel.listProcesses().find((one) => one.pid === pid);
        await it.out.line(
          `             ${index === unit.pids.length - 1 ? '└─' : '├─'}${paint.color(`${pid} ${(info?.argv ?? []).map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' ')}`, GREY)}`,
        );
      }
    } else if (result !== undefined) await it.out.line(`   Main PID: ${result.pid} ${ended}`);
    const lines = Number(it.options.value('n') ?? 10);
    if (lines === 0) return;
    const journal = proc.kernel.connectService(journalSocket);
    const entries = journal.query({ units: [unit.name], lines });
    if (entries.length > 0) await it.out.put('\n');
    for (const entry of entries) await it.out.line(entryLine(entry, 'short', zoneOf(proc), this.paint.on));
  }

  private async listUnits(patterns: readonly string[]): Promise<number> {
    const { it, paint } = this;
    const states = [
      ...(it.options.value('state')?.split(',') ?? []),
      ...(it.options.has('failed') ? ['failed'] : []),
    ];
    const globs = patterns.map((pattern) => globRegex(full(pattern)));
    const rows = this.systemd
      .list()
      .filter(
        (unit) =>
          (it.options.has('a') || unit.activeState !== 'inactive' || states.includes('inactive')) &&
          (states.length === 0 || states.includes(unit.activeState) || states.includes(unit.subState)) &&
          (globs.length === 0 || globs.some((glob) => glob.test(unit.name))),
      );
    const width = (title: string, value: (unit: UnitStatus) => string): number =>
      Math.max(title.length, ...rows.map((unit) => value(unit).length));
    const widths = [
      width('UNIT', (u) => u.name),
      width('LOAD', (u) => u.loadState),
      width('ACTIVE', (u) => u.activeState),
      width('SUB', (u) => u.subState),
    ];
    const legend = !it.options.has('no-legend');
    if (legend) {
      const header = `  ${'UNIT'.padEnd(widths[0]!)} ${'LOAD'.padEnd(widths[1]!)} ${'ACTIVE'.padEnd(widths[2]!)} ${'SUB'.padEnd(widths[3]!)} DESCRIPTION`;
      await it.out.line(paint.on ? `\u001b[0;4m${header}${OFF}` : header);
    }
    for (const unit of rows) {
      const failed = unit.activeState === 'failed';
      await it.out.line(
        `${failed ? paint.color('●', RED) : ' '} ${unit.name.padEnd(widths[0]!)} ${unit.loadState.padEnd(widths[1]!)} ${failed ? paint.color(unit.activeState.padEnd(widths[2]!), RED) : unit.activeState.padEnd(widths[2]!)} ${failed ? paint.color(unit.subState.padEnd(widths[3]!), RED) : unit.subState.padEnd(widths[3]!)} ${unit.description}`,
      );
    }
    if (legend && rows.length === 0) await it.out.line('0 loaded units listed.');
    else if (legend)
      await it.out.put(
        `\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n${rows.length} loaded units listed.${it.options.has('a') || states.length > 0 ? '' : ' Pass --all to see loaded but inactive units, too.'}\n${states.length > 0 ? '' : "To show all installed unit files use 'systemctl list-unit-files'.\n"}`,
      );
    return 0;
  }

  private async listFiles(patterns: readonly string[]): Promise<number> {
    const states = this.it.options.value('state')?.split(',');
    const globs = patterns.map((pattern) => globRegex(full(pattern)));
    const rows = this.systemd
      .list()
      .filter(
        (unit) =>
          (states === undefined || states.includes(unit.enabled)) &&
          (globs.length === 0 || globs.some((glob) => glob.test(unit.name))),
      );
    const width = Math.max(9, ...rows.map((unit) => unit.name.length));
    const stateWidth = Math.max(5, ...rows.map((unit) => unit.enabled.length));
    await this.it.out.line(`${'UNIT FILE'.padEnd(width)} ${'STATE'.padEnd(stateWidth)} PRESET`);
    for (const unit of rows)
      await this.it.out.line(
        `${unit.name.padEnd(width)} ${this.paint.color(unit.enabled.padEnd(stateWidth), unit.enabled === 'enabled' ? GREEN : YELLOW)} ${unit.vendorPreset}`,
      );
    await this.it.out.put(`\n${rows.length} unit files listed.\n`);
    return 0;
  }

  private async show(names: readonly string[]): Promise<number> {
    const wanted = this.it.options.values('p').flatMap((text) => text.split(','));
    for (const name of names) {
      const unit = this.status(name);
      const properties: Readonly<Record<string, string>> = {
        Id: full(name),
        Description: unit?.description ?? full(name),
        LoadState: unit?.loadState ?? 'not-found',
        ActiveState: unit?.activeState ?? 'inactive',
        SubState: unit?.subState ?? 'dead',
        UnitFileState: unit?.enabled ?? '',
        FragmentPath: unit?.fragmentPath ?? '',
        MainPID: String(unit?.mainPid ?? 0),
        ExecMainStatus: String(unit?.mainPid === 0 ? (unit.result?.status ?? 0) : 0),
        NRestarts: String(unit?.restarts ?? 0),
        MemoryCurrent: String(unit?.memoryBytes ?? 0),
        Result: unit?.activeState === 'failed' ? 'exit-code' : 'success',
      };
      for (const [key, value] of Object.entries(properties))
        if (wanted.length === 0 || wanted.includes(key))
          await this.it.out.line(this.it.options.has('value') ? value : `${key}=${value}`);
    }
    return 0;
  }

  private async cat(names: readonly string[]): Promise<number> {
    const { fs } = this.it.proc;
    for (const name of names) {
      const unit = this.status(name);
      if (unit === undefined) return this.fail(`No files found for ${full(name)}.`, 1);
      for (const [index, path] of [unit.fragmentPath, ...unit.dropIns].entries()) {
        if (!fs.exists(path)) continue;
        await this.it.out.put(
          `${index > 0 ? '\n' : ''}${this.paint.color(`# ${path}`, '\u001b[0;1;34m')}\n${fs.readText(path)}`,
        );
      }
    }
    return 0;
  }
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), seconds >= 172_800 ? ' days' : ' day'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const shown = parts
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n}${unit}`)
    .slice(0, 2);
  return shown.length === 0 ? '0s' : shown.join(' ');
}

function memory(bytes: number): string {
  return bytes >= 1_073_741_824
    ? `${(bytes / 1_073_741_824).toFixed(1)}G`
    : bytes >= 1_048_576
      ? `${(bytes / 1_048_576).toFixed(1)}M`
      : `${(bytes / 1024).toFixed(1)}K`;
}

function cpu(ms: number): string {
  return ms < 1000
    ? `${Math.floor(ms)}ms`
    : ms < 60_000
      ? `${(ms / 1000).toFixed(3)}s`
      : `${Math.floor(ms / 60_000)}min ${((ms % 60_000) / 1000).toFixed(3)}s`;
}

function exitName(status: number): string {
  return status === 0
    ? 'SUCCESS'
    : status === 1
      ? 'FAILURE'
      : status === 203
        ? 'EXEC'
        : status === 2
          ? 'INVALIDARGUMENT'
          : 'n/a';
}

function signalName(number: number): string {
  return parseSignal(String(number))?.slice(3) ?? String(number);
}

/** service(8): the older way to say systemctl. */
export const service: Program = async (proc) => {
  const [name, verb = 'status'] = proc.argv.slice(1);
  if (name === undefined) {
    await proc.stderr.write(
      'Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n',
    );
    return 1;
  }
  const child = proc.spawn({ argv: ['systemctl', verb, `${name}.service`], path: '/usr/bin/systemctl' });
  const status = await child.wait();
  return status.kind === 'exited' ? status.exitCode : 1;
};

/** reboot(8), poweroff(8), halt(8), shutdown(8), init(8): a machine is switched off with the whole cluster only. */
export const shutdown: Program = async (proc) => {
  const name = (proc.argv[0] ?? '').split('/').at(-1);
  await proc.stderr.write(`drydock: ${name} isn't simulated\n`);
  return 1;
};

/** timedatectl(1), status. */
export const timedatectl: Program = command({ usage: '[OPTIONS...] COMMAND ...' }, async (it) => {
  const { proc } = it;
  const now = proc.clock.now();
  const zone = zoneOf(proc);
  const UTC = { name: 'UTC', offset: 0 };
  await it.out.put(
    `               Local time: ${strftime('%a %F %T %Z', now, zone)}\n           Universal time: ${strftime('%a %F %T UTC', now, UTC)}\n                 RTC time: ${strftime('%a %F %T', now, UTC)}\n                Time zone: ${zone.offset === 28_800 ? 'Asia/Shanghai' : 'Etc/UTC'} (${strftime('%Z, %z', now, zone)})\nSystem clock synchronized: yes\n              NTP service: active\n          RTC in local TZ: no\n`,
  );
});
