// What the container runtime of a machine offers: images, sandboxes, containers (CRI), as kubelet, crictl, ctr and docker use it.
import {
  serviceSocket,
  type Program,
  type TtyMaster,
  type OpenFile,
  type WaitStatus,
  type WindowSize,
} from '../kernel/index.ts';
import type { NetworkNamespace } from '../../network/index.ts';
import type { PortMapping } from './cni.ts';
import type { ImageOrigin } from './derived-image.ts';

/** An image in the catalogue or a registry: what `docker pull` brings. Files are read-only and shared by all containers. */
export interface ContainerImage {
  /** Canonical: `docker.io/library/nginx:1.20`. */
  readonly name: string;
  /** What it is whatever it is called: one build has one identity under all its tags and mirrors. Absent: the name. */
  readonly identity?: string;
  /** `sha256:…`; derived from the name if absent. */
  readonly digest?: string;
  /** Size on disk and over the wire, for listings and pull time. */
  readonly sizeBytes: number;
  /** Absolute paths to what is there. */
  readonly files: ReadonlyMap<string, ImageFile>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly exposedPorts?: readonly string[];
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Folders that get a volume of their own where the runtime makes one (docker). */
  readonly volumes?: readonly string[];
  /** When it was built, RFC 3339. */
  readonly created?: string;
  /** Of an image that was made here from another: what to make it of again. */
  readonly origin?: ImageOrigin;
}

/** A file of an image: text, bytes, a built-in program, a link, or an (empty) directory. */
export type ImageFile =
  | {
      readonly type: 'file';
      readonly content: string | Uint8Array;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly type: 'program'; readonly program: Program; readonly name: string; readonly mode?: number }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'directory'; readonly mode?: number; readonly uid?: number; readonly gid?: number };

/** Where images are pulled from. `undefined`: no such image there ("not found"). */
export interface ImageRegistry {
  lookup(reference: string): ContainerImage | undefined;
  /** False when no such host exists, so that its name can't be looked up; absent: every host exists. */
  hasHost?(host: string): boolean;
  /** False when a registry has no such repository, whatever the tag; absent: told by `latest`. */
  hasRepository?(repository: string): boolean;
}

export interface ImageRecord {
  /** sha256 of the configuration. */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  readonly image: ContainerImage;
}

/** A volume or file given to a container. */
export interface ContainerMount {
  readonly containerPath: string;
  /** A path on the machine; of no meaning for an image. */
  readonly hostPath: string;
  readonly readOnly?: boolean;
  /** An image on the machine, whose files are mounted read-only (KEP-4639). */
  readonly image?: string;
}

export interface SandboxSpec {
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly attempt: number;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cgroupParent: string;
  readonly portMappings?: readonly PortMapping[];
}

export interface Sandbox {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly createdMs: number;
  readonly state: 'ready' | 'notready';
  /** The pod's namespace: the machine's own for hostNetwork. */
  readonly net: NetworkNamespace;
  /** Addresses that CNI gave, first is the primary; empty for hostNetwork. */
  readonly ips: readonly string[];
}

export interface LogRotation {
  readonly sizeBytes: number;
  readonly files: number;
}

export interface ContainerSpec {
  readonly name: string;
  readonly attempt: number;
  /** As in the pod spec. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly workingDirectory?: string;
  readonly user?: string;
  /** Groups beside those of the image's own files (supplementalGroups and fsGroup). */
  readonly supplementalGroups?: readonly number[];
  /** Whose pid namespace it joins: the sandbox's, the machine's, or another container's; absent: one of its own. */
  readonly pid?: 'pod' | 'node' | { readonly container: string };
  /** Sent to stop it; absent: the image's. */
  readonly stopSignal?: string;
  readonly mounts: readonly ContainerMount[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly memoryMaxBytes?: number | undefined;
  /** CPU time in each 100 ms, in microseconds; absent: no limit. */
  readonly cpuQuotaUs?: number | undefined;
  readonly cpuShares?: number;
  /** From -1000 to 1000: whom the OOM killer takes first. */
  readonly oomScoreAdj?: number;
  /** All capabilities, and /sys and /proc/sys to write to. */
  readonly privileged?: boolean;
  /** How its capabilities differ from the usual, with or without CAP_; ALL is every one. */
  readonly capabilities?: {
    readonly add?: readonly string[] | undefined;
    readonly drop?: readonly string[] | undefined;
  };
  readonly readOnlyRoot?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Where the log goes, in CRI format; absent: nowhere. */
  readonly logPath?: string;
  /** Docker writes a JSON object per line instead. */
  readonly logFormat?: 'cri' | 'json';
  /** When the log is put aside, and how many files of it are kept, the present one among them. */
  readonly logRotation?: LogRotation;
}

export interface Container {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly sandboxId: string;
  readonly spec: ContainerSpec;
  readonly imageId: string;
  readonly state: 'created' | 'running' | 'exited';
  readonly createdMs: number;
  readonly startedMs: number | undefined;
  readonly finishedMs: number | undefined;
  readonly exitCode: number | undefined;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly pid: number | undefined;
}

export interface ExecOptions {
  readonly command: readonly string[];
  /** With a terminal the three are its master's; without, pipes. */
  readonly tty?: TtyMaster;
  readonly stdio?: readonly [OpenFile, OpenFile, OpenFile];
  /** Kills the command (SIGKILL, it alone) once it is aborted, as ExecSync does at its timeout; an attached client is let go. */
  readonly signal?: AbortSignal;
  /** False of an attached client that only listens: it leaves the container's input open for others. */
  readonly hasInput?: boolean;
  /** Of an attached terminal: told a listener for its new sizes, which the container's own terminal takes over. */
  readonly followSize?: (listener: (size: WindowSize) => void) => void;
}

/** Why a runtime call failed, in gRPC's words; `message` is containerd's. */
export class RuntimeError extends Error {
  readonly code:
    | 'NotFound'
    | 'AlreadyExists'
    | 'FailedPrecondition'
    | 'InvalidArgument'
    | 'Unknown'
    | 'Unavailable';
  constructor(code: RuntimeError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** CRI's RuntimeService and ImageService in one, plus what docker and ctr need. Records survive a restart of the machine or the app. */
export interface Containerd {
  readonly version: string;
  /** The image of sandboxes' first process. */
  readonly sandboxImage: string;
  pullImage(reference: string): Promise<ImageRecord>;
  imageStatus(reference: string): ImageRecord | undefined;
  listImages(): ImageRecord[];
  removeImage(reference: string): void;
  /** Adds an image that came in a file (`docker load`, `ctr images import`). */
  importImage(image: ContainerImage): ImageRecord;
  /** One more name for an image (`docker tag`). Throws RuntimeError NotFound, InvalidArgument. */
  tagImage(reference: string, name: string): ImageRecord;
  /** A tar file of images, as `docker save` writes. Throws RuntimeError NotFound. */
  exportImages(references: readonly string[]): Uint8Array;
  /** Adds the images of such a file under the names in it. Throws RuntimeError InvalidArgument, NotFound. */
  importArchive(archive: Uint8Array): ImageRecord[];

  runSandbox(spec: SandboxSpec): Promise<Sandbox>;
  /** Kills what runs in it and gives its network back. */
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  listSandboxes(): Sandbox[];

  createContainer(sandboxId: string, spec: ContainerSpec): Promise<Container>;
  startContainer(id: string): Promise<void>;
  /** Stop signal, then KILL after `timeoutMs`. */
  stopContainer(id: string, timeoutMs: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  /** Sets limits of a running container anew (UpdateContainerResources); undefined lifts the limit. */
  updateContainer(
    id: string,
    limits: Pick<ContainerSpec, 'memoryMaxBytes' | 'cpuQuotaUs' | 'cpuShares'>,
  ): Promise<void>;
  /** What a container's writable layer takes on the disk. */
  layerBytes(id: string): number;
  listContainers(): Container[];
  containerStatus(id: string): Container | undefined;
  /** Settles with the command's end. Rejects with RuntimeError when it can't start (no such file …). */
  exec(id: string, options: ExecOptions): Promise<WaitStatus>;
  /** Joins the streams of the container's first process. */
  attach(id: string, options: ExecOptions): Promise<WaitStatus>;
  /** Calls back on every change of a sandbox or container (PLEG's evented form). */
  onEvent(
    listener: (event: {
      readonly kind: 'created' | 'started' | 'stopped' | 'deleted';
      readonly id: string;
      readonly podUid: string;
    }) => void,
  ): Disposable;
}

/** /run/containerd/containerd.sock */
export const containerdSocket = serviceSocket<Containerd>('/run/containerd/containerd.sock');
