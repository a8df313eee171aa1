// The `time` keyword: how long a pipeline took, in virtual time.
import type { Shell } from './shell.ts';

const DEFAULT_FORMAT = '\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS';
const POSIX_FORMAT = 'real %2R\nuser %2U\nsys %2S';

/** Runs `body` and prints its times by TIMEFORMAT. Differs: user time is what the kernel charged, sys is nil. */
export async function timeReport(shell: Shell, posix: boolean, body: () => Promise<number>): Promise<number> {
  const startMs = shell.proc.clock.now();
  try {
    return await body();
  } finally {
    const realMs = shell.proc.clock.now() - startMs;
    const format = posix ? POSIX_FORMAT : (shell.vars.get('TIMEFORMAT') ?? DEFAULT_FORMAT);
    if (format !== '') await shell.err(`${formatTimes(format, { R: realMs, U: 0, S: 0 })}\n`);
  }
}

function formatTimes(format: string, times: { R: number; U: number; S: number }): string {
  return format.replace(
    /%(?:([0-9])?(l)?([RUS])|(P)|(%))/g,
    (
      _,
      digits: string | undefined,
      long: string | undefined,
      which: 'R' | 'U' | 'S' | undefined,
      load: string | undefined,
    ) => {
      if (load !== undefined) return '0.00';
      if (which === undefined) return '%';
      const places = Math.min(3, Number(digits ?? 3));
      const seconds = times[which] / 1000;
      if (long === undefined) return seconds.toFixed(places);
      return `${Math.floor(seconds / 60)}m${(seconds % 60).toFixed(places)}s`;
    },
  );
}
