// What Docker keeps about containers, networks and volumes, and what its clients can ask for.
import type { NetworkNamespace } from '../../network/index.ts';
import { serviceSocket, type FileSystemView, type WaitStatus } from '../kernel/index.ts';
import type { ExecOptions, FileChange, ImageConfig, ImageOrigin, ImageRecord } from '../containerd/index.ts';

/** One published port. */
export interface PublishedPort {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
}

export interface EngineMount {
  readonly type: 'bind' | 'volume';
  /** A path of the machine, or a volume's name. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** What `docker create` is told. */
export interface EngineSpec {
  readonly name: string;
  /** containerd's namespace: `moby` for docker, `default` for nerdctl and ctr. */
  readonly namespace: string;
  /** As it was asked for. */
  readonly image: string;
  /** Canonical, or an id. */
  readonly imageReference: string;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string | undefined;
  readonly user: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly mounts: readonly EngineMount[];
  readonly ports: readonly PublishedPort[];
  /** `bridge`, `host`, `none`, a network's name, or `container:ID`. */
  readonly network: string;
  readonly addHosts: readonly string[];
  readonly dns: readonly string[];
  readonly restart: {
    readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
    readonly max: number;
  };
  readonly autoRemove: boolean;
  readonly memoryMaxBytes: number | undefined;
  readonly cpus?: number | undefined;
  readonly readOnlyRoot: boolean;
  readonly privileged: boolean;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly stopSignal: string | undefined;
  readonly pidOfMachine: boolean;
}

export interface EngineContainer {
  readonly id: string;
  readonly spec: EngineSpec;
  readonly imageId: string;
  readonly imageConfig: ImageConfig;
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  readonly createdMs: number;
  readonly startedMs: number | undefined;
  readonly finishedMs: number | undefined;
  readonly exitCode: number;
  readonly error: string;
  readonly isOutOfMemory: boolean;
  readonly restartCount: number;
  readonly address: string;
  readonly mac: string;
  readonly pid: number | undefined;
  readonly logPath: string;
  readonly cgroup: string;
  readonly net: NetworkNamespace | undefined;
}

export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  readonly createdMs: number;
  readonly bridge: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface EngineVolume {
  readonly name: string;
  readonly createdMs: number;
  readonly mountpoint: string;
}

/** A request that can't be met, in the daemon's words. */
export class EngineError extends Error {
  readonly kind: 'not-found' | 'conflict' | 'invalid' | 'start-failed' | 'not-running';
  /** What `docker run` exits with. */
  readonly exitCode: number;
  constructor(kind: EngineError['kind'], message: string, exitCode = 125) {
    super(message);
    this.kind = kind;
    this.exitCode = exitCode;
  }
}

export interface EngineEvent {
  readonly timeMs: number;
  readonly type: 'container' | 'image' | 'network' | 'volume';
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Containers of a machine that aren't a kubelet's, as docker, nerdctl and ctr make them. Records survive a restart. */
export interface Engine {
  readonly version: string;
  images(namespace: string): EngineImages;
  list(namespace?: string): EngineContainer[];
  /** By id, a beginning of it, or name. Throws EngineError not-found. */
  find(text: string, namespace?: string): EngineContainer;
  create(spec: EngineSpec): EngineContainer;
  /** With streams that are attached from its first byte on; `ended` settles with its end. Throws EngineError start-failed. */
  start(id: string, attached?: ExecOptions): Promise<{ readonly ended: Promise<WaitStatus> | undefined }>;
  stop(id: string, timeoutMs: number | undefined): Promise<void>;
  kill(id: string, signal: string): void;
  remove(id: string, options: { readonly force: boolean; readonly volumes: boolean }): Promise<void>;
  rename(id: string, name: string): void;
  wait(id: string): Promise<number>;
  exec(id: string, options: ExecOptions): Promise<WaitStatus>;
  attach(id: string, options: ExecOptions): Promise<WaitStatus>;
  /** Its files: as its processes see them, or as they would. */
  filesOf(id: string): FileSystemView;
  diff(id: string): FileChange[];
  commit(id: string, names: readonly string[], config: ImageConfig | undefined, by: string): ImageRecord;
  listNetworks(): EngineNetwork[];
  createNetwork(
    name: string,
    options: {
      readonly subnet?: string;
      readonly driver?: string;
      readonly labels?: Readonly<Record<string, string>>;
    },
  ): EngineNetwork;
  removeNetwork(name: string): void;
  listVolumes(): EngineVolume[];
  createVolume(name: string | undefined): EngineVolume;
  removeVolume(name: string): void;
  onEvent(listener: (event: EngineEvent) => void): Disposable;
}

/** The part of an image store that clients need. */
export interface EngineImages {
  pull(reference: string): Promise<ImageRecord>;
  status(reference: string): ImageRecord | undefined;
  list(): ImageRecord[];
  remove(reference: string): void;
  untagImage(name: string): { readonly image: ImageRecord; readonly isGone: boolean };
  tag(reference: string, name: string): ImageRecord;
  export(references: readonly string[]): Uint8Array;
  importArchive(archive: Uint8Array): ImageRecord[];
  addMade(origin: ImageOrigin, names: readonly string[]): ImageRecord;
}

/** /var/run/docker.sock */
export const dockerSocket = serviceSocket<Engine>('/run/docker.sock');
/** What nerdctl and ctr reach beside the kubelet's runtime; it lives as long as containerd. */
export const nerdSocket = serviceSocket<Engine>('/run/containerd/containerd.sock.ttrpc');
