// systemd as one machine runs it: its units, what starts together and in which order, and what changes when one ends.
import { disposable, type Clock } from '../../simulation/index.ts';
import type { FileSystemView, Kernel, Signal } from '../kernel/index.ts';
import { disableUnit, enableUnit, maskUnit, setDefault, unmaskUnit } from './installer.ts';
import type { Journal } from './journal.ts';
import { ServiceUnit } from './service.ts';
import {
  UnitError,
  type Account,
  type LinkChange,
  type Systemd,
  type UnitDefinition,
  type UnitStatus,
} from './systemd.ts';
import { TimerUnit } from './timer.ts';
import { PassiveUnit, type Unit, type UnitWorld } from './unit.ts';
import { unitFileOf } from './definition.ts';
import { unitName } from './unit-file.ts';
import { LINKS, UnitStore, type EnabledState } from './unit-store.ts';

const DEFAULT_TARGET = 'default.target';
const VERSION = '252';

export interface SystemdOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly units: readonly UnitDefinition[];
  readonly account: (name: string) => Account | undefined;
  readonly version?: string;
}

/** Systemd with what the machine does to it. */
export interface SystemdManager extends Systemd, Disposable {
  /** Adds units that came with a package, or a lab. */
  define(unit: UnitDefinition): void;
  /** Reaches default.target. Settles when all that belongs to it was started. */
  boot(): Promise<void>;
}

export function makeSystemd(options: SystemdOptions): SystemdManager {
  return new Manager(options);
}

/** What runs when a set of units is started: each waits for those that it is ordered after. */
interface Transaction {
  readonly units: ReadonlyMap<string, Unit>;
  /** Of the one that was asked for. */
  readonly anchor: Promise<void>;
  /** Settles when all are done, whether they came up or not. */
  readonly all: Promise<void>;
}

class Manager implements SystemdManager {
  readonly version: string;
  private readonly options: SystemdOptions;
  private readonly store: UnitStore;
  private readonly units = new Map<string, Unit>();
  private readonly bad = new Map<string, string>();
  private readonly definitions = new Map<string, UnitDefinition>();
  private readonly listeners = new Set<(name: string) => void>();
  private readonly world: UnitWorld;
  private jobs = 0;
  private off = false;

  constructor(options: SystemdOptions) {
    const { kernel, clock, journal, account } = options;
    this.options = options;
    this.version = options.version ?? VERSION;
    this.store = new UnitStore(kernel.files, () => kernel.hostname);
    this.world = {
      kernel,
      clock,
      journal,
      account,
      files: kernel.files,
      definition: (name) => this.definitions.get(name),
      changed: (unit) => this.changed(unit),
      nextJob: () => ++this.jobs,
      trigger: (name) => this.startUnseen(name),
    };
    for (const unit of options.units) this.define(unit);
  }

  private get files(): FileSystemView {
    return this.options.kernel.files;
  }

  define(definition: UnitDefinition): void {
    this.definitions.set(definition.name, definition);
    const path = `/usr/lib/systemd/system/${definition.name}`;
    if (this.files.exists(path)) return;
    this.files.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    this.files.writeFile(path, unitFileOf(definition));
    if (definition.staticIn !== undefined) {
      const wants = `/usr/lib/systemd/system/${definition.staticIn}.wants`;
      this.files.mkdir(wants, { recursive: true });
      this.files.symlink(`../${definition.name}`, `${wants}/${definition.name}`);
    }
    if (definition.enabledByDefault === true) enableUnit(this.files, this.store, definition.name);
  }

  async boot(): Promise<void> {
    const target = this.find(DEFAULT_TARGET);
    if (target === undefined) return;
    await this.transact(target).all;
  }

  [Symbol.dispose](): void {
    this.off = true;
    for (const unit of this.units.values()) unit.abandon();
    this.listeners.clear();
  }

  // ── Loading ──

  /** Loads a unit unless it is; undefined: no such file. */
  private find(given: string): Unit | undefined {
    const name = unitName(given);
    const known = this.units.get(name);
    if (known !== undefined) return known;
    const loaded = this.store.load(name);
    if (loaded.state === 'not-found') return undefined;
    const alias = this.units.get(loaded.id);
    if (alias !== undefined) return alias;
    const unit = this.make(loaded);
    for (const complaint of loaded.complaints) this.tellJournal(unit.name, complaint);
    this.units.set(loaded.id, unit);
    this.judge(unit);
    return unit;
  }

  private make(loaded: Unit['loaded']): Unit {
    if (loaded.id.endsWith('.service')) return new ServiceUnit(loaded, this.world);
    if (loaded.id.endsWith('.timer')) return new TimerUnit(loaded, this.world);
    return new PassiveUnit(loaded, this.world);
  }

  private judge(unit: Unit): void {
    this.bad.delete(unit.name);
    if (!(unit instanceof ServiceUnit) || unit.loaded.state !== 'loaded') return;
    const why = unit.badSetting();
    if (why === undefined) return;
    this.bad.set(unit.name, why);
    this.tellJournal(unit.name, why, 3);
  }

  private tellJournal(unit: string, message: string, priority = 4): void {
    this.options.journal.write({ priority, identifier: 'systemd', pid: 1, unit, message });
  }

  private require(name: string): Unit {
    const full = unitName(name);
    const unit = this.find(full);
    if (unit === undefined) throw new UnitError('not-found', full, `Unit ${full} not found.`);
    return unit;
  }

  private requireStartable(name: string): Unit {
    const unit = this.require(name);
    this.checkStartable(unit);
    return unit;
  }

  private checkStartable({ name, loaded }: Unit): void {
    if (this.store.load(name).state === 'masked' || loaded.state === 'masked')
      throw new UnitError('masked', name, `Unit ${name} is masked.`);
    if (this.bad.has(name))
      throw new UnitError(
        'bad-setting',
        name,
        `Unit ${name} has a bad unit file setting.\nSee system logs and 'systemctl status ${name}' for details.`,
      );
  }

  daemonReload(): void {
    for (const unit of Array.from(this.units.values())) {
      const loaded = this.store.load(unit.name);
      const gone = loaded.state !== 'loaded' && !unit.isRunning && unit.activeState !== 'deactivating';
      if (unit instanceof ServiceUnit) unit.controls = []; // They aren't carried over.
      if (gone) this.units.delete(unit.name);
      else if (loaded.state !== 'not-found') unit.loaded = loaded;
      if (gone || loaded.state === 'not-found') continue;
      for (const complaint of loaded.complaints) this.tellJournal(unit.name, complaint);
      this.judge(unit);
    }
  }

  // ── Relations ──

  /** Names that a unit names, its links and its kind's defaults included. */
  private related(unit: Unit, kind: string): string[] {
    const named = unit.config.words('Unit', kind).map(unitName);
    if (kind === 'Wants') return [...named, ...this.store.linked(unit.name, 'wants')];
    if (kind === 'Requires') return [...named, ...this.store.linked(unit.name, 'requires')];
    return named;
  }

  private wants(unit: Unit): string[] {
    return this.related(unit, 'Wants');
  }
  private needs(unit: Unit): string[] {
    return [...this.related(unit, 'Requires'), ...this.related(unit, 'BindsTo')];
  }

  /** Whether `unit` waits for `other` where both are started. */
  private isAfter(unit: Unit, other: Unit): boolean {
    if (this.related(unit, 'After').includes(other.name)) return true;
    if (this.related(other, 'Before').includes(unit.name)) return true;
    return (
      unit.name.endsWith('.target') &&
      other.config.flag('Unit', 'DefaultDependencies', true) &&
      [...this.wants(unit), ...this.needs(unit)].includes(other.name)
    );
  }

  // ── Jobs ──

  /** Everything that starts with a unit. Throws UnitError for a needed one that can't be. */
  private collect(unit: Unit, into: Map<string, Unit>): void {
    if (into.has(unit.name)) return;
    into.set(unit.name, unit);
    for (const name of this.needs(unit)) {
      const other = this.find(name);
      if (other === undefined) {
        if (name.endsWith('.service') || name.endsWith('.timer'))
          throw new UnitError('not-found', name, `Unit ${name} not found.`);
        continue;
      }
      this.checkStartable(other);
      if (other.activeState !== 'active') this.collect(other, into);
    }
    for (const name of this.wants(unit)) {
      const other = this.find(name);
      if (other === undefined || other.activeState === 'active' || other.loaded.state !== 'loaded') continue;
      if (this.bad.has(other.name) || into.has(other.name)) continue;
      const tried = new Map(into);
      try {
        this.collect(other, tried);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error; // What is only wanted may be missing what it needs.
        continue;
      }
      for (const [key, value] of tried) into.set(key, value);
    }
  }

  private transact(anchor: Unit): Transaction {
    const units = new Map<string, Unit>();
    this.collect(anchor, units);
    for (const unit of units.values())
      for (const name of this.related(unit, 'Conflicts')) {
        const other = this.units.get(name);
        if (other !== undefined && other.isRunning) void other.stop();
      }
    const jobs = new Map<string, Promise<void>>();
    const job = (unit: Unit, path: readonly Unit[]): Promise<void> => {
      const begun = jobs.get(unit.name);
      if (begun !== undefined) return begun;
      // A circle of After= is cut where it closes.
      const before = Array.from(units.values()).filter(
        (other) => other !== unit && !path.includes(other) && this.isAfter(unit, other),
      );
      const waits = before.map((other) => ({ other, done: job(other, [...path, unit]) }));
      const settled = jobs.get(unit.name);
      if (settled !== undefined) return settled;
      const done = this.runJob(unit, waits);
      jobs.set(unit.name, done);
      return done;
    };
    for (const unit of units.values()) job(unit, []).catch(() => undefined); // Told through `anchor`, or in the journal.
    return {
      units,
      anchor: jobs.get(anchor.name)!,
      all: Promise.allSettled(jobs.values()).then(() => undefined),
    };
  }

  private async runJob(unit: Unit, waits: readonly { other: Unit; done: Promise<void> }[]): Promise<void> {
    const results = await Promise.allSettled(waits.map(({ done }) => done));
    if (this.off) return;
    const needed = this.needs(unit);
    const failed = waits.find(
      ({ other }, index) => results[index]!.status === 'rejected' && needed.includes(other.name),
    );
    if (failed !== undefined) {
      this.tellJournal(unit.name, `Dependency failed for ${unit.title}.`);
      this.tellJournal(unit.name, `${unit.name}: Job ${unit.name}/start failed with result 'dependency'.`, 5);
      throw new UnitError(
        'failed',
        unit.name,
        `A dependency job for ${unit.name} failed. See 'journalctl -xe' for details.`,
      );
    }
    await unit.start();
  }

  async start(name: string): Promise<void> {
    await this.transact(this.requireStartable(name)).anchor;
  }

  /** Of timers and OnFailure=: whatever comes of it is in the journal. */
  private startUnseen(name: string): void {
    if (this.off) return;
    const started = this.start(name).catch((error: unknown) => {
      if (!(error instanceof UnitError)) throw error;
      this.tellJournal(unitName(name), `Failed to start ${unitName(name)}: ${error.message.split('\n')[0]}`);
    });
    void started;
  }

  /** Running units that don't stay when one goes. */
  private dependents({ name }: Unit, kinds: readonly string[]): Unit[] {
    return Array.from(this.units.values()).filter(
      (unit) => unit.isRunning && kinds.some((kind) => this.related(unit, kind).includes(name)),
    );
  }

  private async stopWithDependents(unit: Unit, seen = new Set<Unit>()): Promise<Unit[]> {
    if (seen.has(unit)) return [];
    seen.add(unit);
    const dependents = this.dependents(unit, ['Requires', 'BindsTo', 'PartOf']);
    const stopped = await Promise.all(dependents.map((other) => this.stopWithDependents(other, seen)));
    await unit.stop();
    return [...dependents, ...stopped.flat()];
  }

  async stop(name: string): Promise<void> {
    await this.stopWithDependents(this.require(name));
  }

  async restart(name: string): Promise<void> {
    const unit = this.requireStartable(name);
    const others = await this.stopWithDependents(unit);
    await this.start(unit.name);
    for (const other of others) await this.start(other.name);
  }

  async reload(name: string): Promise<void> {
    const unit = this.requireStartable(name);
    if (!(unit instanceof ServiceUnit))
      throw new UnitError(
        'inapplicable',
        unit.name,
        `Job type reload is not applicable for unit ${unit.name}.`,
      );
    await unit.reload();
  }

  async isolate(name: string): Promise<void> {
    const target = this.requireStartable(name);
    if (!target.config.flag('Unit', 'AllowIsolate'))
      throw new UnitError('failed', target.name, `Operation refused, unit may not be isolated.`);
    const keep = new Map<string, Unit>();
    const gather = (unit: Unit): void => {
      if (keep.has(unit.name)) return;
      keep.set(unit.name, unit);
      for (const other of [...this.wants(unit), ...this.needs(unit)]) {
        const found = this.find(other);
        if (found !== undefined) gather(found);
      }
    };
    gather(target);
    const extra = Array.from(this.units.values()).filter(
      (unit) => unit.isRunning && !keep.has(unit.name) && !unit.config.flag('Unit', 'IgnoreOnIsolate'),
    );
    await Promise.all(extra.map((unit) => unit.stop()));
    await this.transact(target).all;
  }

  kill(name: string, signal: Signal, whom: 'main' | 'all' = 'all'): void {
    const unit = this.require(name);
    if (unit instanceof ServiceUnit) unit.kill(signal, whom);
  }

  notify(pid: number, message: string): void {
    const cgroup = this.options.kernel.listProcesses().find((one) => one.pid === pid)?.cgroup;
    for (const unit of this.units.values())
      if (unit instanceof ServiceUnit && unit.cgroup === cgroup) unit.notify(message);
  }

  private changed(unit: Unit): void {
    if (this.off) return;
    for (const listener of Array.from(this.listeners)) listener(unit.name);
    if (unit.activeState !== 'failed' && unit.activeState !== 'inactive') return;
    for (const other of this.dependents(unit, ['BindsTo'])) void other.stop();
    for (const other of this.units.values())
      if (other instanceof TimerUnit && other.triggers === unit.name) other.unitEnded();
    if (unit.activeState === 'failed')
      for (const name of this.related(unit, 'OnFailure')) this.startUnseen(name);
  }

  // ── Links ──

  enable(name: string, options: { readonly runtime?: boolean } = {}): readonly LinkChange[] | undefined {
    return enableUnit(this.files, this.store, name, options.runtime);
  }
  disable(name: string): readonly LinkChange[] {
    return disableUnit(this.files, this.store, name);
  }
  mask(name: string): readonly LinkChange[] {
    return maskUnit(this.files, this.store, unitName(name));
  }
  unmask(name: string): readonly LinkChange[] {
    const changes = unmaskUnit(this.files, unitName(name));
    const unit = this.units.get(unitName(name));
    if (unit !== undefined && unit.loaded.state === 'masked') this.units.delete(unit.name);
    return changes;
  }
  get defaultTarget(): string {
    return this.store.find(DEFAULT_TARGET)?.id ?? 'multi-user.target';
  }
  setDefaultTarget(name: string): readonly LinkChange[] {
    return setDefault(this.files, this.store, name, `${LINKS}/${DEFAULT_TARGET}`);
  }

  resetFailed(name?: string): void {
    const units = name === undefined ? Array.from(this.units.values()) : [this.require(name)];
    for (const unit of units) unit.resetFailed();
  }

  // ── Looking ──

  status(name: string): UnitStatus {
    const unit = this.find(name);
    return unit === undefined ? this.describeMissing(unitName(name)) : this.describe(unit);
  }

  enabledState(name: string): EnabledState | undefined {
    const full = unitName(name);
    return this.store.find(full) === undefined ? undefined : this.store.enabled(full);
  }

  list(): UnitStatus[] {
    return Array.from(this.units.values(), (unit) => this.describe(unit)).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  listFiles(): { name: string; state: EnabledState; preset: string }[] {
    return this.store.list().map((name) => {
      const state = this.store.enabled(name);
      return { name, state, preset: state === 'static' || state === 'alias' ? '-' : this.store.preset(name) };
    });
  }

  onChange(listener: (name: string) => void): Disposable {
    this.listeners.add(listener);
    return disposable(() => this.listeners.delete(listener));
  }

  private describeMissing(name: string): UnitStatus {
    return { ...NOTHING, name, description: name };
  }

  private describe(unit: Unit): UnitStatus {
    const { name, config } = unit;
    const masked = this.store.find(name)?.masked === true;
    return {
      ...NOTHING,
      name,
      description: unit.description,
      documentation: config.words('Unit', 'Documentation'),
      loadState: masked ? 'masked' : this.bad.has(name) ? 'bad-setting' : unit.loaded.state,
      activeState: unit.activeState,
      subState: unit.subState,
      enabled: this.store.enabled(name),
      vendorPreset: this.store.preset(name),
      fragmentPath: unit.loaded.fragmentPath,
      dropIns: unit.loaded.dropIns,
      needsReload: !masked && this.store.signature(name) !== unit.loaded.signature,
      sinceMs: unit.sinceMs,
      durationMs: unit.durationMs,
      logStart: unit.logStart,
      unmet: unit.unmet,
      ...(unit instanceof ServiceUnit ? unit.describe() : {}),
      ...(unit instanceof TimerUnit
        ? { nextMs: unit.nextMs, lastMs: unit.lastMs, triggers: [unit.triggers] }
        : {}),
      triggeredBy: Array.from(this.units.values())
        .filter((other) => other instanceof TimerUnit && other.triggers === name)
        .map((other) => other.name),
      relations: Object.fromEntries(
        RELATIONS.map((kind) => [kind, Array.from(new Set(this.related(unit, kind)))]),
      ),
    };
  }
}

const RELATIONS = ['Requires', 'Wants', 'BindsTo', 'PartOf', 'Conflicts', 'Before', 'After'] as const;

const NOTHING: UnitStatus = {
  name: '',
  description: '',
  documentation: [],
  loadState: 'not-found',
  activeState: 'inactive',
  subState: 'dead',
  enabled: 'disabled',
  vendorPreset: 'enabled',
  fragmentPath: '',
  dropIns: [],
  canReload: false,
  needsReload: false,
  mainPid: 0,
  sinceMs: undefined,
  durationMs: undefined,
  logStart: 0,
  unmet: undefined,
  execStart: [],
  result: undefined,
  serviceResult: 'success',
  controls: [],
  statusText: undefined,
  cgroup: '',
  pids: [],
  memoryBytes: 0,
  restarts: 0,
  restartPolicy: 'no',
  type: '',
  nextMs: undefined,
  lastMs: undefined,
  triggers: [],
  triggeredBy: [],
  relations: {},
};
