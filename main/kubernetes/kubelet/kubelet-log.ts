// What the kubelet writes to its journal: klog lines, and failures in the words of those that fail.
import { RuntimeError } from '../../linux/containerd/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { isStatus } from '../api/index.ts';
import { klogLine } from '../daemon/index.ts';

const KUBECONFIG = '/etc/kubernetes/kubelet.conf';

/** Writes until it is stopped, in order, though nobody waits. */
export class KubeletLog {
  private readonly proc: Process;
  private readonly nodeName: string;
  private isStopped = false;
  private written: Promise<void> = Promise.resolve();

  constructor(proc: Process, nodeName: string) {
    this.proc = proc;
    this.nodeName = nodeName;
  }

  stop(): void {
    this.isStopped = true;
  }

  /** A list or watch that the server doesn't answer, in the words of client-go's reflector. */
  watchFailed(plural: string, kind: string, error: unknown): void {
    if (!(error instanceof ErrnoError)) return this.fault(error);
    const url = `${this.apiServer()}/api/v1/${plural}?limit=500&resourceVersion=0`;
    const text = `failed to list *v1.${kind}: Get "${url}": ${this.dialText(error)}`;
    const more = `logger="UnhandledError" reflector="k8s.io/client-go/informers/factory.go:160" type="*v1.${kind}"`;
    this.line('E', 'reflector.go:204', `"Failed to watch" err=${JSON.stringify(text)} ${more}`);
  }

  registrationFailed(error: unknown): void {
    if (!(error instanceof ErrnoError)) return this.fault(error);
    const { nodeName } = this;
    const text = `Post "${this.apiServer()}/api/v1/nodes": ${this.dialText(error)}`;
    const message = `"Unable to register node with API server" err=${JSON.stringify(text)} node="${nodeName}"`;
    this.line('E', 'kubelet_node_status.go:107', message);
  }

  private dialText(error: ErrnoError): string {
    const { host } = new URL(this.apiServer());
    return `dial tcp ${host}: connect: ${error.message.toLowerCase()}`;
  }

  /** As kubelet.conf names it. */
  private apiServer(): string {
    const { fs } = this.proc;
    const text = fs.exists(KUBECONFIG) ? fs.readText(KUBECONFIG) : '';
    return /^\s*server: (\S+)$/m.exec(text)?.[1] ?? 'https://127.0.0.1:6443';
  }

  /** An error that nobody expected; what is none at all is thrown on. */
  fault(error: unknown): void {
    if (this.isStopped || isStatus(error, 'NotFound')) return;
    const text = error instanceof Error ? error.message : String(error);
    const source = error instanceof RuntimeError ? 'kuberuntime_manager.go:1341' : 'kubelet.go:3011';
    this.line('E', source, `"Unhandled Error" err=${JSON.stringify(text)}`);
    if (!(error instanceof Error)) throw error;
  }

  badManifest(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const [path = ''] = text.split(': ', 1);
    this.line(
      'E',
      'file_linux.go:116',
      `"Can't process manifest file" err=${JSON.stringify(text)} path=${JSON.stringify(path)}`,
    );
  }

  line(severity: 'I' | 'W' | 'E', source: string, message: string): void {
    if (this.isStopped) return;
    const line = klogLine(severity, this.proc.clock.now(), this.proc.pid, source, message);
    // After the process's end there is nobody to tell.
    this.written = this.written.then(() => this.proc.stderr.write(line));
    this.written.catch(() => undefined);
  }
}
