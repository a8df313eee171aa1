// Signals by number and what each does when a process has said nothing about it: signal(7).
import type { Signal } from './process.ts';

/** x86 numbers, as `kill -l` lists them. */
export const SIGNAL_NUMBERS: Readonly<Record<Signal, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};

const NAMES = new Map<number, Signal>(
  Object.entries(SIGNAL_NUMBERS).map(([name, number]) => [number, name as Signal]),
);

/** The signal of a number (`9`) or name (`KILL`, `sigkill`); undefined if there is none. */
export function parseSignal(text: string): Signal | undefined {
  if (/^\d+$/.test(text)) return NAMES.get(Number(text));
  const name = text.toUpperCase();
  const full = (name.startsWith('SIG') ? name : `SIG${name}`) as Signal;
  return Object.hasOwn(SIGNAL_NUMBERS, full) ? full : undefined;
}

export type Disposition = 'terminate' | 'ignore' | 'stop' | 'continue';

const DEFAULTS: Partial<Record<Signal, Disposition>> = {
  SIGCHLD: 'ignore',
  SIGURG: 'ignore',
  SIGWINCH: 'ignore',
  SIGCONT: 'continue',
  SIGSTOP: 'stop',
  SIGTSTP: 'stop',
  SIGTTIN: 'stop',
  SIGTTOU: 'stop',
};

export function defaultDisposition(signal: Signal): Disposition {
  return DEFAULTS[signal] ?? 'terminate';
}
