// What all kinds of units have: a loaded configuration, a state, and what they tell the journal.
import type { Clock } from '../../simulation/index.ts';
import type { FileSystemView, Kernel } from '../kernel/index.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Account, UnitDefinition, UnitStatus } from './systemd.ts';
import type { LoadedUnit } from './unit-store.ts';

/** What a unit needs of the manager and the machine. */
export interface UnitWorld {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly files: FileSystemView;
  /** getpwnam(3). */
  readonly account: (name: string) => Account | undefined;
  /** The code behind a program that comes with the machine, by its path. */
  readonly definition: (name: string) => UnitDefinition | undefined;
  readonly changed: (unit: Unit) => void;
  readonly nextJob: () => number;
  /** A timer has come due. */
  readonly trigger: (unit: string) => void;
}

export abstract class Unit {
  loaded: LoadedUnit;
  activeState: UnitStatus['activeState'] = 'inactive';
  subState = 'dead';
  /** When the state was entered. */
  sinceMs: number | undefined;
  activeSinceMs: number | undefined;
  /** How long it was active the last time. */
  durationMs: number | undefined;
  /** The condition that kept it from starting, and when. */
  /** The journal's last entry when it last stopped being inactive: its log since then is of this run. */
  logStart = 0;
  /** Of the last job: what the journal's explanations name. */
  protected job = 0;
  unmet: { readonly text: string; readonly atMs: number } | undefined;
  readonly world: UnitWorld;

  constructor(loaded: LoadedUnit, world: UnitWorld) {
    this.loaded = loaded;
    this.world = world;
  }

  get name(): string {
    return this.loaded.id;
  }
  get config(): LoadedUnit['config'] {
    return this.loaded.config;
  }
  get description(): string {
    return this.config.value('Unit', 'Description') ?? this.name;
  }
  /** As the journal and systemctl list it: `x.service - Description`. */
  get title(): string {
    return this.description === this.name ? this.name : `${this.name} - ${this.description}`;
  }
  get isRunning(): boolean {
    return ['active', 'activating', 'reloading'].includes(this.activeState);
  }

  /** Settles when the start is done; rejects with UnitError. */
  abstract start(): Promise<void>;
  /** Settles when nothing of it runs any more. */
  abstract stop(): Promise<void>;
  /** The machine's power goes: whatever ends now ends unseen. */
  abstract abandon(): void;
  resetFailed(): void {
    if (this.activeState === 'failed') this.enter('inactive', 'dead');
  }

  protected enter(activeState: UnitStatus['activeState'], subState: string): void {
    const now = this.world.clock.now();
    if (this.activeState !== activeState) {
      if (activeState === 'active') this.activeSinceMs = now;
      else if (this.activeState === 'active' || this.activeState === 'reloading')
        this.durationMs = now - (this.activeSinceMs ?? now);
      this.sinceMs = now;
    }
    this.activeState = activeState;
    this.subState = subState;
    this.world.changed(this);
  }

  log(message: string, priority = 6, more: Partial<JournalEntry> = {}): void {
    this.world.journal.write({
      priority,
      identifier: 'systemd',
      pid: 1,
      unit: this.name,
      message,
      ...(more.catalog === undefined ? {} : { job: this.job }),
      ...more,
    });
  }

  /** systemd.unit(5), Condition…=: the first that isn't met, in the words of the journal. */
  unmetCondition(): string | undefined {
    const { files } = this.world;
    for (const { section, key, value } of this.config.settings) {
      if (section !== 'Unit' || !key.startsWith('Condition') || value === '') continue;
      const negated = value.startsWith('!');
      const text = value.replace(/^[!|]+/, '');
      const test = CONDITIONS[key];
      if (test !== undefined && test(text, files) === negated) return `${key}=${value}`;
    }
    return undefined;
  }
}

const CONDITIONS: Readonly<Record<string, (text: string, files: FileSystemView) => boolean>> = {
  ConditionPathExists: (path, files) => files.exists(path),
  ConditionPathIsDirectory: (path, files) => files.exists(path) && files.stat(path).type === 'directory',
  ConditionFileNotEmpty: (path, files) => files.exists(path) && files.stat(path).sizeBytes > 0,
  ConditionFileIsExecutable: (path, files) => files.exists(path) && (files.stat(path).mode & 0o111) !== 0,
  ConditionDirectoryNotEmpty: (path, files) => files.exists(path) && files.readdir(path).length > 0,
  ConditionVirtualization: (text) => ['yes', 'vm', 'kvm', 'true', '1'].includes(text),
  ConditionUser: (text) => text === 'root' || text === '0',
};

/** Targets, slices and mounts that are there from the start: active as soon as somebody asks. */
export class PassiveUnit extends Unit {
  async start(): Promise<void> {
    if (this.activeState === 'active') return;
    this.enter('active', this.name.endsWith('.mount') ? 'mounted' : 'active');
    if (this.name.endsWith('.target')) this.log(`Reached target ${this.title}.`);
    return Promise.resolve();
  }
  async stop(): Promise<void> {
    if (this.activeState !== 'active') return;
    this.enter('inactive', 'dead');
    if (this.name.endsWith('.target')) this.log(`Stopped target ${this.title}.`);
    return Promise.resolve();
  }
  abandon(): void {
    this.activeState = 'inactive';
  }
}
