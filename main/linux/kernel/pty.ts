// Pseudo-terminals: pty(7). The slave is what programs open; the master is held by what shows the terminal.
import { ErrnoError } from '../../network/index.ts';
import { anonymousStat, Description, NO_BYTES, toBytes } from './description.ts';
import type { FileStat } from './file-system.ts';
import { LineDiscipline } from './line-discipline.ts';
import type { Process, Signal } from './process.ts';
import { SANE_MODES, type Tty, type TtyMaster, type TtyModes, type WindowSize } from './tty.ts';
import { WaitQueue } from './wait-queue.ts';

/** Output that nobody has taken yet; a writer waits beyond it. */
const OUTPUT_BYTES_MAX = 65_536;
const NEWLINE = 10;
const PTS_MAJOR = 136;

/** What a terminal asks of the process table. Process groups are numbered as the session's leader sees them. */
export interface TtyJobs {
  signalGroup(pty: Pty, signal: Signal): void;
  hangUp(pty: Pty): void;
  /** Whether the process may read; if not, its group has been sent SIGTTIN. Throws EIO when that can't help. */
  mayRead(pty: Pty, reader: Process): boolean;
  /** The same for writing under TOSTOP, with SIGTTOU. */
  mayWrite(pty: Pty, writer: Process): boolean;
}

export class Pty implements Tty {
  readonly path: string;
  readonly index: number;
  readonly modes: TtyModes = { ...SANE_MODES, inert: new Set(['brkint', 'imaxbel', 'iutf8']) };
  readonly master: TtyMaster;
  readonly createdMs: number;
  readonly uid: number = 0;
  size: WindowSize;
  foreground = 0;
  /** The session whose controlling terminal this is; 0: none. */
  session = 0;
  hungUp = false;
  readonly discipline: LineDiscipline;
  readonly slaves = new Set<SlaveDescription>();
  private readonly jobs: TtyJobs;
  /** The number is free again: hung up, and no slave open. */
  private readonly gone: () => void;
  private readonly outputReady = new WaitQueue();
  private output: Uint8Array[] = [];
  private outputBytes = 0;
  private outputStopped = false;
  private hadSlaves = false;

  constructor(index: number, size: WindowSize, createdMs: number, jobs: TtyJobs, gone: () => void) {
    this.index = index;
    this.path = `/dev/pts/${index}`;
    this.size = size;
    this.createdMs = createdMs;
    this.jobs = jobs;
    this.gone = gone;
    this.discipline = new LineDiscipline({
      modes: this.modes,
      echo: (text) => this.show(text),
      signal: (signal) => jobs.signalGroup(this, signal),
      setStopped: (stopped) => this.setStopped(stopped),
      readable: () => this.wakeReaders(),
    });
    this.master = this.makeMaster();
  }

  setModes(modes: Partial<TtyModes>): void {
    Object.assign(this.modes, modes);
    if (!this.modes.flowControl && this.outputStopped) this.setStopped(false);
    this.discipline.modesChanged();
  }

  setSize({ columns, rows }: WindowSize): void {
    if (columns === this.size.columns && rows === this.size.rows) return;
    this.size = { columns, rows };
    this.jobs.signalGroup(this, 'SIGWINCH');
  }

  openSlave(): SlaveDescription {
    if (this.hungUp) throw new ErrnoError('EIO', this.path);
    const slave = new SlaveDescription(this);
    this.slaves.add(slave);
    this.hadSlaves = true;
    return slave;
  }

  closeSlave(slave: SlaveDescription): void {
    this.slaves.delete(slave);
    if (this.slaves.size > 0) return;
    this.outputReady.wake();
    if (this.hungUp) this.gone();
  }

  mayRead(reader: Process): boolean {
    return this.jobs.mayRead(this, reader);
  }

  mayWrite(writer: Process): boolean {
    return this.jobs.mayWrite(this, writer);
  }

  /** Takes what a program wrote; 0: the terminal is behind. */
  put(data: Uint8Array): number {
    if (this.hungUp) throw new ErrnoError('EIO', this.path);
    const room = OUTPUT_BYTES_MAX - this.outputBytes;
    if (room <= 0 || this.outputStopped) return 0;
    const taken = data.slice(0, room);
    this.show(taken);
    return taken.length;
  }

  private show(data: Uint8Array): void {
    const processed = this.modes.outputNewline ? withReturns(data) : data;
    this.output.push(processed);
    this.outputBytes += processed.length;
    this.outputReady.wake();
  }

  private setStopped(stopped: boolean): void {
    this.outputStopped = stopped;
    if (!stopped) this.wakeWriters();
  }

  private wakeReaders(): void {
    for (const slave of this.slaves) slave.readable.wake();
  }

  private wakeWriters(): void {
    for (const slave of this.slaves) slave.writable.wake();
  }

  private makeMaster(): TtyMaster {
    return {
      tty: this,
      input: (data) => {
        if (!this.hungUp) this.discipline.input(toBytes(data));
      },
      output: () => this.takeOutput(),
      resize: (size) => this.setSize(size),
      [Symbol.dispose]: () => {
        if (this.hungUp) return;
        this.hungUp = true;
        this.jobs.hangUp(this);
        this.wakeReaders();
        this.wakeWriters();
        this.outputReady.wake();
        if (this.slaves.size === 0) this.gone();
      },
    };
  }

  private async takeOutput(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.output.length > 0) {
        const output = this.output.length === 1 ? this.output[0]! : Buffer.concat(this.output);
        this.output = [];
        this.outputBytes = 0;
        this.wakeWriters();
        return output;
      }
      if (this.hungUp || (this.hadSlaves && this.slaves.size === 0)) return undefined;
      await this.outputReady.wait();
    }
  }
}

/** An opened slave. */
class SlaveDescription extends Description {
  readonly kind = 'tty';
  private readonly pty: Pty;

  constructor(pty: Pty) {
    super();
    this.pty = pty;
  }

  override get tty(): Tty {
    return this.pty;
  }
  override get path(): string {
    return this.pty.path;
  }
  override mayRead(reader: Process): boolean {
    return this.pty.mayRead(reader);
  }
  override mayWrite(writer: Process): boolean {
    return this.pty.mayWrite(writer);
  }
  tryRead(sizeMax: number): Uint8Array | undefined {
    if (this.closed) throw new ErrnoError('EBADF', this.path);
    if (this.pty.hungUp) return NO_BYTES;
    return this.pty.discipline.read(sizeMax);
  }
  tryWrite(data: Uint8Array): number {
    if (this.closed) throw new ErrnoError('EBADF', this.path);
    return this.pty.put(data);
  }
  stat(): FileStat {
    return {
      ...anonymousStat('character-device', this.pty.index + 3, this.pty.createdMs, 0o620),
      device: 0x18,
      rdev: PTS_MAJOR * 256 + this.pty.index,
      gid: 5,
    };
  }
  protected release(): void {
    this.pty.closeSlave(this);
    this.readable.wake();
    this.writable.wake();
  }
}

function withReturns(data: Uint8Array): Uint8Array {
  let newlines = 0;
  for (const byte of data) if (byte === NEWLINE) newlines++;
  if (newlines === 0) return data.slice();
  const out = new Uint8Array(data.length + newlines);
  let at = 0;
  for (const byte of data) {
    if (byte === NEWLINE) out[at++] = 13;
    out[at++] = byte;
  }
  return out;
}
