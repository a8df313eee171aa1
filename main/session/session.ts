// One workspace, opened: simulation, cluster, terminals, lab and clock behind the calls and events of the contract.
import { randomUUID } from 'node:crypto';
import type {
  AppState,
  CallName,
  EventName,
  Events,
  HostDoors,
  Language,
  Reply,
  ReplyOf,
  RequestOf,
  Settings,
} from '../../preload/contract.ts';
import { LabError } from '../lab/index.ts';
import { Simulation, type HostLoop, type Input } from '../simulation/index.ts';
import { SqliteStore, StorageError } from '../storage/index.ts';
import { callArguments } from './arguments.ts';
import { ClockDesk } from './clock-desk.ts';
import { ClusterDesk, type ClusterIdentity } from './cluster-desk.ts';
import { EditorDesk } from './editor-desk.ts';
import { LabDesk } from './lab-desk.ts';
import { SessionError } from './session-error.ts';
import { readSettings, writeSettings } from './settings.ts';
import { TerminalDesk } from './terminal-desk.ts';
import { TopologyDesk } from './topology-desk.ts';

export interface SessionOptions {
  /** Path of the workspace file. */
  readonly workspace: string;
  /** The folder with the courses. */
  readonly labsFolder: string;
  readonly host: HostLoop;
  /** Drydock's own version. */
  readonly version: string;
  readonly door: AppState['door'];
  /** The host's language, until the person chooses one. */
  readonly language: Language;
  /** False where nobody watches, as on the command line: solutions are played as fast as they go. */
  readonly attended?: boolean;
  /** Told of what should not have happened, for the door's log. */
  readonly onFault: (error: unknown) => void;
}

type Handlers = {
  readonly [Name in CallName]: (request: RequestOf<Name>) => ReplyOf<Name> | Promise<ReplyOf<Name>>;
};
type Listener<Name extends EventName> = (event: Events[Name]) => void;

const CLOCK_KEY = '/settings/clock';
const RUN_KEY = '/input/run';
/** Wall time between two notes of the virtual time in the workspace, in ms. */
const STAMP_MS = 250;
/** Revisions of history kept for watchers and time travel before compaction. */
const HISTORY_REVISIONS = 20_000;

/** What every door serves. Opening one takes the workspace; disposing lets it go with everything saved. */
export class Session implements AsyncDisposable {
  /** Where whatever is thrown where nothing may be is told. */
  readonly onFault: (error: unknown) => void;
  readonly simulation: Simulation;
  readonly store: SqliteStore;
  readonly clusters: ClusterDesk;
  readonly clock: ClockDesk;
  /** Set by a door that has opened the host's ways in. */
  hostDoors: HostDoors | undefined;
  private readonly options: SessionOptions;
  private readonly terminals: TerminalDesk;
  private readonly editors: EditorDesk;
  private readonly topology: TopologyDesk;
  private readonly lab: LabDesk;
  private readonly handlers: Handlers;
  private readonly listeners = new Map<EventName, Set<Listener<never>>>();
  private settings: Settings;
  private stampTimer: Disposable;
  private stampedRows = -1;
  private diskFull = false;

  /** Throws StorageError, with a sentence for a person, when the workspace can't be opened. Boots nothing yet. */
  constructor(options: SessionOptions) {
    this.options = options;
    const { host, onFault } = options;
    this.onFault = onFault;
    this.store = new SqliteStore({ path: options.workspace, turns: host });
    const saved = this.store.get(CLOCK_KEY);
    const run = Number(this.store.get(RUN_KEY)?.value ?? 0) + 1;
    const startMs = Math.max(host.wallNowMs(), saved === undefined ? 0 : Number(saved.value));
    this.simulation = new Simulation({ startMs, host, onFault, onInput: (input) => this.record(run, input) });
    this.store.save([
      { key: RUN_KEY, value: String(run) },
      { key: `/input/${run}/start`, value: String(startMs) },
    ]);
    this.settings = readSettings(this.store, options.language);

    const { simulation, store } = this;
    this.clock = new ClockDesk(simulation, host, (state) => this.emit('clock.changed', state));
    this.clusters = new ClusterDesk({
      simulation,
      store,
      onFault,
      onChange: () => this.clusterChanged(),
    });
    this.editors = new EditorDesk({
      simulation,
      emit: (name, event) => this.emit(name, event),
      terminalOf: (tty) => this.terminals.terminalOf(tty),
    });
    this.terminals = new TerminalDesk({
      simulation,
      store,
      machine: (name) => this.clusters.cluster?.machines.get(name),
      durable: () => this.durable(),
      onOutput: (terminalId, data) => this.emit('terminal.output', { terminalId, data }),
      onClosed: (terminalId) => this.emit('terminal.closed', { terminalId }),
    });
    this.topology = new TopologyDesk(host, (topology) => this.emit('cluster.topology', topology));
    this.lab = new LabDesk({
      labsFolder: options.labsFolder,
      simulation,
      store,
      clusters: this.clusters,
      newSeed: () => randomUUID(),
      onChange: (state) => this.emit('lab.changed', state),
      terminals: this.terminals,
      watched: () => options.attended !== false && !this.clock.state.paused,
    });
    this.handlers = this.makeHandlers();
    this.stampTimer = host.timeout(STAMP_MS, () => this.stamp());
  }

  /** Brings back what the workspace held: its cluster, its lab, its terminals; and lets time run. */
  async resume(): Promise<void> {
    this.clock.resume();
    this.lab.resume();
    await this.clusters.resume();
    const { cluster } = this.clusters;
    if (cluster === undefined) return;
    await this.terminals.restore(
      cluster.profile.machines.filter(({ role }) => role !== 'client').map(({ name }) => name),
    );
  }

  /** Boots a cluster without a lab, or resumes it. */
  async openFree(identity: Omit<ClusterIdentity, 'owner'>): Promise<void> {
    this.clock.resume();
    await this.clusters.switchTo({ ...identity, owner: 'free' });
  }

  /** Answers one call of a screen. Never rejects: what goes wrong is in the reply. Answered means saved. */
  async call<Name extends CallName>(name: Name, request: unknown): Promise<Reply<ReplyOf<Name>>> {
    try {
      if (!Object.hasOwn(callArguments, name))
        throw new SessionError('unknown-call', `There is no call "${name}".`);
      const parsed = callArguments[name].safeParse(request);
      if (!parsed.success) {
        const issue = parsed.error.issues[0]!;
        throw new SessionError('bad-request', `${name}: ${issue.path.join('.')} ${issue.message}`);
      }
      const handler = this.handlers[name] as (request: unknown) => ReplyOf<Name> | Promise<ReplyOf<Name>>;
      const value = await handler(parsed.data);
      await this.durable();
      return { ok: true, value };
    } catch (error) {
      return { ok: false, error: this.explain(error) };
    }
  }

  /**
   * Settles once everything that happened so far is on disk, files that changed in this very instant included.
   * Whatever leaves the simulation waits for it. Rejects with StorageError while the disk refuses.
   */
  durable(): Promise<void> {
    return this.store.durable();
  }

  /** Listens to one kind of event. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): Disposable {
    let listeners = this.listeners.get(name);
    if (listeners === undefined) this.listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stampTimer[Symbol.dispose]();
    this.clock[Symbol.dispose]();
    this.topology[Symbol.dispose]();
    this.editors[Symbol.dispose]();
    this.terminals[Symbol.dispose]();
    this.clusters[Symbol.dispose]();
    this.store.save([{ key: CLOCK_KEY, value: String(this.simulation.now()) }]);
    this.simulation[Symbol.dispose]();
    try {
      await this.store.durable();
    } finally {
      this.store[Symbol.dispose]();
    }
  }

  private makeHandlers(): Handlers {
    const { clock, terminals, editors, lab } = this;
    return {
      'app.state': () => this.appState(),
      'settings.update': (change) => this.updateSettings(change),
      'shelf.list': () => ({ courses: lab.courses() }),
      'cluster.topology': () => this.topology.current,
      'clock.pause': () => clock.pause(),
      'clock.resume': () => clock.resume(),
      'clock.setSpeed': ({ speed }) => clock.setSpeed(speed),
      'clock.skip': ({ seconds }) => clock.skip({ seconds }),
      'clock.skipUntilReady': () => clock.skipUntil(() => this.topology.isSettled()),
      'terminal.open': ({ machine, columns, rows }) => terminals.open(machine, { columns, rows }),
      'terminal.attach': ({ terminalId, columns, rows }) => ({
        replay: terminals.attach(terminalId, { columns, rows }),
      }),
      'terminal.input': ({ terminalId, data }) => done(terminals.input(terminalId, data)),
      'terminal.resize': ({ terminalId, columns, rows }) =>
        done(terminals.resize(terminalId, { columns, rows })),
      'terminal.close': async ({ terminalId }) => done(await terminals.close(terminalId)),
      'editor.save': async ({ editorId, content }) => done(await editors.save(editorId, content)),
      'editor.close': async ({ editorId, exitCode }) => done(await editors.close(editorId, exitCode)),
      'lab.open': ({ labId }) => {
        clock.resume();
        return lab.open(labId);
      },
      'lab.close': () => done(lab.close()),
      'lab.goTo': ({ step }) => lab.goTo(step),
      'lab.check': ({ step }) => lab.check(step),
      'lab.takeHint': ({ step, hint }) => lab.takeHint(step, hint),
      'lab.reset': ({ step }) => lab.reset(step),
      'lab.solve': ({ step }) => lab.solve(step),
      'lab.restart': () => lab.restart(),
    };
  }

  private appState(): AppState {
    const { options } = this;
    return {
      version: options.version,
      door: options.door,
      workspace: options.workspace,
      settings: this.settings,
      cluster: this.clusters.state(),
      clock: this.clock.state,
      lab: this.lab.state,
      terminals: this.terminals.list(),
      editors: this.editors.list(),
      host: this.hostDoors,
    };
  }

  private updateSettings(change: Partial<Settings>): Settings {
    this.settings = { ...this.settings, ...change };
    writeSettings(this.store, this.settings);
    return this.settings;
  }

  private clusterChanged(): void {
    const { cluster } = this.clusters;
    this.editors.serve(cluster);
    this.topology.follow(cluster);
    this.emit('cluster.changed', this.clusters.state());
  }

  private emit<Name extends EventName>(name: Name, event: Events[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) (listener as Listener<Name>)(event);
  }

  /** Keeps an input where a replay finds it. */
  private record(run: number, input: Input): void {
    const key = `/input/${run}/${String(input.sequence).padStart(10, '0')}`;
    this.store.save([{ key, value: JSON.stringify({ ...input, sequence: undefined }) }]);
  }

  /** Keeps the virtual time in the workspace while things happen, and its history within bounds. */
  private stamp(): void {
    const { store, simulation } = this;
    if (store.rows !== this.stampedRows) {
      store.save([{ key: CLOCK_KEY, value: String(simulation.now()) }]);
      this.stampedRows = store.rows;
      if (store.revision - store.compactedRevision > 2 * HISTORY_REVISIONS)
        store.compact(store.revision - HISTORY_REVISIONS);
    }
    store.durable().then(
      () => (this.diskFull = false),
      (error: unknown) => this.tellStorage(error),
    );
    this.stampTimer = this.options.host.timeout(STAMP_MS, () => this.stamp());
  }

  private tellStorage(error: unknown): void {
    if (!(error instanceof StorageError)) return this.options.onFault(error);
    if (this.diskFull) return;
    this.diskFull = true;
    const zh =
      error.code === 'full'
        ? '存放工作区的磁盘已满；腾出一些空间，它会自己继续。'
        : '工作区文件无法写入；请检查磁盘。';
    this.emit('notice', { level: 'error', message: { zh, en: error.message } });
  }

  private explain(error: unknown): { reason: string; message: string } {
    if (error instanceof SessionError) return { reason: error.reason, message: error.message };
    if (error instanceof StorageError) return { reason: error.code, message: error.message };
    if (error instanceof LabError) return { reason: 'bad-lab', message: error.message };
    if (error instanceof RangeError) return { reason: 'bad-request', message: error.message };
    this.options.onFault(error);
    return { reason: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

function done(_: void): null {
  return null;
}
