// Jobs: the pipelines a shell has started, their states, and what it says about them.
import type { Child, Process, Signal, WaitStatus } from '../kernel/index.ts';
import { ProcessExit, SIGNAL_NUMBERS } from '../kernel/index.ts';

/** strsignal(3), as bash shows it. */
const SIGNAL_TEXTS: Partial<Record<Signal, string>> = {
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGQUIT: 'Quit',
  SIGILL: 'Illegal instruction',
  SIGTRAP: 'Trace/breakpoint trap',
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGKILL: 'Killed',
  SIGUSR1: 'User defined signal 1',
  SIGSEGV: 'Segmentation fault',
  SIGUSR2: 'User defined signal 2',
  SIGPIPE: 'Broken pipe',
  SIGALRM: 'Alarm clock',
  SIGTERM: 'Terminated',
  SIGSTKFLT: 'Stack fault',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'File size limit exceeded',
  SIGVTALRM: 'Virtual timer expired',
  SIGPROF: 'Profiling timer expired',
  SIGIO: 'I/O possible',
  SIGPWR: 'Power failure',
  SIGSYS: 'Bad system call',
};

/** Jobs that one shell may have at a time. */
const JOBS_MAX = 4096;

export function signalText(signal: Signal): string {
  return SIGNAL_TEXTS[signal] ?? signal;
}

/** `$?` of an end. */
export function statusCode(status: WaitStatus): number {
  return status.kind === 'exited' ? status.exitCode : 128 + SIGNAL_NUMBERS[status.signal];
}

interface Member {
  readonly pid: number;
  readonly child: Child;
  status: WaitStatus | undefined;
}

/** One pipeline. Its number shows in `jobs` once it's in the background or stopped. */
export class Job {
  number: number | undefined;
  readonly processGroup: number | undefined;
  readonly text: string;
  readonly members: Member[] = [];
  /** When its state last changed. */
  changedMs = 0;
  /** Whether the user knows of its present state. */
  notified = true;
  /** Started by `&`, or sent there by bg. */
  background = false;
  /** Ends when SIGHUP comes to an interactive shell, unless disowned with -h. */
  noHangup = false;
  private waiters: (() => void)[] = [];

  constructor(text: string, processGroup: number | undefined) {
    this.text = text;
    this.processGroup = processGroup;
  }

  get state(): 'running' | 'stopped' | 'done' {
    if (this.members.some((member) => member.status === undefined)) return 'running';
    return this.members.some((member) => member.status!.kind === 'stopped') ? 'stopped' : 'done';
  }

  /** The state of its last process, which is the job's. */
  get lastStatus(): WaitStatus | undefined {
    return this.members.at(-1)?.status;
  }

  get pid(): number {
    return this.members.at(-1)?.pid ?? 0;
  }

  /** Settles at the next change of any member. */
  changed(): Promise<void> {
    return new Promise((resolve) => void this.waiters.push(resolve));
  }

  update(member: Member, status: WaitStatus, nowMs: number): void {
    member.status = status;
    this.changedMs = nowMs;
    this.notified = false;
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  /** After SIGCONT. */
  resumed(): void {
    for (const member of this.members) if (member.status?.kind === 'stopped') member.status = undefined;
  }

  /** `Running`, `Done`, `Exit 3`, `Stopped`, `Terminated` … */
  get stateText(): string {
    if (this.state === 'running') return 'Running';
    if (this.state === 'stopped') return 'Stopped';
    const status = this.lastStatus!;
    if (status.kind === 'exited') return status.exitCode === 0 ? 'Done' : `Exit ${status.exitCode}`;
    return signalText(status.signal);
  }
}

export class JobTable {
  jobs: Job[] = [];
  private readonly now: () => number;
  private inherited: readonly Job[] = [];
  private currentNumbers: number[] = [];
  /** Statuses of background processes that ended, for a later `wait PID`. */
  readonly ended = new Map<number, number>();

  constructor(now: () => number) {
    this.now = now;
  }

  /** Follows a child until it ends. */
  add(job: Job, child: Child): void {
    const member: Member = { pid: child.pid, child, status: undefined };
    job.members.push(member);
    void this.follow(job, member);
  }

  private async follow(job: Job, member: Member): Promise<void> {
    try {
      for (;;) {
        const status = await member.child.wait({ untraced: true, continued: true });
        if (status.kind === 'continued') {
          if (member.status?.kind === 'stopped') member.status = undefined; // Somebody else sent SIGCONT.
          continue;
        }
        if (status.kind !== 'stopped') this.ended.set(member.pid, statusCode(status));
        job.update(member, status, this.now());
        if (status.kind !== 'stopped') return;
        this.makeCurrent(job);
      }
    } catch (error) {
      if (!(error instanceof ProcessExit)) throw error; // The shell itself has ended.
    }
  }

  /** Shows a subshell the jobs its parent has, as long as it starts none itself. */
  inherit(parent: JobTable): void {
    this.inherited = parent.jobs.length > 0 ? [...parent.jobs] : parent.inherited;
    this.currentNumbers = [...parent.currentNumbers];
  }

  /** What `jobs` lists. */
  get listed(): readonly Job[] {
    return this.jobs.length > 0 ? this.jobs : this.inherited;
  }

  /** Puts a job on the list. */
  list(job: Job): number {
    if (job.number === undefined) {
      if (this.jobs.length >= JOBS_MAX) this.jobs.shift();
      job.number = Math.max(0, ...this.jobs.map((each) => each.number!)) + 1;
      this.jobs.push(job);
    }
    this.makeCurrent(job);
    return job.number;
  }

  makeCurrent(job: Job): void {
    if (job.number === undefined) return;
    const number = job.number;
    this.currentNumbers = [...this.currentNumbers.filter((each) => each !== number), number];
  }

  remove(job: Job): void {
    this.jobs = this.jobs.filter((each) => each !== job);
    this.currentNumbers = this.currentNumbers.filter((each) => each !== job.number);
    job.number = undefined;
  }

  get current(): Job | undefined {
    return this.ranked()[0];
  }

  get previous(): Job | undefined {
    return this.ranked()[1];
  }

  /** Stopped jobs come before running ones, the latest first. */
  private ranked(): Job[] {
    const latest = this.currentNumbers
      .toReversed()
      .flatMap((number) => this.listed.filter((job) => job.number === number));
    return [
      ...latest.filter((job) => job.state === 'stopped'),
      ...latest.filter((job) => job.state !== 'stopped'),
    ];
  }

  /** `+`, `-` or a blank, as `jobs` shows it. */
  mark(job: Job): string {
    if (job === this.current) return '+';
    return job === this.previous ? '-' : ' ';
  }

  /** The line of `jobs`; `long` adds the pid. */
  line(job: Job, long = false): string {
    const pid = long ? `${String(job.members[0]?.pid ?? 0).padStart(5)} ` : '';
    const suffix = job.state === 'running' && job.background ? ' &' : '';
    return `[${job.number}]${this.mark(job)} ${long ? '' : ' '}${pid}${job.stateText.padEnd(24)}${job.text}${suffix}`;
  }

  /** Resolves `%n`, `%+`, `%-`, `%string`, `%?string`. */
  find(spec: string): Job | 'ambiguous' | undefined {
    const body = spec.startsWith('%') ? spec.slice(1) : spec;
    if (body === '' || body === '%' || body === '+') return this.current;
    if (body === '-') return this.previous ?? this.current;
    if (/^[0-9]+$/.test(body)) return this.jobs.find((job) => job.number === Number(body));
    const matching = this.jobs.filter((job) =>
      body.startsWith('?') ? job.text.includes(body.slice(1)) : job.text.startsWith(body),
    );
    return matching.length > 1 ? 'ambiguous' : matching[0];
  }

  byPid(pid: number): Job | undefined {
    return this.jobs.find((job) => job.members.some((member) => member.pid === pid));
  }

  /** Continues a stopped job. */
  resume(proc: Process, job: Job): void {
    job.resumed();
    if (job.processGroup !== undefined) proc.kill(-job.processGroup, 'SIGCONT');
    else for (const member of job.members) if (member.status === undefined) member.child.kill('SIGCONT');
  }
}
