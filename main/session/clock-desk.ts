// The clock as the screen controls it: pause, speed, skips; told to the screen about ten times a second.
import type { ClockState } from '../../preload/contract.ts';
import { durationMs, type Duration, type HostLoop, type Simulation } from '../simulation/index.ts';

/** Wall time between two reports of the time, in ms. */
const REPORT_MS = 250;
/** Virtual time after which 'until ready' gives up. */
const READY_WITHIN: Duration = { minutes: 2 };
/** Virtual time that a skip runs at once before the screen hears of it, in ms. */
const SKIP_SLICE_MS = 5_000;

export class ClockDesk implements Disposable {
  private readonly simulation: Simulation;
  private readonly host: HostLoop;
  private readonly report: (state: ClockState) => void;
  private speed = 1;
  private paused = true;
  private skips = 0;
  private timer: Disposable;

  constructor(simulation: Simulation, host: HostLoop, report: (state: ClockState) => void) {
    this.simulation = simulation;
    this.host = host;
    this.report = report;
    this.timer = host.timeout(REPORT_MS, () => this.tick());
  }

  get state(): ClockState {
    return { nowMs: this.simulation.now(), paused: this.paused, speed: this.speed, skipping: this.skips > 0 };
  }

  pause(): ClockState {
    return this.set(true, this.speed);
  }

  resume(): ClockState {
    return this.set(false, this.speed);
  }

  /** Also while paused; it counts from the next resume. */
  setSpeed(speed: number): ClockState {
    return this.set(this.paused, speed);
  }

  async skip(duration: Duration): Promise<ClockState> {
    return this.skipping(async () => {
      const untilMs = this.simulation.now() + durationMs(duration);
      while (this.simulation.now() < untilMs) {
        await this.simulation.advance({ ms: Math.min(SKIP_SLICE_MS, untilMs - this.simulation.now()) });
        this.report(this.state);
      }
    });
  }

  async skipUntil(condition: () => boolean): Promise<ClockState> {
    return this.skipping(async () => {
      await this.simulation.advanceUntil(condition, READY_WITHIN);
    });
  }

  [Symbol.dispose](): void {
    this.timer[Symbol.dispose]();
  }

  private set(paused: boolean, speed: number): ClockState {
    this.paused = paused;
    this.speed = speed;
    this.simulation.setSpeed(paused ? 0 : speed);
    this.report(this.state);
    return this.state;
  }

  private async skipping(run: () => Promise<void>): Promise<ClockState> {
    this.skips++;
    this.report(this.state);
    try {
      await run();
    } finally {
      this.skips--;
      this.report(this.state);
    }
    return this.state;
  }

  private tick(): void {
    this.timer = this.host.timeout(REPORT_MS, () => this.tick());
    if (!this.paused) this.report(this.state);
  }
}
