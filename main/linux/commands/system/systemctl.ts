// systemctl(1), service(8)
import { ErrnoError } from '../../../network/index.ts';
import { parseSignal, type Process, type Program } from '../../kernel/index.ts';
import {
  formatRelative,
  systemdSocket,
  UnitError,
  unitName,
  type Systemd,
  type UnitStatus,
} from '../../systemd/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { page, wantsPager } from '../frame/pager.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { runPower } from './power.ts';
import { editUnits } from './systemctl-edit.ts';
import {
  dependencyTree,
  fileList,
  properties,
  STATE_COLORS,
  timerList,
  unitList,
  type ListOptions,
} from './systemctl-lists.ts';
import { logText, statusText } from './systemctl-status.ts';
import { BLUE, GREEN, OFF, Paint, RED, SYSTEMD_VERSION, YELLOW } from './systemd-text.ts';

const NO_INSTALL = `The unit files have no installation config (WantedBy=, RequiredBy=, Also=,
Alias= settings in the [Install] section, and DefaultInstance= for template
units). This means they are not meant to be enabled using systemctl.
${' '}
Possible reasons for having this kind of units are:
• A unit may be statically enabled by being symlinked from another unit's
  .wants/ or .requires/ directory.
• A unit's purpose may be to act as a helper for some other unit which has
  a requirement dependency on it.
• A unit may be started when needed via activation (socket, path, timer,
  D-Bus, udev, scripted systemctl call, ...).
• In case of template units, the unit is meant to be enabled with some
  instance name specified.
`;

/** systemctl(1) */
export const systemctl: Program = command(
  {
    short: 'aflqt:p:P:s:n:o:rTH:M:i',
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
      'legend:',
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
      'kill-who:',
      'no-wall',
      'no-reload',
      'show-types',
      'reverse',
      'after',
      'before',
      'wait',
      'preset-mode:',
      'drop-in:',
      'stdin',
      'message:',
    ],
    usage: '[OPTIONS...] COMMAND ...',
    versionText: SYSTEMD_VERSION,
    hint: () => '',
    prepare: (args) => args.map((arg) => (arg === '-no-pager' ? '--no-pager' : arg)),
  },
  async (it) => {
    let systemd: Systemd;
    try {
      systemd = it.proc.kernel.connectService(systemdSocket);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await it.proc.stderr.write(
        "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n",
      );
      return 1;
    }
    return new Systemctl(it, systemd).run();
  },
);

/** Verbs that need at least one unit. */
const NEEDS_UNIT: ReadonlySet<string> = new Set([
  'start',
  'stop',
  'restart',
  'reload',
  'try-restart',
  'reload-or-restart',
  'try-reload-or-restart',
  'condrestart',
  'force-reload',
  'kill',
  'enable',
  'disable',
  'reenable',
  'preset',
  'mask',
  'unmask',
  'is-active',
  'is-enabled',
  'is-failed',
  'cat',
  'edit',
  'isolate',
  'set-default',
]);
/** What only root may do. */
const CHANGES: ReadonlySet<string> = new Set([
  'enable',
  'disable',
  'reenable',
  'preset',
  'mask',
  'unmask',
  'set-default',
  'daemon-reload',
  'daemon-reexec',
  'reset-failed',
]);

class Systemctl {
  private readonly it: Invocation;
  private readonly proc: Process;
  private readonly systemd: Systemd;
  private readonly paint: Paint;
  constructor(it: Invocation, systemd: Systemd) {
    this.it = it;
    this.proc = it.proc;
    this.systemd = systemd;
    this.paint = new Paint(it.proc);
  }

  private async fail(text: string, code: number): Promise<number> {
    await this.complain(text, RED);
    return code;
  }

  private async complain(text: string, color: string): Promise<void> {
    await this.it.out.flush();
    const { stderr } = this.proc;
    const [first = '', ...rest] = text.split('\n');
    const lines =
      stderr.tty === undefined ? [first, ...rest] : [first, ...rest].map((line) => `${color}${line}${OFF}`);
    await stderr.write(`${lines.join('\n')}\n`);
  }

  /** A unit that is there, masked ones too. */
  private known(name: string): UnitStatus | undefined {
    const found = this.systemd.status(unitName(name));
    return found.loadState === 'not-found' ? undefined : found;
  }

  async run(): Promise<number> {
    const { it, systemd, proc } = this;
    const [verb = 'list-units', ...names] = it.operands;
    if (NEEDS_UNIT.has(verb) && names.length === 0) return this.fail('Too few arguments.', 1);
    if (CHANGES.has(verb) && proc.credentials.uid !== 0) {
      const what = verb.startsWith('daemon') ? 'reload daemon' : `${verb} unit`;
      return this.fail(`Failed to ${what}: Access denied`, 1);
    }
    switch (verb) {
      case 'start':
      case 'stop':
      case 'restart':
      case 'reload':
      case 'try-restart':
      case 'condrestart':
      case 'reload-or-restart':
      case 'try-reload-or-restart':
      case 'force-reload':
      case 'isolate':
        return this.jobs(verb, names);
      case 'enable':
      case 'disable':
      case 'reenable':
      case 'preset':
      case 'mask':
      case 'unmask':
        return this.install(verb, names);
      case 'status':
        return this.showStatus(names);
      case 'is-active':
      case 'is-failed':
        return this.is(verb, names);
      case 'is-enabled':
        return this.isEnabled(names);
      case 'kill':
        return this.kill(names);
      case 'daemon-reload':
      case 'daemon-reexec':
        systemd.daemonReload();
        return 0;
      case 'reset-failed':
        return this.resetFailed(names);
      case 'list-units':
        return this.show(unitList(proc, systemd, this.listOptions(names)));
      case 'list-unit-files':
        return this.show(fileList(proc, systemd, this.listOptions(names)));
      case 'list-timers':
        return this.show(timerList(proc, systemd, this.listOptions(names)));
      case 'list-dependencies':
        return this.show(
          dependencyTree(proc, systemd, unitName(names[0] ?? systemd.defaultTarget), {
            reverse: it.options.has('reverse'),
            all: it.options.has('a'),
            plain: it.options.has('plain'),
          }),
        );
      case 'list-jobs':
        await it.out.line('No jobs running.');
        return 0;
      case 'show':
        return this.showProperties(names);
      case 'show-environment':
        return this.show('LANG=en_US.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\n');
      case 'cat':
        return this.cat(names);
      case 'edit':
        return this.edit(names);
      case 'is-system-running':
        return this.isSystemRunning();
      case 'get-default':
        await it.out.line(systemd.defaultTarget);
        return 0;
      case 'set-default':
        return this.setDefault(names[0]!);
      case 'reboot':
      case 'poweroff':
      case 'halt':
        return runPower(proc, verb);
      case 'list-sockets':
      case 'hibernate':
      case 'suspend':
      case 'rescue':
      case 'emergency':
      case 'kexec':
      case 'set-property':
      case 'set-environment':
      case 'import-environment':
        return this.fail(`drydock: systemctl ${verb} isn't simulated`, 1);
      case 'help':
        return this.fail('drydock: manual pages are not here', 1);
      default:
        return this.fail(`Unknown command verb ${verb}.`, 1);
    }
  }

  /** Prints, through the pager on a terminal. */
  private async show(text: string, status = 0): Promise<number> {
    await this.it.out.flush();
    if (this.it.options.has('no-pager') || !wantsPager(this.proc)) await this.it.out.put(text);
    else await page(this.proc, text);
    return status;
  }

  private listOptions(patterns: readonly string[]): ListOptions {
    const { options } = this.it;
    const words = (name: string): string[] => options.values(name).flatMap((text) => text.split(','));
    return {
      all: options.has('a'),
      failed: options.has('failed'),
      types: words('t'),
      states: words('state'),
      legend: !options.has('no-legend') && options.value('legend') !== 'false',
      plain: options.has('plain'),
      patterns,
    };
  }

  // ── Jobs ──

  private async jobs(verb: string, names: readonly string[]): Promise<number> {
    let status = 0;
    for (const name of this.expand(names)) status = (await this.job(verb, name)) || status;
    return status;
  }

  /** Patterns stand for the units that are loaded. */
  private expand(names: readonly string[]): string[] {
    return names.flatMap((name) => {
      if (!/[*?[]/.test(name)) return [name];
      const pattern = new RegExp(
        `^${unitName(name)
          .replaceAll(/[.+^${}()|\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      );
      return this.systemd
        .list()
        .map((unit) => unit.name)
        .filter((one) => pattern.test(one));
    });
  }

  private async job(verb: string, given: string): Promise<number> {
    const { systemd } = this;
    const name = unitName(given);
    const unit = this.known(given);
    const word = wordOf(verb, unit);
    if (this.proc.credentials.uid !== 0)
      return this.fail(
        `Failed to ${word} ${name}: Access denied\nSee system logs and 'systemctl status ${name}' for details.`,
        4,
      );
    if (unit === undefined) {
      if (verb.startsWith('try-') || verb === 'condrestart') return 0;
      return this.fail(
        `Failed to ${word} ${name}: Unit ${name} ${word === 'stop' ? 'not loaded' : 'not found'}.`,
        5,
      );
    }
    if (verb.startsWith('try-') || verb === 'condrestart') if (unit.activeState !== 'active') return 0;
    if (unit.needsReload && word !== 'stop') await this.complain(this.reloadWarning(unit.name), YELLOW);
    const work =
      verb === 'isolate'
        ? systemd.isolate(name)
        : word === 'start'
          ? systemd.start(name)
          : word === 'stop'
            ? systemd.stop(name)
            : word === 'reload'
              ? systemd.reload(name)
              : systemd.restart(name);
    if (this.it.options.has('no-block')) {
      void work.catch((error: unknown) => {
        if (!(error instanceof UnitError)) throw error; // It is in the journal.
      });
      return 0;
    }
    try {
      await this.proc.interruptible(work);
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      return this.jobFailed(error, word, name);
    }
    const triggers =
      word === 'stop' ? unit.triggeredBy.filter((one) => systemd.status(one).activeState === 'active') : [];
    if (triggers.length > 0)
      await this.proc.stderr.write(
        `Warning: Stopping ${name}, but it can still be activated by:\n${triggers.map((one) => `  ${one}\n`).join('')}`,
      );
    return 0;
  }

  private jobFailed(error: UnitError, word: string, name: string): Promise<number> {
    switch (error.code) {
      case 'failed':
        return this.fail(error.message, 1);
      case 'inapplicable':
        return this.fail(`Failed to ${word} ${name}: ${error.message}`, 3);
      case 'masked':
      case 'bad-setting':
        return this.fail(`Failed to ${word} ${name}: ${error.message}`, 1);
      case 'not-found':
        return this.fail(`Failed to ${word} ${name}: ${error.message}`, 5);
    }
  }

  private reloadWarning(name: string): string {
    return `Warning: The unit file, source configuration file or drop-ins of ${name} changed on disk. Run 'systemctl daemon-reload' to reload units.`;
  }

  private async kill(names: readonly string[]): Promise<number> {
    const { options } = this.it;
    const text = options.value('s') ?? 'TERM';
    const signal = parseSignal(text);
    if (signal === undefined) return this.fail(`Failed to parse signal string ${text}.`, 1);
    const whom = (options.value('kill-whom') ?? options.value('kill-who')) === 'main' ? 'main' : 'all';
    for (const name of names) {
      const unit = this.known(name);
      if (unit === undefined)
        return this.fail(`Failed to kill unit ${unitName(name)}: Unit ${unitName(name)} not loaded.`, 5);
      if (unit.pids.length === 0) {
        const why = whom === 'main' ? 'No main process to kill' : 'No process to kill';
        return this.fail(`Failed to kill unit ${unit.name}: ${why}`, 1);
      }
      this.systemd.kill(unit.name, signal, whom);
    }
    return 0;
  }

  private async resetFailed(names: readonly string[]): Promise<number> {
    if (names.length === 0) this.systemd.resetFailed();
    for (const name of names) {
      if (this.known(name) === undefined)
        return this.fail(
          `Failed to reset failed state of unit ${unitName(name)}: Unit ${unitName(name)} not loaded.`,
          1,
        );
      this.systemd.resetFailed(unitName(name));
    }
    return 0;
  }

  // ── Links ──

  private async install(verb: string, names: readonly string[]): Promise<number> {
    const { systemd, it } = this;
    for (const given of names) {
      const name = given.startsWith('/') ? given : unitName(given);
      try {
        if (verb === 'reenable') await this.tell(systemd.disable(name));
        const changes = this.change(verb, name);
        if (changes === undefined) {
          await this.proc.stderr.write(NO_INSTALL);
          continue;
        }
        await this.tell(changes);
        if (verb === 'mask' && this.known(name) === undefined)
          await this.proc.stderr.write(`Unit ${name} does not exist, proceeding anyway.\n`);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        return this.fail(`Failed to ${verb} unit: ${error.message}`, 1);
      }
    }
    if (!it.options.has('now')) return 0;
    const plain = names.map((name) => name.slice(name.lastIndexOf('/') + 1));
    return this.jobs(verb === 'enable' || verb === 'reenable' ? 'start' : 'stop', plain);
  }

  private change(verb: string, name: string): ReturnType<Systemd['enable']> {
    const { systemd } = this;
    const runtime = this.it.options.has('runtime');
    switch (verb) {
      case 'disable':
        return systemd.disable(name);
      case 'mask':
        return systemd.mask(name);
      case 'unmask':
        return systemd.unmask(name);
      case 'preset':
        return systemd.status(name).vendorPreset === 'enabled' ? systemd.enable(name) : systemd.disable(name);
      default:
        return systemd.enable(name, { runtime });
    }
  }

  private async tell(changes: NonNullable<ReturnType<Systemd['enable']>>): Promise<void> {
    if (this.it.options.has('q')) return;
    for (const change of changes)
      await this.proc.stderr.write(
        'made' in change
          ? `Created symlink ${change.made} → ${change.target}.\n`
          : `Removed "${change.removed}".\n`,
      );
  }

  private async setDefault(name: string): Promise<number> {
    try {
      await this.tell(this.systemd.setDefaultTarget(name));
      return 0;
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      return this.fail(`Failed to set default target: ${error.message}`, 1);
    }
  }

  // ── Questions ──

  private async is(verb: 'is-active' | 'is-failed', names: readonly string[]): Promise<number> {
    let good = false;
    for (const name of this.expand(names)) {
      const state = this.systemd.status(unitName(name)).activeState;
      good ||= verb === 'is-failed' ? state === 'failed' : state === 'active' || state === 'reloading';
      if (!this.it.options.has('q')) await this.it.out.line(state);
    }
    return good ? 0 : verb === 'is-failed' ? 1 : 3;
  }

  private async isEnabled(names: readonly string[]): Promise<number> {
    let good = false;
    for (const name of names) {
      const state = this.systemd.enabledState(name);
      if (state === undefined) {
        await this.fail(`Failed to get unit file state for ${unitName(name)}: No such file or directory`, 1);
        continue;
      }
      good ||= ['enabled', 'enabled-runtime', 'static', 'alias', 'indirect'].includes(state);
      if (!this.it.options.has('q')) await this.it.out.line(state);
    }
    return good ? 0 : 1;
  }

  private async isSystemRunning(): Promise<number> {
    const degraded = this.failedCount() > 0;
    if (!this.it.options.has('q')) await this.it.out.line(degraded ? 'degraded' : 'running');
    return degraded ? 1 : 0;
  }

  private failedCount(): number {
    return this.systemd.list().filter((unit) => unit.activeState === 'failed').length;
  }

  // ── Status ──

  private async showStatus(names: readonly string[]): Promise<number> {
    const { it, proc } = this;
    if (names.length === 0) return this.show(this.machineStatus());
    const lines = Number(it.options.value('n') ?? 10);
    const format = it.options.value('o') ?? 'short';
    let status = 0;
    let text = '';
    const warnings: string[] = [];
    for (const name of this.expand(names)) {
      const unit = this.known(this.unitOfPid(name) ?? name);
      if (unit === undefined) {
        if (text !== '') await this.show(text);
        text = '';
        status = Math.max(status, await this.fail(`Unit ${unitName(name)} could not be found.`, 4));
        continue;
      }
      if (text !== '') text += '\n';
      text += statusText(proc, unit) + logText(proc, unit, lines, format);
      if (unit.needsReload) warnings.push(this.reloadWarning(unit.name));
      if (!['active', 'activating', 'reloading'].includes(unit.activeState)) status = Math.max(status, 3);
    }
    if (text !== '') await this.show(text);
    for (const warning of warnings) await this.complain(warning, YELLOW);
    return status;
  }

  private unitOfPid(text: string): string | undefined {
    if (!/^\d+$/.test(text)) return undefined;
    return this.systemd.list().find((unit) => unit.pids.includes(Number(text)))?.name;
  }

  private machineStatus(): string {
    const { paint, proc, systemd } = this;
    const failed = this.failedCount();
    const state = failed > 0 ? 'degraded' : 'running';
    const list = systemd.list();
    const { bootMs } = proc.kernel;
    const lines = [
      `${paint.color('●', failed > 0 ? RED : GREEN)} ${proc.kernel.hostname}`,
      `    State: ${paint.color(state, STATE_COLORS[state])}`,
      `    Units: ${list.length} loaded (incl. loaded aliases)`,
      '     Jobs: 0 queued',
      `   Failed: ${failed} units`,
      `    Since: ${strftime('%a %F %T %Z', bootMs, zoneOf(proc))}; ${formatRelative(proc.clock.now() - bootMs)} ago`,
      `  systemd: ${systemd.version}`,
      '   CGroup: /',
      '           ├─init.scope',
      '           │ └─1 /usr/lib/systemd/systemd --switched-root --system --deserialize 22',
      '           └─system.slice',
    ];
    const running = list.filter((unit) => unit.pids.length > 0);
    const processes = proc.kernel.listProcesses();
    for (const [index, unit] of running.entries()) {
      const last = index === running.length - 1;
      lines.push(`             ${last ? '└─' : '├─'}${unit.name}`);
      for (const [at, pid] of unit.pids.entries()) {
        const argv = processes.find((one) => one.pid === pid)?.argv.join(' ') ?? '';
        lines.push(
          `             ${last ? '  ' : '│ '}${at === unit.pids.length - 1 ? '└─' : '├─'}${pid} ${argv}`,
        );
      }
    }
    return lines.map((line) => `${line}\n`).join('');
  }

  private async showProperties(names: readonly string[]): Promise<number> {
    const { options } = this.it;
    const wanted = [...options.values('p'), ...options.values('P')].flatMap((text) => text.split(','));
    const bare = options.has('value') || options.has('P');
    const blocks = names.map((name) =>
      properties(this.proc, this.systemd.status(unitName(name)))
        .filter(([key]) => wanted.length === 0 || wanted.includes(key))
        .filter(([, value]) => wanted.length > 0 || options.has('a') || value !== '')
        .map(([key, value]) => (bare ? `${value}\n` : `${key}=${value}\n`))
        .join(''),
    );
    return this.show(blocks.join('\n'));
  }

  private async cat(names: readonly string[]): Promise<number> {
    const { fs, kernel } = this.proc;
    let text = '';
    for (const name of names) {
      const unit = this.known(name);
      if (unit === undefined || unit.fragmentPath === '') {
        if (text !== '') await this.show(text);
        return this.fail(`No files found for ${unitName(name)}.`, 1);
      }
      for (const path of [unit.fragmentPath, ...unit.dropIns]) {
        if (text !== '') text += '\n';
        const shown = this.paint.link(`file://${kernel.hostname}${path}`, path);
        text += `${this.paint.color(`# ${shown}`, BLUE)}\n${fs.exists(path) ? fs.readText(path) : ''}`;
      }
      if (unit.needsReload) await this.complain(this.reloadWarning(unit.name), YELLOW);
    }
    return this.show(text);
  }

  private async edit(names: readonly string[]): Promise<number> {
    const { options } = this.it;
    const units: UnitStatus[] = [];
    for (const name of names) {
      const unit = this.known(name);
      if (unit === undefined && !options.has('f'))
        return this.fail(
          `No files found for ${unitName(name)}.\nRun 'systemctl edit --force --full ${unitName(name)}' to create a new unit.`,
          1,
        );
      units.push(unit ?? this.systemd.status(unitName(name)));
    }
    try {
      const status = await editUnits(this.proc, units, {
        full: options.has('l'),
        runtime: options.has('runtime'),
        fromStdin: options.has('stdin'),
        dropIn: options.value('drop-in'),
      });
      if (status === 0) this.systemd.daemonReload();
      return status;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return this.fail(error.message, 1);
    }
  }
}

/** What a job is called in messages. */
function wordOf(verb: string, unit: UnitStatus | undefined): string {
  switch (verb) {
    case 'try-restart':
    case 'condrestart':
      return 'restart';
    case 'isolate':
      return 'start';
    case 'reload-or-restart':
    case 'try-reload-or-restart':
    case 'force-reload':
      return unit !== undefined && unit.canReload && unit.activeState === 'active' ? 'reload' : 'restart';
    default:
      return verb;
  }
}

/** service(8): the older way to say systemctl. */
export const service: Program = async (proc) => {
  const [name, verb] = proc.argv.slice(1);
  if (name === '--status-all') {
    await proc.stderr.write("drydock: service --status-all isn't simulated\n");
    return 1;
  }
  if (name === undefined || verb === undefined) {
    await proc.stderr.write(
      'Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n',
    );
    return 1;
  }
  await proc.stderr.write(
    proc.stderr.tty === undefined || verb === 'status'
      ? ''
      : `Redirecting to /bin/systemctl ${verb} ${name}.service\n`,
  );
  const child = proc.spawn({ argv: ['systemctl', verb, `${name}.service`], path: '/usr/bin/systemctl' });
  const status = await child.wait();
  return status.kind === 'exited' ? status.exitCode : 1;
};
