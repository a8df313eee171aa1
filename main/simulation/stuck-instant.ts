// Notices when time stands still: tasks that keep asking for the present instant, and who they are.

/** Steps at one instant after which the simulation gives up; a rollout of a thousand pods stays far below. */
const STEPS_MAX = 300_000;
/** The last of these steps are looked at for who asks for more. */
const STEPS_WATCHED = 2000;
const NAMED_MAX = 3;
const OWN_FRAME = /[/\\]simulation[/\\](?:simulation|stuck-instant|clock)\.ts/;

/** The simulation has stopped: it names who kept asking for the present instant. */
export class StuckInstant extends Error {
  readonly instantMs: number;
  constructor(instantMs: number, steps: number, askers: string) {
    super(
      `Time stands still at ${new Date(instantMs).toISOString()}: ${steps} steps without the clock moving. ` +
        `What keeps asking for the same instant: ${askers}. The simulation has stopped; the next input lets it try again.`,
    );
    this.name = 'StuckInstant';
    this.instantMs = instantMs;
  }
}

export class StuckWatch {
  private instantMs = -Infinity;
  private steps = 0;
  /** Callers with how often they asked, while that is watched. */
  private askers: Map<string, number> | undefined;

  /** A step is about to be done. The notice, if it is one too many; counting then begins anew. */
  step(nowMs: number): StuckInstant | undefined {
    if (nowMs !== this.instantMs) {
      this.instantMs = nowMs;
      this.restart();
      return undefined;
    }
    this.steps++;
    if (this.steps === STEPS_MAX - STEPS_WATCHED) this.askers = new Map();
    if (this.steps < STEPS_MAX) return undefined;
    const notice = new StuckInstant(nowMs, this.steps, this.named());
    this.restart();
    return notice;
  }

  restart(): void {
    this.steps = 0;
    this.askers = undefined;
  }

  /** Somebody asks for a task at the present instant. Costs nothing while nobody is suspected. */
  asked(): void {
    if (this.askers === undefined) return;
    const caller = callerOf(new Error().stack ?? '');
    this.askers.set(caller, (this.askers.get(caller) ?? 0) + 1);
  }

  private named(): string {
    const askers = Array.from(this.askers ?? []).toSorted(([, a], [, b]) => b - a);
    const total = askers.reduce((sum, [, count]) => sum + count, 0);
    if (total === 0) return 'nobody';
    return askers
      .slice(0, NAMED_MAX)
      .map(([caller, count]) => `${caller} (${Math.round((100 * count) / total)} %)`)
      .join(', ');
  }
}

/** The innermost frame outside this room: `function (folder/file.ts:12)`. */
function callerOf(stack: string): string {
  const frames = stack.split('\n').slice(1);
  const frame = frames.find((line) => line.includes(':') && !OWN_FRAME.test(line)) ?? '';
  const match = /at (?:async )?(?:(.*?) \()?.*?((?:[\w.-]+[/\\])?[\w.-]+):(\d+):\d+\)?$/.exec(frame.trim());
  if (match === null) return 'an unknown caller';
  const place = `${match[2]}:${match[3]}`;
  return match[1] === undefined ? place : `${match[1]} (${place})`;
}
