// The terminals of a session: a login shell on a pseudo-terminal each, its keys as inputs, its output as events.
import type { TerminalInfo } from '../../preload/contract.ts';
import type { Machine } from '../linux/machine/index.ts';
import type { Tty, TtyMaster, WindowSize } from '../linux/kernel/index.ts';
import type { Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';
import { Scrollback } from './scrollback.ts';
import { SessionError } from './session-error.ts';
import { typeScript } from './typist.ts';

interface Terminal {
  readonly info: TerminalInfo;
  readonly scrollback: Scrollback;
  size: WindowSize;
  /** Undefined while its cluster is away. */
  master: TtyMaster | undefined;
}

export interface TerminalDeskOptions {
  readonly simulation: Simulation;
  readonly store: Store;
  readonly machine: (name: string) => Machine | undefined;
  /** Settles once everything that happened so far is saved. */
  readonly durable: () => Promise<void>;
  readonly onOutput: (terminalId: string, data: string) => void;
  readonly onClosed: (terminalId: string) => void;
}

/** Where the open terminals stand in the workspace, so that they are there again. */
const KEY = '/settings/terminals';
const FIRST_SIZE: WindowSize = { columns: 80, rows: 24 };
/** Virtual time after which a played script is given up: something in it never ends. */
const PLAY_MAX_MS = 30 * 60_000;
/** Terminals that may be open at once. */
const TERMINALS_MAX = 64;

export class TerminalDesk implements Disposable {
  private readonly options: TerminalDeskOptions;
  private readonly terminals = new Map<string, Terminal>();
  private readonly handlers = new DisposableStack();
  private lastNumber = 0;
  private lastTyped: string | undefined;

  constructor(options: TerminalDeskOptions) {
    this.options = options;
    const { simulation } = options;
    const on = <Payload>(kind: string, handle: (payload: Payload) => void): void =>
      void this.handlers.use(simulation.onInput<Payload>(kind, handle));
    on<{ terminalId: string }>('terminal.start', ({ terminalId }) => this.start(this.require(terminalId)));
    on<{ terminalId: string; data: string }>('terminal.input', ({ terminalId, data }) =>
      this.require(terminalId).master?.input(data),
    );
    on<{ terminalId: string } & WindowSize>('terminal.resize', ({ terminalId, columns, rows }) =>
      this.require(terminalId).master?.resize({ columns, rows }),
    );
    this.handlers.use(
      simulation.onInput<{ terminalId: string; script: string }>(
        'terminal.play',
        async ({ terminalId, script }) => {
          const { master, info } = this.require(terminalId);
          if (master === undefined)
            throw new SessionError('no-cluster', `The terminal ${info.title} has no shell.`);
          const giveUp = new AbortController();
          using _timer = simulation.after(PLAY_MAX_MS, () =>
            giveUp.abort(
              new SessionError(
                'failed',
                'The script did not come to an end within half an hour of virtual time.',
              ),
            ),
          );
          await typeScript(master, simulation, script, giveUp.signal);
        },
      ),
    );
    on<{ terminalId: string }>('terminal.hangUp', ({ terminalId }) => this.hangUp(terminalId));
  }

  list(): TerminalInfo[] {
    return [...this.terminals.values()].map((terminal) => terminal.info);
  }

  /** Opens the terminals that the workspace remembers, and one per cluster machine if it remembers none. */
  async restore(machines: readonly string[]): Promise<void> {
    const record = this.options.store.get(KEY);
    const remembered = record === undefined ? machines : (JSON.parse(String(record.value)) as string[]);
    for (const machine of remembered)
      if (this.options.machine(machine) !== undefined) await this.open(machine, FIRST_SIZE);
  }

  async open(machine: string, size: WindowSize): Promise<TerminalInfo> {
    if (this.options.machine(machine) === undefined)
      throw new SessionError('not-found', `There is no machine "${machine}".`);
    if (this.terminals.size >= TERMINALS_MAX) {
      throw new SessionError('busy', `${TERMINALS_MAX} terminals are open; close one first.`);
    }
    const terminalId = `terminal-${++this.lastNumber}`;
    const info: TerminalInfo = { terminalId, machine, title: this.freeTitle(machine) };
    this.terminals.set(terminalId, { info, scrollback: new Scrollback(), size, master: undefined });
    this.remember();
    await this.options.simulation.input('terminal.start', { terminalId });
    return info;
  }

  /** Types a script into the first terminal of a machine, opening one if there is none; settles when it has run. */
  async play(machine: string, script: string): Promise<void> {
    const existing = this.list().find((info) => info.machine === machine);
    const { terminalId } = existing ?? (await this.open(machine, FIRST_SIZE));
    await this.options.simulation.input('terminal.play', { terminalId, script });
  }

  /** The terminal whose tty it is; for a tty further away, the one last typed in. */
  terminalOf(tty: Tty): string | undefined {
    const own = [...this.terminals.values()].find(({ master }) => master?.tty === tty);
    return own?.info.terminalId ?? this.lastTyped;
  }

  /** What a terminal showed so far; and from now on it has this size. */
  attach(terminalId: string, size: WindowSize): string {
    const replay = this.require(terminalId).scrollback.toString();
    this.resize(terminalId, size);
    return replay;
  }

  input(terminalId: string, data: string): void {
    this.require(terminalId);
    this.lastTyped = terminalId;
    void this.options.simulation.input('terminal.input', { terminalId, data });
  }

  resize(terminalId: string, size: WindowSize): void {
    const terminal = this.require(terminalId);
    if (terminal.size.columns === size.columns && terminal.size.rows === size.rows) return;
    terminal.size = size;
    void this.options.simulation.input('terminal.resize', { terminalId, ...size });
  }

  async close(terminalId: string): Promise<void> {
    this.require(terminalId);
    await this.options.simulation.input('terminal.hangUp', { terminalId });
  }

  /** The cluster goes away: shells end, tabs stay. */
  suspend(): void {
    for (const terminal of this.terminals.values()) {
      const { master } = terminal;
      terminal.master = undefined;
      master?.[Symbol.dispose]();
    }
  }

  /** A cluster is there again: every tab whose machine it has gets a new shell, the others close. */
  async resume(): Promise<void> {
    for (const terminal of [...this.terminals.values()]) {
      const { terminalId, machine } = terminal.info;
      if (this.options.machine(machine) === undefined) this.forget(terminalId);
      else await this.options.simulation.input('terminal.start', { terminalId });
    }
  }

  [Symbol.dispose](): void {
    this.suspend();
    this.handlers.dispose();
  }

  private start(terminal: Terminal): void {
    const machine = this.options.machine(terminal.info.machine)!;
    const master = machine.kernel.openTty(terminal.size);
    terminal.master = master;
    machine.login({ user: 'root', tty: master });
    void this.pump(terminal, master);
  }

  private async pump(terminal: Terminal, master: TtyMaster): Promise<void> {
    const { terminalId } = terminal.info;
    const decoder = new TextDecoder();
    for (;;) {
      const bytes = await master.output();
      const data = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
      await this.durable();
      if (data !== '') {
        terminal.scrollback.add(data);
        this.options.onOutput(terminalId, data);
      }
      if (bytes === undefined) break;
    }
    if (terminal.master === master) this.forget(terminalId);
  }

  /** What is seen must be saved; while the disk is full, output waits. */
  private async durable(): Promise<void> {
    for (;;) {
      try {
        return await this.options.durable();
      } catch {
        // The store retries by itself, and the session has told the person why nothing moves.
      }
    }
  }

  private hangUp(terminalId: string): void {
    const { master } = this.require(terminalId);
    this.forget(terminalId);
    master?.[Symbol.dispose]();
  }

  private forget(terminalId: string): void {
    if (!this.terminals.delete(terminalId)) return;
    if (this.lastTyped === terminalId) this.lastTyped = undefined;
    this.remember();
    this.options.onClosed(terminalId);
  }

  private remember(): void {
    const machines = this.list().map((info) => info.machine);
    this.options.store.save([{ key: KEY, value: JSON.stringify(machines) }]);
  }

  private freeTitle(machine: string): string {
    const titles = new Set(this.list().map((info) => info.title));
    if (!titles.has(machine)) return machine;
    let number = 2;
    while (titles.has(`${machine} (${number})`)) number++;
    return `${machine} (${number})`;
  }

  private require(terminalId: string): Terminal {
    const terminal = this.terminals.get(terminalId);
    if (terminal === undefined) throw new SessionError('not-found', `There is no terminal "${terminalId}".`);
    return terminal;
  }
}
