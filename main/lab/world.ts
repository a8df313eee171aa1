// What a lab needs of a cluster: its API as administrator, its machines' shells, files and network, its clock.
import type { ApiClient } from '../kubernetes/client/index.ts';
import type { Clock } from '../simulation/index.ts';

/** How a command ended and what it printed. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** One HTTP answer, or why there was none (such as `Connection refused`). */
export type HttpResult =
  | { readonly ok: true; readonly status: number; readonly body: string }
  | { readonly ok: false; readonly message: string };

export interface LabWorld {
  readonly clock: Clock;
  /** As cluster administrator. */
  readonly api: ApiClient;
  /** Runs a bash script on a machine as root, aside from all terminals. Throws UnknownMachineError. */
  runOnMachine(machine: string, script: string): Promise<CommandResult>;
  /** Runs a command in a running container of a pod. */
  runInPod(namespace: string, pod: string, argv: readonly string[]): Promise<CommandResult>;
  /** One GET on a new connection from a machine. */
  httpGet(machine: string, url: string): Promise<HttpResult>;
  /** A file of a machine as text; undefined if it isn't there. */
  readMachineFile(machine: string, path: string): string | undefined;
  /** Types a script into a new login shell, as a person would, and waits until the shell has left. */
  typeScript(machine: string, script: string): Promise<CommandResult>;
}
