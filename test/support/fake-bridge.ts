// A bridge with plausible answers and no engine behind it, for building the screen and testing it alone. Never shipped.
import path from 'node:path';

import { loadLab } from '../../main/lab/index.ts';
import type {
  AppState,
  Bridge,
  CallName,
  Calls,
  ClockState,
  EditorInfo,
  EventName,
  Events,
  LabState,
  Reply,
  ReplyOf,
  RequestOf,
  Settings,
  TerminalInfo,
  Topology,
} from '../../preload/contract.ts';

const LABS = path.join(import.meta.dirname, '../../labs');
const LAB_ID = 'service/session-affinity';

type Handlers = { [Name in CallName]: (request: RequestOf<Name>) => ReplyOf<Name> | Promise<ReplyOf<Name>> };

export interface FakeBridge extends Bridge {
  /** Tells every listener, as the engine would. */
  emit<Name extends EventName>(name: Name, payload: Events[Name]): void;
  /** Every call so far. */
  readonly calls: readonly { name: CallName; request: unknown }[];
  /** Files that editors wrote, by path. */
  readonly files: ReadonlyMap<string, string>;
}

export interface FakeOptions {
  readonly settings?: Partial<Settings>;
  /** Begin with the lab open, as after a return. */
  readonly labOpen?: boolean;
  readonly topology?: Topology;
}

export function makeFakeBridge(options: FakeOptions = {}): FakeBridge {
  const listeners = new Map<EventName, Set<(payload: never) => void>>();
  const calls: { name: CallName; request: unknown }[] = [];
  const files = new Map<string, string>();
  const emit = <Name extends EventName>(name: Name, payload: Events[Name]): void => {
    for (const listener of listeners.get(name) ?? []) listener(payload as never);
  };

  let settings: Settings = { language: 'en', theme: 'light', terminalFontSize: 13, ...options.settings };
  let clock: ClockState = {
    nowMs: Date.UTC(2026, 0, 12, 9, 30, 4),
    paused: false,
    speed: 1,
    skipping: false,
  };
  let lab = options.labOpen === true ? makeLab() : undefined;
  const terminals = new Map<string, FakeShell>();
  const editors = new Map<string, EditorInfo>();
  let lastNumber = 0;

  const openTerminal = (machine: string): TerminalInfo => {
    const terminalId = `terminal-${++lastNumber}`;
    const same = [...terminals.values()].filter(({ info }) => info.machine === machine).length;
    const info = { terminalId, machine, title: same === 0 ? machine : `${machine} (${same + 1})` };
    terminals.set(
      terminalId,
      new FakeShell(info, {
        output: (data) => emit('terminal.output', { terminalId, data }),
        edit: (program, file) => {
          const editor: EditorInfo = {
            editorId: `editor-${++lastNumber}`,
            terminalId,
            machine,
            path: file,
            content: files.get(file) ?? '',
            editor: program,
            isNew: !files.has(file),
            readOnly: false,
          };
          editors.set(editor.editorId, editor);
          emit('editor.opened', editor);
        },
      }),
    );
    return info;
  };
  const openMachines = (): void => {
    if (terminals.size === 0) for (const { name } of MACHINES.slice(0, 3)) openTerminal(name);
  };
  if (lab !== undefined) openMachines();
  files.set('/root/web.yaml', WEB_YAML);

  const appState = (): AppState => ({
    version: '0.1.0',
    door: 'browser',
    workspace: '/home/learner/.local/share/drydock/workspace.db',
    settings,
    cluster:
      lab === undefined
        ? { phase: 'none', profile: 'current', machines: [] }
        : { phase: 'running', profile: 'current', machines: MACHINES },
    clock,
    lab,
    terminals: [...terminals.values()].map(({ info }) => info),
    editors: [...editors.values()],
    host:
      lab === undefined
        ? undefined
        : {
            kubeconfig: '/home/learner/.local/share/drydock/kubeconfig',
            api: 'https://127.0.0.1:6443',
            proxy: 'http://127.0.0.1:3128',
            dns: '127.0.0.1:5353',
          },
  });
  const changeLab = (change: (before: LabState) => LabState): LabState => {
    if (lab === undefined) throw new Error('No lab is open.');
    lab = change(lab);
    emit('lab.changed', lab);
    return lab;
  };
  const changeClock = (change: Partial<ClockState>): ClockState => {
    clock = { ...clock, ...change };
    emit('clock.changed', clock);
    return clock;
  };

  const handlers: Handlers = {
    'app.state': appState,
    'settings.update': (change) => (settings = { ...settings, ...change }),
    'shelf.list': () => ({ courses: makeCourses(lab) }),
    'cluster.topology': () =>
      lab === undefined ? { machines: [], pods: [], services: [] } : (options.topology ?? TOPOLOGY),
    'clock.pause': () => changeClock({ paused: true }),
    'clock.resume': () => changeClock({ paused: false }),
    'clock.setSpeed': ({ speed }) => changeClock({ speed }),
    'clock.skip': ({ seconds }) => changeClock({ nowMs: clock.nowMs + seconds * 1000 }),
    'clock.skipUntilReady': () => changeClock({ nowMs: clock.nowMs + 4_000 }),
    'terminal.open': ({ machine }) => openTerminal(machine),
    'terminal.attach': ({ terminalId }) => ({ replay: require(terminals, terminalId).shown }),
    'terminal.input': ({ terminalId, data }) => {
      require(terminals, terminalId).type(data);
      return null;
    },
    'terminal.resize': () => null,
    'terminal.close': ({ terminalId }) => {
      require(terminals, terminalId);
      terminals.delete(terminalId);
      emit('terminal.closed', { terminalId });
      return null;
    },
    'editor.save': ({ editorId, content }) => {
      files.set(require(editors, editorId).path, content);
      return null;
    },
    'editor.close': ({ editorId }) => {
      const { terminalId } = require(editors, editorId);
      editors.delete(editorId);
      terminals.get(terminalId)?.prompt();
      return null;
    },
    'lab.open': async () => {
      lab ??= makeLab();
      emit('cluster.changed', { phase: 'booting', profile: 'current', machines: [] });
      await new Promise((resolve) => setTimeout(resolve, 150));
      openMachines();
      emit('cluster.changed', { phase: 'running', profile: 'current', machines: MACHINES });
      emit('cluster.topology', options.topology ?? TOPOLOGY);
      return lab;
    },
    'lab.close': () => {
      lab = undefined;
      return null;
    },
    'lab.goTo': ({ step }) => changeLab((before) => ({ ...before, currentStep: step })),
    'lab.check': async ({ step }) => {
      changeLab((before) => ({ ...before, busy: 'checking' }));
      await new Promise((resolve) => setTimeout(resolve, 120));
      return changeLab((before) => checked(before, step));
    },
    'lab.takeHint': ({ step, hint }) => changeLab((before) => hinted(before, step, hint)),
    'lab.reset': () => changeLab((before) => before),
    'lab.solve': () => changeLab((before) => before),
    'lab.restart': () => changeLab(() => makeLab()),
  };

  return {
    calls,
    files,
    emit,
    call: async <Name extends CallName>(
      name: Name,
      request: RequestOf<Name>,
    ): Promise<Reply<ReplyOf<Name>>> => {
      calls.push({ name, request });
      try {
        return { ok: true, value: (await handlers[name](request)) as ReplyOf<Name> };
      } catch (error) {
        return { ok: false, error: { reason: 'failed', message: (error as Error).message } };
      }
    },
    on: (name, listener) => {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set);
      set.add(listener as (payload: never) => void);
      return () => void set.delete(listener as (payload: never) => void);
    },
  };
}

/** A terminal that echoes, knows a few words, and opens editors. */
class FakeShell {
  readonly info: TerminalInfo;
  shown = '';
  private line = '';
  private readonly to: { output(data: string): void; edit(program: 'vim' | 'nano', file: string): void };

  constructor(
    info: TerminalInfo,
    to: { output(data: string): void; edit(program: 'vim' | 'nano', file: string): void },
  ) {
    this.info = info;
    this.to = to;
    this.prompt();
  }

  prompt(): void {
    this.print(`\x1b[32m[root@${this.info.machine} ~]#\x1b[0m `);
  }

  type(data: string): void {
    for (const key of data) {
      if (key === '\r') this.run();
      else if (key === '\x7f') this.erase();
      else {
        this.line += key;
        this.print(key);
      }
    }
  }

  private run(): void {
    const line = this.line.trim();
    this.line = '';
    this.print('\r\n');
    const [program, file] = line.split(/\s+/);
    if ((program === 'vim' || program === 'nano') && file !== undefined) {
      return this.to.edit(program, file.startsWith('/') ? file : `/root/${file}`);
    }
    const answer = ANSWERS[line];
    if (answer !== undefined) this.print(answer.trimStart().replaceAll('\n', '\r\n'));
    this.prompt();
  }

  private erase(): void {
    if (this.line === '') return;
    this.line = this.line.slice(0, -1);
    this.print('\b \b');
  }

  private print(data: string): void {
    this.shown += data;
    this.to.output(data);
  }
}

function require<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Error(`There is no "${key}".`);
  return value;
}

function makeLab(): LabState {
  const lab = loadLab(LABS, LAB_ID);
  return {
    id: lab.id,
    title: lab.title,
    aims: lab.aims,
    currentStep: 0,
    steps: lab.steps.map((step) => ({
      title: step.title,
      text: step.text,
      checks: step.checks.map(({ id, title, points }) => ({ id, title, points, status: 'pending' })),
      hints: step.hints.map(({ cost }) => ({ cost, text: undefined })),
      passed: false,
    })),
    points: 0,
    pointsMax: lab.steps.flatMap(({ checks }) => checks).reduce((sum, { points }) => sum + points, 0),
    busy: undefined,
  };
}

/** The first time one check of a step fails, the second time all pass. */
function checked(lab: LabState, step: number): LabState {
  const again = lab.steps[step]?.checks.some(({ status }) => status === 'failed') === true;
  const steps = lab.steps.map((state, index) => {
    if (index !== step) return state;
    const last = state.checks.length - 1;
    return {
      ...state,
      passed: again,
      checks: state.checks.map((check, at) =>
        again || at !== last
          ? { ...check, status: 'passed' as const, message: undefined }
          : { ...check, status: 'failed' as const, message: MISSING },
      ),
    };
  });
  const points = steps
    .flatMap(({ checks }) => checks)
    .reduce((sum, check) => sum + (check.status === 'passed' ? check.points : 0), 0);
  return { ...lab, steps, points, busy: undefined };
}

function hinted(lab: LabState, step: number, hint: number): LabState {
  const source = loadLab(LABS, LAB_ID).steps[step]?.hints[hint];
  const steps = lab.steps.map((state, index) =>
    index !== step
      ? state
      : { ...state, hints: state.hints.map((h, at) => (at === hint ? { ...h, text: source?.text } : h)) },
  );
  return { ...lab, steps, points: Math.max(0, lab.points - (source?.cost ?? 0)) };
}

const MISSING = {
  zh: 'Service nginx-svc 还不存在。',
  en: 'Service nginx-svc does not exist yet.',
};

function makeCourses(open: LabState | undefined): ReturnType<Calls['shelf.list']>['courses'] {
  const lab = loadLab(LABS, LAB_ID);
  const summary = (id: string, change: object) => ({
    id,
    course: 'service',
    title: lab.title,
    summary: lab.summary,
    minutes: lab.minutes,
    level: lab.level,
    stepCount: lab.steps.length,
    pointsMax: 12,
    progress: { started: false, stepsPassed: 0, points: 0 },
    ...change,
  });
  return [
    {
      id: 'service',
      title: { zh: '第三部分：Service 与流量', en: 'Part three: Services and traffic' },
      labs: [
        summary(LAB_ID, {
          progress: {
            started: open !== undefined,
            stepsPassed: open?.steps.filter(({ passed }) => passed).length ?? 0,
            points: open?.points ?? 0,
          },
        }),
        summary('service/ipvs', {
          title: { zh: '读懂 IPVS 表', en: 'Reading the IPVS table' },
          summary: {
            zh: 'kube-proxy 写下了什么，内核又照着做了什么：一次请求走过的每一行。',
            en: 'What kube-proxy writes and the kernel obeys: every row that one request passes.',
          },
          minutes: 35,
          level: 'intermediate',
          progress: { started: true, stepsPassed: 3, points: 7 },
        }),
        summary('service/ingress', {
          title: { zh: 'Ingress：一个地址，许多网站', en: 'Ingress: one address, many sites' },
          summary: {
            zh: '装上一个 Ingress 控制器，按域名和路径分流，再给它配上证书。',
            en: 'Install an Ingress controller, route by host and path, then give it a certificate.',
          },
          minutes: 50,
          level: 'advanced',
          progress: { started: true, stepsPassed: 5, points: 12 },
        }),
      ],
    },
  ];
}

const MACHINES: AppState['cluster']['machines'] = [
  { name: 'master1', address: '192.168.10.10', role: 'control-plane' },
  { name: 'worker1', address: '192.168.10.11', role: 'worker' },
  { name: 'worker2', address: '192.168.10.12', role: 'worker' },
  { name: 'client', address: '192.168.10.100', role: 'client' },
];

const pod = (namespace: string, name: string, node: string | undefined, change: object = {}) => ({
  namespace,
  name,
  status: 'Running',
  ready: true,
  restarts: 0,
  address: `10.244.${Math.max(
    0,
    MACHINES.findIndex((machine) => machine.name === node),
  )}.${name.length}`,
  node,
  labels: {},
  ...change,
});

const TOPOLOGY: Topology = {
  machines: MACHINES.map((machine) => ({
    ...machine,
    ready: machine.role === 'client' ? undefined : true,
    unschedulable: false,
  })),
  pods: [
    pod('default', 'nginx-server1-7c8f9d6b5-4xkzp', 'worker1'),
    pod('default', 'nginx-server1-7c8f9d6b5-q2vtm', 'worker2'),
    pod('default', 'toolbox', 'worker2', { status: 'ImagePullBackOff', ready: false }),
    pod('default', 'web-5d8bd7c9f-zz8kq', 'worker1', {
      status: 'ContainerCreating',
      ready: false,
      address: undefined,
    }),
    pod('kube-system', 'coredns-6f6b679f8f-8xk2p', 'master1'),
    pod('kube-system', 'coredns-6f6b679f8f-vq7zn', 'master1', { restarts: 2 }),
    pod('kube-system', 'etcd-master1', 'master1'),
    pod('kube-system', 'kube-apiserver-master1', 'master1'),
    pod('kube-system', 'kube-controller-manager-master1', 'master1'),
    pod('kube-system', 'kube-proxy-7d2mk', 'master1'),
    pod('kube-system', 'kube-proxy-hhx5c', 'worker1'),
    pod('kube-system', 'kube-proxy-mwz8b', 'worker2'),
    pod('kube-system', 'kube-scheduler-master1', 'master1'),
  ],
  services: [
    {
      namespace: 'default',
      name: 'kubernetes',
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      ports: ['443/TCP'],
      externalAddresses: [],
      sessionAffinity: 'None',
      endpoints: [{ pod: '', address: '192.168.10.10', ready: true }],
    },
    {
      namespace: 'default',
      name: 'nginx-svc',
      type: 'ClusterIP',
      clusterIP: '10.102.37.211',
      ports: ['80/TCP'],
      externalAddresses: [],
      sessionAffinity: 'ClientIP',
      endpoints: [
        { pod: 'default/nginx-server1-7c8f9d6b5-4xkzp', address: '10.244.1.27', ready: true },
        { pod: 'default/nginx-server1-7c8f9d6b5-q2vtm', address: '10.244.2.27', ready: true },
        { pod: 'default/web-5d8bd7c9f-zz8kq', address: '10.244.1.3', ready: false },
      ],
    },
    {
      namespace: 'kube-system',
      name: 'kube-dns',
      type: 'ClusterIP',
      clusterIP: '10.96.0.10',
      ports: ['53/UDP', '53/TCP', '9153/TCP'],
      externalAddresses: [],
      sessionAffinity: 'None',
      endpoints: [
        { pod: 'kube-system/coredns-6f6b679f8f-8xk2p', address: '10.244.0.24', ready: true },
        { pod: 'kube-system/coredns-6f6b679f8f-vq7zn', address: '10.244.0.25', ready: true },
      ],
    },
  ],
};

const WEB_YAML = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-server1
spec:
  replicas: 2
  selector:
    matchLabels:
      app: nginx # The Service looks for this.
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
        - name: web
          image: "nginx:1.20"
          ports:
            - containerPort: 80
---
apiVersion: v1
kind: Service
metadata:
  name: nginx-svc
spec:
  type: ClusterIP
  selector:
    app: nginx
  ports:
    - port: 80
      targetPort: 80
`;

const ANSWERS: Readonly<Record<string, string>> = {
  'kubectl get nodes': `
NAME      STATUS   ROLES           AGE   VERSION
master1   Ready    control-plane   12m   v1.32.2
worker1   Ready    <none>          11m   v1.32.2
worker2   Ready    <none>          11m   v1.32.2
`,
  'kubectl get pods -o wide': `
NAME                            READY   STATUS    RESTARTS   AGE   IP            NODE
nginx-server1-7c8f9d6b5-4xkzp   1/1     \x1b[32mRunning\x1b[0m   0          58s   10.244.1.27   worker1
nginx-server1-7c8f9d6b5-q2vtm   1/1     \x1b[32mRunning\x1b[0m   0          58s   10.244.2.27   worker2
toolbox                         0/1     \x1b[31mImagePullBackOff\x1b[0m   0   40s   10.244.2.9   worker2
`,
  'ipvsadm -Ln': `
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.102.37.211:80 rr persistent 10800
  -> 10.244.1.27:80               Masq    1      0          3
  -> 10.244.2.27:80               Masq    1      0          0
`,
  'echo 你好，世界 👋🏽': `你好，世界 👋🏽\n`,
};
