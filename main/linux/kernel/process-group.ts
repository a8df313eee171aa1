// Sessions and process groups: what job control moves about. setpgid(2), setsid(2), credentials(7).
import type { PidNumbers } from './pid-namespace.ts';
import type { Signal } from './process.ts';
import type { Pty } from './pty.ts';
import type { VirtualProcess } from './virtual-process.ts';

export class Session {
  readonly numbers: PidNumbers;
  readonly leader: VirtualProcess;
  readonly groups = new Set<ProcessGroup>();
  tty: Pty | undefined;

  constructor(leader: VirtualProcess, numbers: PidNumbers) {
    this.leader = leader;
    this.numbers = numbers;
    numbers.hold();
  }

  /** The group that the terminal has in front, its number being as the leader sees it. */
  get foreground(): ProcessGroup | undefined {
    const number = this.tty?.foreground ?? 0;
    return number === 0 ? undefined : this.groupNumbered(number);
  }

  groupNumbered(number: number): ProcessGroup | undefined {
    for (const group of this.groups) if (group.numbers.in(this.numbers.namespace) === number) return group;
    return undefined;
  }
}

export class ProcessGroup {
  readonly numbers: PidNumbers;
  readonly session: Session;
  readonly members = new Set<VirtualProcess>();

  constructor(numbers: PidNumbers, session: Session) {
    this.numbers = numbers;
    this.session = session;
    session.groups.add(this);
    numbers.hold();
  }

  /** Takes a process from its group into this one. */
  join(process: VirtualProcess): void {
    process.group?.leave(process);
    this.members.add(process);
    process.group = this;
  }

  leave(process: VirtualProcess): void {
    this.members.delete(process);
    if (this.members.size > 0) return;
    if (this.session.groups.delete(this)) this.numbers.release();
    if (this.session.groups.size === 0) this.session.numbers.release();
  }

  /** POSIX: no member has a parent in another group of the same session; nobody could continue it. */
  get orphaned(): boolean {
    for (const member of this.members) {
      const parent = member.parent;
      if (parent !== undefined && parent.group !== this && parent.group?.session === this.session)
        return false;
    }
    return true;
  }

  signal(signal: Signal): void {
    for (const member of Array.from(this.members)) member.deliver(signal);
  }
}
