// The kubelet's connection to containerd: what it hears when nobody answers at the socket, and since when.
import { containerdSocket, RuntimeError, type Containerd } from '../../linux/containerd/index.ts';
import type { Kernel } from '../../linux/kernel/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { Clock } from '../../simulation/index.ts';

/** How long the runtime may be silent before the node isn't ready (runtimeState's baseRuntimeSyncThreshold). */
const SILENCE_MAX_MS = 30_000;
/** Calls that do something. Differs: what only reads is answered from memory, as from the kubelet's caches. */
const ACTIONS: ReadonlySet<PropertyKey> = new Set<keyof Containerd>([
  'pullImage',
  'runSandbox',
  'stopSandbox',
  'removeSandbox',
  'createContainer',
  'startContainer',
  'stopContainer',
  'removeContainer',
  'exec',
  'attach',
]);

export class RuntimeConnection {
  /** The runtime; its actions reject with RuntimeError Unavailable while nobody listens. */
  readonly containerd: Containerd;
  private readonly kernel: Kernel;
  private readonly clock: Clock;
  private heardMs: number;

  /** Throws ErrnoError when nobody listens. */
  constructor(kernel: Kernel, clock: Clock) {
    this.kernel = kernel;
    this.clock = clock;
    this.heardMs = clock.now();
    this.containerd = new Proxy(kernel.connectService(containerdSocket), {
      get: (runtime, name) => {
        const value: unknown = Reflect.get(runtime, name);
        if (typeof value !== 'function') return value;
        const call = value.bind(runtime) as (...args: unknown[]) => unknown;
        if (!ACTIONS.has(name)) return call;
        return (...args: unknown[]) => {
          const refusal = this.refusal();
          return refusal === undefined ? call(...args) : Promise.reject(refusal);
        };
      },
    });
  }

  /** Why the node isn't ready on the runtime's account. To be asked every few seconds. */
  problem(): string | undefined {
    if (this.refusal() === undefined) this.heardMs = this.clock.now();
    return this.clock.now() - this.heardMs > SILENCE_MAX_MS ? 'container runtime is down' : undefined;
  }

  private refusal(): RuntimeError | undefined {
    try {
      this.kernel.connectService(containerdSocket);
      return undefined;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      return new RuntimeError(
        'Unavailable',
        `connection error: desc = "transport: Error while dialing: dial ${containerdSocket.path}: connect: ${error.message.toLowerCase()}"`,
        { cause: error },
      );
    }
  }
}
