// Everything that crosses between the engine's process and a screen: calls, events, and the shapes in them.
// Types only: main/, preload/ and renderer/ all compile against this file, and share nothing else.

export type Language = 'zh' | 'en';
export type Theme = 'system' | 'light' | 'dark';

/** A text in both languages. */
export type Localized = Readonly<Record<Language, string>>;

export interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  /** Terminal font size in CSS pixels. */
  readonly terminalFontSize: number;
  /** The dock's arrangement as the renderer serialised it; undefined before the first change. */
  readonly layout?: string;
}

/** What a screen needs to draw itself after (re)connecting. */
export interface AppState {
  readonly version: string;
  /** Which door serves this screen. */
  readonly door: 'desktop' | 'browser';
  /** Path of the workspace file. */
  readonly workspace: string;
  readonly settings: Settings;
  readonly cluster: ClusterState;
  readonly clock: ClockState;
  /** The lab that is open, if any. */
  readonly lab: LabState | undefined;
  readonly terminals: readonly TerminalInfo[];
  /** Editors that programs wait for, so that a screen that reconnects can show them again. */
  readonly editors?: readonly EditorInfo[];
  /** The host's doors into the cluster. */
  readonly host: HostDoors | undefined;
}

export interface HostDoors {
  /** Path of the kubeconfig for the host's own kubectl. */
  readonly kubeconfig: string;
  /** Such as https://127.0.0.1:6443. */
  readonly api: string;
  readonly proxy: string;
  readonly dns: string;
}

// ── Cluster ──

export interface ClusterState {
  readonly phase: 'none' | 'booting' | 'running' | 'failed';
  /** Version profile, such as `current`. */
  readonly profile: string;
  readonly machines: readonly MachineInfo[];
  /** Why it failed, as one sentence. */
  readonly message?: string;
}

export interface MachineInfo {
  readonly name: string;
  readonly address: string;
  readonly role: 'control-plane' | 'worker' | 'client';
}

export interface ClockState {
  /** Virtual time in ms since the epoch. */
  readonly nowMs: number;
  readonly paused: boolean;
  /** Virtual seconds per wall second while not paused. */
  readonly speed: number;
  /** True while a skip is running. */
  readonly skipping: boolean;
}

/** The live picture. Everything is keyed so that a screen can compare two of them. */
export interface Topology {
  readonly machines: readonly TopologyMachine[];
  readonly pods: readonly TopologyPod[];
  readonly services: readonly TopologyService[];
}

export interface TopologyMachine {
  readonly name: string;
  readonly address: string;
  readonly role: MachineInfo['role'];
  /** Of its Node's Ready condition; undefined for machines outside the cluster. */
  readonly ready: boolean | undefined;
  readonly unschedulable: boolean;
}

export interface TopologyPod {
  readonly namespace: string;
  readonly name: string;
  /** As kubectl's STATUS column says it. */
  readonly status: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly address: string | undefined;
  /** Machine it is bound to. */
  readonly node: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface TopologyService {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly clusterIP: string | undefined;
  /** Such as `80/TCP` or `80:30080/TCP`. */
  readonly ports: readonly string[];
  readonly externalAddresses: readonly string[];
  readonly sessionAffinity: string;
  /** `namespace/name` of the pods behind it, with their state. */
  readonly endpoints: readonly { readonly pod: string; readonly address: string; readonly ready: boolean }[];
}

// ── Terminals and editors ──

export interface TerminalInfo {
  readonly terminalId: string;
  readonly machine: string;
  /** Shown on the tab; unique among open terminals. */
  readonly title: string;
}

export interface EditorInfo {
  readonly editorId: string;
  readonly terminalId: string;
  readonly machine: string;
  /** Path of the file on the machine. */
  readonly path: string;
  readonly content: string;
  /** Which keymap the learner asked for. */
  readonly editor: 'vim' | 'nano';
  /** The file didn't exist when it was opened. */
  readonly isNew: boolean;
  readonly readOnly: boolean;
}

// ── Labs ──

export interface LabSummary {
  /** `course/lab`. */
  readonly id: string;
  readonly course: string;
  readonly title: Localized;
  readonly summary: Localized;
  readonly minutes: number;
  readonly level: 'beginner' | 'intermediate' | 'advanced';
  readonly stepCount: number;
  readonly pointsMax: number;
  /** What this workspace holds of it. */
  readonly progress: { readonly started: boolean; readonly stepsPassed: number; readonly points: number };
}

export interface Course {
  readonly id: string;
  readonly title: Localized;
  readonly labs: readonly LabSummary[];
}

export interface LabState {
  readonly id: string;
  readonly title: Localized;
  readonly aims: readonly Localized[];
  /** Index of the step shown. */
  readonly currentStep: number;
  readonly steps: readonly StepState[];
  readonly points: number;
  readonly pointsMax: number;
  /** Set while `lab.check`, `lab.reset` or `lab.solve` runs. */
  readonly busy: 'checking' | 'resetting' | 'solving' | undefined;
}

export interface StepState {
  readonly title: Localized;
  /** Markdown. Fenced code blocks may carry `{machine=NAME run}` (a button types it there) and `{output}`. */
  readonly text: Localized;
  readonly checks: readonly CheckState[];
  readonly hints: readonly HintState[];
  readonly passed: boolean;
}

export interface CheckState {
  readonly id: string;
  /** What must be true, as a sentence. */
  readonly title: Localized;
  readonly points: number;
  readonly status: 'pending' | 'passed' | 'failed';
  /** When failed: what was found, and what was expected. */
  readonly message?: Localized;
}

export interface HintState {
  /** Points it costs. */
  readonly cost: number;
  /** Markdown; undefined until it was taken. */
  readonly text: Localized | undefined;
}

// ── The bridge ──

/** What a screen can ask for. Requests and replies are structured-clonable and JSON-safe. */
export interface Calls {
  'app.state': (request: Record<string, never>) => AppState;
  'settings.update': (request: Partial<Settings>) => Settings;

  'shelf.list': (request: Record<string, never>) => { courses: readonly Course[] };

  'cluster.topology': (request: Record<string, never>) => Topology;

  'clock.pause': (request: Record<string, never>) => ClockState;
  'clock.resume': (request: Record<string, never>) => ClockState;
  'clock.setSpeed': (request: { speed: number }) => ClockState;
  /** Runs flat out through `seconds` of virtual time, then goes on as before. */
  'clock.skip': (request: { seconds: number }) => ClockState;
  /** Runs flat out until no pod is on its way (or two virtual minutes have passed). */
  'clock.skipUntilReady': (request: Record<string, never>) => ClockState;

  /** `replay` is what the terminal showed so far, for a screen that reconnects. */
  'terminal.open': (request: { machine: string; columns: number; rows: number }) => TerminalInfo;
  'terminal.attach': (request: { terminalId: string; columns: number; rows: number }) => { replay: string };
  'terminal.input': (request: { terminalId: string; data: string }) => null;
  'terminal.resize': (request: { terminalId: string; columns: number; rows: number }) => null;
  'terminal.close': (request: { terminalId: string }) => null;

  /** Writes to the machine's file; the program in the terminal goes on waiting. */
  'editor.save': (request: { editorId: string; content: string }) => null;
  /** Ends the editor program; `exitCode` is what the shell sees. */
  'editor.close': (request: { editorId: string; exitCode: number }) => null;

  /** Opens a lab: boots its cluster, or resumes where this workspace left it. */
  'lab.open': (request: { labId: string }) => LabState;
  'lab.close': (request: Record<string, never>) => null;
  'lab.goTo': (request: { step: number }) => LabState;
  /** Runs the checks of a step. */
  'lab.check': (request: { step: number }) => LabState;
  'lab.takeHint': (request: { step: number; hint: number }) => LabState;
  /** Puts the cluster back to where this step began. */
  'lab.reset': (request: { step: number }) => LabState;
  /** Plays the step's solution script. */
  'lab.solve': (request: { step: number }) => LabState;
  /** Forgets all progress and starts with a fresh cluster. */
  'lab.restart': (request: Record<string, never>) => LabState;
}

/** What a screen is told. Events of a kind arrive in order. */
export interface Events {
  'cluster.changed': ClusterState;
  'cluster.topology': Topology;
  'clock.changed': ClockState;
  'terminal.output': { terminalId: string; data: string };
  'terminal.closed': { terminalId: string };
  'editor.opened': EditorInfo;
  /** The program went away, as by a signal. */
  'editor.closed': { editorId: string };
  'lab.changed': LabState;
  /** Something a person should know; `message` is a sentence in both languages. */
  notice: { level: 'info' | 'warning' | 'error'; message: Localized };
}

export type CallName = keyof Calls;
export type EventName = keyof Events;
export type RequestOf<Name extends CallName> = Parameters<Calls[Name]>[0];
export type ReplyOf<Name extends CallName> = ReturnType<Calls[Name]>;

/** Errors cross as values: Electron would keep only their message. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: { readonly reason: string; readonly message: string } };

/** Electron's IPC channels; a call's or event's name is the first argument on them. */
export type CallChannel = 'drydock:call';
export type EventChannel = 'drydock:event';

/** What `preload/` puts on `window.drydock`, and what the browser host's client offers alike. */
export interface Bridge {
  call<Name extends CallName>(name: Name, request: RequestOf<Name>): Promise<Reply<ReplyOf<Name>>>;
  /** Returns a function that stops listening. */
  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => void): () => void;
}
