// systemd as one machine runs it: its units, which of them start at boot, and the links that say so.
import { disposable, type Clock } from '../../simulation/index.ts';
import type { FileSystemView, Kernel, Signal } from '../kernel/index.ts';
import type { Journal } from './journal.ts';
import { unitName } from './journald.ts';
import { UnitError, type Systemd, type UnitDefinition, type UnitStatus } from './systemd.ts';
import { Unit } from './unit.ts';

const LINKS = '/etc/systemd/system';
const WANTS = `${LINKS}/multi-user.target.wants`;

export interface SystemdOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly units: readonly UnitDefinition[];
  readonly version?: string;
}

/** Systemd with what the machine does to it. */
export interface SystemdManager extends Systemd, Disposable {
  /** Adds units that came with a package, or a lab. */
  define(unit: UnitDefinition): void;
  /** Starts every enabled unit, those that `after` names first. */
  boot(): Promise<void>;
}

export function makeSystemd(options: SystemdOptions): SystemdManager {
  return new Manager(options);
}

class Manager implements SystemdManager {
  readonly version: string;
  private readonly options: SystemdOptions;
  private readonly units = new Map<string, Unit>();
  private readonly listeners = new Set<(name: string) => void>();

  constructor(options: SystemdOptions) {
    this.options = options;
    this.version = options.version ?? '219';
    for (const unit of options.units) this.define(unit);
  }

  private get files(): FileSystemView {
    return this.options.kernel.files;
  }

  define(definition: UnitDefinition): void {
    const { kernel, clock, journal } = this.options;
    const unit = new Unit(definition, { kernel, clock, journal, changed: (name) => this.tell(name) });
    this.units.set(definition.name, unit);
    const path = fragmentPath(definition);
    if (!this.files.exists(path)) this.writeUnitFile(path, definition);
  }

  private writeUnitFile(path: string, definition: UnitDefinition): void {
    const { files } = this;
    files.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    files.writeFile(path, unitFile(definition));
    if (definition.enabledByDefault === true) this.linkTo(definition);
  }

  async boot(): Promise<void> {
    const waiting = new Set(
      Array.from(this.units.values()).filter((unit) => this.isEnabled(unit.definition)),
    );
    while (waiting.size > 0) {
      const ready = Array.from(waiting).find(
        (unit) => !(unit.definition.after ?? []).some((name) => hasNamed(waiting, name)),
      );
      const unit = ready ?? Array.from(waiting)[0]!; // A circle of After= is cut anywhere.
      waiting.delete(unit);
      try {
        await unit.start();
      } catch (error) {
        if (!(error instanceof UnitError)) throw error; // It is in the journal.
      }
    }
  }

  [Symbol.dispose](): void {
    for (const unit of this.units.values()) unit.abandon();
    this.listeners.clear();
  }

  private require(name: string): Unit {
    const full = unitName(name);
    const unit = this.units.get(full);
    if (unit === undefined) throw new UnitError('not-found', full, `Unit ${full} not found.`);
    return unit;
  }

  private requireUnmasked(name: string): Unit {
    const unit = this.require(name);
    const { name: full } = unit.definition;
    if (this.isMasked(unit.definition)) throw new UnitError('masked', full, `Unit ${full} is masked.`);
    return unit;
  }

  async start(name: string): Promise<void> {
    await this.requireUnmasked(name).start();
  }
  async stop(name: string): Promise<void> {
    await this.require(name).stop();
  }
  async restart(name: string): Promise<void> {
    const unit = this.requireUnmasked(name);
    await unit.stop();
    await unit.start();
  }
  async reload(name: string): Promise<void> {
    const unit = this.requireUnmasked(name);
    if (unit.mainPid === 0)
      throw new UnitError('failed', unit.definition.name, `Job for ${unit.definition.name} invalid.`);
    this.options.kernel.kill(unit.mainPid, 'SIGHUP');
    return Promise.resolve();
  }
  kill(name: string, signal: Signal): void {
    this.require(name).kill(signal);
  }

  enable(name: string): readonly (readonly [string, string])[] {
    const { definition } = this.requireUnmasked(name);
    return this.isEnabled(definition) ? [] : [this.linkTo(definition)];
  }

  private linkTo(definition: UnitDefinition): readonly [string, string] {
    const link = `${WANTS}/${definition.name}`;
    const target = fragmentPath(definition);
    this.files.mkdir(WANTS, { recursive: true });
    if (this.linkExists(link)) this.files.unlink(link);
    this.files.symlink(target, link);
    return [link, target];
  }

  disable(name: string): readonly string[] {
    const { definition } = this.require(name);
    return this.unlink(`${WANTS}/${definition.name}`);
  }

  mask(name: string): readonly (readonly [string, string])[] {
    const { definition } = this.require(name);
    const link = `${LINKS}/${definition.name}`;
    if (this.isMasked(definition)) return [];
    if (this.linkExists(link))
      throw new UnitError('failed', definition.name, `Failed to mask unit: File ${link} already exists.`);
    this.files.symlink('/dev/null', link);
    return [[link, '/dev/null']];
  }

  unmask(name: string): readonly string[] {
    const { definition } = this.require(name);
    return this.isMasked(definition) ? this.unlink(`${LINKS}/${definition.name}`) : [];
  }

  private unlink(link: string): readonly string[] {
    if (!this.linkExists(link)) return [];
    this.files.unlink(link);
    return [link];
  }

  private linkExists(path: string): boolean {
    const directory = path.slice(0, path.lastIndexOf('/'));
    const name = path.slice(path.lastIndexOf('/') + 1);
    return this.files.exists(directory) && this.files.readdir(directory).some((entry) => entry.name === name);
  }

  private isEnabled(definition: UnitDefinition): boolean {
    return this.linkExists(`${WANTS}/${definition.name}`) && !this.isMasked(definition);
  }

  private isMasked(definition: UnitDefinition): boolean {
    const link = `${LINKS}/${definition.name}`;
    return (
      this.linkExists(link) &&
      this.files.lstat(link).type === 'symlink' &&
      this.files.readlink(link) === '/dev/null'
    );
  }

  daemonReload(): void {
    return; // Unit files aren't read back: what a unit runs is given when it is defined.
  }

  resetFailed(name?: string): void {
    const units = name === undefined ? Array.from(this.units.values()) : [this.require(name)];
    for (const unit of units) unit.resetFailed();
  }

  status(name: string): UnitStatus {
    return this.describe(this.require(name));
  }

  list(): UnitStatus[] {
    return Array.from(this.units.values(), (unit) => this.describe(unit)).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  onChange(listener: (name: string) => void): Disposable {
    this.listeners.add(listener);
    return disposable(() => this.listeners.delete(listener));
  }

  private tell(name: string): void {
    for (const listener of Array.from(this.listeners)) listener(name);
  }

  private describe(unit: Unit): UnitStatus {
    const { definition } = unit;
    const members = unit.members();
    const masked = this.isMasked(definition);
    return {
      name: definition.name,
      description: definition.description,
      documentation: definition.documentation,
      loadState: masked ? 'masked' : 'loaded',
      activeState: unit.activeState,
      subState: unit.subState,
      enabled: masked ? 'masked' : this.isEnabled(definition) ? 'enabled' : 'disabled',
      vendorPreset: definition.vendorPreset ?? 'disabled',
      fragmentPath: fragmentPath(definition),
      dropIns: definition.dropIns ?? [],
      mainPid: unit.mainPid,
      sinceMs: unit.sinceMs,
      execStart: definition.execStart,
      result: unit.result,
      pids: members.map(({ pid }) => pid),
      memoryBytes: members.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      restarts: unit.restarts,
    };
  }
}

function hasNamed(units: Iterable<Unit>, name: string): boolean {
  for (const unit of units) if (unit.definition.name === name) return true;
  return false;
}

function fragmentPath(definition: UnitDefinition): string {
  return definition.fragmentPath ?? `/usr/lib/systemd/system/${definition.name}`;
}

function unitFile(definition: UnitDefinition): string {
  const lines = ['[Unit]', `Description=${definition.description}`];
  if (definition.documentation !== undefined) lines.push(`Documentation=${definition.documentation}`);
  if (definition.after !== undefined && definition.after.length > 0)
    lines.push(`After=${definition.after.join(' ')}`);
  if (definition.wants !== undefined && definition.wants.length > 0)
    lines.push(`Wants=${definition.wants.join(' ')}`);
  lines.push('', '[Service]');
  if (definition.type !== undefined && definition.type !== 'simple') lines.push(`Type=${definition.type}`);
  for (const [name, value] of Object.entries(definition.env ?? {}))
    lines.push(`Environment=${name}=${value}`);
  lines.push(`ExecStart=${definition.execStart.join(' ')}`);
  if (definition.restart !== undefined && definition.restart !== 'no')
    lines.push(`Restart=${definition.restart}`);
  if (definition.restartDelayMs !== undefined) lines.push(`RestartSec=${definition.restartDelayMs / 1000}`);
  return `${[...lines, '', '[Install]', 'WantedBy=multi-user.target'].join('\n')}\n`;
}
