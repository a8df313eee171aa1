// Timer units: when they come due, and the unit they start then. systemd.timer(5).
import { parseCalendar } from './calendar.ts';
import { parseTimeSpan } from './time-span.ts';
import { Unit } from './unit.ts';

/** Calendar timers that never come due again. */
const NEVER = undefined;

export class TimerUnit extends Unit {
  lastMs: number | undefined;
  nextMs: number | undefined;
  private timer: Disposable | undefined;

  /** What it starts: `Unit=`, or the service of its name. */
  get triggers(): string {
    return this.config.value('Timer', 'Unit') ?? this.name.replace(/\.timer$/, '.service');
  }

  async start(): Promise<void> {
    if (this.activeState === 'active') return;
    this.enter('active', 'waiting');
    this.log(`Started ${this.title}.`);
    this.arm();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.disarm();
    if (this.activeState !== 'active') return;
    this.enter('inactive', 'dead');
    this.log(`${this.name}: Deactivated successfully.`);
    this.log(`Stopped ${this.title}.`);
    return Promise.resolve();
  }

  abandon(): void {
    this.disarm();
  }

  /** The started unit has ended: OnUnitInactiveSec= counts from now. */
  unitEnded(): void {
    if (this.activeState === 'active' && this.config.value('Timer', 'OnUnitInactiveSec') !== undefined)
      this.arm();
  }

  private disarm(): void {
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
    this.nextMs = undefined;
  }

  private arm(): void {
    this.disarm();
    const { clock } = this.world;
    const now = clock.now();
    this.nextMs = this.due(now);
    if (this.nextMs === NEVER) {
      this.enter('active', 'elapsed');
      return;
    }
    this.timer = clock.after(this.nextMs - now, () => this.elapse());
  }

  private due(now: number): number | undefined {
    const { kernel } = this.world;
    const bases: readonly (readonly [string, number | undefined])[] = [
      ['OnActiveSec', this.activeSinceMs],
      ['OnBootSec', kernel.bootMs],
      ['OnStartupSec', kernel.bootMs],
      ['OnUnitActiveSec', this.lastMs],
      ['OnUnitInactiveSec', this.lastMs === undefined ? undefined : now],
    ];
    const moments = bases.flatMap(([key, base]) =>
      this.config.values('Timer', key).map((text) => {
        const span = parseTimeSpan(text);
        return span === undefined || base === undefined ? undefined : base + span;
      }),
    );
    // One that lies in the past, such as OnBootSec= of a timer started late, comes due at once, but only once.
    const spans = moments
      .filter((at) => at !== undefined)
      .map((at) => (at <= now && this.lastMs === undefined ? now : at))
      .filter((at) => at > now || this.lastMs === undefined);
    const calendars = this.config
      .values('Timer', 'OnCalendar')
      .map((text) => parseCalendar(text)?.next(now))
      .filter((at) => at !== undefined);
    const all = [...spans, ...calendars];
    return all.length === 0 ? NEVER : Math.min(...all);
  }

  private elapse(): void {
    this.lastMs = this.world.clock.now();
    this.enter('active', 'running');
    this.world.trigger(this.triggers);
    this.arm();
    if (this.nextMs !== NEVER) this.enter('active', 'waiting');
  }
}
